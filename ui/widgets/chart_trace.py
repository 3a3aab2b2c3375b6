"""The points of one curve with a pyramid over them: any window of a million points in the time of a thousand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.uint8]

UNCERTAIN, BAD, LOST, CORRECTED = 1, 2, 4, 8
"""What is to be said of a point: doubtful, no value, samples were lost before it, corrected by a person."""

_FACTOR = 8
_ROOM = 1.5


@dataclass(frozen=True)
class Columns:
    """A window of a curve reduced to what pixels can show: first time, lowest, highest and last value, flags.

    Arrays of equal length, oldest first; NaN where there is no value. The first and last column may lie outside the
    window, so that lines lead in and out. `single` says that every column is one point.
    """

    t: Floats
    lo: Floats
    hi: Floats
    last: Floats
    flags: Flags
    single: bool = True

    def __len__(self) -> int:
        return len(self.t)


@dataclass(frozen=True)
class Stretch:
    """What a curve did between two moments; `mean` is weighted by time, `good` the share of time that was good."""

    low: float
    high: float
    mean: float
    good: float


@dataclass
class _Level:
    """`count` blocks of points; `step` is the longest time between neighbours from the block's first point on."""

    t: Floats
    lo: Floats
    hi: Floats
    last: Floats
    flags: Flags
    step: Floats
    count: int = 0

    @classmethod
    def empty(cls, room: int) -> _Level:
        t, lo, hi, last, step = (np.empty(room) for _ in range(5))
        return cls(t, lo, hi, last, np.zeros(room, np.uint8), step)

    def make_room(self, count: int) -> None:
        if count <= len(self.t):
            return
        room = max(1024, int(count * _ROOM))
        for name in ("t", "lo", "hi", "last", "flags", "step"):
            old = getattr(self, name)
            fresh = np.empty(room, old.dtype)
            fresh[: self.count] = old[: self.count]
            setattr(self, name, fresh)


