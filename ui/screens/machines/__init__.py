"""The connections to machines, and the wizard that brings in a new one."""

from ui.screens.machines.screen import MachinesScreen

__all__ = ["MachinesScreen"]
