"""The other stations, reached through the server: leases, live values and alarms of shared machines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from app.domain.errors import Refused
from app.domain.machine_news import LinkStatus, MachineFacts, WriteAnswered
from app.domain.plant import Plant
from app.domain.samples import Sample
from app.store.fellows import AlarmNews, Ears
from app.sync.machines.alarm_states import record_of
from app.sync.machines.exchange import Exchange
from app.sync.machines.lease_book import Held, LeaseBook
from app.sync.machines.leases import BEAT_SECONDS, Callbacks, Estate, Leases, Order
from app.sync.machines.running_copy import RunningCopy
from app.sync.machines.server_link import ServerLink

if TYPE_CHECKING:
    from psycopg import Connection

log = structlog.get_logger(__name__)

_COPIED = (
    "This data folder was copied or moved here; the server has not said yet that this copy may have the station's "
    "machines."
)


def open_as_station(folder: Path) -> Connection[Any]:
    """A connection to the server that the folder is joined to; blocks. Raises `Refused` or `WorldFault`."""
    from app.sync.membership import address_of, server_url
    from app.sync.server.address import connect
    from app.sync.server.sentences import plain_errors

    address = address_of(folder)
    if address is None:
        raise Refused("This folder shares nothing.")
    with plain_errors():
        return connect(server_url(folder, address), program="lineside machines")


@dataclass
class _Joined:
    """What there is only while the station shares a server."""

    link: ServerLink
    leases: Leases
    exchange: Exchange
    tasks: list[asyncio.Task[None]]


class ServerFellows:
    """A `Fellows` for a data folder, whether it is joined to a server yet or not; `follow` says so.

    `seconds` is a clock that nobody sets and that goes on while this computer sleeps.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seconds: Callable[[], float],
        clock: Callable[[], datetime],
        open_connection: Callable[[], Connection[Any]] | None = None,
        beat: float = BEAT_SECONDS,
        copy: RunningCopy | None = None,
    ) -> None:
        self._folder, self._seconds, self._clock, self._beat = folder, seconds, clock, beat
        self._open = open_connection or (lambda: open_as_station(folder))
        self._copy = copy or RunningCopy(folder)
        self._joined: _Joined | None = None
        self._ears: Ears | None = None
        self._names: dict[UUID, str] = {}
        self._ids: dict[str, UUID] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._answered: set[str] = set()
        self.station = ""

    async def begin(self, ears: Ears) -> None:
        """Whom to tell what others say."""
        self._ears = ears

    async def end(self) -> None:
        """Hang up; what is held stays held."""
        self._part()
        await asyncio.gather(*self._ending, return_exceptions=True)
        self._ears = None

    # Joining and leaving ----------------------------------------------------------------------------------------------

    def _join(self, station: str) -> None:
        assert self._ears is not None
        marks = self._copy.marks()
        book = LeaseBook(self._folder, marks.copy)
        known = book.read(station)
        if known is None and self._ids:  # it drove its machines before the folder was joined: it goes on
            book.learn({id: Held(0, station) for id in self._ids.values()})
        callbacks = Callbacks(self._taken, self._lost, self._answers, self._learned)
        leases = Leases(
            book, station, callbacks, marks, seconds=self._seconds, clock=self._clock, beat=self._beat
        )
        if known is False:
            leases.fence = _COPIED
        exchange = Exchange(
            station, leases, self._ears, names=self._names, seconds=self._seconds, clock=self._clock
        )
        link = ServerLink(self._open, on_up=self._came_up, on_down=exchange.went_down, on_hint=self._hint)
        self._joined = _Joined(link, leases, exchange, [])
        self.station = station
        for name, work in (
            ("leases", leases.keep(link)),
            ("telling", exchange.keep_telling(link)),
            ("hearing", exchange.keep_hearing(link)),
        ):
            self._joined.tasks.append(asyncio.create_task(work, name=f"fellows {name}"))
        link.start()

    def _part(self) -> None:
        joined, self._joined, self.station = self._joined, None, ""
        if joined is not None:
            for task in joined.tasks:
                task.cancel()
            self._after(joined.link.stop())

    def _after(self, work: Coroutine[Any, Any, object]) -> None:
        async def quietly() -> None:
            with suppress(Exception):
                await work

        task = asyncio.create_task(quietly(), name="fellows aside")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def follow(self, plant: Plant, facts: MachineFacts) -> None:
        """Follow a new plant and new orders; begin or end to share when the folder was joined or left its server."""
        if self.station and facts.station != self.station:
            self._part()
        if facts.station and not self.station and self._ears is not None:
            self._join(facts.station)
        self._ids = dict(facts.ids)
        self._names.clear()
        self._names.update({id: name for name, id in facts.ids.items()})
        if self._joined is not None:
            machines = {facts.ids[c.name]: c for c in plant.connections if c.enabled and c.name in facts.ids}
            unsent = [facts.ids[name] for name in facts.unsent]
            orders = [
                Order(t.id, facts.ids[t.connection])
                for t in facts.takeovers
                if t.station == self.station and t.connection in facts.ids
            ]
            self._joined.leases.follow(machines, unsent, orders)
            self._joined.exchange.follow(plant, self._ids)

    # What the collector asks ------------------------------------------------------------------------------------------

    def drives(self, connection: str) -> bool:
        """Whether this station talks to the machine."""
        if self._joined is None:
            return True
        id = self._ids.get(connection)
        return id is not None and self._joined.leases.drives(id)

    def held_since(self, connection: str) -> datetime | None:
        """Since when, as far as this run knows."""
        id = self._ids.get(connection)
        return None if self._joined is None or id is None else self._joined.leases.since(id)

    async def why_not_send(self, connection: str) -> str:
        """Why no value may be sent to a machine right now; empty when it may."""
        if self._joined is None:
            return ""
        id = self._ids.get(connection)
        if id is None:
            return "this machine is not known any more."
        return await self._joined.leases.why_not_send(self._joined.link, id)

    def let_go(self, connection: str) -> None:
        """The link to a machine that was lost is closed: its new holder may send at once."""
        id = self._ids.get(connection)
        if self._joined is not None and id is not None:
            self._after(self._joined.leases.let_go(self._joined.link, id))

    # What the collector tells -----------------------------------------------------------------------------------------

    def tell_samples(self, samples: Sequence[Sample]) -> None:
        """New values of machines that are driven here."""
        if self._joined is not None:
            self._joined.exchange.tell_samples(samples)

    def tell_link(self, status: LinkStatus) -> None:
        """How it goes with a machine that is driven here."""
        if self._joined is not None:
            self._joined.exchange.tell_link(status)

    def tell_alarms(self, alarms: Sequence[AlarmNews], acts: Sequence[str]) -> None:
        """Where alarms stand that are judged here."""
        if self._joined is not None:
            self._joined.exchange.tell_alarms(alarms, acts)

    def tell_answer(self, answer: WriteAnswered) -> None:
        """What became of a value that was sent from here."""
        if self._joined is not None:
            self._joined.exchange.tell_answer(answer)

    # What the server says ---------------------------------------------------------------------------------------------

    def _came_up(self) -> None:
        if self._joined is not None:
            self._joined.exchange.came_up()
            self._joined.leases.look_now()

    def _hint(self, what: str) -> None:
        if self._joined is not None and what == "lease":
            self._joined.leases.look_now()
        elif self._joined is not None:
            self._joined.exchange.hear_now()

    def _taken(self, id: UUID, estate: Estate | None) -> None:
        name = self._names.get(id)
        if self._ears is None or self._joined is None or name is None:
            return
        if estate is not None:
            alarms = [AlarmNews(key, record_of(record), state) for key, record, state in estate.alarms]
            self._ears.inherited(name, alarms, estate.acts)
        self._joined.exchange.tell_everything()
        self._ears.leases_moved()

    def _lost(self, id: UUID) -> None:
        name = self._names.get(id)
        if self._ears is not None and name is not None:
            self._ears.lost(name)

    async def _answers(self, id: UUID) -> bool:
        name = self._names.get(id)
        return self._ears is not None and name is not None and await self._ears.answers(name)

    def _learned(self) -> None:
        if self._joined is not None:
            self._joined.exchange.look_around()
