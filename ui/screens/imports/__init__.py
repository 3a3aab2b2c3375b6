"""The import of Excel and CSV files: file, columns, errors, apply."""

from ui.screens.imports.screen import ImportScreen

__all__ = ["ImportScreen"]
