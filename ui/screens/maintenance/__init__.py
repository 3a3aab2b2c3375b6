"""Work on machines: what is planned, how urgent, by when, by whom, and everything about the current order."""

from ui.screens.maintenance.screen import MaintenanceScreen

__all__ = ["MaintenanceScreen"]
