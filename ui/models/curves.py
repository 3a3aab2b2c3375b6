"""Curves for charts: what is stored, reduced to the pixels there are, with the live end joined on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.domain.plant import Tag
from app.domain.samples import is_bad
from app.store.history import Buckets, HistoryReader
from ui.bridge.live import LiveDesk
from ui.bridge.rings import Floats, number

COARSE = 160
FINEST = 2000
_EMPTY: Floats = np.empty(0)
_AGAIN = 10.0  # s; how often the history is asked for what came in without the live stream
_ENDS_AFTER = 1e-3  # s; where a curve that lost its value is broken


@dataclass(frozen=True)
class Curve:
    """Lowest, highest and mean value over time (epoch s, ascending); NaN where there is nothing to draw."""

    t: Floats
    lo: Floats
    hi: Floats
    mean: Floats


NOTHING = Curve(_EMPTY, _EMPTY, _EMPTY, _EMPTY)


@dataclass(frozen=True)
class _Loaded:
    """Stored buckets of a window, and up to when they were complete."""

    start: float
    end: float
    pixels: int
    curve: Curve


def from_buckets(buckets: Buckets, start: float) -> Curve:
    """Buckets as a curve: led in by what held at `start`, broken wherever the value was lost."""
    t = buckets.t.astype(np.float64) / 1e6
    lo, hi, mean = buckets.min, buckets.max, buckets.mean
    lost = np.flatnonzero(~buckets.ends_good & np.isfinite(lo))
    if len(lost):
        at = lost + 1
        t = np.insert(t, at, t[lost] + _ENDS_AFTER)
        lo, hi, mean = (np.insert(values, at, np.nan) for values in (lo, hi, mean))
    before = buckets.before
    if before is not None:
        held = number(before)
        t = np.insert(t, 0, start)
        lo, hi, mean = (np.insert(values, 0, held) for values in (lo, hi, mean))
    return Curve(t, lo, hi, mean)


def joined(stored: Curve, t: Floats, y: Floats, held_until: float | None) -> Curve:
    """Stored buckets, then the live samples that are newer, then the last value held until now."""
    if len(stored.t) and len(t):
        newer = t > stored.t[-1]
        t, y = t[newer], y[newer]
    times = np.concatenate((stored.t, t))
    parts = [np.concatenate((part, y)) for part in (stored.lo, stored.hi, stored.mean)]
    if held_until is not None and len(times) and held_until > times[-1]:
        times = np.append(times, held_until)
        last = parts[2][-1]
        parts = [np.append(part, last) for part in parts]
    return Curve(times, *parts)


class CurveSource(QObject):
    """Loads stored curves off the GUI thread, coarse first; `loaded` names the tag whose curve is better now."""

    loaded = Signal(str)
    failed = Signal(str)
    busy = Signal(bool)

    def __init__(self, live: LiveDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._loaded: dict[str, _Loaded] = {}
        self._wanted: dict[str, tuple[float, float, int]] = {}
        self._asked: dict[str, int] = {}
        self._running = 0

    def forget_all(self) -> None:
        """Read everything anew: the live stream had a hole."""
        for tag in list(self._loaded):
            self.forget(tag)

    def forget(self, tag: str) -> None:
        """The tag is not shown any more."""
        self._loaded.pop(tag, None)
        self._wanted.pop(tag, None)
        self._asked[tag] = self._asked.get(tag, 0) + 1

    def want(self, tag: str, start: float, end: float, pixels: int) -> None:
        """See to it that the stored curve from `start` to `end` is there, fine enough for `pixels`.

        A newer wish supersedes an older one; what has not begun by then is not read at all.
        """
        pixels = min(max(pixels, 50), FINEST)
        if self._covers(tag, start, end, pixels) or self._is_coming(tag, start, end, pixels):
            return
        margin = (end - start) * 0.25
        first, last = start - margin, min(end + margin, self._live.now().timestamp())
        if last <= first:
            return
        self._wanted[tag] = (first, last, pixels)
        ticket = self._asked.get(tag, 0) + 1
        self._asked[tag] = ticket
        for steps in (COARSE, int(pixels * 1.5)):
            self._run(tag, ticket, first, last, steps, pixels)

    def _covers(self, tag: str, start: float, end: float, pixels: int) -> bool:
        """Whether what is there reaches back far enough, is fine enough, and the live end joins on."""
        loaded, ring = self._loaded.get(tag), self._live.ring(tag)
        if loaded is None or loaded.pixels < pixels:
            return False
        too_coarse = (loaded.end - loaded.start) > 3.0 * (end - start)
        if loaded.start > start or too_coarse:
            return False
        t = ring.view()[0] if ring is not None else _EMPTY
        if len(t) and t[0] <= loaded.end and self._live.collector_state.live:
            return True  # the live samples join on without a gap
        return min(end, self._live.now().timestamp()) <= loaded.end + _AGAIN

    def _is_coming(self, tag: str, start: float, end: float, pixels: int) -> bool:
        wish = self._wanted.get(tag)
        if wish is None or self._running == 0:
            return False
        first, last, fine = wish
        return first <= start and last >= min(end, self._live.now().timestamp()) - _AGAIN and fine >= pixels

    def _run(self, tag: str, ticket: int, start: float, end: float, steps: int, pixels: int) -> None:
        def work() -> Curve | None:
            if self._asked.get(tag) != ticket:
                return None
            return _read(self._live.history, tag, start, end, steps)

        self._running += 1
        if self._running == 1:
            self.busy.emit(True)
        fine = steps > COARSE
        take = partial(self._take, tag, ticket, start, end, pixels if fine else 0)
        self._live.desk.tasks.run(work, take, owner=self, failed=self._not_read)

    def _take(
        self, tag: str, ticket: int, start: float, end: float, pixels: int, curve: Curve | None
    ) -> None:
        self._done()
        if curve is None or self._asked.get(tag) != ticket:
            return
        known = self._loaded.get(tag)
        if pixels == 0 and known is not None and known.start <= start and known.end >= end:
            return
        self._loaded[tag] = _Loaded(start, end, pixels, curve)
        self.loaded.emit(tag)

    def _not_read(self, error: BaseException) -> None:
        self._done()
        self.failed.emit(getattr(error, "sentence", str(error)))

    def _done(self) -> None:
        self._running -= 1
        if self._running == 0:
            self.busy.emit(False)

    def curve(self, tag: Tag, start: float) -> Curve:
        """The best curve that is there now, from before `start` to the newest sample."""
        loaded, ring = self._loaded.get(tag.name), self._live.ring(tag.name)
        t, y = (_EMPTY, _EMPTY) if ring is None else ring.view(start)
        stored = loaded.curve if loaded is not None else NOTHING
        return joined(stored, t, y, self._held_until(tag))

    def _held_until(self, tag: Tag) -> float | None:
        """Until when the last value is known to hold; None when it is bad or nobody knows."""
        sample, confirmed = self._live.latest(tag.name), self._live.confirmed(tag)
        if sample is None or confirmed is None or is_bad(sample.quality):
            return None
        return confirmed.timestamp()


def _read(history: HistoryReader, tag: str, start: float, end: float, steps: int) -> Curve:
    first, last = (datetime.fromtimestamp(moment, UTC) for moment in (start, end))
    return from_buckets(history.buckets(tag, first, last, steps), start)
