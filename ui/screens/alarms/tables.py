"""The table that all pages of the alarms screen use: its order is the model's own."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel

from ui.widgets.list_view import ListView


def alarm_table(name: str, model: QAbstractTableModel) -> ListView:
    """A list that cannot be sorted by its header."""
    table = ListView()
    table.setObjectName(name)
    table.setAccessibleName(name.replace("-", " "))
    table.horizontalHeader().setSectionsClickable(False)
    table.setModel(model)
    table.horizontalHeader().setStretchLastSection(True)
    return table
