"""What the alarms have to tell the disk: kept until it is stored, and kept again when that failed."""

from __future__ import annotations

from app.domain.alarms import AlarmState, Phase, pack
from app.live.alarm_seats import Seat
from app.store.history import AlarmBatch, AlarmRecord, JournalLine, Settled

MOST_LINES = 50_000  # of the journal, about 20 MB
MOST_RECORDS = 20_000


class AlarmLedger:
    """Newest records by id, journal lines in order, and the alarms whose state is to be packed with the next batch.

    While the disk refuses for long the oldest lines and records are given up, and counted. The state of every alarm
    and the record of its last raising are kept, so that nothing is forgotten that somebody still has to acknowledge.
    """

    def __init__(self, most_lines: int = MOST_LINES, most_records: int = MOST_RECORDS) -> None:
        self._most_lines, self._most_records = most_lines, most_records
        self.given_up = 0
        self.journal: list[JournalLine] = []
        self.settled: list[Settled] = []
        self.acts: list[str] = []
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

    def acted(self, act: str) -> None:
        """The act with this id was applied, or passed over for good."""
        self.acts.append(act)

    def take(self) -> AlarmBatch:
        """All of it, to be stored in one transaction."""
        states = dict(self._states)
        for key, seat in self._changed.items():
            states[key] = (pack(seat.state), seat.record.id if seat.record else None)
        batch = AlarmBatch(list(self._records.values()), self.journal, states, self.acts, self.settled)
        self._records, self.journal, self._states, self.acts = {}, [], {}, []
        self.settled, self._changed = [], {}
        return batch

    def give_back(self, batch: AlarmBatch) -> None:
        """Keep an unstored batch for the next time, behind nothing that is newer."""
        self._records = {r.id: r for r in batch.records} | self._records
        self.journal = [*batch.journal, *self.journal]
        self.settled = [*batch.settled, *self.settled]
        self._states = {**batch.states, **self._states}
        self.acts = [*batch.acts, *self.acts]
        self._trim()

    def _trim(self) -> None:
        """Give up the oldest where too much waits; of the records those first that nobody waits for any more."""
        surplus = max(0, len(self.journal) - self._most_lines)
        del self.journal[:surplus]
        self.given_up += surplus
        surplus = len(self._records) - self._most_records
        if surplus <= 0:
            return
        ordered = sorted(self._records.values(), key=lambda r: r.raised_at)
        last = {record.key: record.id for record in ordered}
        older = [record for record in ordered if last[record.key] != record.id]
        older.sort(key=lambda r: r.phase is not Phase.NORMAL)
        for record in older[: surplus + self._most_records // 10]:  # some room, so that this is rare
            del self._records[record.id]
            self.given_up += 1
