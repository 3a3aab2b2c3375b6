"""The dashboard: what needs somebody, by name; what is normal, as a count."""

from ui.screens.dashboard.screen import DashboardScreen

__all__ = ["DashboardScreen"]