class Trace:
    """Points of one curve: epoch seconds ascending, lowest, highest and mean value (NaN: none), share good, flags.

    Plain samples have one value; buckets carry their spread. Appending costs what was appended. Thread-safe to build
    anywhere; only one thread may use it at a time. `max_gap` seconds without a point count as no data;
    `held_until` is the moment up to which the newest value is known to hold.
    """

    def __init__(
        self,
        t: Floats | None = None,
        lo: Floats | None = None,
        hi: Floats | None = None,
        mean: Floats | None = None,
        *,
        good: Floats | None = None,
        flags: Flags | None = None,
        max_gap: float | None = None,
    ) -> None:
        self.max_gap = max_gap
        self.held_until: float | None = None
        self._levels = [_Level.empty(0)]
        self._good: Floats = np.empty(0)
        self._sums: Floats = np.empty(0)
        self._summed, self._sums_gap = 0, max_gap
        if t is not None and lo is not None:
            self.extend(t, lo, hi, mean, good=good, flags=flags)

    def __len__(self) -> int:
        return self._levels[0].count

    # -- points --------------------------------------------------------------------------------------

    def extend(
        self,
        t: Floats,
        lo: Floats,
        hi: Floats | None = None,
        mean: Floats | None = None,
        *,
        good: Floats | None = None,
        flags: Flags | None = None,
    ) -> None:
        """Append newer points; the levels above follow from the first block that changed."""
        added = len(t)
        if not added:
            return
        hi = lo if hi is None else hi
        base = self._levels[0]
        start, end = base.count, base.count + added
        base.make_room(end)
        known = np.isfinite(lo)
        middle = (lo + hi) / 2 if mean is None else mean
        base.t[start:end], base.lo[start:end], base.hi[start:end] = t, lo, hi
        base.last[start:end] = middle
        base.flags[start:end] = np.where(known, 0, BAD).astype(np.uint8) if flags is None else flags
        self._good = _grown(self._good, start, len(base.t))
        self._good[start:end] = known.astype(np.float64) if good is None else good
        base.count = end
        first = max(0, start - 1)
        base.step[first : end - 1] = np.diff(base.t[first:end])
        base.step[end - 1] = 0.0
        self._raise_levels(first)

    def _raise_levels(self, changed: int) -> None:
        """Bring the blocks from point `changed` on up to date; a level exists while it has 64 blocks."""
        below, number = self._levels[0], 1
        while below.count >= 64 * _FACTOR:
            if number == len(self._levels):
                self._levels.append(_Level.empty(0))
                changed = 0
            level = self._levels[number]
            changed //= _FACTOR
            _merge(below, level, changed)
            below, number = level, number + 1

    @property
    def t(self) -> Floats:
        return self._levels[0].t[: len(self)]

    @property
    def lo(self) -> Floats:
        return self._levels[0].lo[: len(self)]

    @property
    def hi(self) -> Floats:
        return self._levels[0].hi[: len(self)]

    @property
    def mean(self) -> Floats:
        """What stands for each point: its mean, or its last value where a mean has no sense."""
        return self._levels[0].last[: len(self)]

    @property
    def good(self) -> Floats:
        return self._good[: len(self)]

    @property
    def flags(self) -> Flags:
        return self._levels[0].flags[: len(self)]

    # -- what is seen --------------------------------------------------------------------------------

    def columns(self, start: float, end: float, pixels: int) -> Columns:
        """The window from `start` to `end`, reduced to at most about two columns a pixel; no spike is lost."""
        found = self._reduced(start, end, pixels)
        until, count = self.held_until, len(self)
        if until is None or not count or until <= self.t[-1] or self.t[-1] > end or np.isnan(self.mean[-1]):
            return found
        last = self.mean[-1:]
        return Columns(
            np.append(found.t, until),
            np.append(found.lo, last),
            np.append(found.hi, last),
            np.append(found.last, last),
            np.append(found.flags, self.flags[-1:] & ~np.uint8(LOST)),
            found.single,
        )

    def _reduced(self, start: float, end: float, pixels: int) -> Columns:
        base = self._levels[0]
        first = max(0, int(np.searchsorted(self.t, start, "right")) - 1)
        after = min(len(self), int(np.searchsorted(self.t, end, "left")) + 1)
        wanted = max(pixels, 1) * 2
        if after - first <= wanted:
            part = slice(first, after)
            single = bool(np.array_equal(base.lo[part], base.hi[part], equal_nan=True))
            return Columns(
                base.t[part], base.lo[part], base.hi[part], base.last[part], base.flags[part], single
            )
        number = 0
        while number + 1 < len(self._levels) and (after - first) // _FACTOR ** (number + 1) >= wanted:
            number += 1
        width = (end - start) / max(pixels, 1)
        return _by_pixel(self._blocks(number, first, after, width), start, width)

    def _blocks(self, number: int, first: int, after: int, width: float) -> Columns:
        """Blocks of a level; where one hides a hole wider than a pixel, the finer blocks of it."""
        size = _FACTOR**number
        level = self._levels[number]
        index = np.arange(first // size, min(level.count, -(-after // size)))
        parts: list[tuple[_Level, NDArray[np.intp]]] = []
        while number:
            holed = level.step[index] > width
            if not holed.any():
                break
            parts.append((level, index[~holed]))
            number -= 1
            below = self._levels[number]
            inner = (index[holed][:, None] * _FACTOR + np.arange(_FACTOR)).ravel()
            level, index = below, inner[inner < below.count]
        parts.append((level, index))
        t, lo, hi, last = (
            np.concatenate([getattr(part, name)[where] for part, where in parts])
            for name in ("t", "lo", "hi", "last")
        )
        flags = np.concatenate([part.flags[where] for part, where in parts])
        if len(parts) > 1:
            order = np.argsort(t, kind="stable")
            t, lo, hi, last, flags = t[order], lo[order], hi[order], last[order], flags[order]
        return Columns(t, lo, hi, last, flags, False)

    def extent(self, start: float, end: float) -> tuple[float, float] | None:
        """Lowest and highest value in a window, or None without any."""
        columns = self.columns(start, end, 400)
        known = np.isfinite(columns.lo)
        return (float(columns.lo[known].min()), float(columns.hi[known].max())) if known.any() else None

    def index_at(self, moment: float) -> int | None:
        """The point that speaks for `moment`; None in a gap, before the first and after the last."""
        index = int(np.searchsorted(self.t, moment, side="right")) - 1
        if index < 0 or not np.isfinite(self.lo[index]) or moment - self.t[index] > self._reach(index):
            return None
        return index

    def _reach(self, index: int) -> float:
        """Seconds for which a point speaks: up to the next one, never beyond `max_gap`."""
        if index + 1 < len(self):
            span = float(self.t[index + 1] - self.t[index])
        elif self.held_until is not None:
            return self.held_until - float(self.t[-1])
        else:
            span = float(self.t[-1] - self.t[-2]) if len(self) > 1 else 0.0
        return span if self.max_gap is None else min(max(span, 0.0), self.max_gap)

    def stretch(self, start: float, end: float) -> Stretch | None:
        """Figures of the time from `start` to `end`; None when there is no value in it."""
        if end <= start or not len(self):
            return None
        first = max(0, int(np.searchsorted(self.t, start, "right")) - 1)
        after = int(np.searchsorted(self.t, end, "left"))
        edges = np.append(self.t[first:after], end)
        edges[0] = max(edges[0], start)
        weight = np.diff(edges)
        if self.max_gap is not None:
            weight = np.minimum(weight, self.max_gap)
        lo, hi, mean = self.lo[first:after], self.hi[first:after], self.mean[first:after]
        known = np.isfinite(lo) & (weight > 0)
        if not known.any():
            return None
        good = float((weight * self._good[first:after]).sum()) / (end - start)
        average = float((weight[known] * mean[known]).sum() / weight[known].sum())
        return Stretch(float(lo[known].min()), float(hi[known].max()), average, min(good, 1.0))

    def good_share(self, start: float, end: float) -> float:
        """Share of the time between two moments in which the value is known and good.

        Time counts up to the newest point, or as long as that is known to hold.
        """
        end = min(end, max(float(self.t[-1]), self.held_until or 0.0)) if len(self) else start
        if end <= start:
            return 0.0
        return min(1.0, (self._good_until(end) - self._good_until(start)) / (end - start))

    def _good_until(self, moment: float) -> float:
        """Seconds of good time from the first point to a moment."""
        index = int(np.searchsorted(self.t, moment, side="right")) - 1
        if index < 0:
            return 0.0
        sums = self._good_sums()
        held = moment - float(self.t[index])
        return float(
            sums[index] + self._good[index] * (held if self.max_gap is None else min(held, self.max_gap))
        )

    def _good_sums(self) -> Floats:
        """Good seconds before each point, continued by what was appended since the last look."""
        count = len(self)
        if self._sums_gap != self.max_gap:
            self._sums_gap, self._summed = self.max_gap, 0
        first = max(0, self._summed - 1)
        if self._summed < count:
            self._sums = _grown(self._sums, self._summed, len(self._good))
            if self._summed == 0:
                self._sums[0] = 0.0
            weight = np.diff(self.t[first:count])
            if self.max_gap is not None:
                weight = np.minimum(weight, self.max_gap)
            self._sums[first + 1 : count] = self._sums[first] + np.cumsum(
                weight * self._good[first : count - 1]
            )
            self._summed = count
        return self._sums


def _grown(values: Floats, kept: int, room: int) -> Floats:
    if len(values) >= room:
        return values
    fresh = np.empty(room)
    fresh[:kept] = values[:kept]
    return fresh


def _merge(below: _Level, level: _Level, first: int) -> None:
    """Blocks of `level` from `first` on, out of the blocks below; the last one may be incomplete."""
    count = -(-below.count // _FACTOR)
    level.make_room(count)
    starts = np.arange(first, count) * _FACTOR
    base, end = first * _FACTOR, below.count
    inner = starts - base
    level.t[first:count] = below.t[starts]
    level.lo[first:count] = np.fmin.reduceat(below.lo[base:end], inner)
    level.hi[first:count] = np.fmax.reduceat(below.hi[base:end], inner)
    level.last[first:count] = below.last[np.minimum(starts + _FACTOR, end) - 1]
    level.flags[first:count] = np.bitwise_or.reduceat(below.flags[base:end], inner)
    level.step[first:count] = np.maximum.reduceat(below.step[base:end], inner)
    level.count = count


def _by_pixel(blocks: Columns, start: float, width: float) -> Columns:
    """Merge the blocks that begin in the same pixel; a pixel that also lost its value has a column that says so."""
    pixel = np.floor((blocks.t - start) / max(width, 1e-12)).astype(np.int64) * 2
    missing = ~np.isfinite(blocks.lo)
    if missing.any():
        pixel += missing
        order = np.argsort(pixel, kind="stable")
        pixel = pixel[order]
        t, lo, hi, last = (part[order] for part in (blocks.t, blocks.lo, blocks.hi, blocks.last))
        blocks = Columns(t, lo, hi, last, blocks.flags[order], False)
    new = np.flatnonzero(np.diff(pixel, prepend=pixel[:1] - 1))
    after = np.append(new[1:], len(pixel)) - 1
    return Columns(
        np.maximum.accumulate(blocks.t[new]),
        np.fmin.reduceat(blocks.lo, new),
        np.fmax.reduceat(blocks.hi, new),
        blocks.last[after],
        np.bitwise_or.reduceat(blocks.flags, new),
        False,
    )
