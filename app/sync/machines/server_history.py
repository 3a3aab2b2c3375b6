"""Reads what the shared server keeps of samples, those of other stations too: the same curves as from a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

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
    FROM lineside.reading r WHERE r.signal = %(signal)s AND r.t >= %(first)s AND r.t < %(last)s
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
        self, tag: str, start: datetime, end: datetime, pixels: int, corrections: Sequence[Correction] = ()
    ) -> Buckets:
        """The curve of a tag from `start` to `end` as `HistoryReader.buckets` gives it.

        What a station took while another one held the machine is told only where there is nothing else.
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
            rows = self._ask(_PIXELS, asked)
            found = self._ask(_BEFORE, asked)
            held = _sample(tag, known["kind"], *found[0]) if found else None
        pieces, touched = corrected_pieces(_pieces(rows), corrections)
        if held is not None:
            held = corrected_sample(held, corrections)
        return buckets_of(pieces, touched, first, width, held)

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
