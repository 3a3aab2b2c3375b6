"""When the next round is due: a local change, news from the server, a request, or simply time."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection


@dataclass(frozen=True, slots=True)
class Pauses:
    """All in seconds. `look`: between two looks at the local store. `tick`: a round even if nothing was heard, `deaf`
    the same where notifications do not come. `jitter`: how long news may wait, so that 200 stations do not ask at once;
    after `silence` without any, no longer than the shorter of the two.
    `first` to `longest`: between two tries to connect. `patient`: where a person has to act first. `full`: between two
    comparisons of the counters. `rest` and `compare`: when and how often all rows are compared.
    """

    look: float = 0.05
    tick: float = 15.0
    deaf: float = 2.0
    jitter: tuple[float, float] = (0.05, 0.3)
    silence: float = 1.0
    first: float = 0.5
    longest: float = 15.0
    patient: float = 60.0
    full: float = 60.0
    rest: float = 5.0
    compare: float = 60.0
    compare_anyway: float = 3600.0
    presence: float = 5.0
    slept: float = 30.0


USUAL = Pauses()


@dataclass
class Tries:
    """Doubles the pause between two tries, a quarter of it by chance."""

    pauses: Pauses
    chance: Random = field(default_factory=Random)
    failed: int = 0

    def pause(self, *, patient: bool) -> float:
        """Seconds until the next try, after one more failure."""
        base = min(self.pauses.longest, self.pauses.first * 2.0 ** min(self.failed, 16))
        self.failed += 1
        return (max(base, self.pauses.patient) if patient else base) * self.chance.uniform(0.75, 1.25)


class Surroundings:
    """Notices that this computer slept or got another address; both make an open connection worthless."""

    def __init__(
        self,
        slept: float,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._slept, self._monotonic, self._wall = slept, monotonic, wall
        self._ran, self._was, self._address = monotonic(), wall(), own_address()
        self._looked = monotonic()

    def changed(self) -> str:
        """What happened since the last look, in words for the log; empty for nothing."""
        ran, was = self._monotonic(), self._wall()
        pause, jump = ran - self._ran, (was - self._was) - (ran - self._ran)
        self._ran, self._was = ran, was
        if pause > self._slept or jump > self._slept:
            return "this computer slept, or its clock was set"
        if ran - self._looked < 2.0:
            return ""
        self._looked = ran
        address, before = own_address(), self._address
        self._address = address
        return "this computer has another address" if address != before else ""

    def look_past(self) -> None:
        """Time was spent in a round: that is no sleep."""
        self._ran, self._was = self._monotonic(), self._wall()


def own_address() -> str:
    """The address from which this computer would speak to others, empty without a network. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address that nobody has
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def hears(server: ServerConnection, seconds: float = 2.0) -> bool:
    """Listen for news, and try whether they come.

    Behind a pooler (whose sessions have other numbers than it said) nobody listens: the try would come back, and the
    news of others would not, since each transaction may be on another session.
    """
    found = server.session.execute("SELECT pg_backend_pid()").fetchone()
    if found is None or found[0] != server.session.info.backend_pid:
        return False
    server.listen()
    channel = f"lineside_{secrets.token_hex(8)}"
    server.session.execute(f"LISTEN {channel}".encode())
    server.session.execute(f"NOTIFY {channel}".encode())
    heard = any(note.channel == channel for note in server.session.notifies(timeout=seconds, stop_after=1))
    server.session.execute(f"UNLISTEN {channel}".encode())
    return heard
