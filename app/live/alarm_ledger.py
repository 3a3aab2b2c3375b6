"""What the alarms have to tell the disk: kept until it is stored, and kept again when that failed."""

from __future__ import annotations

from app.domain.alarms import AlarmState, pack
from app.live.alarm_seats import Seat
from app.store.history import AlarmBatch, AlarmRecord, JournalLine, Settled


class AlarmLedger:
    """Newest records by id, journal lines in order, and the alarms whose state is to be packed with the next batch."""

    def __init__(self) -> None:
        self.journal: list[JournalLine] = []
        self.settled: list[Settled] = []
        self.actions_until: int | None = None
        self._records: dict[str, AlarmRecord] = {}
        self._changed: dict[str, Seat] = {}
        self._states: dict[str, tuple[bytes, str | None]] = {}

    def record(self, record: AlarmRecord) -> None:
        """A record as it is now."""
        self._records[record.id] = record

    def changed(self, seat: Seat) -> None:
        """The state of this alarm differs from what is stored."""
        self._changed[seat.rule.key] = seat

    def forgotten(self, seat: Seat) -> None:
        """The alarm is no more; only how often it was raised is kept."""
        self._changed.pop(seat.rule.key, None)
        self._states[seat.rule.key] = (pack(AlarmState(occurrence=seat.state.occurrence)), None)

    def acted(self, number: int) -> None:
        """The act with this number was applied, or passed over for good."""
        self.actions_until = max(number, self.actions_until or 0)

    def take(self) -> AlarmBatch:
        """All of it, to be stored in one transaction."""
        states = dict(self._states)
        for key, seat in self._changed.items():
            states[key] = (pack(seat.state), seat.record.id if seat.record else None)
        batch = AlarmBatch(
            list(self._records.values()), self.journal, states, self.actions_until, self.settled
        )
        self._records, self.journal, self._states, self.actions_until = {}, [], {}, None
        self.settled, self._changed = [], {}
        return batch

    def give_back(self, batch: AlarmBatch) -> None:
        """Keep an unstored batch for the next time, behind nothing that is newer."""
        self._records = {r.id: r for r in batch.records} | self._records
        self.journal = [*batch.journal, *self.journal]
        self.settled = [*batch.settled, *self.settled]
        self._states = {**batch.states, **self._states}
        if batch.actions_until is not None:
            self.acted(batch.actions_until)
