"""Reads what the shared server keeps of samples, those of other stations too: the same curves as from a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.corrections import Correction
from app.domain.errors import LinesideError, Refused, WorldFault
from app.domain.samples import Sample
from app.store.history import Buckets
from app.store.history.corrected import corrected_pieces, corrected_sample, edges
from app.store.history.curves import buckets_of
from app.store.history.schema import micros, moment
from app.sync.server.sentences import plain_errors

if TYPE_CHECKING:
    from app.store.history.pieces import Pieces
    from app.sync.wire import ServerConnection

_LEFT_ALONE = 30.0  # s; a server that was not reached is not asked again before
_GOODBYE = 0.5
_BLOCK = 50_000
_INSTANT = timedelta(microseconds=1)
_MINUTE = 60_000_000  # µs
_MINUTES_SHARE = 2  # a minute may be taken as one where it is at most half a pixel long
_MOST_TORN = 16  # minutes in which corrections begin or end
_GOOD = "r.q BETWEEN 0 AND 1073741823"  # the two highest bits of a status code are its severity
_SUMMABLE = (
    "(abs(r.v) < 1e290 OR abs(r.v) = 'infinity')"  # PostgreSQL refuses a sum that leaves the range of reals
)
_US = "(extract(epoch FROM {}) * 1000000)::bigint"
# One line for each pixel, divided where a correction begins or ends, and by whether another station held the machine.
_PIXELS = f"""
WITH drawn AS (
    SELECT date_bin(%(width)s::interval, r.t, %(first)s) AS pixel, width_bucket(r.t, %(edges)s::timestamptz[]) AS part,
        r.origin = ANY (%(late)s) AS late, min(r.t) AS t, max(r.t) AS until, count(*) AS many,
        count(r.v) FILTER (WHERE {_GOOD}) AS good, min(r.v) FILTER (WHERE {_GOOD}) AS low,
        max(r.v) FILTER (WHERE {_GOOD}) AS high, sum(r.v) FILTER (WHERE {_GOOD} AND {_SUMMABLE}) AS total
    FROM lineside.reading r WHERE r.signal = %(signal)s AND r.t >= %(since)s AND r.t < %(until)s
    GROUP BY 1, 2, 3
)
SELECT {_US.format("d.t")}, {_US.format("d.until")}, d.low, d.high, coalesce(d.total, 0),
    CASE WHEN d.good > 0 AND d.low = d.high THEN d.low ELSE (
        SELECT r.v FROM lineside.reading r WHERE r.signal = %(signal)s AND r.t BETWEEN d.t AND d.until
        AND r.v IS NOT NULL AND {_GOOD} AND (r.origin = ANY (%(late)s)) = d.late ORDER BY r.t, r.n LIMIT 1) END,
    CASE WHEN d.good > 0 AND d.low = d.high THEN d.low ELSE (
        SELECT r.v FROM lineside.reading r WHERE r.signal = %(signal)s AND r.t BETWEEN d.t AND d.until
        AND r.v IS NOT NULL AND {_GOOD} AND (r.origin = ANY (%(late)s)) = d.late
        ORDER BY r.t DESC, r.n DESC LIMIT 1) END,
    d.many, d.good,
    (SELECT {_GOOD} FROM lineside.reading r WHERE r.signal = %(signal)s AND r.t = d.until
        AND (r.origin = ANY (%(late)s)) = d.late ORDER BY r.n DESC LIMIT 1)
FROM drawn d
WHERE NOT d.late OR NOT EXISTS (SELECT FROM drawn o WHERE o.pixel = d.pixel AND o.part = d.part AND NOT o.late)
ORDER BY d.t
"""
# The same from what is known of each minute; `torn` ones are looked at sample by sample instead.
_PIXELS_OF_MINUTES = f"""
WITH minutes AS (
    SELECT date_bin(%(width)s::interval, m.t, %(first)s) AS pixel,
        width_bucket(m.t, %(edges)s::timestamptz[]) AS part, m.origin = ANY (%(late)s) AS late, m.*
    FROM lineside.reading_minute m
    WHERE m.signal = %(signal)s AND m.minute >= %(since)s AND m.minute < %(until)s AND m.minute <> ALL (%(torn)s)
    ORDER BY m.minute, m.t
), drawn AS (
    SELECT pixel, part, late, min(t) AS t, max(until) AS until, sum(samples) AS many, sum(minutes.good) AS good,
        min(low) AS low, max(high) AS high, sum(total) AS total,
        array_agg(first) FILTER (WHERE minutes.good > 0) AS firsts,
        array_agg(last) FILTER (WHERE minutes.good > 0) AS lasts, array_agg(ends_good) AS ends_good
    FROM minutes GROUP BY 1, 2, 3
)
SELECT {_US.format("d.t")}, {_US.format("d.until")}, d.low, d.high, coalesce(d.total, 0), d.firsts[1],
    d.lasts[cardinality(d.lasts)], d.many::bigint, d.good::bigint, d.ends_good[cardinality(d.ends_good)]
