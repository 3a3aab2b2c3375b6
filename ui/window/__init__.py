"""The window around the screens: start, people coming and going, navigation, what was done and what failed."""
