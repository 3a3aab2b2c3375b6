"""The rules and values of a workshop: pure, without input or output; time and ids are arguments."""
