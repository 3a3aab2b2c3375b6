"""Stretches of a curve reduced to their extremes: a sample, part of a chunk, a chunk, or a bucket of a chart."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.store.history.packing import pack_ints, pack_reals, unpack_ints, unpack_reals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy import bool_, float64, int64, intp
    from numpy.typing import NDArray

    from app.store.history.columns import Columns

PARTS = 16  # a chunk is also kept as so many stretches of equal numbers of samples
_SMALL = 128  # samples that one such stretch has at least
_HEAD = struct.Struct("<HII")  # number of stretches, lengths of the packed times and counts


@dataclass(frozen=True)
class Pieces:
    """Stretches of samples, all arrays of equal length, in the order of time.

    `t` and `end` are the times of the first and last sample (µs), `low` to `last` are over good numbers and NaN where
    there are none, `total` is their sum, `ends_good` the quality of the last sample, good number or not.
    """

    t: NDArray[int64]
    end: NDArray[int64]
    low: NDArray[float64]
    high: NDArray[float64]
    total: NDArray[float64]
    first: NDArray[float64]
    last: NDArray[float64]
    count: NDArray[int64]
    good: NDArray[int64]
    ends_good: NDArray[bool_]

    def __len__(self) -> int:
        return len(self.t)

    def part(self, which: NDArray[intp] | NDArray[bool_]) -> Pieces:
        """Some of the pieces."""
        return Pieces(*(array[which] for array in _arrays(self)))


def _arrays(pieces: Pieces) -> Sequence[Any]:
    p = pieces
    return p.t, p.end, p.low, p.high, p.total, p.first, p.last, p.count, p.good, p.ends_good


def pieces_of(samples: Columns) -> Pieces:
    """Every sample as a piece of its own."""
    good = samples.good_numbers()
    value = np.where(good, samples.numbers(), np.nan)
    one = np.ones(len(samples), np.int64)
    return Pieces(
        samples.t, samples.t, value, value, np.where(good, value, 0.0), value, value, one,
        good.astype(np.int64), samples.good(),
    )  # fmt: skip


def merged(parts: Sequence[Pieces]) -> Pieces:
    """Pieces of several stretches in the order of time; at equal times those of the earlier part come first."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        nothing, none = np.empty(0), np.empty(0, np.int64)
        return Pieces(
            none, none, nothing, nothing, nothing, nothing, nothing, none, none, np.empty(0, np.bool_)
        )  # fmt: skip
    together = Pieces(*(np.concatenate(column) for column in zip(*map(_arrays, parts), strict=True)))
    if (together.t[1:] < together.t[:-1]).any():
        return together.part(np.argsort(together.t, kind="stable"))
    return together


def reduced(pieces: Pieces, starts: NDArray[intp]) -> Pieces:
    """Pieces taken together; `starts` are the places where each group begins, ascending from 0."""
    if not len(pieces):
        return pieces
    ends = np.append(starts[1:], len(pieces)) - 1
    at, has = np.arange(len(pieces)), pieces.good > 0
    opening = np.minimum.reduceat(np.where(has, at, len(pieces)), starts)
    closing = np.maximum.reduceat(np.where(has, at, -1), starts)
    with np.errstate(invalid="ignore", over="ignore"):  # infinity is a value too
        total = np.add.reduceat(pieces.total, starts)
    return Pieces(
        pieces.t[starts],
        np.maximum.reduceat(pieces.end, starts),
        np.fmin.reduceat(pieces.low, starts),
        np.fmax.reduceat(pieces.high, starts),
        total,
        np.where(closing >= 0, pieces.first[np.minimum(opening, len(pieces) - 1)], np.nan),
        np.where(closing >= 0, pieces.last[closing], np.nan),
        np.add.reduceat(pieces.count, starts),
        np.add.reduceat(pieces.good, starts),
        pieces.ends_good[ends],
    )


