"""All alarms that somebody has to know of, as the collector last told them: counts and order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from app.domain.alarms import Kind, Phase
from app.store.history import AlarmRecord
from ui.widgets.alarm_strip import AlarmCount

KEPT_CLEARED = 200
RATE_WINDOW = timedelta(minutes=10)


def wants_somebody(record: AlarmRecord) -> bool:
    """Whether the alarm is there now or waits for an acknowledgement or a reset, and nobody has put it aside."""
    return record.phase.active or record.phase.unacked or record.phase.latched


def urgency_order(record: AlarmRecord) -> tuple[int, bool, float, str]:
    """Sort key: priority, then unacknowledged, then newest; the id settles ties for good."""
    return (record.priority, not record.phase.unacked, -record.raised_at.timestamp(), record.id)


class AlarmBoard:
    """Records by id; a record that returned to normal stays for a while, to say when the last one cleared."""

    def __init__(self) -> None:
        self._open: dict[str, AlarmRecord] = {}
        self._cleared: dict[str, AlarmRecord] = {}
        self._id_of: dict[str, str] = {}
        self._ordered: list[AlarmRecord] | None = None
        self._tagged: tuple[list[AlarmRecord], dict[str, AlarmRecord]] = ([], {})

    def take(self, records: Iterable[AlarmRecord]) -> bool:
        """Bring in newer states of alarms; True when anything is different from before."""
        moved = False
        for record in records:
            known = self._open.get(record.id) or self._cleared.get(record.id)
            if known == record:
                continue
            moved = True
            self._ordered = None
            self._open.pop(record.id, None)
            self._cleared.pop(record.id, None)
            if record.phase is Phase.NORMAL:
                self._cleared[record.id] = record
            elif self._is_the_last(record):
                self._open[record.id] = record
                self._id_of[record.key] = record.id
        while len(self._cleared) > KEPT_CLEARED:
            del self._cleared[next(iter(self._cleared))]
        return moved

    def _is_the_last(self, record: AlarmRecord) -> bool:
        """One line an alarm: a new raising takes the place of earlier ones that nobody has acknowledged."""
        other = self._open.get(self._id_of.get(record.key, ""))
        if other is None or other.id == record.id:
            return True
        if other.occurrence >= record.occurrence:
            return False
        del self._open[other.id]
        return True

    def forget(self, ids: Iterable[str]) -> bool:
        """Drop open alarms that the collector does not know any more; True when there were any."""
        known = [alarm for alarm in ids if alarm in self._open]
        self._ordered = None
        for alarm in known:
            del self._open[alarm]
        return bool(known)

    def open(self) -> list[AlarmRecord]:
        """Everything that is not back to normal, most urgent first."""
        if self._ordered is None:
            self._ordered = sorted(self._open.values(), key=urgency_order)
        return self._ordered

    def everything(self) -> list[AlarmRecord]:
        """Open alarms and those that were cleared lately, oldest first."""
        return sorted((*self._open.values(), *self._cleared.values()), key=lambda r: r.raised_at)

    def get(self, alarm: str) -> AlarmRecord | None:
        return self._open.get(alarm) or self._cleared.get(alarm)

    def by_tag(self) -> dict[str, AlarmRecord]:
        """The open value alarm of each tag that has one."""
        ordered = self.open()
        if self._tagged[0] is not ordered:
            self._tagged = ordered, {r.tag: r for r in reversed(ordered) if r.kind is Kind.VALUE}
        return self._tagged[1]

    def counts(self) -> dict[int, AlarmCount]:
        """Active alarms by priority, and how many wait for somebody; shelved ones are not counted."""
        counted: dict[int, AlarmCount] = {}
        for record in self._open.values():
            if wants_somebody(record):
                known = counted.get(record.priority, AlarmCount())
                counted[record.priority] = AlarmCount(known.active + 1, known.unacked + record.phase.unacked)
        return counted

    def newest(self) -> AlarmRecord | None:
        """The alarm raised last that still wants something of somebody; an unacknowledged one goes first."""
        found = [r for r in self._open.values() if wants_somebody(r)]
        return max(found, key=lambda r: (r.phase.unacked, r.raised_at), default=None)

    def last_cleared(self) -> datetime | None:
        """When the last alarm went back to normal."""
        times = [t for r in self._cleared.values() if (t := r.acked_at or r.returned_at) is not None]
        return max(times, default=None)

    def raised_since(self, moment: datetime) -> int:
        """How many alarms were raised since `moment`."""
        return sum(r.raised_at >= moment for r in (*self._open.values(), *self._cleared.values()))
