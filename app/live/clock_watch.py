"""Compares the clock on the wall with clocks that nobody can set: notices a sleep of this computer and a set clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST_JUMP = timedelta(seconds=2)
_LONG_PAUSE = 10.0  # s; a program that is asked four times a second and was not for so long did not run


def seconds_with_sleep() -> float:
    """Seconds that also pass while this computer sleeps; where the system has no such clock, those of the other."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


@dataclass(frozen=True, slots=True)
class Jump:
    """What happened to time between two looks: `slept` from `since` on, and `set_by` (negative: back)."""

    since: datetime
    slept: timedelta
    set_by: timedelta

    def sentence(self) -> str:
        """In words, for the journal and the log."""
        told = []
        if self.slept:
            told.append(f"this computer did not run for {_seconds(self.slept)}")
        if self.set_by:
            direction = "forward" if self.set_by > timedelta(0) else "back"
            told.append(f"its clock was set {direction} by {_seconds(abs(self.set_by))}")
        sentence = " and ".join(told)
        return f"{sentence[:1].upper()}{sentence[1:]}."


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():,.0f} s"


def unhurried(
    clock: Callable[[], datetime], since: datetime | None, running: Callable[[], float] = time.monotonic
) -> Callable[[], datetime]:
    """A clock for what deletes old things: at most the time of the last commit (`since`) and how long we run now.

    A clock that is set years ahead would otherwise make the whole history old at once. After a long pause things are
    kept that much longer, until the next start.
    """
    began = running()

    def now() -> datetime:
        at = clock()
        return at if since is None else min(at, since + timedelta(seconds=running() - began))

    return now


class ClockWatch:
    """`clock` is the wall's, `asleep` runs on during a sleep, `awake` stands still then; both in seconds."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        asleep: Callable[[], float] = seconds_with_sleep,
        awake: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._asleep, self._awake = clock, asleep, awake
        self._wall, self._with_sleep, self._without = clock(), asleep(), awake()

    def look(self) -> Jump | None:
        """What happened since the last look; None when time passed as it should, give or take two seconds."""
        since, wall = self._wall, self._clock()
        passed, ran = self._asleep() - self._with_sleep, self._awake() - self._without
        self._wall, self._with_sleep, self._without = wall, self._with_sleep + passed, self._without + ran
        # Some systems let both clocks run on during a sleep; then only the long pause tells.
        slept = timedelta(seconds=passed if ran > _LONG_PAUSE else passed - ran)
        set_by = wall - since - timedelta(seconds=passed)
        slept = slept if slept >= LEAST_JUMP else timedelta(0)
        set_by = set_by if abs(set_by) >= LEAST_JUMP else timedelta(0)
        return Jump(since, slept, set_by) if slept or set_by else None
