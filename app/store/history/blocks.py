"""Reads samples out of rows and chunks alike, one stretch of time after the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.store.history import chunks
from app.store.history.chunks import Head

_CHUNKS = 8  # unpacked at a time
_ROWS = 50_000
_SELECT = (
    "SELECT t, n, epoch, v, q, late FROM sample WHERE tag = ? AND t >= ? AND t < ? ORDER BY t, n LIMIT ?"
)

Found: TypeAlias = tuple[int, Any, int, int]  # t, v, q, late


@dataclass(frozen=True)
class Block:
    """What is stored from `start` to `end` (µs); nothing between is left out."""

    start: int
    end: int
    rows: Sequence[tuple[int, int, int, Any, int, int]]
    bodies: Sequence[bytes]


def fetch(db: sqlite3.Connection, tag: int, start: int, end: int) -> Block:
    """The next stretch from `start` on, as long as is handy, but not beyond `end`."""
    heads = chunks.heads(db, tag, start, end, _CHUNKS + 1)[:_CHUNKS]
    if len(heads) == _CHUNKS:
        end = min(end, heads[-1].t1 + 1)
    rows = db.execute(_SELECT, (tag, start, end, _ROWS + 1)).fetchall()
    if len(rows) > _ROWS:  # up to the last instant of which all rows are here
        end = rows[-1][0]
        if end == rows[0][0]:
            end += 1
            rows = db.execute(_SELECT, (tag, start, end, -1)).fetchall()
        rows = [row for row in rows if row[0] < end]
    found = chunks.bodies(db, [head.id for head in heads if head.t0 < end])
    return Block(start, end, rows, list(found.values()))


def rows_of(block: Block) -> list[Found]:
    """The samples of a block by time, those of one instant in the order in which they came."""
    if not block.bodies:
        return [(t, v, q, late) for t, _, _, v, q, late in block.rows]
    from app.store.history.codec import decode
    from app.store.history.columns import columns_of, joined

    samples = joined([*map(decode, block.bodies), columns_of(block.rows)])
    samples = samples.part((samples.t >= block.start) & (samples.t < block.end)).in_order()
    return [(t, v, q, late) for t, _, _, v, q, late in samples.rows()]


def before(db: sqlite3.Connection, tag: int, time: int) -> Found | None:
    """The newest sample older than `time` (µs)."""
    sql = "SELECT t, n, v, q, late FROM sample WHERE tag = ? AND t < ? ORDER BY t DESC, n DESC LIMIT 1"
    row = db.execute(sql, (tag, time)).fetchone()
    host, _ = chunks.around(db, tag, time - 1)
    if host is None or (row is not None and row[0] > host.t1):
        return None if row is None else (row[0], *row[2:])
    sealed = _last_before(db, host, time)
    if row is not None and row[:2] >= sealed[:2]:
        return row[0], *row[2:]
    return sealed[0], *sealed[2:]


def _last_before(db: sqlite3.Connection, host: Head, time: int) -> tuple[int, int, Any, int, int]:
    """Time, number, value, quality and delay of the newest sample of a chunk older than `time`."""
    from app.domain.samples import Quality
    from app.store.history.codec import decode

    body = chunks.bodies(db, [host.id]).get(host.id)
    if body is None:  # only the figures are left
        at, value = (host.t1, host.last) if host.t1 < time else (host.t0, host.first)
        quality = Quality.GOOD if host.ends_good and value is not None else Quality.BAD
        return at, 0, value, quality, 0
    samples = decode(body)
    place = int(samples.t.searchsorted(time)) - 1
    t, n, _, value, q, late = samples.part(slice(place, place + 1)).rows()[0]
    return t, n, value, q, late


def counts(db: sqlite3.Connection, since: int) -> dict[str, int]:
    """How many samples each tag has from `since` on (µs); tags without any are left out."""
    from app.store.history.codec import decode

    found: dict[str, int] = {}
    for tag, name in db.execute("SELECT id, name FROM tag").fetchall():
        (rows,) = db.execute("SELECT count(*) FROM sample WHERE tag = ? AND t >= ?", (tag, since)).fetchone()
        (sealed,) = db.execute(
            "SELECT coalesce(sum(count), 0) FROM chunk WHERE tag = ? AND t0 >= ? AND bytes > 0", (tag, since)
        ).fetchone()
        host, _ = chunks.around(db, tag, since - 1)
        if host is not None and host.t1 >= since and host.bytes:
            samples = decode(chunks.bodies(db, [host.id])[host.id], identity=False)
            sealed += int((samples.t >= since).sum())
        if rows + sealed:
            found[name] = rows + sealed
    return found


def check(bodies: Iterable[bytes]) -> None:
    """Unpack chunks; raises `Damaged` at the first that is."""
    from app.store.history.codec import decode

    for body in bodies:
        decode(body)
