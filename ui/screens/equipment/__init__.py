"""The machines of the workshop: how each is doing, since when, and why."""

from ui.screens.equipment.screen import EquipmentScreen

__all__ = ["EquipmentScreen"]
