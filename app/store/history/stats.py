"""Counts and sizes of the history file."""

from __future__ import annotations

import sqlite3

from app.store.history.retention import used_bytes
from app.store.history.rows import HistoryStats
from app.store.history.schema import maybe_moment

_DAY = 86_400_000_000  # µs
_DAYS = 7  # over which the growth is measured
_ROW_BYTES = 36.0  # what a row takes, about, with the room that is left in its page
_SHORTEST = 3_600_000_000  # µs; growth is not told from less than an hour


def figures(db: sqlite3.Connection) -> HistoryStats:
    """What is stored, in one snapshot."""
    rows, first, last = db.execute("SELECT count(*), min(t), max(t) FROM sample").fetchone()
    chunks, sealed, size, begin, end = db.execute(
        "SELECT count(*), coalesce(sum(count), 0), coalesce(sum(bytes), 0), min(t0), max(t1) FROM chunk WHERE bytes > 0"
    ).fetchone()
    (reduced,) = db.execute("SELECT coalesce(sum(count), 0) FROM chunk WHERE bytes = 0").fetchone()
    (tags,) = db.execute("SELECT count(*) FROM tag").fetchone()
    (alarms,) = db.execute("SELECT count(*) FROM alarm").fetchone()
    oldest = min((t for t in (first, begin) if t is not None), default=None)
    newest = max((t for t in (last, end) if t is not None), default=None)
    return HistoryStats(
        samples=rows + sealed, tags=tags, alarms=alarms, bytes=used_bytes(db), oldest=maybe_moment(oldest),
        newest=maybe_moment(newest), rows=rows, chunks=chunks, chunk_bytes=size, reduced=reduced,
        bytes_per_day=_growth(db, oldest, newest),
    )  # fmt: skip


def _growth(db: sqlite3.Connection, oldest: int | None, newest: int | None) -> float:
    """Bytes a day in the last days: what was sealed in them, and what fresh rows will take once they are sealed."""
    if oldest is None or newest is None:
        return 0.0
    begin = max(oldest, newest - _DAYS * _DAY)
    count, size = db.execute(
        "SELECT coalesce(sum(count), 0), coalesce(sum(bytes), 0) FROM chunk WHERE t1 >= ? AND bytes > 0",
        (begin,),
    ).fetchone()
    (rows,) = db.execute("SELECT count(*) FROM sample WHERE t >= ?", (begin,)).fetchone()
    each = size / count if count else _ROW_BYTES
    growth: float = (size + rows * each) * _DAY / max(newest - begin, _SHORTEST)
    return growth
