"""Reads the history for charts, lists and the command line; never changes it, never needs the collector to run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.domain.errors import Refused
from app.domain.samples import Sample
from app.store.history.alarm_reader import AlarmReader
from app.store.history.rows import Buckets, HistoryStats
from app.store.history.schema import maybe_moment, micros, moment

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


class HistoryReader(AlarmReader):
    """Samples, curves, alarms and figures. As long as there is no file, everything is empty. Thread-safe."""

    def tags(self) -> list[str]:
        """Names of all tags that ever had a sample."""
        return [name for (name,) in self.ask("SELECT name FROM tag ORDER BY name")]

    def _tag(self, name: str) -> tuple[int, str] | None:
        rows = self.ask("SELECT id, kind FROM tag WHERE name = ?", (name,))
        return rows[0] if rows else None

    def samples(self, tag: str, start: datetime, end: datetime, limit: int = 1_000_000) -> list[Sample]:
        """Stored samples with start <= source time < end, oldest first; at most `limit`."""
        known = self._tag(tag)
        if known is None:
            return []
        rows = self.ask(
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
            rows = self.ask(_BUCKETS, {"tag": known[0], "start": first, "end": last, "width": width})
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
        rows = self.ask(
            "SELECT t, v, q, late FROM sample WHERE tag = ? AND t < ? ORDER BY t DESC, n DESC LIMIT 1",
            (known[0], micros(time)),
        )
        return _sample(tag, known[1], *rows[0]) if rows else None

    def latest(self, tags: Iterable[str] | None = None) -> dict[str, Sample]:
        """The newest sample of each tag (of all tags when None); tags without samples are left out."""
        known = {name: (id, kind) for id, name, kind in self.ask("SELECT id, name, kind FROM tag")}
        found: dict[str, Sample] = {}
        for name in known if tags is None else tags:
            if name not in known:
                continue
            id, kind = known[name]
            rows = self.ask(
                "SELECT t, v, q, late FROM sample WHERE tag = ? ORDER BY t DESC, n DESC LIMIT 1", (id,)
            )
            if rows:
                found[name] = _sample(name, kind, *rows[0])
        return found

    def counts(self, since: datetime) -> dict[str, int]:
        """How many samples each tag has from `since` on."""
        counted = self.ask(
            "SELECT tag.name, count(*) FROM sample JOIN tag ON tag.id = sample.tag WHERE t >= ? GROUP BY tag.id",
            (micros(since),),
        )
        return dict(counted)

    def stats(self) -> HistoryStats:
        """Counts and sizes of what is stored."""
        counted = self.ask(
            "SELECT (SELECT count(*) FROM sample), (SELECT count(*) FROM tag), (SELECT count(*) FROM alarm), "
            "(SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size), "
            "(SELECT min(t) FROM sample), (SELECT max(t) FROM sample)"
        )
        if not counted:
            return HistoryStats(0, 0, 0, 0, None, None)
        samples, tags, alarms, size, oldest, newest = counted[0]
        return HistoryStats(samples, tags, alarms, size, maybe_moment(oldest), maybe_moment(newest))


def _sample(tag: str, kind: str, t: int, v: Any, q: int, late: int) -> Sample:
    value = bool(v) if kind == "bool" and isinstance(v, int) else v
    return Sample(tag, moment(t), moment(t + late), value, q)
