"""An editable table of tags: one cell, or one column of all selected rows at once, with the value live beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.errors import Refused
from app.domain.plant import Tag
from app.domain.plant_file import check_tag
from ui.screens.machines.tag_cells import BY_KEY, COLUMNS
from ui.widgets.roles import ColumnKeyRole, ColumnWidthRole, ErrorRole

Index = QModelIndex | QPersistentModelIndex
LiveWords = Callable[[Tag], str]
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_VALUE = 0


class TagTable(QAbstractTableModel):
    """Column 0 is the live value; `refused` tells why a typed text was not taken, `changed` that one was.

    `selected` gives the rows that an edit of one of them is meant for.
    """

    changed = Signal()
    refused = Signal(str)

    def __init__(self, live: LiveWords, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._tags: list[Tag] = []
        self._faults: list[tuple[str, str]] = []
        self.selected: Callable[[], Sequence[int]] = tuple
        self.trouble_of: Callable[[Tag], tuple[str, str] | None] = _nothing

    def set_tags(self, tags: Sequence[Tag]) -> None:
        """Show other tags."""
        self.beginResetModel()
        self._tags = list(tags)
        self._judge()
        self.endResetModel()

    def tags(self) -> list[Tag]:
        """The tags as they stand in the table."""
        return list(self._tags)

    def put_tags(self, changed: dict[int, Tag]) -> None:
        """Replace the tags of some rows."""
        for row, tag in changed.items():
            self._tags[row] = tag
        self._judge()
        if self._tags:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._tags) - 1, len(COLUMNS)))
        self.changed.emit()

    def faults(self) -> list[tuple[int, str]]:
        """(row, sentence) of every tag that cannot be saved as it is."""
        return [(row, sentence) for row, (_, sentence) in enumerate(self._faults) if sentence]

    def tick(self) -> None:
        """The live values moved."""
        if self._tags:
            self.dataChanged.emit(self.index(0, _VALUE), self.index(len(self._tags) - 1, _VALUE))

    def _judge(self) -> None:
        self._faults = [self._fault(tag) for tag in self._tags]
        seen: set[str] = set()
        for row, tag in enumerate(self._tags):
            if tag.name in seen:
                self._faults[row] = ("name", f"Another row is called {tag.name} too.")
            seen.add(tag.name)

    def _fault(self, tag: Tag) -> tuple[str, str]:
        try:
            check_tag(tag)
        except Refused as refusal:
            place = (refusal.field or "").removeprefix(f"{tag.name}.").split(".")
            words = refusal.sentence.removeprefix(f"{refusal.field}: ")
            column = next((part for part in reversed(place) if part in BY_KEY), "name")
            return column, words[0].upper() + words[1:]
        return self.trouble_of(tag) or ("", "")

    # -- what Qt asks ----------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._tags)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(COLUMNS) + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        tag, column = self._tags[index.row()], index.column()
        if role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.EditRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return self._live(tag) if column == _VALUE else COLUMNS[column - 1].shown(tag)
        if role == ErrorRole and column != _VALUE:
            key, sentence = self._faults[index.row()]
            return sentence if sentence and COLUMNS[column - 1].key == key else None
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or index.column() == _VALUE:
            return False
        column, text = COLUMNS[index.column() - 1], str(value)
        if text == column.shown(self._tags[index.row()]):
            return False
        rows = list(self.selected())
        if index.row() not in rows or column.key in ("name", "address"):
            rows = [index.row()]
        try:
            self.put_tags({row: column.put(self._tags[row], text) for row in rows})
        except Refused as refusal:
            self.refused.emit(refusal.sentence)
            return False
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() != _VALUE else flags

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section - 1] if section else None
        answers: dict[int, Any] = {
            int(Qt.ItemDataRole.DisplayRole): column.title if column else "Value now",
            int(ColumnKeyRole): column.key if column else "value",
            int(ColumnWidthRole): column.width if column else 100,
            int(Qt.ItemDataRole.ToolTipRole): (column.hint or None) if column else None,
            int(Qt.ItemDataRole.TextAlignmentRole): _RIGHT if column is None or column.right else None,
        }
        return answers.get(int(role))


def _nothing(_tag: Tag) -> tuple[str, str] | None:
    return None


def renamed(tags: Sequence[Tag], was: str, code: str) -> dict[int, Tag]:
    """Tags of the machine `was` as tags of the machine `code`; names that begin with the code follow."""
    changed: dict[int, Tag] = {}
    for row, tag in enumerate(tags):
        if tag.equipment == was:
            head, slash, tail = tag.name.partition("/")
            name = f"{code}/{tail}" if slash and head == was else tag.name
            changed[row] = replace(tag, equipment=code, name=name)
    return changed
