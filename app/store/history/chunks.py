"""The tables of sealed chunks: writing one, replacing one, finding the ones of a stretch of time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.store.history.columns import Columns
    from app.store.history.pieces import Pieces

# Chunks of one tag never overlap, and no two of them hold the same instant. `epoch` and `n` are the identity of the
# newest sample in it. `bytes` is 0 once the samples are dropped and only the figures are kept; `data.parts` are the
# figures of some stretches of it. Samples that come later for a sealed time wait as rows and are merged by readers.
TABLES = """
CREATE TABLE chunk (
  tag INTEGER NOT NULL REFERENCES tag(id), t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, id INTEGER NOT NULL,
  count INTEGER NOT NULL, good INTEGER NOT NULL, first REAL, last REAL, low REAL, high REAL, total REAL,
  ends_good INTEGER NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (tag, t0)
) WITHOUT ROWID;
CREATE INDEX chunk_by_end ON chunk (t1);
CREATE TABLE chunk_data (id INTEGER PRIMARY KEY, parts BLOB, body BLOB);
"""
_HEAD = "t0, t1, id, count, good, first, last, low, high, total, ends_good, bytes"


@dataclass(frozen=True, slots=True)
class Head:
    """The figures of one chunk; `low` to `total` are over good numbers, None where there are none."""

    t0: int
    t1: int
    id: int
    count: int
    good: int
    first: float | None
    last: float | None
    low: float | None
    high: float | None
    total: float | None
    ends_good: int
    bytes: int


def add_chunk(db: sqlite3.Connection, tag: int, samples: Columns) -> None:
    """Write samples, in order, as a new chunk, inside the transaction of the caller."""
    from app.store.history.codec import encode
    from app.store.history.pieces import pack_parts, parts_of, pieces_of, whole

    pieces = pieces_of(samples)
    parts = parts_of(pieces)
    body = encode(samples)
    packed = pack_parts(parts) if len(parts) > 1 else None
    id = db.execute("INSERT INTO chunk_data (parts, body) VALUES (?, ?)", (packed, body)).lastrowid
    epoch, n = max(zip(samples.epoch.tolist(), samples.n.tolist(), strict=True))
    first_n = int(samples.n.min())
    values = _figures(whole(pieces))
    db.execute(
        f"INSERT INTO chunk (tag, epoch, n, first_n, id, bytes, {_FIGURES}) "
        f"VALUES (?, ?, ?, ?, ?, ?, {', '.join('?' * 10)})",
        (tag, epoch, n, first_n, id, len(body) + len(packed or b""), *values),
    )


_FIGURES = "t0, t1, count, good, first, last, low, high, total, ends_good"


def _figures(chunk: Pieces) -> tuple[Any, ...]:
    columns = (
        chunk.t,
        chunk.end,
        chunk.count,
        chunk.good,
        chunk.first,
        chunk.last,
        chunk.low,
        chunk.high,
        chunk.total,
        chunk.ends_good,
    )
    return tuple(column[0].item() for column in columns)


def remove_chunk(db: sqlite3.Connection, tag: int, head: Head) -> None:
    """Take a chunk away, inside the transaction of the caller."""
    db.execute("DELETE FROM chunk WHERE tag = ? AND t0 = ?", (tag, head.t0))
    db.execute("DELETE FROM chunk_data WHERE id = ?", (head.id,))


def heads(db: sqlite3.Connection, tag: int, start: int, end: int, limit: int = -1) -> list[Head]:
    """Chunks of a tag between start <= t < end (µs), oldest first, `limit` of them; cheap for years of them."""
    before = db.execute(
        f"SELECT {_HEAD} FROM chunk WHERE tag = ? AND t0 < ? ORDER BY t0 DESC LIMIT 1", (tag, start)
    ).fetchall()
    inside = db.execute(
        f"SELECT {_HEAD} FROM chunk WHERE tag = ? AND t0 >= ? AND t0 < ? ORDER BY t0 LIMIT ?",
        (tag, start, end, limit),
    )
    return [head for head in (Head(*row) for row in [*before, *inside]) if head.t1 >= start]


def around(db: sqlite3.Connection, tag: int, t: int) -> tuple[Head | None, Head | None]:
    """The last chunk that begins at or before `t`, and the one after it."""
    sql = f"SELECT {_HEAD} FROM chunk WHERE tag = ? AND t0 {{}} ? ORDER BY t0 {{}} LIMIT 1"
    found = [db.execute(sql.format(*how), (tag, t)).fetchone() for how in (("<=", "DESC"), (">", "ASC"))]
    host, after = (None if row is None else Head(*row) for row in found)
    return host, after


def bodies(db: sqlite3.Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """The packed samples of chunks; those that were dropped are left out."""
    return _column(db, "body", ids)


def parts(db: sqlite3.Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """The packed figures of stretches of chunks; small chunks have none."""
    return _column(db, "parts", ids)


def _column(db: sqlite3.Connection, name: str, ids: Sequence[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for begin in range(0, len(ids), 500):
        some = ids[begin : begin + 500]
        marks = ", ".join("?" * len(some))
        sql = f"SELECT id, {name} FROM chunk_data WHERE id IN ({marks}) AND {name} IS NOT NULL"
        found.update(db.execute(sql, some).fetchall())
    return found
