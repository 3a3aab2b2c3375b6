"""How the samples of a station get on to the shared server, in figures for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TOO_OLD = timedelta(days=1)  # samples that wait for longer are worth an alarm


class ForwardState(StrEnum):
    """What forwarding does at the moment; nothing on a station that shares no server."""

    ALONE = "alone"
    OFFLINE = "offline"
    CATCHING_UP = "catching up"
    UP_TO_DATE = "up to date"


@dataclass(frozen=True, slots=True)
class ForwardFigures:
    """`until` is when the newest forwarded sample was taken, `oldest_waiting` when the next one was that waits.

    `per_second` is over the last seconds. `given_up` samples had to be dropped for want of room before they were
    forwarded. `sentence` says why nothing moves, empty where it does.
    """

    state: ForwardState = ForwardState.ALONE
    sentence: str = ""
    until: datetime | None = None
    oldest_waiting: datetime | None = None
    waiting: int = 0
    per_second: float = 0.0
    given_up: int = 0

    def backlog(self, now: datetime) -> str:
        """Why somebody should see to it that the samples get through; empty as long as nothing waits for too long."""
        if self.oldest_waiting is None or now - self.oldest_waiting < TOO_OLD:
            return ""
        days = (now - self.oldest_waiting) / timedelta(days=1)
        reason = f": {self.sentence}" if self.sentence else "."
        return (
            f"{self.waiting:,} samples of the last {days:,.0f} days are not on the shared server yet{reason}"
        )
