"""What the collector asks and tells the stations that share its machines; a station alone has nobody to ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.machine_news import LinkStatus, MachineFacts, WriteAnswered
from app.domain.plant import Plant
from app.domain.samples import Sample
from app.store.history import AlarmRecord

PackedStates = Mapping[str, tuple[bytes, str | None]]


@dataclass(frozen=True, slots=True)
class AlarmNews:
    """Where one alarm stands: its last record, and its packed state."""

    key: str
    record: AlarmRecord | None
    state: bytes | None = None


class MachineSource(Protocol):
    """Where the facts come from. It may block and is called from a thread."""

    def machine_facts(self) -> MachineFacts:
        """Connections with their ids, and the takeovers of the last minutes."""
        ...


class Ears(Protocol):
    """What other stations say to this collector; called on its event loop."""

    def leases_moved(self) -> None:
        """Some machine may be driven here now that was not before, or the other way round."""
        ...

    def lost(self, connection: str) -> None:
        """Another station drives this machine now: stop at once."""
        ...

    def inherited(self, connection: str, alarms: Sequence[AlarmNews], acts: Iterable[str]) -> None:
        """Where the alarms of a machine stood that is driven here from now on, and the acts that are dealt with."""
        ...

    def samples_told(self, samples: Sequence[Sample]) -> None:
        """Values of machines that others drive."""
        ...

    def link_told(self, status: LinkStatus) -> None:
        """How it goes with a machine that another drives."""
        ...

    def alarms_told(self, alarms: Sequence[AlarmRecord]) -> None:
        """Alarms that others judge."""
        ...

    def answers_told(self, answers: Sequence[WriteAnswered]) -> None:
        """What became of values that others sent to their machines."""
        ...

    async def answers(self, connection: str) -> bool:
        """Whether the machine answers this station, tried now."""
        ...

    def listeners(self) -> int:
        """How many windows look at this collector."""
        ...

    def everything(self) -> tuple[Sequence[Sample], Sequence[LinkStatus], Sequence[AlarmNews]]:
        """All that is known here of the machines that are driven here."""
        ...


class Fellows(Protocol):
    """The other stations. Called on the event loop; nothing here waits for the network but the two coroutines."""

    @property
    def station(self) -> str:
        """The name of this station, empty for one that shares nothing."""
        ...

    async def begin(self, ears: Ears) -> None:
        """Start to talk; returns at once, whether the server answers or not."""
        ...

    async def end(self) -> None:
        """Stop; what is held stays held."""
        ...

    def follow(self, plant: Plant, facts: MachineFacts) -> None:
        """Follow a new plant, or new orders."""
        ...

    def drives(self, connection: str) -> bool:
        """Whether this station talks to the machine."""
        ...

    def held_since(self, connection: str) -> datetime | None:
        """Since when, as far as this run of the collector knows; None for always."""
        ...

    async def why_not_send(self, connection: str) -> str:
        """Why no value may be sent to a machine right now, in a sentence; empty when it may."""
        ...

    def let_go(self, connection: str) -> None:
        """The link to a machine that was lost to another station is closed."""
        ...

    def tell_samples(self, samples: Sequence[Sample]) -> None:
        """New values of machines that are driven here."""
        ...

    def tell_link(self, status: LinkStatus) -> None:
        """How it goes with a machine that is driven here."""
        ...

    def tell_alarms(self, alarms: Sequence[AlarmNews], acts: Sequence[str]) -> None:
        """Where alarms stand that are judged here, and the acts that are dealt with: all of it is on the disk."""
        ...

    def tell_answer(self, answer: WriteAnswered) -> None:
        """What became of a value that was sent to a machine that is driven here."""
        ...


class Nobody:
    """A station that shares nothing: every machine is its own."""

    station = ""

    async def begin(self, ears: Ears) -> None:
        """Nobody is there to talk to."""

    async def end(self) -> None:
        """Nothing to end."""

    def follow(self, plant: Plant, facts: MachineFacts) -> None:
        """Nobody is there to tell."""

    def drives(self, connection: str) -> bool:
        """Always."""
        return True

    def held_since(self, connection: str) -> datetime | None:
        """Always."""
        return None

    async def why_not_send(self, connection: str) -> str:
        """Nothing is in the way."""
        return ""

    def let_go(self, connection: str) -> None:
        """Nobody waits for it."""

    def tell_samples(self, samples: Sequence[Sample]) -> None:
        """Nobody listens."""

    def tell_link(self, status: LinkStatus) -> None:
        """Nobody listens."""

    def tell_alarms(self, alarms: Sequence[AlarmNews], acts: Sequence[str]) -> None:
        """Nobody listens."""

    def tell_answer(self, answer: WriteAnswered) -> None:
        """Nobody listens."""
