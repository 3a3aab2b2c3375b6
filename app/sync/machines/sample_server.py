"""What is asked of the shared server about samples: opening a stream, naming signals, forwarding a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import numpy as np

from app.store.history.columns import TEXT, WHOLE
from app.store.history.forward import Stretch
from app.sync.machines.packed_arrays import accept_arrays, float4s, float8s, int4s, int8s, moments

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

_EXACT = 2**53  # beyond it a real is no exact whole number; the digits then travel as text
_DAY = 86_400_000_000
_LONGEST_TEXT = 4_000  # characters of a text that goes to the server, as many as most drivers read
Stored: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Batch:
    """Samples `first_n` to `last_n` of a stream as columns; `n` is None where none of them is missing."""

    first_n: int
    last_n: int
    signals: NDArray[np.int64]
    t: NDArray[np.int64]
    v: NDArray[np.float64]
    q: NDArray[np.int64]
    delay: NDArray[np.float64]
    s: list[str | None] | None
    n: NDArray[np.int64] | None


def batch_of(stretch: Stretch, begin: int, end: int, signals: NDArray[np.int64]) -> Batch:
    """Places `begin` to `end` of a stretch; `signals` are the server's numbers of its samples' signals.

    The first batch begins right after `stretch.after` and the last one ends with `stretch.last`, whatever is missing.
    """
    part = stretch.samples.part(slice(begin, end))
    first_n = stretch.after + 1 if begin == 0 else int(stretch.samples.n[begin - 1]) + 1
    last_n = stretch.last if end >= len(stretch.samples) else int(part.n[-1])
    missing = last_n - first_n + 1 != len(part)
    return Batch(
        first_n, last_n, signals[begin:end], part.t, part.numbers(), part.q, part.late / 1e6,
        _texts(part), part.n if missing else None,
    )  # fmt: skip


def _texts(part: Any) -> list[str | None] | None:
    """Texts, and the digits of whole numbers that no real holds exactly; None where there are none.

    PostgreSQL takes no character of number zero; its picture ␀ stands in its place.
    """
    large = (part.kind == WHOLE) & (np.abs(part.bits) > _EXACT)
    told = np.flatnonzero((part.kind == TEXT) | large)
    if not len(told):
        return None
    texts: list[str | None] = [None] * len(part)
    for place in told.tolist():
        bits = int(part.bits[place])
        texts[place] = str(bits) if large[place] else part.words[bits][:_LONGEST_TEXT].replace("\0", "␀")
    return texts


def told(batch: Batch, names: Sequence[str]) -> list[tuple[int, Stored]]:
    """Number and content of the samples of a batch as `SampleServer.stored` gives them; `names` are their signals'."""
    numbers = np.arange(batch.first_n, batch.last_n + 1) if batch.n is None else batch.n
    values = [None if v != v else v for v in batch.v.tolist()]
    quality = batch.q.astype(np.int32).tolist()
    texts = batch.s or [None] * len(values)
    return list(
        zip(numbers.tolist(), zip(names, batch.t.tolist(), quality, values, texts, strict=True), strict=True)
    )


class SampleServer:
    """The functions of `readings.sql` over one connection, called by one `run` of a collector; errors are those of
    psycopg."""

    def __init__(self, connection: Connection[Any], run: UUID | None = None) -> None:
        self._connection, self._run = connection, run
        accept_arrays(connection)
        self._days: set[int] = set()

    def open(self, stream: UUID, epoch: int, first_n: int) -> int:
        """Up to which number the server has the stream; it begins at `first_n` where it is not known."""
        return int(self._one("SELECT sync.open_stream(%s, %s, %s, %s)", (stream, epoch, first_n, self._run)))

    def signals(self, names: Sequence[str], kinds: Sequence[str]) -> list[int]:
        """The server's numbers of signals."""
        found: list[int] = self._one("SELECT sync.name_signals(%s, %s)", (list(names), list(kinds)))
        return found

    def forward(self, stream: UUID, epoch: int, batch: Batch) -> int:
        """Hand a batch over; returns up to which number the server has the stream afterwards."""
        self._make_room(batch.t)
        return int(
            self._one(
                "SELECT sync.forward(%s, %s::int, %s::bigint, %s::bigint, %b, %b, %b, %b, %b, %s::text[], %b, %s)",
                (
                    stream, epoch, batch.first_n, batch.last_n, int4s(batch.signals), moments(batch.t),
                    float8s(batch.v), int4s(batch.q), float4s(batch.delay), batch.s,
                    None if batch.n is None else int8s(batch.n), self._run,
                ),
            )
        )  # fmt: skip

    def _make_room(self, t: NDArray[np.int64]) -> None:
        """See to a part of the table for every day that this connection did not ask for yet."""
        new = sorted(set(np.unique(t // _DAY).tolist()) - self._days)
        if new:
            self._one("SELECT sync.make_room(%b)", (moments(np.array(new, np.int64) * _DAY),))
            self._days.update(new)

    def stored(
        self, stream: UUID, epoch: int, after: int, last: int, t: NDArray[np.int64]
    ) -> dict[int, Stored]:
        """Samples of a stream as the server has them, by number: name of the signal, time (µs), quality, value, text.

        `t` are the times at which they were taken, within which they are looked for.
        """
        lowest, highest = moments(np.array([t.min()])), moments(np.array([t.max()]))
        rows = self._connection.execute(
            "SELECT r.n, g.name, (extract(epoch FROM r.t) * 1000000)::bigint, r.q, r.v, r.s FROM lineside.reading r "
            "JOIN lineside.origin o ON o.id = r.origin JOIN lineside.signal g ON g.id = r.signal "
            "WHERE o.stream = %s AND o.epoch = %s AND r.n > %s AND r.n <= %s "
            "AND r.t BETWEEN (%b::timestamptz[])[1] AND (%b::timestamptz[])[1]",
            (stream, epoch, after, last, lowest, highest),
        )
        return {n: tuple(rest) for n, *rest in rows}

    def _one(self, sql: str, values: Sequence[object]) -> Any:
        row = self._connection.execute(sql, values).fetchone()
        assert row is not None
        return row[0]
