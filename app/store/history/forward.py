"""Reads samples in the order in which they were written, from rows and chunks alike, to be forwarded to a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import structlog

from app.store.history import chunks, stream_marks
from app.store.history.damage import Damaged
from app.store.history.file import HistoryFile
from app.store.history.stream_marks import StreamState

if TYPE_CHECKING:
    from app.store.history.columns import Columns, Ints, Row

log = structlog.get_logger(__name__)

MOST = 400_000  # samples in one stretch: some tens of megabytes
_ROWS = 20_000
_EXACT = 2**53  # whole numbers below it are exact as reals
_SELECT = (
    "SELECT t, n, epoch, v, q, late, tag FROM sample INDEXED BY sample_by_n "
    "WHERE epoch = ? AND n > ? AND n <= ? ORDER BY n LIMIT ?"
)


@dataclass(frozen=True)
class Stretch:
    """All samples that are left with `after` < n <= `last`, ascending by n; `tags` are the numbers of their tags.

    An n that is missing between them belongs to a sample that was dropped.
    """

    after: int
    last: int
    tags: Ints
    samples: Columns


class SampleStream(HistoryFile):
    """The samples of one epoch of a history file by their numbers."""

    def newest(self, epoch: int) -> int:
        """The number of the newest sample, 0 while there is none."""
        with self.snapshot() as db:
            return 0 if db is None else stream_marks.newest_n(db, epoch)

    def streams(self) -> list[StreamState]:
        """The streams that this file was and is, the present one last; none as long as it was never shared."""
        with self.snapshot() as db:
            return [] if db is None else stream_marks.read_streams(db)

    def names(self) -> dict[int, tuple[str, str]]:
        """Name and kind (number, bool, text) of every tag by its number in this file."""
        return {id: (name, kind) for id, name, kind in self.ask("SELECT id, name, kind FROM tag")}

    def time_of(self, epoch: int, n: int) -> int | None:
        """When (µs) the sample `n`, or the first one left after it, was taken; None where none is left."""
        found = [
            t
            for sql in (
                "SELECT t FROM sample INDEXED BY sample_by_n WHERE epoch = ? AND n >= ? ORDER BY n LIMIT 1",
                "SELECT t0 FROM chunk WHERE epoch = ? AND n >= ? AND bytes > 0 ORDER BY n LIMIT 1",
            )
            for (t,) in self.ask(sql, (epoch, n))
        ]
        return min(found, default=None)

    def read(
        self, epoch: int, after: int, most: int = MOST, rest: Callable[[], None] = lambda: None
    ) -> Stretch | None:
        """The next stretch behind the sample `after`, of at most `most`; None where nothing was written since.

        `rest` is called between two pieces of work of some milliseconds. A chunk that is damaged is left out and told.
        """
        with self.snapshot() as db:
            last = 0 if db is None else min(after + most, stream_marks.newest_n(db, epoch))
            if db is None or last <= after:
                return None
            rows = db.execute(_SELECT, (epoch, after, last, _ROWS + 1)).fetchall()
            if len(rows) > _ROWS:
                rows.pop()
                last = rows[-1][1]
            sealed = _sealed(db, epoch, after, last)
        parts = [_of_rows(rows)]
        for tag, body in sealed:
            rest()
            part = _of_chunk(tag, body, epoch, after, last)
            if part is not None:
                parts.append(part)
        return _in_order(after, last, parts)


def _sealed(db: sqlite3.Connection, epoch: int, after: int, last: int) -> list[tuple[int, bytes]]:
    """Tag and packed samples of every chunk that may hold some of the samples."""
    found = db.execute(
        "SELECT tag, id FROM chunk INDEXED BY chunk_by_n "
        "WHERE epoch = ? AND n > ? AND coalesce(first_n, 0) <= ? AND bytes > 0",
        (epoch, after, last),
    ).fetchall()
    # A chunk that ends in a later epoch may hold samples of this one; its own number says nothing about them.
    found += db.execute(
        "SELECT tag, id FROM chunk INDEXED BY chunk_by_n WHERE epoch > ? AND bytes > 0", (epoch,)
    ).fetchall()
    bodies = chunks.bodies(db, [id for _, id in found])
    return [(tag, bodies[id]) for tag, id in found if id in bodies]


def _of_rows(rows: Sequence[tuple[*Row, int]]) -> tuple[Ints, Columns]:
    import numpy as np

    from app.store.history.columns import REAL, Columns, columns_of

    if set(map(type, map(itemgetter(3), rows))) == {float}:  # nearly always; a third of the time
        table = np.array(rows, np.float64).T
        t, n, epoch, q, late, tag = (table[column].astype(np.int64) for column in (0, 1, 2, 4, 5, 6))
        if max(abs(whole).max() for whole in (t, n, late)) < _EXACT:
            kind, bits = np.full(len(rows), REAL, np.uint8), table[3].copy().view(np.int64)
            return tag, Columns(t, n, epoch, q, late, kind, bits)
    return np.array([row[6] for row in rows], np.int64), columns_of([row[:6] for row in rows])


def _of_chunk(tag: int, body: bytes, epoch: int, after: int, last: int) -> tuple[Ints, Columns] | None:
    import numpy as np

    from app.store.history.codec import decode

    try:
        samples = decode(body)
    except Damaged as damage:
        log.warning("samples not forwarded, since a chunk is damaged", tag=tag, reason=str(damage))
        return None
    inside = np.flatnonzero((samples.n > after) & (samples.n <= last) & (samples.epoch == epoch))
    return (np.full(len(inside), tag, np.int64), samples.part(inside)) if len(inside) else None


def _in_order(after: int, last: int, parts: Sequence[tuple[Ints, Columns]]) -> Stretch:
    import numpy as np

    from app.store.history.columns import joined

    filled = [part for part in parts if len(part[0])] or list(parts[:1])
    tags, samples = np.concatenate([tags for tags, _ in filled]), joined([part for _, part in filled])
    if (samples.n[1:] < samples.n[:-1]).any():
        order = np.argsort(samples.n, kind="stable")
        tags, samples = tags[order], samples.part(order)
    return Stretch(after, last, tags, samples)
