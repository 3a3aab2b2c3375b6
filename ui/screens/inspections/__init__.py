"""Inspections: the list, one in full, and the form that logs one."""

from ui.screens.inspections.screen import InspectionsScreen

__all__ = ["InspectionsScreen"]
