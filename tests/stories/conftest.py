"""The stories use the surroundings of a window: an open store, a person at the desk."""

from tests.ui.conftest import admin, as_role, desk, house, order, theme

__all__ = ["admin", "as_role", "desk", "house", "order", "theme"]
