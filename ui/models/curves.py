"""Curves for charts: what is stored, reduced to the pixels there are, with the live end joined on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.domain.corrections import Correction
from app.domain.plant import Tag
from app.domain.samples import Sample, is_bad, is_good
from app.store.history import Buckets, ReadableHistory
from app.store.queries.corrections import corrections_of
from ui.bridge.live import LiveDesk
from ui.bridge.rings import Floats, Ring, flags, number
from ui.widgets.chart_trace import BAD, CORRECTED, UNCERTAIN, Flags, Trace

COARSE = 160
FINEST = 2000
_EMPTY: Floats = np.empty(0)
_AGAIN = 10.0  # s; how often the history is asked for what came in without the live stream
_ENDS_AFTER = 1e-3  # s; where a curve that lost its value is broken
_RAW = 4000  # with no more samples than this each of them is drawn, with its quality
_MOST_APPENDED = 100_000


@dataclass(frozen=True)
class Curve:
    """Lowest, highest and mean value over time (epoch s, ascending; NaN: none), share good, and what is to be said."""

    t: Floats
    lo: Floats
    hi: Floats
    mean: Floats
    good: Floats
    flags: Flags

    @classmethod
    def of(cls, t: Floats, lo: Floats, hi: Floats, mean: Floats) -> Curve:
        """A curve that is good wherever it has a value."""
        known = np.isfinite(lo)
        return cls(t, lo, hi, mean, known.astype(np.float64), np.where(known, 0, BAD).astype(np.uint8))

    def led_in(self, before: Sample | None, start: float) -> Curve:
        """Begin at `start` with what held there."""
        if before is None:
            return self
        held, said = number(before), flags(before.quality)
        lo, hi, mean = (np.insert(values, 0, held) for values in (self.lo, self.hi, self.mean))
        good = np.insert(self.good, 0, float(is_good(before.quality)))
        return Curve(np.insert(self.t, 0, start), lo, hi, mean, good, np.insert(self.flags, 0, said))

    def broken_after(self, where: Floats) -> Curve:
        """No value from the end of the points `where` on."""
        at = where.astype(np.intp) + 1
        lo, hi, mean = (np.insert(values, at, np.nan) for values in (self.lo, self.hi, self.mean))
        t = np.insert(self.t, at, self.t[at - 1] + _ENDS_AFTER)
        return Curve(t, lo, hi, mean, np.insert(self.good, at, 0.0), np.insert(self.flags, at, BAD))

    def trace(self) -> Trace:
        return Trace(self.t, self.lo, self.hi, self.mean, good=self.good, flags=self.flags)


NOTHING = Curve.of(_EMPTY, _EMPTY, _EMPTY, _EMPTY)


def from_buckets(buckets: Buckets, start: float, *, discrete: bool = False) -> Curve:
    """Buckets as a curve: led in by what held at `start`, broken wherever the value was lost.

    Discrete values are never averaged: the last one stands for its bucket.
    """
    mean = buckets.last if discrete else buckets.mean
    known = np.isfinite(buckets.min)
    said = np.where(known, 0, BAD).astype(np.uint8)
    said |= np.where(buckets.corrected, CORRECTED, 0).astype(np.uint8)
    t = buckets.t.astype(np.float64) / 1e6
    curve = Curve(t, buckets.min, buckets.max, mean, np.where(known, buckets.good_fraction, 0.0), said)
    lost = np.flatnonzero(~buckets.ends_good & known)
    return (curve.broken_after(lost.astype(np.float64)) if len(lost) else curve).led_in(buckets.before, start)


def from_samples(
    samples: Sequence[Sample], before: Sample | None, start: float, corrections: Sequence[Correction] = ()
) -> Curve:
    """Every sample as a point, with what its quality says, and whether a correction was laid over it."""
    t = np.array([s.source_time.timestamp() for s in samples], dtype=np.float64)
    y = np.array([number(s) for s in samples], dtype=np.float64)
    good = np.array([is_good(s.quality) for s in samples], dtype=np.float64)
    said = np.array([flags(s.quality) for s in samples], dtype=np.uint8)
    for correction in corrections:
        said[(t >= correction.start.timestamp()) & (t < correction.end.timestamp())] |= CORRECTED
    return Curve(t, y, y, y, good, said).led_in(before, start)


def read_curve(
    history: ReadableHistory,
    tag: str,
    start: float,
    end: float,
    steps: int,
    *,
    discrete: bool = False,
    corrections: Sequence[Correction] = (),
) -> Curve:
    """The stored curve of a tag: each sample while they are few, else at most `steps` buckets."""
    first, last = (datetime.fromtimestamp(moment, UTC) for moment in (start, end))
    buckets = history.buckets(tag, first, last, steps, corrections)
    count = int(buckets.count.sum())
    if steps > COARSE and count <= _RAW:
        samples = history.samples(tag, first, last, _RAW, corrections)
        if len(samples) == count:  # of old ones only the figures may be left
            return from_samples(samples, buckets.before, start, corrections)
    return from_buckets(buckets, start, discrete=discrete)


def read_stored(live: LiveDesk, tag: Tag, start: float, end: float, steps: int) -> Curve:
    """The stored curve of a tag with what people corrected; for a reader thread."""
    first, last = (datetime.fromtimestamp(moment, UTC) for moment in (start, end))
    with live.desk.house.store.reader() as session:
        corrections = corrections_of(session, tag.name, first, last)
    return read_curve(
        live.all_history, tag.name, start, end, steps, discrete=tag.discrete, corrections=corrections
    )


@dataclass(frozen=True)
class _Loaded:
    """Stored points of a window, and up to when they were complete."""

    start: float
    end: float
    pixels: int
    curve: Curve


@dataclass
class _Joined:
    """A trace of stored points and the live samples that were appended since, up to the ring's `taken`."""

    trace: Trace
    loaded: _Loaded | None
    ring: Ring | None
    taken: int
    stored: int