def whole(pieces: Pieces) -> Pieces:
    """All pieces as one."""
    return reduced(pieces, np.zeros(1, np.intp))


def parts_of(pieces: Pieces) -> Pieces:
    """The samples of a chunk in a few stretches of equal numbers of samples."""
    parts = min(PARTS, max(1, len(pieces) // _SMALL))
    return reduced(pieces, (np.arange(parts) * len(pieces)) // parts)


def pack_parts(parts: Pieces) -> bytes:
    """Parts of a chunk as bytes; exact but for `total`: the mean keeps 24 bits of its way from `low`."""
    times = pack_ints(np.concatenate((parts.t, parts.end)))
    counts = pack_ints(np.concatenate((parts.count, parts.good, parts.ends_good.astype(np.int64))))
    with np.errstate(all="ignore"):
        share = (parts.total / parts.good - parts.low) / (parts.high - parts.low)
    means = np.where(np.isfinite(share), share, 0.0).astype("<f4").tobytes()
    reals = np.concatenate((parts.low, parts.high, parts.first, parts.last)).view(np.int64)
    return _HEAD.pack(len(parts), len(times), len(counts)) + times + counts + means + pack_reals(reals)


def unpack_parts(packed: bytes) -> Pieces:
    """The parts that were packed; raises `Damaged`."""
    parts, times_long, counts_long = _HEAD.unpack_from(packed)
    at = _HEAD.size
    t, end = unpack_ints(packed[at : at + times_long], 2 * parts).reshape(2, parts)
    at += times_long
    count, good, ends_good = unpack_ints(packed[at : at + counts_long], 3 * parts).reshape(3, parts)
    at += counts_long
    share = np.frombuffer(packed, "<f4", parts, at).astype(np.float64)
    reals = unpack_reals(packed[at + 4 * parts :], 4 * parts).view(np.float64)
    low, high, first, last = reals.reshape(4, parts)
    with np.errstate(all="ignore"):
        mean = np.where(share == 0, low, low + share * (high - low))
    total = np.where(good > 0, mean * good, 0.0)
    return Pieces(t, end, low, high, total, first, last, count, good, ends_good.astype(np.bool_))


def shifted(pieces: Pieces, which: NDArray[bool_], *, factor: float = 1.0, offset: float = 0.0) -> Pieces:
    """Good values of some pieces multiplied by `factor`, then raised by `offset`."""
    ends = (pieces.low, pieces.high) if factor >= 0 else (pieces.high, pieces.low)
    low, high, first, last = (
        np.where(which, new * factor + offset, old)
        for new, old in (
            (ends[0], pieces.low),
            (ends[1], pieces.high),
            (pieces.first, pieces.first),
            (pieces.last, pieces.last),
        )
    )
    total = np.where(which, pieces.total * factor + pieces.good * offset, pieces.total)
    return replace(pieces, low=low, high=high, first=first, last=last, total=total)


def emptied(pieces: Pieces, which: NDArray[bool_]) -> Pieces:
    """Some pieces without any good value."""
    low, high, first, last = (
        np.where(which, np.nan, a) for a in (pieces.low, pieces.high, pieces.first, pieces.last)
    )
    total, good = np.where(which, 0.0, pieces.total), np.where(which, 0, pieces.good)
    return replace(
        pieces, low=low, high=high, first=first, last=last, total=total, good=good,
        ends_good=pieces.ends_good & ~which,
    )  # fmt: skip


def replaced(pieces: Pieces, which: NDArray[bool_], value: float) -> Pieces:
    """Some pieces with all of their samples good and `value`."""
    low, high, first, last = (
        np.where(which, value, a) for a in (pieces.low, pieces.high, pieces.first, pieces.last)
    )
    return replace(
        pieces, low=low, high=high, first=first, last=last,
        total=np.where(which, pieces.count * value, pieces.total),
        good=np.where(which, pieces.count, pieces.good), ends_good=pieces.ends_good | which,
    )  # fmt: skip
