"""Reads the history for charts, lists and the command line; never changes it, never needs the collector to run."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.errors import Refused
from app.domain.samples import Sample
from app.store.history_rows import AlarmRecord, Buckets, HistoryStats, JournalLine
from app.store.history_schema import maybe_moment, micros, moment, open_to_read, told

_GOOD = "(q & 0xC0000000) = 0 AND typeof(v) IN ('integer', 'real')"
_BUCKETS = f"""
WITH b AS (
  SELECT (t - :start) / :width AS bucket, min(t) AS t0, max(t) AS t1, count(*) AS n,
    count(*) FILTER (WHERE {_GOOD}) AS good,
    min(v) FILTER (WHERE {_GOOD}) AS low, max(v) FILTER (WHERE {_GOOD}) AS high, avg(v) FILTER (WHERE {_GOOD}) AS mean,
    min(t) FILTER (WHERE {_GOOD}) AS g0, max(t) FILTER (WHERE {_GOOD}) AS g1
  FROM sample WHERE tag = :tag AND t >= :start AND t < :end GROUP BY bucket
)
SELECT t0, low, high, mean,
  (SELECT v FROM sample WHERE tag = :tag AND t = g0 AND {_GOOD} ORDER BY n LIMIT 1),
  (SELECT v FROM sample WHERE tag = :tag AND t = g1 AND {_GOOD} ORDER BY n DESC LIMIT 1),
  n, CAST(good AS REAL) / n,
  (SELECT (q & 0xC0000000) = 0 FROM sample WHERE tag = :tag AND t = t1 ORDER BY n DESC LIMIT 1)
