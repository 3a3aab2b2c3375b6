"""What every driver can do, whatever the wire: connect, browse, read, subscribe, write, close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.domain.samples import Value
from app.drivers.faults import MachineFault


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as the machine gave it: raw (not yet scaled), times in UTC, quality as an OPC UA status code.

    A `historical` one was kept by the machine while nobody listened, and says nothing about now.
    """

    address: str
    value: Value
    quality: int
    source_time: datetime
    receive_time: datetime
    historical: bool = False


@dataclass(frozen=True, slots=True)
class BrowseNode:
    """One entry of a machine's address space; `address` is what a tag would carry.

    `detail` says in words what it holds, `states` names the numbers of an enumeration, `path` is the name as it can
    stand in a tag's name: without spaces and slashes.
    """

    address: str
    name: str
    readable: bool
    has_children: bool
    detail: str = ""
    writable: bool = False
    states: tuple[tuple[int, str], ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """A wish to be told about an address every `scan` seconds or when it changes.

    `deadband` is a change, in raw units, that is too small to be told about, for machines that can judge it themselves;
    `freshness` is the age in seconds at which the value counts as old and has to be asked for anew (0: never).
    """

    address: str
    scan: float
    deadband: float = 0.0
    freshness: float = 0.0


@dataclass(frozen=True, slots=True)
class Granted:
    """What the machine agreed to: the revised interval in seconds, whether it applies the deadband itself, how many
    values it keeps for us between two messages, or why it will never send this address."""

    address: str
    scan: float
    fault: MachineFault | None = None
    deadband: bool = False
    queue: int = 1


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who we are: the password of the connection's user, and the folder of this station's certificates."""

    password: str = field(default="", repr=False)
    certificates: Path | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a driver counted since it was made.

    Requests and failed ones; values that the machine had to drop because its queue was full; values asked for anew
    because they were old; how long the last answer and the slowest took, in seconds.
    """

    requests: int = 0
    failures: int = 0
    overflows: int = 0
    refreshed: int = 0
    last_seconds: float = 0.0
    slowest_seconds: float = 0.0


Sink = Callable[[Sequence[Reading]], None]


class Driver(Protocol):
    """One connection to one machine, for one attempt: after `lost` or a failure, make a new one.

    Every method may raise a MachineFault; none waits longer than the connection's timeout allows.
    """

    async def connect(self) -> None:
        """Open the connection and prove that the machine talks."""
        ...

    async def browse(self, address: str | None = None) -> list[BrowseNode]:
        """The children of a node, or the top of the address space."""
        ...

    async def read(self, addresses: Sequence[str]) -> list[Reading]:
        """One reading for each address, in order; an unknown address gives a bad reading, not a failure."""
        ...

    async def subscribe(self, watches: Sequence[Watch], sink: Sink) -> list[Granted]:
        """Start sending readings to `sink` (called on the event loop, must not block)."""
        ...

    async def write(self, address: str, value: Value) -> None:
        """Send one raw value and wait until the machine took it; whether it may be sent is decided above."""
        ...

    async def lost(self) -> MachineFault:
        """Wait until the connection is gone and say why."""
        ...

    def traffic(self) -> Traffic:
        """What was counted so far."""
        ...

    def silence(self) -> float:
        """Seconds since the machine last showed a sign of life (also a keep-alive counts)."""
        ...

    async def close(self) -> None:
        """Release the machine: session, socket, tasks. Never raises, may be called twice."""
        ...
