"""Hours of machine signals before the demo begins, made by the same machine models that then go on live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from app.domain.samples import Quality, Sample
from app.drivers.simulator import MACHINES

PAST = timedelta(hours=7)
ELAPSED = 8400.0
"""Seconds of the machines' own time that the past takes: 40 cycles of the machine that needs longest.

Fewer than pass on the clock: a demo shows trouble every few minutes, a past of hours would be nothing but trouble.
"""
_STEP = timedelta(seconds=4)


def past_samples(now: datetime, *, seed: int = 7) -> Iterator[Sample]:
    """Samples of the hours before `now`, machine by machine; counters arrive where machines with ELAPSED go on.

    A machine that had dropped off has one bad sample at the beginning of each silence, as the collector writes it.
    """
    tempo = ELAPSED / PAST.total_seconds()
    for machine in MACHINES:
        chance = Random(f"{seed}/{machine.code}")
        silent = False
        at = now - PAST
        while at < now - _STEP:
            t = (at - (now - PAST)).total_seconds() * tempo
            values = machine.behaviour(t, chance)
            was_silent, silent = silent, machine.is_silent(t)
            for signal in machine.signals:
                tag = f"{machine.code}/{signal.name}"
                if not silent:
                    yield Sample(tag, at, at, values[signal.name], Quality.GOOD)
                elif not was_silent:
                    yield Sample(tag, at, at, None, Quality.BAD_NO_COMMUNICATION)
            at += _STEP
