"""The last quarter of an hour of every tag in memory, for sparklines and the live end of charts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.domain.samples import Sample, is_bad, is_uncertain, lost_samples
from ui.widgets.chart_trace import BAD, LOST, UNCERTAIN, Flags

Floats = NDArray[np.float64]

SPAN = 900.0
_MOST = 20_000
_FIRST = 256


def number(sample: Sample) -> float:
    """The value as a number to draw; NaN where there is none to draw."""
    value = sample.value
    if is_bad(sample.quality) or value is None or isinstance(value, str):
        return float("nan")
    return float(value)


def flags(quality: int) -> int:
    """What a chart has to say of a value of this quality."""
    said = BAD if is_bad(quality) else UNCERTAIN if is_uncertain(quality) else 0
    return said | LOST if lost_samples(quality) else said


class Ring:
    """Samples of one tag, oldest first: epoch seconds, values (NaN: unusable) and what is to be said of them.

    Keeps `span` seconds, but never more than 20,000 samples. `taken` counts what ever came in.
    """

    def __init__(self, span: float = SPAN) -> None:
        self._span = span
        self._t: Floats = np.empty(_FIRST)
        self._y: Floats = np.empty(_FIRST)
        self._flags: Flags = np.zeros(_FIRST, np.uint8)
        self._start = self._end = 0
        self.taken = 0

    def __len__(self) -> int:
        return self._end - self._start

    def add(self, t: float, y: float, said: int = 0) -> None:
        """Append a sample; one that is older than the newest takes the newest's time, order is never broken."""
        if self._end == len(self._t):
            self._make_room()
        if self._end > self._start:
            t = max(t, float(self._t[self._end - 1]))
        self._t[self._end], self._y[self._end], self._flags[self._end] = t, y, said
        self._end += 1
        self.taken += 1
        if len(self) > _MOST:
            self._start += len(self) - _MOST

    def put_before(self, t: Floats, y: Floats) -> None:
        """Put stored samples before those that came in since; what overlaps is left out."""
        if len(self):
            older = t < self._t[self._start]
            t, y = t[older], y[older]
        now_t, now_y = self.view()
        stored = np.where(np.isnan(y), BAD, 0).astype(np.uint8)
        self._flags = np.concatenate((stored, self._flags[self._start : self._end]))
        self._t, self._y = np.concatenate((t, now_t)), np.concatenate((y, now_y))
        self._start, self._end = 0, len(self._t)

    def view(self, since: float | None = None) -> tuple[Floats, Floats]:
        """Times and values from `since` on, with the one sample before it; valid until the next `add`."""
        t, y = self._t[self._start : self._end], self._y[self._start : self._end]
        if since is None:
            return t, y
        first = max(0, int(np.searchsorted(t, since)) - 1)
        return t[first:], y[first:]

    def newest(self, count: int) -> tuple[Floats, Floats, Flags]:
        """Times, values and flags of the newest `count` samples, or of all there are; valid until the next `add`."""
        first = max(self._start, self._end - count)
        return self._t[first : self._end], self._y[first : self._end], self._flags[first : self._end]

    def _make_room(self) -> None:
        """Drop what is too old, then move to fresh arrays twice as long as what is left."""
        t, y = self.view(float(self._t[self._end - 1]) - self._span if len(self) else None)
        kept, size = len(t), max(_FIRST, 2 * len(t))
        fresh_t, fresh_y, fresh_flags = np.empty(size), np.empty(size), np.zeros(size, np.uint8)
        fresh_t[:kept], fresh_y[:kept] = t, y
        fresh_flags[:kept] = self._flags[self._end - kept : self._end]
        self._t, self._y, self._flags, self._start, self._end = fresh_t, fresh_y, fresh_flags, 0, kept
