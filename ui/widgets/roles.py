"""Item data roles by which a model tells the list view what a cell is."""

from __future__ import annotations

from PySide6.QtCore import Qt

_FIRST = int(Qt.ItemDataRole.UserRole) + 100

ColumnKeyRole = _FIRST
"""headerData: stable str key of the column, for sorting, saved widths and exports."""
GlyphRole = _FIRST + 1
"""data: ("priority", (1..4, acked bool)), ("state", "running"), ("progress", (done, total)) or None."""
ErrorRole = _FIRST + 2
"""data: sentence saying what is wrong with the cell's value, or None."""
UnsentRole = _FIRST + 3
"""data: True when the cell or row waits to be sent to the server; a text is another sign to put there."""
MutedRole = _FIRST + 4
"""data: True when the row is inactive, stale or done and should stand back."""
TintRole = _FIRST + 5
"""data: alarm priority 1..4 that tints the whole row, or None."""
ColumnWidthRole = _FIRST + 6
"""headerData: width in pixels that a column starts with, or None."""
