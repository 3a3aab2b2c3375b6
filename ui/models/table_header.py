"""What the header of a table answers about one of its columns."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from ui.widgets.roles import ColumnKeyRole, ColumnWidthRole
from ui.widgets.themed import LEFT, RIGHT


def header_answer(column: tuple[str, str, int], role: int, *, right: bool = False) -> Any:
    """Title, key and width of a `column` (key, title, width); numbers stand `right`, so that their digits line up."""
    key, title, width = column
    answers: dict[int, Any] = {
        int(Qt.ItemDataRole.DisplayRole): title,
        int(ColumnKeyRole): key,
        int(ColumnWidthRole): width,
        int(Qt.ItemDataRole.TextAlignmentRole): RIGHT if right else LEFT,
    }
    return answers.get(int(role))
