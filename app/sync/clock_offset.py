"""How far this computer's clock is from the server's: shown to people, never used to decide anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection

_TRIPS = 5


def measured_offset(ask: Callable[[], datetime], clock: Callable[[], datetime]) -> float:
    """Seconds by which `clock` is ahead of the clock that `ask` tells: the median of five round trips."""
    offsets = []
    for _ in range(_TRIPS):
        before = clock()
        told = ask()
        after = clock()
        offsets.append((before + (after - before) / 2 - told).total_seconds())
    return median(offsets)


def clock_of(server: ServerConnection) -> Callable[[], datetime]:
    """The clock of the server at the other end of a connection."""

    def ask() -> datetime:
        row = server.session.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        told: datetime = row[0]
        return told

    return ask
