"""Writes the history: the collector's one writer, whole batches in one durable transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from app.domain.samples import Sample, Value
from app.store.history import alarm_writer, stream_marks
from app.store.history.alarm_rows import AlarmBatch
from app.store.history.retention import Dropped, Retention
from app.store.history.rows import Keeping
from app.store.history.schema import maybe_moment, micros, open_to_write, storable, told
from app.store.history.sealing import Sealed, Sealing
from app.store.history.stream_marks import StreamState

_AS_USUAL = Keeping()


class HistoryWriter:
    """Owns the history file for writing. Methods block on the disk: call them from a thread, one at a time."""

    def __init__(self, path: Path, epoch: int = 1, keeping: Keeping = _AS_USUAL) -> None:
        self.path, self._epoch = path, epoch
        self._lock = threading.Lock()
        self._db = open_to_write(path)
        self._tags: dict[str, tuple[int, str]] = {
            name: (id, kind) for id, name, kind in self._db.execute("SELECT id, name, kind FROM tag")
        }
        self._n = stream_marks.newest_n(self._db, epoch)
        self._numbered = False
        self._offering = False
        self._forwarded = 0
        self._sealing = Sealing(self._db, keeping)
        self._retention = Retention(self._db, keeping)

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
            try:
                with self._transaction():
                    self._put(samples, alarms, now)
            except BaseException:
                self._n, self._tags = n, tags
                raise
        return len(samples)

    def _put(self, samples: Sequence[Sample], alarms: AlarmBatch | None, now: datetime | None) -> None:
        if samples:
            self._db.executemany("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows(samples))
            self._db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (self._counter, self._n))
        if alarms:
            alarm_writer.write_alarms(self._db, alarms)
        if self._offering:
            stream_marks.mark(self._db, self._n, self._forwarded)
        if now is not None:
            self._db.execute("INSERT OR REPLACE INTO mark VALUES ('last commit', ?)", (micros(now),))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

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
                storable(value),
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

    def alarm_states(self) -> dict[str, tuple[bytes, str | None]]:
        """The packed state and current record of every alarm, as last written."""
        with self._lock, told(self.path):
            return alarm_writer.states(self._db)

    def alarm_acts(self) -> set[str]:
        """The ids of all acts on alarms that are dealt with."""
        with self._lock, told(self.path):
            return alarm_writer.acts(self._db)

    def actions_until(self) -> int:
        """The number of the last act that a Lineside before this one applied, which kept no ids; 0 for none."""
        with self._lock, told(self.path):
            return alarm_writer.actions_until(self._db)

    def seal(self, now: datetime, budget_seconds: float = 0.05) -> Sealed:
        """One step of sealing: samples that are old enough become compressed chunks. Call it again and again.

        It takes about `budget_seconds` in one transaction, during which nothing else is written here, so call it
        between two batches; `more` of the answer says that another step should follow soon.
        """
        with self._lock, told(self.path):
            return self._sealing.step(now, budget_seconds)

    def drop_old(self, now: datetime, keep_from: tuple[int, int] | None = None) -> Dropped:
        """One step of keeping the file within what is set; `more` says that another step should follow soon.

        Samples from (epoch, n) = `keep_from` on are not forwarded yet: they go only where the file is too large and
        nothing else is left that could give way; they are counted.
        """
        with self._lock, told(self.path):
            return self._retention.step(now, keep_from)

    def begin_offering(self, streams: Sequence[StreamState]) -> None:
        """From now on whatever is written may be forwarded as a part of the last of `streams`, which are remembered.

        What was offered is remembered in the very transaction that writes it: a server that has more of this stream
        than was ever offered has it from another copy of this file.
        """
        with self._lock, told(self.path):
            begun = [*streams[:-1], replace(streams[-1], offered=self._n)]
            with self._transaction():
                stream_marks.write_streams(self._db, begun)
            self._offering, self._forwarded = True, begun[-1].forwarded

    def stop_offering(self) -> None:
        """What is written from now on is not offered to any server until `begin_offering` says so again."""
        self._offering = False

    def forwarded(self, n: int) -> None:
        """The server has the samples up to `n`; it is remembered with the next batch that is written."""
        self._forwarded = n

    def number_chunks(self, limit: int = 20) -> bool:
        """Bring some chunks of an older Lineside to tell which samples they hold; whether more of them are left."""
        with self._lock, told(self.path):
            if not self._numbered:
                with self._transaction():
                    self._numbered = not stream_marks.number_chunks(self._db, limit)
            return not self._numbered

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
