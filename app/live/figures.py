"""What one connection did since the collector started: requests, failures, speed, the newest good value."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from app.domain.samples import is_good
from app.drivers.protocol import Granted, Reading, Traffic, Watch
from app.live.messages import LinkFigures

FIGURES_SECONDS = 2.0
_RATE_SECONDS = 10.0  # values a second are an average over so long, whoever asks how often
_MARK_SECONDS = 1.0
_SLOWEST_SECONDS = 60.0
_SLOWER = 1.01  # an interval within a hundredth of the wish is what was wished
_COUNTED = ("requests", "failures", "overflows", "refreshed")


class LinkMeter:
    """Counts for one link; drivers come and go with every attempt, what they counted is added up."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._before = Traffic()
        self._values = 0
        self._marks: deque[tuple[float, int]] = deque()
        self._slowest_known = 0.0
        self._slowest: deque[tuple[float, float]] = deque()
        self._interval = 0.0
        self._sessions = 0
        self._last_good: datetime | None = None

    def took(self, readings: Sequence[Reading]) -> None:
        """Values have come."""
        self._values += len(readings)
        for reading in reversed(readings):
            if is_good(reading.quality):
                self._last_good = reading.receive_time
                break

    def connected(self) -> None:
        """The machine talks (again)."""
        self._sessions += 1

    def granted(self, watches: Sequence[Watch], granted: Sequence[Granted]) -> None:
        """What the machine agreed to."""
        wished = {watch.address: watch.scan for watch in watches}
        slower = [
            g.scan for g in granted if g.fault is None and g.scan > _SLOWER * wished.get(g.address, g.scan)
        ]
        self._interval = max(slower, default=0.0)

    def ended(self, traffic: Traffic) -> None:
        """A driver is given up; what it counted stays counted."""
        self._before = _added(self._before, traffic)
        self._slowest_known = 0.0

    def figures(self, at: float, traffic: Traffic | None) -> LinkFigures:
        """All of it at `at` seconds of a clock that never jumps; `traffic` is that of the driver at work."""
        now = traffic or Traffic()
        total = _added(self._before, now)
        return LinkFigures(
            self._connection,
            requests=total.requests,
            failures=total.failures,
            overflows=total.overflows,
            refreshed=total.refreshed,
            reconnects=max(0, self._sessions - 1),
            poll_seconds=total.last_seconds,
            slowest_seconds=self._slowest_lately(at, now),
            interval_seconds=self._interval,
            values_per_second=round(self._rate(at), 2),
            last_good=self._last_good,
        )

    def _rate(self, at: float) -> float:
        """Values a second since the youngest mark that is old enough; marks are set however many ask."""
        if not self._marks or at - self._marks[-1][0] >= _MARK_SECONDS:
            self._marks.append((at, self._values))
        while len(self._marks) > 1 and self._marks[1][0] <= at - _RATE_SECONDS:
            self._marks.popleft()
        then, values = self._marks[0]
        passed = at - then
        return (self._values - values) / passed if passed >= _MARK_SECONDS else 0.0

    def _slowest_lately(self, at: float, traffic: Traffic) -> float:
        """A driver tells its slowest answer ever; a new record must have happened since it was last looked at."""
        record = traffic.slowest_seconds > self._slowest_known
        self._slowest.append((at, traffic.slowest_seconds if record else traffic.last_seconds))
        self._slowest_known = max(self._slowest_known, traffic.slowest_seconds)
        while self._slowest[0][0] < at - _SLOWEST_SECONDS:
            self._slowest.popleft()
        return max(seconds for _, seconds in self._slowest)


def _added(before: Traffic, now: Traffic) -> Traffic:
    counted = {name: getattr(before, name) + getattr(now, name) for name in _COUNTED}
    newer = now if now.requests or now.last_seconds else before
    rest = {f.name: getattr(newer, f.name) for f in fields(Traffic) if f.name not in _COUNTED}
    return Traffic(**counted, **rest)
