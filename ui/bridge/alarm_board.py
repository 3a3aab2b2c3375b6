"""All alarms that somebody has to know of, as the collector last told them: counts and order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Container, Iterable
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
    """Records by id; a record that returned to normal stays for a while, to say when the last one cleared.

    Order and choices are worked out once after a change and only for what changed: a flood asks for them often.
    """

    def __init__(self) -> None:
        self._open: dict[str, AlarmRecord] = {}
        self._cleared: dict[str, AlarmRecord] = {}
        self._id_of: dict[str, str] = {}
        self._raised: list[datetime] = []
        self._places: dict[str, tuple[int, bool, float, str]] = {}
        self._sorted: list[str] = []
        self._moved: set[str] = set()
        self._ordered: list[AlarmRecord] | None = None
        self._wanted: tuple[list[AlarmRecord], list[AlarmRecord]] = ([], [])
        self._aside: tuple[list[AlarmRecord], list[AlarmRecord]] = ([], [])
        self._tagged: tuple[list[AlarmRecord], dict[str, AlarmRecord]] = ([], {})

    def take(self, records: Iterable[AlarmRecord], doubtful: Container[str] = ()) -> bool:
        """Bring in newer states of alarms; True when anything is different from before.

        `doubtful` are the ids of records that whoever speaks has not confirmed yet: any other takes their place.
        """
        moved = False
        for record in records:
            known = self._open.get(record.id) or self._cleared.get(record.id)
            if known == record:
                continue
            if known is None and record.occurrence:
                insort(self._raised, record.raised_at)
            moved = True
            self._put(record, doubtful)
        while len(self._cleared) > KEPT_CLEARED:
            del self._cleared[next(iter(self._cleared))]
        return moved

    def _put(self, record: AlarmRecord, doubtful: Container[str]) -> None:
        self._ordered = None
        self._moved.add(record.id)
        self._open.pop(record.id, None)
        self._cleared.pop(record.id, None)
        if record.phase is Phase.NORMAL:
            self._cleared[record.id] = record
        elif self._is_the_last(record, doubtful):
            self._open[record.id] = record
            self._id_of[record.key] = record.id

    def _is_the_last(self, record: AlarmRecord, doubtful: Container[str]) -> bool:
        """One line an alarm: a new raising takes the place of earlier ones that nobody has acknowledged."""
        other = self._open.get(self._id_of.get(record.key, ""))
        if other is None or other.id == record.id:
            return True
        if other.occurrence >= record.occurrence and other.id not in doubtful:
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
            still = [id for id in self._sorted if id in self._open and id not in self._moved]
            new = [id for id in self._moved if id in self._open]
            self._places = {id: self._places[id] for id in still}
            self._places.update((id, urgency_order(self._open[id])) for id in new)
            # What stands in order already is only merged with what is new.
            self._sorted = sorted(still + new, key=self._places.__getitem__)
            self._moved.clear()
            self._ordered = [self._open[id] for id in self._sorted]
        return self._ordered

    def wanted(self) -> list[AlarmRecord]:
        """What wants something of somebody, most urgent first."""
        ordered = self.open()
        if self._wanted[0] is not ordered:
            self._wanted = ordered, [r for r in ordered if wants_somebody(r)]
        return self._wanted[1]

    def aside(self) -> list[AlarmRecord]:
        """What people or the plant's logic have put aside, most urgent first."""
        ordered = self.open()
        if self._aside[0] is not ordered:
            self._aside = ordered, [r for r in ordered if r.phase.aside]
        return self._aside[1]

    def everything(self) -> list[AlarmRecord]:
        """Open alarms and those that were cleared lately, oldest first."""
        return sorted((*self._open.values(), *self._cleared.values()), key=lambda r: r.raised_at)

    def get(self, alarm: str) -> AlarmRecord | None:
        return self._open.get(alarm) or self._cleared.get(alarm)

    def last_of(self, key: str) -> AlarmRecord | None:
        """The last raising of an alarm that was open here, also when it is over; None when there was none lately."""
        return self.get(self._id_of.get(key, ""))

    def by_tag(self) -> dict[str, AlarmRecord]:
        """The open value alarm of each tag that has one."""
        ordered = self.open()
        if self._tagged[0] is not ordered:
            self._tagged = ordered, {r.tag: r for r in reversed(ordered) if r.kind is Kind.VALUE}
        return self._tagged[1]

    def counts(self) -> dict[int, AlarmCount]:
        """Active alarms by priority, and how many wait for somebody; shelved ones are not counted."""
        counted: dict[int, AlarmCount] = {}
        for record in self.wanted():
            known = counted.get(record.priority, AlarmCount())
            counted[record.priority] = AlarmCount(known.active + 1, known.unacked + record.phase.unacked)
        return counted

    def newest(self) -> AlarmRecord | None:
        """The alarm raised last that still wants something of somebody; an unacknowledged one goes first."""
        return max(self.wanted(), key=lambda r: (r.phase.unacked, r.raised_at), default=None)

    def last_cleared(self) -> datetime | None:
        """When the last alarm went back to normal."""
        times = [t for r in self._cleared.values() if (t := r.acked_at or r.returned_at) is not None]
        return max(times, default=None)

    def raised_since(self, moment: datetime) -> int:
        """How many alarms were raised since `moment`, also those that came again; `moment` only moves on."""
        del self._raised[: bisect_left(self._raised, moment)]
        return len(self._raised)
