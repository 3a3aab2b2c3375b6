"""One module a place of the window; they do not know each other."""
