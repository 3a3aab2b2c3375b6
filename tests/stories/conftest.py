"""The stories use the surroundings of a window: an open store, a person at the desk, a program that starts."""

from tests.ui.conftest import admin, as_role, desk, house, order, theme
from tests.ui.test_window_story import start, with_admin

__all__ = ["admin", "as_role", "desk", "house", "order", "start", "theme", "with_admin"]