FROM b ORDER BY bucket
"""


class HistoryReader:
    """Opens the history when first asked; as long as there is no file, everything is empty. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def _ask(self, sql: str, values: Sequence[object] | dict[str, object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query; no rows while the file or its tables do not exist yet."""
        with self._lock, told(self.path):
            if self._db is None:
                if not self.path.exists():
                    return []
                db = open_to_read(self.path)
                if not db.execute("PRAGMA user_version").fetchone()[0]:
                    db.close()
                    return []
                self._db = db
            return self._db.execute(sql, values).fetchall()

    def tags(self) -> list[str]:
        """Names of all tags that ever had a sample."""
        return [name for (name,) in self._ask("SELECT name FROM tag ORDER BY name")]

    def _tag(self, name: str) -> tuple[int, str] | None:
        rows = self._ask("SELECT id, kind FROM tag WHERE name = ?", (name,))
        return rows[0] if rows else None

    def samples(self, tag: str, start: datetime, end: datetime, limit: int = 1_000_000) -> list[Sample]:
        """Stored samples with start <= source time < end, oldest first; at most `limit`."""
        known = self._tag(tag)
        if known is None:
            return []
        rows = self._ask(
            "SELECT t, v, q, late FROM sample WHERE tag = ? AND t >= ? AND t < ? ORDER BY t, n LIMIT ?",
            (known[0], micros(start), micros(end), limit),
        )
        return [_sample(tag, known[1], *row) for row in rows]

    def buckets(self, tag: str, start: datetime, end: datetime, pixels: int) -> Buckets:
        """The curve of a tag from `start` to `end`, reduced to at most `pixels` buckets without losing a spike."""
        import numpy as np

        if pixels < 1 or end <= start:
            raise Refused("A chart needs a range that ends after it begins.")
        known = self._tag(tag)
        rows: list[tuple[Any, ...]] = []
        if known is not None:
            first, last = micros(start), micros(end)
            width = max(1, -(-(last - first) // pixels))
            rows = self._ask(_BUCKETS, {"tag": known[0], "start": first, "end": last, "width": width})
        columns: Iterable[tuple[Any, ...]] = zip(*rows, strict=True) if rows else [()] * 9
        t, low, high, mean, opening, closing, count, good, ends_good = columns
        return Buckets(
            t=np.array(t, dtype=np.int64),
            min=np.array(low, dtype=np.float64),
            max=np.array(high, dtype=np.float64),
            mean=np.array(mean, dtype=np.float64),
            first=np.array(opening, dtype=np.float64),
            last=np.array(closing, dtype=np.float64),
            count=np.array(count, dtype=np.int64),
            good_fraction=np.array(good, dtype=np.float64),
            ends_good=np.array(ends_good, dtype=np.bool_),
            before=self.before(tag, start),
        )

    def before(self, tag: str, time: datetime) -> Sample | None:
        """The newest sample older than `time`, or None when there is none."""
        known = self._tag(tag)
        if known is None:
            return None
        rows = self._ask(
            "SELECT t, v, q, late FROM sample WHERE tag = ? AND t < ? ORDER BY t DESC, n DESC LIMIT 1",
            (known[0], micros(time)),
        )
        return _sample(tag, known[1], *rows[0]) if rows else None

    def latest(self, tags: Iterable[str] | None = None) -> dict[str, Sample]:
        """The newest sample of each tag (of all tags when None); tags without samples are left out."""
        known = {name: (id, kind) for id, name, kind in self._ask("SELECT id, name, kind FROM tag")}
        found: dict[str, Sample] = {}
        for name in known if tags is None else tags:
            if name not in known:
                continue
            id, kind = known[name]
            rows = self._ask(
                "SELECT t, v, q, late FROM sample WHERE tag = ? ORDER BY t DESC, n DESC LIMIT 1", (id,)
            )
            if rows:
                found[name] = _sample(name, kind, *rows[0])
        return found

    def alarms(
        self,
        *,
        active_only: bool = False,
        since: datetime | None = None,
        tag: str | None = None,
        limit: int = 1000,
    ) -> list[AlarmRecord]:
        """Alarm records, newest first; `active_only` leaves those that still want something of somebody."""
        wanted, values = ["1"], list[object]()
        if active_only:
            wanted.append("phase <> 'normal'")
        if since is not None:
            wanted.append("raised_at >= ?")
            values.append(micros(since))
        if tag is not None:
            wanted.append("tag = ?")
            values.append(tag)
        sql = f"SELECT * FROM alarm WHERE {' AND '.join(wanted)} ORDER BY raised_at DESC, id DESC LIMIT ?"
        return [_alarm(row) for row in self._ask(sql, [*values, limit])]

    def journal(
        self, since: datetime | None = None, key: str | None = None, limit: int = 1000
    ) -> list[JournalLine]:
        """What happened to alarms, newest first."""
        rows = self._ask(
            "SELECT at, key, alarm, event, phase, urgency, limit_name, value, actor, reason FROM alarm_journal "
            "WHERE at >= ? AND (?2 IS NULL OR key = ?2) ORDER BY n DESC LIMIT ?3",
            (0 if since is None else micros(since), key, limit),
        )
        return [
            JournalLine(
                moment(at),
                k,
                alarm,
                event,
                Phase(phase),
                Urgency(urgency),
                _limit(name),
                value,
                actor,
                reason,
            )
            for at, k, alarm, event, phase, urgency, name, value, actor, reason in rows
        ]

    def counts(self, since: datetime) -> dict[str, int]:
        """How many samples each tag has from `since` on."""
        counted = self._ask(
            "SELECT tag.name, count(*) FROM sample JOIN tag ON tag.id = sample.tag WHERE t >= ? GROUP BY tag.id",
            (micros(since),),
        )
        return dict(counted)

    def stats(self) -> HistoryStats:
        """Counts and sizes of what is stored."""
        counted = self._ask(
            "SELECT (SELECT count(*) FROM sample), (SELECT count(*) FROM tag), (SELECT count(*) FROM alarm), "
            "(SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size), "
            "(SELECT min(t) FROM sample), (SELECT max(t) FROM sample)"
        )
        if not counted:
            return HistoryStats(0, 0, 0, 0, None, None)
        samples, tags, alarms, size, oldest, newest = counted[0]
        return HistoryStats(samples, tags, alarms, size, maybe_moment(oldest), maybe_moment(newest))

    def close(self) -> None:
        """Close the file; a later question opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def __enter__(self) -> HistoryReader:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.close()


def _sample(tag: str, kind: str, t: int, v: Any, q: int, late: int) -> Sample:
    value = bool(v) if kind == "bool" and isinstance(v, int) else v
    return Sample(tag, moment(t), moment(t + late), value, q)


def _limit(name: str | None) -> Limit | None:
    return None if name is None else Limit(name)


def _alarm(row: tuple[Any, ...]) -> AlarmRecord:
    (
        id,
        key,
        tag,
        kind,
        occurrence,
        priority,
        urgency,
        name,
        value,
        phase,
        raised,
        back,
        acked,
        by,
        shelved,
    ) = row
    return AlarmRecord(
        id, key, tag, Kind(kind), occurrence, priority, Urgency(urgency), _limit(name), value, Phase(phase),
        moment(raised), maybe_moment(back), maybe_moment(acked), by, maybe_moment(shelved),
    )  # fmt: skip
