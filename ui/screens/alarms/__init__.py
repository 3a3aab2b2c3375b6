"""Alarms: what is wrong now, who has seen it, what is shelved, what happened before."""

from ui.screens.alarms.screen import AlarmsScreen

__all__ = ["AlarmsScreen"]