class CurveSource(QObject):
    """Loads stored curves off the GUI thread, coarse first; `loaded` names the tag whose curve is better now."""

    loaded = Signal(str)
    failed = Signal(str)
    busy = Signal(bool)

    def __init__(self, live: LiveDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._loaded: dict[str, _Loaded] = {}
        self._joined: dict[str, _Joined] = {}
        self._wanted: dict[str, tuple[float, float, int]] = {}
        self._asked: dict[str, int] = {}
        self._running = 0

    def forget_all(self) -> None:
        """Read everything anew, because the live stream had a hole or curves were corrected; the old ones stay until
        then.
        """
        for tag, loaded in self._loaded.items():
            self._loaded[tag] = replace(loaded, pixels=0)
            self._asked[tag] = self._asked.get(tag, 0) + 1
        self._wanted.clear()

    def forget(self, tag: str) -> None:
        """The tag is not shown any more."""
        self._loaded.pop(tag, None)
        self._joined.pop(tag, None)
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
        known = self._live.plant.tag(tag)

        def work() -> Curve | None:
            if self._asked.get(tag) != ticket or known is None:
                return None
            return read_stored(self._live, known, start, end, steps)

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

    # -- the live end --------------------------------------------------------------------------------

    def trace(self, tag: Tag) -> Trace:
        """The best curve that is there now, up to the newest sample; what came in since is appended to it."""
        loaded, ring = self._loaded.get(tag.name), self._live.ring(tag.name)
        known = self._joined.get(tag.name)
        grown = known is not None and len(known.trace) - known.stored > _MOST_APPENDED
        if known is None or known.loaded is not loaded or known.ring is not ring or grown:
            known = self._joined[tag.name] = self._join(loaded, ring)
        elif ring is not None and ring.taken > known.taken:
            _append(known.trace, *ring.newest(ring.taken - known.taken))
            known.taken = ring.taken
        known.trace.held_until = self._held_until(tag)
        return known.trace

    def _join(self, loaded: _Loaded | None, ring: Ring | None) -> _Joined:
        trace = (loaded.curve if loaded is not None else NOTHING).trace()
        stored = len(trace)
        if ring is not None and len(ring):
            t, y, said = ring.newest(len(ring))
            if loaded is not None and stored and t[0] > loaded.end:  # between them nothing is known yet
                trace.extend(np.array([loaded.end]), np.array([np.nan]), flags=np.zeros(1, np.uint8))
            newer = t > trace.t[-1] if stored else np.ones(len(t), np.bool_)
            _append(trace, t[newer], y[newer], said[newer])
        return _Joined(trace, loaded, ring, ring.taken if ring is not None else 0, stored)

    def _held_until(self, tag: Tag) -> float | None:
        """Until when the last value is known to hold; None when it is bad or nobody knows."""
        sample, confirmed = self._live.latest(tag.name), self._live.confirmed(tag)
        if sample is None or confirmed is None or is_bad(sample.quality):
            return None
        return confirmed.timestamp()


def _append(trace: Trace, t: Floats, y: Floats, said: Flags) -> None:
    """Live samples behind what is there; the newest time is never gone back from."""
    if len(t):
        good = (np.isfinite(y) & ((said & (UNCERTAIN | BAD)) == 0)).astype(np.float64)
        since = trace.t[-1] if len(trace) else t[0]
        trace.extend(np.maximum(t, since), y, flags=said, good=good)
