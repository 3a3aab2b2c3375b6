"""An hour of machine signals before the demo begins, made by the same machine models that then go on live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from app.domain.samples import Quality, Sample
from app.drivers.simulator import MACHINES
from app.store.history import FILE_NAME, HistoryWriter

_PAST = timedelta(hours=1)
_STEP = timedelta(seconds=2)


def remember_signals(folder: Path, now: datetime, *, seed: int = 7) -> int:
    """Write the hour before `now` into the history of `folder`; returns the number of samples.

    A machine that had dropped off has one bad sample at the beginning of each silence, as the collector writes it.
    """
    with HistoryWriter(folder / FILE_NAME, epoch=0) as history:
        return history.write(list(_samples(now, seed)))


def _samples(now: datetime, seed: int) -> Iterator[Sample]:
    for machine in MACHINES:
        chance = Random(f"{seed}/{machine.code}")
        silent = False
        at = now - _PAST
        while at < now - _STEP:
            t = (at - (now - _PAST)).total_seconds()
            values = machine.behaviour(t, chance)
            was_silent, silent = silent, machine.is_silent(t)
            for signal in machine.signals:
                tag = f"{machine.code}/{signal.name}"
                if not silent:
                    yield Sample(tag, at, at, values[signal.name], Quality.GOOD)
                elif not was_silent:
                    yield Sample(tag, at, at, None, Quality.BAD_NO_COMMUNICATION)
            at += _STEP
