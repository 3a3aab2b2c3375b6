"""Times as workbooks write them, by the clock on the workshop's wall, and the instants that they mean."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=20_000)
def instant(moment: datetime) -> datetime:
    """The instant (aware, UTC) of a wall-clock time of this computer's zone; an aware time keeps its own zone."""
    return moment.astimezone(UTC)


@lru_cache(maxsize=20_000)
def wall_clock(moment: datetime) -> datetime:
    """What the clock on the wall showed at `moment` (aware), without zone."""
    return moment.astimezone().replace(tzinfo=None)
