"""How the station itself is doing, from the sensor to this window."""

from ui.screens.system.screen import SystemScreen

__all__ = ["SystemScreen"]
