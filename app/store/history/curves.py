"""Reduces what is stored of a tag to buckets, unpacking no more chunks than the width of a pixel asks for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.store.history import chunks
from app.store.history.chunks import Head
from app.store.history.rows import Buckets

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import NDArray

    from app.domain.samples import Sample
    from app.store.history.columns import Columns, Row
    from app.store.history.pieces import Pieces

EXACT = 300_000  # so many samples are unpacked without asking whether their figures would do
SHARE = 2  # a stretch may be taken as one where it is at most half a pixel long


@dataclass(frozen=True)
class Stored:
    """What the file says about a stretch of a curve: rows, and chunks as heads, as parts or unpacked."""

    rows: Sequence[Row]
    heads: Sequence[Head]
    parts: dict[int, Pieces]
    bodies: dict[int, bytes]


def fetch(
    db: sqlite3.Connection, tag: int, start: int, end: int, longest: int, edges: Sequence[int]
) -> Stored:
    """What is needed for a curve in which stretches up to `longest` µs may be taken as one.

    Where a correction begins or ends, and at the ends, all samples are unpacked.
    """
    from app.store.history.pieces import unpack_parts

    rows = db.execute(
        "SELECT t, n, 0, v, q, 0 FROM sample WHERE tag = ? AND t >= ? AND t < ? ORDER BY t, n",
        (tag, start, end),
    ).fetchall()
    heads = chunks.heads(db, tag, start, end)
    all_of_it = longest == 0 or sum(head.count for head in heads) + len(rows) <= EXACT
    torn = _torn(heads, [start, end, *edges], [row[0] for row in rows])
    to_unpack = [h.id for h in heads if h.bytes and (all_of_it or h.id in torn)]
    whole = {h.id for h in heads if h.t1 - h.t0 <= longest} - set(to_unpack)
    coarse = [h for h in heads if h.id not in whole and h.id not in set(to_unpack)]
    parts = {id: unpack_parts(packed) for id, packed in chunks.parts(db, [h.id for h in coarse]).items()}
    to_unpack += [h.id for h in coarse if h.bytes and not _short_enough(parts.get(h.id), longest)]
    return Stored(rows, heads, parts, chunks.bodies(db, to_unpack))


def _torn(heads: Sequence[Head], cuts: Sequence[int], rows: Sequence[int]) -> set[int]:
    """Chunks through which a cut goes, or into whose time a row belongs."""
    import numpy as np

    begins, ends = (np.array([getattr(h, name) for h in heads], np.int64) for name in ("t0", "t1"))
    torn = np.zeros(len(heads), np.bool_)
    for cut in cuts:
        torn |= (begins < cut) & (cut <= ends)
    times = np.array(rows, np.int64)
    torn |= times.searchsorted(begins) < times.searchsorted(ends, side="right")
    return {head.id for head, is_torn in zip(heads, torn.tolist(), strict=True) if is_torn}


def _short_enough(parts: Pieces | None, longest: int) -> bool:
    return parts is not None and bool((parts.end - parts.t).max() <= longest)


def pieces_between(stored: Stored, start: int, end: int) -> Pieces:
    """All that is stored as pieces in the order of time, those that begin in start <= t < end (µs)."""
    import numpy as np

    from app.store.history.pieces import merged, pieces_of

    found = [parts for id, parts in stored.parts.items() if id not in stored.bodies]
    known = stored.bodies.keys() | stored.parts.keys()
    rest = [head for head in stored.heads if head.id not in known]
    pieces = merged([*found, _of_heads(rest), pieces_of(_samples(stored))])
    inside = (pieces.t >= start) & (pieces.t < end)
    return pieces if inside.all() else pieces.part(np.flatnonzero(inside))


def _samples(stored: Stored) -> Columns:
    """Unpacked samples and rows together; at one instant they stand in the order in which they came."""
    from app.store.history.codec import decode
    from app.store.history.columns import columns_of, joined

    rows = columns_of(stored.rows)
    spans = [(head.t0, head.t1) for head in stored.heads if head.id in stored.bodies]
    mixed = any(rows.t.searchsorted(t0) < rows.t.searchsorted(t1, side="right") for t0, t1 in spans)
    unpacked = [decode(stored.bodies[h.id], identity=mixed) for h in stored.heads if h.id in stored.bodies]
    together = joined([*unpacked, rows])
    return together.in_order() if mixed else together


def _of_heads(heads: Sequence[Head]) -> Pieces:
    """Whole chunks as pieces."""
    import numpy as np

    from app.store.history.pieces import Pieces

    def column(name: str, kind: type[np.int64] | type[np.float64]) -> Any:
        return np.array([getattr(head, name) for head in heads], kind)  # None becomes NaN

    low, high, total, first, last = (
        column(name, np.float64) for name in ("low", "high", "total", "first", "last")
    )
    t, end, count, good = (column(name, np.int64) for name in ("t0", "t1", "count", "good"))
    ends_good = column("ends_good", np.int64).astype(np.bool_)
    return Pieces(t, end, low, high, np.where(good > 0, total, 0.0), first, last, count, good, ends_good)


def buckets_of(
    pieces: Pieces, touched: NDArray[bool_], start: int, width: int, before: Sample | None
) -> Buckets:
    """Pieces put together to one bucket for each `width` µs from `start` on."""
    import numpy as np

    from app.store.history.pieces import reduced

    pixel = (pieces.t - start) // width
    starts = np.flatnonzero(np.diff(pixel, prepend=-1))
    found = reduced(pieces, starts)
    with np.errstate(all="ignore"):
        mean = found.total / np.where(found.good > 0, found.good, np.nan)
        good_fraction = found.good / found.count
    corrected = np.logical_or.reduceat(touched, starts) if len(starts) else np.zeros(0, np.bool_)
    return Buckets(
        t=found.t, min=found.low, max=found.high, mean=mean, first=found.first, last=found.last, count=found.count,
        good_fraction=good_fraction, ends_good=found.ends_good, corrected=corrected, before=before,
    )  # fmt: skip
