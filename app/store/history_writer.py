"""Writes the history: the collector's one writer, whole batches in one durable transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from app.domain.samples import Sample, Value
from app.store.history_rows import AlarmBatch, AlarmRecord, JournalLine
from app.store.history_schema import maybe_moment, micros, open_to_write, told


class HistoryWriter:
    """Owns the history file for writing. Methods block on the disk: call them from a thread, one at a time."""

    def __init__(self, path: Path, epoch: int = 1) -> None:
        self.path, self._epoch = path, epoch
        self._lock = threading.Lock()
        self._db = open_to_write(path)
        self._tags: dict[str, tuple[int, str]] = {
            name: (id, kind) for id, name, kind in self._db.execute("SELECT id, name, kind FROM tag")
        }
        newest = self._db.execute("SELECT value FROM mark WHERE name = ?", (self._counter,)).fetchone()
        self._n = int(newest[0]) if newest else 0

    @property
    def _counter(self) -> str:
        return f"n/{self._epoch}"

    def write(
        self, samples: Sequence[Sample], alarms: AlarmBatch | None = None, now: datetime | None = None
    ) -> int:
        """Store a batch: all of it is on the disk when this returns, or none of it and WorldFault is raised.

        `now` is remembered as the last moment at which the collector lived. Returns the number of samples stored.
        """
        with self._lock, told(self.path):
            n, tags = self._n, dict(self._tags)
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if samples:
                    self._db.executemany(
                        "INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows(samples)
                    )
                    self._db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (self._counter, self._n))
                if alarms:
                    self._write_alarms(alarms)
                if now is not None:
                    self._db.execute("INSERT OR REPLACE INTO mark VALUES ('last commit', ?)", (micros(now),))
                self._db.execute("COMMIT")
            except BaseException:
                self._n, self._tags = n, tags
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        return len(samples)

    def _rows(self, samples: Iterable[Sample]) -> Iterable[tuple[object, ...]]:
        for sample in samples:
            self._n += 1
            t = micros(sample.source_time)
            value, late = sample.value, micros(sample.receive_time) - t
            yield (
                self._tag(sample.tag, value),
                t,
                self._n,
                self._epoch,
                _storable(value),
                sample.quality,
                late,
            )

    def _tag(self, name: str, value: Value) -> int:
        """The number of a tag; its kind is learnt from the first value that shows it."""
        known = self._tags.get(name)
        kind = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
        if known is None:
            cursor = self._db.execute("INSERT INTO tag (name, kind) VALUES (?, ?)", (name, kind))
            known = (int(cursor.lastrowid or 0), kind)
            self._tags[name] = known
        elif value is not None and kind != known[1]:
            self._db.execute("UPDATE tag SET kind = ? WHERE id = ?", (kind, known[0]))
            known = (known[0], kind)
            self._tags[name] = known
        return known[0]

    def _write_alarms(self, batch: AlarmBatch) -> None:
        marks = ", ".join("?" * 15)
        self._db.executemany(f"INSERT OR REPLACE INTO alarm VALUES ({marks})", map(_alarm_row, batch.records))
        columns = "at, key, alarm, event, phase, urgency, limit_name, value, actor, reason"
        marks = ", ".join("?" * 10)
        self._db.executemany(
            f"INSERT INTO alarm_journal ({columns}) VALUES ({marks})", map(_line_row, batch.journal)
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO alarm_state VALUES (?, ?, ?)",
            [(key, state, alarm) for key, (state, alarm) in batch.states.items()],
        )
        if batch.actions_until is not None:
            self._db.execute(
                "INSERT OR REPLACE INTO mark VALUES ('alarm actions', ?)", (batch.actions_until,)
            )

    def alarm_states(self) -> dict[str, tuple[bytes, str | None]]:
        """The packed state and current record of every alarm, as last written."""
        with self._lock, told(self.path):
            return {k: (s, a) for k, s, a in self._db.execute("SELECT key, state, alarm FROM alarm_state")}

    def actions_until(self) -> int:
        """The number of the last alarm action that was applied."""
        with self._lock, told(self.path):
            row = self._db.execute("SELECT value FROM mark WHERE name = 'alarm actions'").fetchone()
        return int(row[0]) if row else 0

    def last_commit(self) -> datetime | None:
        """When a collector last wrote here, or None when none ever did."""
        with self._lock, told(self.path):
            row = self._db.execute("SELECT value FROM mark WHERE name = 'last commit'").fetchone()
        return maybe_moment(row[0]) if row else None

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> HistoryWriter:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.close()


def _storable(value: Value) -> object:
    """SQLite has no NaN and no integer beyond 64 bits."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return None if value != value else value


def _alarm_row(r: AlarmRecord) -> tuple[object, ...]:
    times = [
        None if t is None else micros(t) for t in (r.raised_at, r.returned_at, r.acked_at, r.shelved_until)
    ]
    head = (r.id, r.key, r.tag, r.kind.value, r.occurrence, r.priority, int(r.urgency))
    limit = None if r.limit is None else r.limit.value
    return (*head, limit, _storable(r.value), r.phase.value, *times[:3], r.acked_by, times[3])


def _line_row(line: JournalLine) -> tuple[object, ...]:
    limit = None if line.limit is None else line.limit.value
    what = (micros(line.at), line.key, line.alarm, line.event, line.phase.value, int(line.urgency), limit)
    return (*what, _storable(line.value), line.actor, line.reason)
