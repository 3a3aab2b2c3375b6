"""What happened to alarms, newest first, narrowed by words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.domain.plant import Plant
from app.store.history import JournalLine
from ui.bridge.alarm_board import machine_name, signal_name
from ui.models import wording
from ui.models.machine_words import value_words
from ui.widgets.roles import ColumnKeyRole, ColumnWidthRole

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_COLUMNS = (
    ("at", "When", 150),
    ("event", "Event", 120),
    ("machine", "Machine", 200),
    ("signal", "Signal", 120),
    ("limit", "Limit", 70),
    ("value", "Value", 100),
    ("actor", "Who", 140),
    ("reason", "Reason", 260),
)


class AlarmJournal(QAbstractTableModel):
    """Lines as read; the filter looks into every column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[tuple[str, ...]] = []
        self._rows: list[tuple[str, ...]] = []
        self._words: list[str] = []

    def set_lines(self, lines: Sequence[JournalLine], plant: Plant) -> None:
        """Replace what is shown; nothing moves when nothing is new."""
        read = [_cells(line, plant) for line in lines]
        if read != self._all:
            self._all = read
            self._narrow()

    def set_filter(self, text: str) -> None:
        self._words = text.casefold().split()
        self._narrow()

    @property
    def total(self) -> int:
        return len(self._all)

    def _narrow(self) -> None:
        self.beginResetModel()
        self._rows = [row for row in self._all if all(w in " ".join(row).casefold() for w in self._words)]
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        key, title, width = _COLUMNS[section]
        answers: dict[int, Any] = {_DISPLAY: title, ColumnKeyRole: key, ColumnWidthRole: width}
        return answers.get(role)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if index.isValid() and role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        return None


def _cells(line: JournalLine, plant: Plant) -> tuple[str, ...]:
    name = line.key.removesuffix("!comm")
    tag = plant.tag(name)
    value = f"{value_words(line.value)} {tag.unit if tag else ''}".strip() if line.value is not None else ""
    return (
        f"{wording.moment(line.at)}:{line.at.astimezone():%S}",
        line.event,
        machine_name(plant, tag, name),
        signal_name(name),
        line.limit.value.upper() if line.limit else "",
        value,
        line.actor,
        line.reason,
    )
