"""Between the window and everything below it: the open house, the person at the screen, live values."""
