"""What happened to alarms, newest first, as far back as somebody has scrolled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.domain.alarms import (
    Kind,
    alarm_state_words,
    alarm_words,
    limit_words,
    machine_of,
    signal_of,
    split_key,
)
from app.domain.plant import Plant
from app.store.history import JournalLine
from ui.models import wording
from ui.models.machine_words import value_words
from ui.models.table_header import header_answer

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
COLUMNS = (
    ("at", "When", 150),
    ("event", "Event", 150),
    ("priority", "Priority", 64),
    ("machine", "Machine", 200),
    ("signal", "Signal", 150),
    ("limit", "Condition", 110),
    ("value", "Value", 100),
    ("actor", "Who", 140),
    ("reason", "Reason", 260),
)


def elsewhere_words(stations: Sequence[str]) -> str:
    """Where the lines about machines of other stations are: each station writes the journal of what it judges."""
    if not stations:
        return ""
    named = "station " + stations[0] if len(stations) == 1 else "stations " + ", ".join(stations)
    return f" · about machines of {named} only the journal there tells"


class AlarmJournal(QAbstractTableModel):
    """Pages of lines, one below the other; nothing moves when nothing is new."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[JournalLine] = []
        self._rows: list[tuple[str, ...]] = []

    @property
    def last(self) -> int | None:
        """The number of the oldest line, from which an older page goes on."""
        return self._lines[-1].n if self._lines else None

    def set_lines(self, lines: Sequence[JournalLine], plant: Plant) -> None:
        """The newest page; older pages that were read stay as long as the newest overlap with them."""
        newest, known = list(lines), {line.n: place for place, line in enumerate(self._lines)}
        if newest and newest[-1].n in known:
            fresh = [line for line in newest if line.n not in known]
            if not fresh:
                return
            self.beginInsertRows(_NO_INDEX, 0, len(fresh) - 1)
            self._lines[:0] = fresh
            self._rows[:0] = [journal_cells(line, plant) for line in fresh]
            self.endInsertRows()
            return
        self.start_over(newest, plant)

    def start_over(self, lines: Sequence[JournalLine], plant: Plant) -> None:
        """Other lines, for another question."""
        self.beginResetModel()
        self._lines = list(lines)
        self._rows = [journal_cells(line, plant) for line in lines]
        self.endResetModel()

    def add_older(self, lines: Sequence[JournalLine], plant: Plant) -> None:
        """The page below the last one."""
        older = [line for line in lines if self.last is None or line.n < self.last]
        if older:
            first = len(self._lines)
            self.beginInsertRows(_NO_INDEX, first, first + len(older) - 1)
            self._lines += older
            self._rows += [journal_cells(line, plant) for line in older]
            self.endInsertRows()

    def line_at(self, row: int) -> JournalLine | None:
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        return header_answer(COLUMNS[section], role)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if index.isValid() and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._rows[index.row()][index.column()]
        return None


def journal_cells(line: JournalLine, plant: Plant) -> tuple[str, ...]:
    """A line in words, by the columns of the journal."""
    tag, kind = split_key(line.key)
    system = kind is Kind.SYSTEM
    return (
        f"{wording.moment(line.at)}:{line.at.astimezone():%S}",
        line.event.replace("-", " "),
        "" if line.priority is None else str(line.priority),
        machine_of(plant, tag),
        alarm_words(line.key, plant) if system else signal_of(plant, tag),
        limit_words(line.limit),
        "" if system else _value_cell(line, plant),
        line.actor,
        line.reason or (str(line.value) if system and line.value else ""),
    )


def _value_cell(line: JournalLine, plant: Plant) -> str:
    tag, kind = split_key(line.key)
    if line.value is None:
        return ""
    if kind is Kind.DIGITAL:
        return alarm_state_words(line.key, line.value, plant)
    known = plant.tag(tag)
    return f"{value_words(line.value)} {known.unit if known else ''}".strip()
