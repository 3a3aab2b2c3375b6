"""Cycles and run hours of a machine, from counters that roll over or are reset and signals that say “running”."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_NEAR_THE_TOP = (
    0.5  # share of the range above which a fall counts as a rollover, and the range to fall into below it
)


@dataclass(frozen=True, slots=True)
class Count:
    """How far a counter went: `total` steps, with `rollovers` of its range and `resets` by somebody on the way."""

    total: float = 0.0
    rollovers: int = 0
    resets: int = 0


@dataclass(frozen=True, slots=True)
class RunTime:
    """Seconds that a machine ran, and the seconds for which it is known whether it did."""

    running: float = 0.0
    known: float = 0.0


def counted(values: Iterable[float], rollover: float | None = None) -> Count:
    """What a counter added up to over its readings in order of time; NaN is a reading that is missing.

    A fall from the upper half of the range into the lower half is a rollover when the counter is known to have one
    (it starts again at 0 after `rollover`); every other fall is a reset, and counting goes on from 0.
    """
    total, rollovers, resets = 0.0, 0, 0
    last: float | None = None
    for value in values:
        if not math.isfinite(value):
            continue
        if last is not None and value >= last:
            total += value - last
        elif last is not None and rollover and last > rollover * _NEAR_THE_TOP > value:
            total += rollover - last + value
            rollovers += 1
        elif last is not None:
            total += max(0.0, value)
            resets += 1
        last = value
    return Count(total, rollovers, resets)


def run_time(states: Iterable[tuple[float, bool | None]], end: float, longest_hold: float) -> RunTime:
    """Time in which a machine ran, from (seconds, running) readings in order of time up to `end`.

    A reading holds until the next one; None means unknown, and so does silence longer than `longest_hold` seconds:
    missing data is neither running nor standing.
    """
    running = known = 0.0
    before: tuple[float, bool | None] | None = None
    for reading in (*states, (end, None)):
        if before is not None and before[1] is not None:
            held = min(max(0.0, reading[0] - before[0]), longest_hold)
            known += held
            running += held if before[1] else 0.0
        before = reading
    return RunTime(running, known)
