"""Alarms as a table that never moves under the pointer: new ones wait while somebody reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.alarms import Kind, Phase
from app.store.history import AlarmRecord
from ui.bridge.alarm_board import condition_words, is_unacked, machine_name, urgency_order
from ui.bridge.live import LiveDesk
from ui.models import wording
from ui.models.machine_words import age_words, signal_words
from ui.widgets.roles import ColumnKeyRole, ColumnWidthRole, GlyphRole, MutedRole, TintRole, UnsentRole

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_COLUMNS = (
    ("state", "State", 172),
    ("raised", "Raised", 76),
    ("age", "Age", 60),
    ("machine", "Machine", 192),
    ("what", "What", 296),
    ("now", "Now", 92),
    ("by", "Acknowledged", 128),
    ("advice", "What to do", 260),
)
_ADVICE = {
    "hihi": "Stop or unload, find the cause.",
    "lolo": "Stop or unload, find the cause.",
    "hi": "Watch it, find the cause.",
    "lo": "Watch it, find the cause.",
    "comm": "Check power and network.",
}


def state_words(record: AlarmRecord, pending: bool) -> str:
    """The state for people; an act that the collector has not applied yet is said as such."""
    if pending:
        return "being acknowledged…" if is_unacked(record) else "being changed…"
    if record.phase is Phase.SHELVED and record.shelved_until is not None:
        return f"shelved to {record.shelved_until.astimezone():%H:%M}"
    return {
        Phase.UNACK: "active",
        Phase.ACKED: "active, seen",
        Phase.RTN_UNACK: "went away unseen",
        Phase.NORMAL: "over",
    }.get(record.phase, record.phase.value)


class AlarmList(QAbstractTableModel):
    """Rows sorted by priority, then unacknowledged, then newest. `waiting` counts what is held back."""

    waiting_changed = Signal(int)

    def __init__(
        self, live: LiveDesk, wanted: Callable[[AlarmRecord], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._live, self._wanted = live, wanted
        self._rows: list[AlarmRecord] = []
        self._held = False
        self._waiting = 0

    # -- rows ----------------------------------------------------------------------------------------

    def hold(self, held: bool) -> None:
        """While held, no row moves, comes or goes; states are still kept up to date."""
        self._held = held
        self.refresh()

    @property
    def held(self) -> bool:
        return self._held

    @property
    def waiting(self) -> int:
        """How many new alarms wait for the list to be let go."""
        return self._waiting

    def refresh(self) -> None:
        """Bring in what the collector said since."""
        found = {r.id: r for r in self._live.board.open() if self._wanted(r)}
        if self._held:
            self._update_in_place(found)
        else:
            self._drop(found)
            self._add(found)
            self._sort()
            self._set_waiting(0)

    def _update_in_place(self, found: dict[str, AlarmRecord]) -> None:
        shown = {r.id for r in self._rows}
        self._rows = [found.get(r.id) or self._live.board.get(r.id) or r for r in self._rows]
        self._repaint()
        self._set_waiting(len(found.keys() - shown))

    def _set_waiting(self, count: int) -> None:
        if count != self._waiting:
            self._waiting = count
            self.waiting_changed.emit(count)

    def _drop(self, found: dict[str, AlarmRecord]) -> None:
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].id not in found:
                self.beginRemoveRows(_NO_INDEX, row, row)
                del self._rows[row]
                self.endRemoveRows()

    def _add(self, found: dict[str, AlarmRecord]) -> None:
        self._rows = [found[r.id] for r in self._rows]
        shown = {r.id for r in self._rows}
        new = [r for r in found.values() if r.id not in shown]
        if new:
            first = len(self._rows)
            self.beginInsertRows(_NO_INDEX, first, first + len(new) - 1)
            self._rows += new
            self.endInsertRows()

    def _sort(self) -> None:
        """Selection and current row stay with their alarms."""
        ordered = sorted(self._rows, key=urgency_order)
        if [r.id for r in ordered] == [r.id for r in self._rows]:
            self._repaint()
            return
        self.layoutAboutToBeChanged.emit()
        before: list[QModelIndex] = list(self.persistentIndexList())
        ids = [self._rows[index.row()].id for index in before]
        self._rows = ordered
        places = {record.id: row for row, record in enumerate(ordered)}
        after = [self.index(places[i], index.column()) for i, index in zip(ids, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(_COLUMNS) - 1))

    def tick(self) -> None:
        """Ages and present values move on."""
        self._repaint()

    def record_at(self, row: int) -> AlarmRecord | None:
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def records(self) -> Sequence[AlarmRecord]:
        """All rows in the order on the screen."""
        return tuple(self._rows)

    # -- QAbstractTableModel -------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        key, title, width = _COLUMNS[section]
        answers: dict[int, Any] = {_DISPLAY: title, ColumnKeyRole: key, ColumnWidthRole: width}
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = key in ("age", "now")
            return Qt.AlignmentFlag.AlignVCenter | (
                Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            )
        return answers.get(role)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if not index.isValid():
            return None
        record, column = self._rows[index.row()], _COLUMNS[index.column()][0]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(record, column)
        if role == GlyphRole and column == "state":
            return ("priority", (record.priority, not is_unacked(record)))
        if role == MutedRole:
            return record.phase in (Phase.SHELVED, Phase.NORMAL)
        if role == TintRole:
            return record.priority if record.phase is Phase.UNACK else None
        if role == UnsentRole:
            return self._live.is_pending(record.key)
        return None

    def _words(self, record: AlarmRecord, column: str) -> str:
        plant = self._live.plant
        if column == "state":
            return state_words(record, self._live.is_pending(record.key))
        if column == "raised":
            return _clock(record.raised_at, self._live.now())
        if column == "age":
            return age_words((self._live.now() - record.raised_at).total_seconds())
        if column == "machine":
            return machine_name(plant, plant.tag(record.tag), record.tag)
        if column == "what":
            return condition_words(record, plant)
        if column == "now":
            return self._value_now(record)
        if column == "advice":
            return _ADVICE.get(record.limit.value if record.limit else "comm", "")
        by = f"{record.acked_by} {_clock(record.acked_at, self._live.now())}" if record.acked_at else ""
        back = f"back {record.returned_at.astimezone():%H:%M}" if record.returned_at else ""
        return " · ".join(part for part in (by, back) if part)

    def _value_now(self, record: AlarmRecord) -> str:
        tag = self._live.plant.tag(record.tag)
        if tag is None:
            return wording.NONE
        signal = self._live.signal(tag)
        if record.kind is Kind.COMMUNICATION or signal.stale:
            return f"? ({age_words(signal.age)})"
        return signal_words(signal)


def _clock(moment: datetime, now: datetime) -> str:
    local = moment.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == now.astimezone().date() else "%d %b %H:%M")
