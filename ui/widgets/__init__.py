"""Widgets with Lineside's look; they know the theme and nothing of the application."""
