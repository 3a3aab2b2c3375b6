"""Alarms as a table that never moves under the pointer: new ones wait while somebody reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.alarm_load import first_out
from app.domain.alarms import Kind, Phase, condition_words, machine_of, rule_of
from app.domain.plant import Plant
from app.store.history import AlarmRecord
from ui.bridge.live import LiveDesk
from ui.models import wording
from ui.models.machine_words import age_words, signal_words
from ui.models.table_header import header_answer
from ui.widgets.roles import GlyphRole, MutedRole, TintRole, UnsentRole

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_NO_TITLES: Mapping[str, str] = {}
_KEPT_WORDS = 10_000
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
# What can be said to any plant; a plant that says itself what to do is quoted instead.
_ADVICE = {
    "hihi": "Stop or unload, find the cause.",
    "lolo": "Stop or unload, find the cause.",
    "hi": "Watch it, find the cause.",
    "lo": "Watch it, find the cause.",
    "comm": "Check power and network.",
    "stale": "Check the sensor and its cable.",
}
_STATES = {
    Phase.UNACK: "active",
    Phase.ACKED: "active, seen",
    Phase.RTN_UNACK: "went away unseen",
    Phase.LATCHED_UNACK: "went away, unseen, to reset",
    Phase.LATCHED_ACKED: "went away, to reset",
    Phase.SUPPRESSED: "suppressed",
    Phase.OUT_OF_SERVICE: "out of service",
    Phase.NORMAL: "over",
}


def state_words(record: AlarmRecord, pending: bool) -> str:
    """The state for people; an act that the collector has not applied yet is said as such."""
    if pending:
        return "being acknowledged…" if record.phase.unacked else "being changed…"
    if record.phase is Phase.SHELVED:
        until = f" to {record.shelved_until.astimezone():%H:%M}" if record.shelved_until else ""
        return f"shelved{until}{', once' if record.one_shot else ''}"
    return _STATES[record.phase]


class AlarmList(QAbstractTableModel):
    """Rows in the order of `found`, which says what is to be listed, most urgent first. A row is an alarm, whichever
    of its raisings it is; `waiting` counts what is held back. `titles` say the head of a column otherwise.
    """

    waiting_changed = Signal(int)

    def __init__(
        self,
        live: LiveDesk,
        found: Callable[[], Sequence[AlarmRecord]],
        parent: QObject | None = None,
        *,
        titles: Mapping[str, str] = _NO_TITLES,
    ) -> None:
        super().__init__(parent)
        self._live, self._found, self._titles = live, found, titles
        self._said: dict[str, tuple[AlarmRecord, Plant, str, str]] = {}
        self._rows: list[AlarmRecord] = []
        self._held = False
        self._grouped = False
        self._first: frozenset[str] = frozenset()
        self._waiting = 0

    # -- rows ----------------------------------------------------------------------------------------

    def hold(self, held: bool) -> None:
        """While held, no row moves, comes or goes; states are still kept up to date."""
        self._held = held
        self.refresh()

    @property
    def held(self) -> bool:
        return self._held

    def group(self, grouped: bool) -> None:
        """Put the alarms of a machine together, the first that was raised on top: most often the cause of the rest."""
        if grouped != self._grouped:
            self._grouped = grouped
            self.refresh()

    @property
    def grouped(self) -> bool:
        return self._grouped

    @property
    def waiting(self) -> int:
        """How many new alarms wait for the list to be let go."""
        return self._waiting

    def refresh(self) -> None:
        """Bring in what the collector said since."""
        found = {r.key: r for r in self._found()}
        if self._held:
            self._update_in_place(found)
        else:
            self._drop(found)
            self._add(found)
            self._arrange(found)
            self._set_waiting(0)

    def _update_in_place(self, found: dict[str, AlarmRecord]) -> None:
        shown = {r.key for r in self._rows}
        self._rows = [found.get(r.key) or self._live.board.last_of(r.key) or r for r in self._rows]
        self._repaint()
        self._set_waiting(len(found.keys() - shown))

    def _set_waiting(self, count: int) -> None:
        if count != self._waiting:
            self._waiting = count
            self.waiting_changed.emit(count)

    def _drop(self, found: dict[str, AlarmRecord]) -> None:
        """Neighbours go together: a flood that ends must not cost a step for each of its rows."""
        row = len(self._rows)
        while row > 0:
            last = row - 1
            row = last
            if self._rows[last].key in found:
                continue
            while row > 0 and self._rows[row - 1].key not in found:
                row -= 1
            self.beginRemoveRows(_NO_INDEX, row, last)
            del self._rows[row : last + 1]
            self.endRemoveRows()

    def _add(self, found: dict[str, AlarmRecord]) -> None:
        shown = {r.key for r in self._rows}
        new = [r for r in found.values() if r.key not in shown]
        if new:
            first = len(self._rows)
            self.beginInsertRows(_NO_INDEX, first, first + len(new) - 1)
            self._rows += new
            self.endInsertRows()

    def _arrange(self, found: dict[str, AlarmRecord]) -> None:
        """Selection and current row stay with their alarms."""
        ordered = self._in_order(list(found.values()))
        before, self._rows = self._rows, ordered
        if [r.key for r in ordered] == [r.key for r in before]:
            self._repaint()
            return
        self._rows = before
        self.layoutAboutToBeChanged.emit()
        places = {record.key: row for row, record in enumerate(ordered)}
        old: list[QModelIndex] = list(self.persistentIndexList())
        new = [self.index(places[before[index.row()].key], index.column()) for index in old]
        self._rows = ordered
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    def _in_order(self, ordered: list[AlarmRecord]) -> list[AlarmRecord]:
        if not self._grouped:
            self._first = frozenset()
            return ordered
        plant = self._live.plant
        machines = {r.id: machine_of(plant, r.tag) for r in ordered}
        self._first = frozenset(first_out((r.id, machines[r.id], r.raised_at) for r in ordered).values())
        places: dict[str, int] = {}  # machines in the order of their most urgent alarm
        for record in ordered:
            places.setdefault(machines[record.id], len(places))
        return sorted(ordered, key=lambda r: (places[machines[r.id]], r.id not in self._first))

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
        column = key, self._titles.get(key, title), width
        return header_answer(column, role, right=key in ("age", "now"))

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if not index.isValid():
            return None
        record, column = self._rows[index.row()], _COLUMNS[index.column()][0]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(record, column)
        if role == GlyphRole and column == "state":
            return ("priority", (record.priority, not record.phase.unacked))
        if role == MutedRole:
            return record.phase.aside or record.phase is Phase.NORMAL
        if role == TintRole:
            return record.priority if record.phase is Phase.UNACK else None
        if role == UnsentRole:
            return self._live.is_pending(record.key)
        return None

    def _words(self, record: AlarmRecord, column: str) -> str:
        plant = self._live.plant
        if column == "state":
            words = state_words(record, self._live.is_pending(record.key))
            return f"{words}, as last heard" if self._is_unheard(record) else words
        if column == "raised":
            return _clock(record.raised_at, self._live.now())
        if column == "age":
            return age_words((self._live.now() - record.raised_at).total_seconds())
        if column == "machine":
            return machine_of(plant, record.tag)
        if column == "what":
            first = "first: " if record.id in self._first else ""
            return f"{first}{self._guide(record)[2]}"
        if column == "now":
            return self._value_now(record)
        if column == "advice":
            return record.aside_reason if record.phase.aside else self._guide(record)[3]
        return self._seen_words(record)

    def _is_unheard(self, record: AlarmRecord) -> bool:
        """Whether the station that judges it has fallen silent."""
        tag = self._live.plant.tag(record.tag)
        link = None if tag is None else self._live.links.get(tag.connection)
        return link is not None and not link.heard

    def _guide(self, record: AlarmRecord) -> tuple[AlarmRecord, Plant, str, str]:
        """What is wrong and what to do, kept as long as neither the record nor the plant changes."""
        plant = self._live.plant
        known = self._said.get(record.key)
        if known is None or known[0] is not record or known[1] is not plant:
            if len(self._said) > _KEPT_WORDS:
                self._said.clear()
            known = (record, plant, condition_words(record, plant), self.advice(record))
            self._said[record.key] = known
        return known

    def advice(self, record: AlarmRecord) -> str:
        """What to do about it: the plant's own words, or what can be said of any machine."""
        rule = rule_of(self._live.plant, record.key)
        if rule is not None and rule.response:
            return rule.response
        return _ADVICE.get(record.limit.value if record.limit else "", "")

    def _seen_words(self, record: AlarmRecord) -> str:
        """Who has seen it, how often it came meanwhile, whether it went away."""
        now = self._live.now()
        by = f"{record.acked_by} {_clock(record.acked_at, now)}" if record.acked_at else ""
        again = f"{record.unseen} times" if record.unseen > 1 else ""
        back = f"back {record.returned_at.astimezone():%H:%M}" if record.returned_at else ""
        aside = f"{record.aside_by} {record.permit}".strip() if record.phase.aside else ""
        return " · ".join(part for part in (aside, by, again, back) if part)

    def _value_now(self, record: AlarmRecord) -> str:
        tag = self._live.plant.tag(record.tag)
        if tag is None:
            return wording.NONE
        signal = self._live.signal(tag)
        if record.kind in (Kind.COMMUNICATION, Kind.SYSTEM) or signal.stale:
            return f"? ({age_words(signal.age)})"
        return signal_words(signal)


def _clock(moment: datetime, now: datetime) -> str:
    local = moment.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == now.astimezone().date() else "%d %b %H:%M")