FROM drawn d
WHERE NOT d.late OR NOT EXISTS (SELECT FROM drawn o WHERE o.pixel = d.pixel AND o.part = d.part AND NOT o.late)
ORDER BY d.t
"""
_SAMPLES = f"""
SELECT {_US.format("r.t")}, r.v, r.s, r.q, r.delay FROM lineside.reading r
WHERE r.signal = %(signal)s AND r.t >= %(first)s AND r.t < %(last)s AND (r.origin = ANY (%(late)s)) = %(lately)s
ORDER BY r.t, r.n LIMIT %(limit)s
"""
_BEFORE = f"""
SELECT {_US.format("r.t")}, r.v, r.s, r.q, r.delay FROM lineside.reading r
WHERE r.signal = %(signal)s AND r.t < %(first)s ORDER BY r.t DESC, r.n DESC LIMIT 1
"""


class ServerHistory:
    """`connect` opens a connection, which is kept. Methods wait for the network; they may be called from any thread.

    All raise WorldFault when the server is not reached; then it is left alone for some seconds.
    """

    def __init__(self, connect: Callable[[], ServerConnection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._line: ServerConnection | None = None
        self._fault: LinesideError | None = None
        self._failed_at = 0.0

    def buckets(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        pixels: int,
        corrections: Sequence[Correction] = (),
        *,
        exact: bool = False,
    ) -> Buckets:
        """The curve of a tag from `start` to `end` as `HistoryReader.buckets` gives it.

        What a station took while another one held the machine is told only where there is nothing else. A pixel of
        minutes is put together from whole ones, so that its border may lie up to a minute beside; not where `exact`.
        """
        if pixels < 1 or end <= start:
            raise Refused("A chart needs a range that ends after it begins.")
        first = micros(start)
        width = max(1, -(-(micros(end) - first) // pixels))
        known = self._signal(tag)
        rows: list[tuple[Any, ...]] = []
        held = None
        if known is not None:
            asked = {
                **known,
                "first": start,
                "last": end,
                "width": timedelta(microseconds=width),
                "edges": [moment(edge) for edge in edges(corrections)],
            }
            whole = first % _MINUTE == 0 and width % _MINUTE == 0
            by_minutes = whole or (not exact and width >= _MINUTES_SHARE * _MINUTE)
            rows = self._drawn(asked, by_minutes, edges(corrections))
            found = self._ask(_BEFORE, asked)
            held = _sample(tag, known["kind"], *found[0]) if found else None
        pieces, touched = corrected_pieces(_pieces(rows), corrections)
        if held is not None:
            held = corrected_sample(held, corrections)
        return buckets_of(pieces, touched, first, width, held)

    def _drawn(self, asked: dict[str, Any], by_minutes: bool, cuts: Sequence[int]) -> list[tuple[Any, ...]]:
        """One line for each pixel; `by_minutes` says that a minute may be taken as one."""
        start, end = asked["first"], asked["last"]
        since = moment(-(-micros(start) // _MINUTE) * _MINUTE)
        until = moment(micros(end) // _MINUTE * _MINUTE)
        torn = sorted({moment(cut // _MINUTE * _MINUTE) for cut in cuts if cut % _MINUTE})
        torn = [minute for minute in torn if since <= minute < until]
        if not by_minutes or len(torn) > _MOST_TORN:
            return self._ask(_PIXELS, {**asked, "since": start, "until": end})
        rows = self._ask(_PIXELS_OF_MINUTES, {**asked, "since": since, "until": until, "torn": torn})
        parts = [(start, since), (until, end), *((minute, minute + timedelta(minutes=1)) for minute in torn)]
        for begins, ends in parts:
            if begins < ends:
                rows += self._ask(_PIXELS, {**asked, "since": begins, "until": ends})
        return sorted(rows, key=lambda row: int(row[0]))

    def samples(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        limit: int = 1_000_000,
        corrections: Sequence[Correction] = (),
    ) -> list[Sample]:
        """Samples with start <= source time < end, oldest first; whole numbers come back as reals."""
        known = self._signal(tag)
        if known is None:
            return []
        asked = {**known, "first": start, "last": end, "limit": limit}
        rows = self._ask(_SAMPLES, {**asked, "lately": False}) or self._ask(
            _SAMPLES, {**asked, "lately": True}
        )
        return [corrected_sample(_sample(tag, known["kind"], *row), corrections) for row in rows]

    def blocks(
        self, tag: str, start: datetime, end: datetime, corrections: Sequence[Correction] = ()
    ) -> Iterator[list[Sample]]:
        """What `samples` gives, some ten thousand at a time; the samples of one instant stay together."""
        while start < end:
            found = self.samples(tag, start, end, _BLOCK, corrections)
            if len(found) < _BLOCK:
                yield found
                return
            last = found[-1].source_time
            if found[0].source_time == last:  # all at one instant: it has to be taken whole
                found = self.samples(tag, start, last + _INSTANT, corrections=corrections)
                last += _INSTANT
            yield [sample for sample in found if sample.source_time < last]
            start = last

    def before(self, tag: str, time: datetime) -> Sample | None:
        """The newest sample older than `time`, or None when there is none."""
        known = self._signal(tag)
        rows = [] if known is None else self._ask(_BEFORE, {**known, "first": time})
        return _sample(tag, known["kind"], *rows[0]) if known is not None and rows else None

    def _signal(self, tag: str) -> dict[str, Any] | None:
        """Number and kind of a signal, and the origins of what was taken while another held the machine."""
        rows = self._ask(
            "SELECT g.id, g.kind, ARRAY(SELECT o.id FROM lineside.origin o WHERE o.late) "
            "FROM lineside.signal g WHERE g.name = %(name)s",
            {"name": tag},
        )
        return None if not rows else dict(zip(("signal", "kind", "late"), rows[0], strict=True))

    def _ask(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._fault is not None and time.monotonic() - self._failed_at < _LEFT_ALONE:
                raise self._fault
            try:
                if self._line is None or self._line.closed:
                    self._line = self._connect()
                with plain_errors():
                    rows = self._line.session.execute(sql, values).fetchall()
            except (WorldFault, Refused) as fault:
                self._fault, self._failed_at = fault, time.monotonic()
                raise
            self._fault = None
            return rows

    def held_by_others(self, connection: UUID, station: str) -> list[tuple[datetime, datetime | None]]:
        """From when to when others than `station` held a machine, the end None where one does now."""
        return [
            (granted, ended)
            for granted, ended in self._ask(
                "SELECT granted_at, ended_at FROM sync.lease_term "
                "WHERE connection = %(connection)s AND station <> %(station)s ORDER BY granted_at",
                {"connection": connection, "station": station},
            )
        ]

    def close(self) -> None:
        """Hang up; a later question connects again. A question that is under way fails."""
        line = self._line
        if line is not None:
            line.abort()
        # Whoever still connects closes nothing, and is not waited for.
        if self._lock.acquire(timeout=_GOODBYE):
            try:
                if self._line is not None:
                    self._line.close()
                    self._line = None
            finally:
                self._lock.release()


def _pieces(rows: Sequence[tuple[Any, ...]]) -> Pieces:
    import numpy as np

    from app.store.history.pieces import Pieces

    columns = list(zip(*rows, strict=True)) if rows else [()] * 10
    t, end, low, high, total, first, last, count, good, ends_good = columns

    def reals(values: Sequence[Any]) -> Any:
        return np.array(values, np.float64)  # None becomes NaN

    def whole(values: Sequence[Any]) -> Any:
        return np.array(values, np.int64)

    return Pieces(
        whole(t), whole(end), reals(low), reals(high), reals(total), reals(first), reals(last), whole(count),
        whole(good), np.array(ends_good, np.bool_),
    )  # fmt: skip


def _sample(tag: str, kind: str, t: int, v: float | None, s: str | None, q: int, delay: float) -> Sample:
    value = v if s is None else int(s) if v is not None else s
    if kind == "bool" and v is not None and s is None:
        value = bool(v)
    received = moment(t + round(delay * 1e6))
    return Sample(tag, moment(t), received, value, q & 0xFFFF_FFFF)
