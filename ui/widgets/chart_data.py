"""What a trend chart knows of its curves: buckets, gaps, values at a moment, range in a window."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_NOTHING: Floats = np.empty(0, dtype=np.float64)


@dataclass(frozen=True)
class Reading:
    """Lowest, highest and mean value of the bucket at a moment."""

    low: float
    high: float
    mean: float


@dataclass
class Series:
    """One curve. `t` in epoch seconds ascending; NaN in `lo`/`hi` is a gap; `max_gap` seconds breaks the line."""

    key: str
    label: str
    unit: str
    colour_index: int
    max_gap: float | None = None
    t: Floats = field(default_factory=lambda: _NOTHING)
    lo: Floats = field(default_factory=lambda: _NOTHING)
    hi: Floats = field(default_factory=lambda: _NOTHING)
    mean: Floats | None = None

    def at(self, moment: float) -> Reading | None:
        """Bucket that holds `moment`; None in a gap, before the first and after the last bucket."""
        index = int(np.searchsorted(self.t, moment, side="right")) - 1
        if index < 0 or not np.isfinite(self.lo[index]) or moment - self.t[index] > self._reach(index):
            return None
        low, high = float(self.lo[index]), float(self.hi[index])
        mean = (low + high) / 2 if self.mean is None else float(self.mean[index])
        return Reading(low, high, mean)

    def _reach(self, index: int) -> float:
        """Seconds for which bucket `index` speaks: up to the next one, never beyond `max_gap`."""
        if index + 1 < len(self.t):
            span = float(self.t[index + 1] - self.t[index])
        else:
            span = float(self.t[-1] - self.t[-2]) if len(self.t) > 1 else 0.0
        return span if self.max_gap is None else min(max(span, 0.0), self.max_gap)

    def last(self, before: float) -> tuple[float, float] | None:
        """(time, mean) of the last known value up to `before`, or None."""
        end = int(np.searchsorted(self.t, before, side="right"))
        known = np.flatnonzero(np.isfinite(self.lo[:end]))
        if not len(known):
            return None
        index = int(known[-1])
        mean = (self.lo[index] + self.hi[index]) / 2 if self.mean is None else self.mean[index]
        return float(self.t[index]), float(mean)

    def extent(self, start: float, end: float) -> tuple[float, float] | None:
        """Lowest and highest value between two moments, or None without any."""
        first, after = np.searchsorted(self.t, (start, end), side="left")
        low, high = self.lo[max(0, first - 1) : after + 1], self.hi[max(0, first - 1) : after + 1]
        known = np.isfinite(low)
        return (float(low[known].min()), float(high[known].max())) if known.any() else None

    def line(self) -> tuple[Floats, Floats]:
        """x and y of the line to draw: through low and high of each bucket, broken where data is missing."""
        t, lo, hi = self._with_breaks()
        if np.array_equal(lo, hi, equal_nan=True):
            return t, lo
        # low-high, then high-low: neighbours meet on the same side and no false flank is drawn.
        y = np.column_stack((lo, hi))
        y[1::2] = y[1::2, ::-1]
        return np.repeat(t, 2), y.ravel()

    def _with_breaks(self) -> tuple[Floats, Floats, Floats]:
        if self.max_gap is None or len(self.t) < 2:
            return self.t, self.lo, self.hi
        after = np.flatnonzero(np.diff(self.t) > self.max_gap) + 1
        moments = self.t[after - 1] + self.max_gap / 2
        return (
            np.insert(self.t, after, moments),
            np.insert(self.lo, after, np.nan),
            np.insert(self.hi, after, np.nan),
        )
