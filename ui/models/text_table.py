"""A small table of texts for the pages of an import and other short lists; one column may be edited in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from ui.models.table_header import header_answer
from ui.widgets.roles import ErrorRole

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class TextColumn:
    """A column of texts; `editable` cells report what was typed, `faulty` ones carry the row's sentence.

    A `number` stands right, so that digits of a column line up.
    """

    key: str
    title: str
    width: int = 120
    editable: bool = False
    faulty: bool = False
    number: bool = False


class TextTable(QAbstractTableModel):
    """`set_rows` shows rows of texts; `edited` carries (row, column key, text) and changes nothing by itself."""

    edited = Signal(int, str, str)

    def __init__(self, columns: Sequence[TextColumn], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = list(columns)
        self._rows: Sequence[Sequence[str]] = ()
        self._sentences: Sequence[str] = ()

    def set_columns(self, columns: Sequence[TextColumn]) -> None:
        """Other columns, without rows at first."""
        self.beginResetModel()
        self._columns, self._rows, self._sentences = list(columns), (), ()
        self.endResetModel()

    def set_rows(self, rows: Sequence[Sequence[str]], sentences: Sequence[str] = ()) -> None:
        """Replace the rows; `sentences` say what is wrong with each row's faulty cell."""
        if rows == self._rows and sentences == self._sentences:
            return
        if rows and len(rows) == len(self._rows):  # whoever has chosen a row keeps it
            self._rows, self._sentences = rows, sentences
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self._columns) - 1))
            return
        self.beginResetModel()
        self._rows, self._sentences = rows, sentences
        self.endResetModel()

    def rows(self) -> Sequence[Sequence[str]]:
        return self._rows

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        if role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.EditRole,
            Qt.ItemDataRole.AccessibleTextRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return self._rows[index.row()][index.column()]
        if role == ErrorRole and self._columns[index.column()].faulty and self._sentences:
            return self._sentences[index.row()]
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or str(value) == self._rows[index.row()][index.column()]:
            return False
        self.edited.emit(index.row(), self._columns[index.column()].key, str(value))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and self._columns[index.column()].editable:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        column = self._columns[section]
        return header_answer((column.key, column.title, column.width), role, right=column.number)
