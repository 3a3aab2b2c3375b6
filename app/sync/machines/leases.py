"""Which machines this station may drive: keeps its leases, takes free ones, and those of stations that fell silent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from app.domain.errors import LinesideError
from app.domain.plant import Connection as Machine
from app.sync.machines.hearsay import facts_told
from app.sync.machines.lease_book import Held, LeaseBook
from app.sync.machines.running_copy import Marks
from app.sync.machines.server_link import ServerLink
from app.sync.server.sentences import Fenced

if TYPE_CHECKING:
    from psycopg import Connection

log = structlog.get_logger(__name__)

BEAT_SECONDS = 10.0
_BEATS_IN_SILENCE = 6  # where the owner of the server wants machines to be taken over sooner
_SOON = 1.0  # s; an order of a person is on its way to the server
_ASK_SECONDS = 3.0
_SILENCE = 120.0  # s; until the server says otherwise
_FINAL = ("used", "never")


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as the server told it: seconds since its holder was seen, and until the holder may send values."""

    held: Held
    unseen: float
    sends_in: float


@dataclass(frozen=True, slots=True)
class Order:
    """A person's order that this station takes a machine; `id` is that of its row."""

    id: UUID
    connection: UUID


@dataclass(frozen=True, slots=True)
class Estate:
    """Where the alarms of a machine stood when its holder changed: (key, record, packed state), and the acts done."""

    alarms: tuple[tuple[str, dict[str, Any] | None, bytes | None], ...] = ()
    acts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Told on the event loop: a machine is driven here now (with what is left of its alarms), or not any more."""

    taken: Callable[[UUID, Estate | None], None]
    lost: Callable[[UUID], None]
    answers: Callable[[UUID], Awaitable[bool]]
    learned: Callable[[], None]


class Leases:
    """The server decides; without it, whoever held a machine last goes on, and nobody else begins.

    While `fence` says why not, this copy of the station's folder drives nothing: another has its machines. `seconds` is
    a clock that nobody sets and that goes on while this computer sleeps.
    """

    def __init__(
        self,
        book: LeaseBook,
        station: str,
        callbacks: Callbacks,
        marks: Marks,
        *,
        seconds: Callable[[], float],
        clock: Callable[[], datetime],
        beat: float = BEAT_SECONDS,
    ) -> None:
        self._book, self._station, self._callbacks = book, station, callbacks
        self.marks, self._seconds, self._clock, self._beat = marks, seconds, clock, beat
        self._machines: dict[UUID, Machine] = {}
        self._unsent: frozenset[UUID] = frozenset()
        self._orders: dict[UUID, Order] = {}
        self._settled: set[UUID] = set()
        self._confirmed: dict[UUID, float] = {}
        self._sends_at: dict[UUID, float] = {}
        self._since: dict[UUID, datetime] = {}
        self._silence = _SILENCE
        self._news = asyncio.Event()
        self.known: dict[UUID, Lease] = {}
        self.fence = ""

    def follow(self, machines: dict[UUID, Machine], unsent: Iterable[UUID], orders: Iterable[Order]) -> None:
        """The connections that are switched on, those that no server knows yet, and what people ordered."""
        self._machines, self._unsent = machines, frozenset(unsent)
        self._orders = {order.id: order for order in orders if order.id not in self._settled}
        self._news.set()

    def look_now(self) -> None:
        """Ask the server at once: something changed."""
        self._news.set()

    def drives(self, id: UUID) -> bool:
        """Whether this station talks to the machine."""
        held = self._book.held.get(id)
        if self.fence:
            return False
        return id in self._unsent if held is None else held.station == self._station

    def holder(self, id: UUID) -> str:
        """The station that talks to a machine, empty for none."""
        held = self._book.held.get(id)
        return "" if held is None else held.station

    def since(self, id: UUID) -> datetime | None:
        """When this station took the machine, None where that was before this collector began."""
        return self._since.get(id)

    def mine(self) -> list[UUID]:
        """Everything that this station holds and that is switched on."""
        return [id for id in self._machines if self._holds(id)]

    def _holds(self, id: UUID) -> bool:
        held = self._book.held.get(id)
        return held is not None and held.station == self._station

    # Keeping --------------------------------------------------------------------------------------------------------

    async def keep(self, link: ServerLink) -> None:
        """Show every few seconds that this station is here, and hear who holds what; ends by being cancelled."""
        while True:
            self._news.clear()
            pause = self._beat
            try:
                await self._round(link)
                pause = min(pause, self._silence / _BEATS_IN_SILENCE, _SOON if self._orders else pause)
            except LinesideError as fault:
                log.debug("leases not kept", reason=fault.sentence)
            try:
                async with asyncio.timeout(pause):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _round(self, link: ServerLink) -> None:
        began, mine, run = self._seconds(), self.mine(), self.marks.run
        was = {id for id in self._machines if self.drives(id)}
        estates = await self._begin(link)
        told = await link.ask(lambda c: _one(c, "SELECT sync.keep_leases(%s::uuid[], %s)", mine, run))
        if self.fence:
            was, mine = set(), []
        self._learn(told, mine, began, was, estates)
        await self._keep_book()
        if not self.fence:
            await self._reach_out(link)

    async def _begin(self, link: ServerLink) -> dict[UUID, Estate]:
        """Ask whether this copy of the station may have its machines; returns where alarms stood that another left."""
        copy, run, after = self.marks.copy, self.marks.run, list(self.marks.after)
        told = await link.ask(
            lambda c: _one(c, "SELECT sync.begin_collecting(%s, %s, %s::uuid[])", copy, run, after)
        )
        if not told["granted"]:
            self._fence_off(str(told["sentence"]))
            return {}
        self.fence = ""
        if told["why"] != "silent":
            return {}
        log.warning("this copy of the station has its machines now")
        return await link.ask(lambda c: {id: _estate(c, id) for id in self._machines})

    def _fence_off(self, sentence: str) -> None:
        """Give everything up that is driven here."""
        if not self.fence:
            log.warning("another copy of this station has its machines")
        driven = [id for id in self._machines if self.drives(id)]
        self.fence = sentence
        for id in driven:
            self._callbacks.lost(id)
        if driven:
            self._callbacks.learned()

    def _learn(
        self,
        told: dict[str, Any],
        kept: list[UUID],
        began: float,
        was: set[UUID],
        estates: Mapping[UUID, Estate],
    ) -> None:
        """Believe the server: what another holds is given up at once. `was` is what was driven before."""
        self._silence = float(told["silence"])
        leases = {UUID(lease["connection"]): _lease(lease) for lease in told["leases"]}
        self.known = leases
        tentative = {id: h for id, h in self._book.held.items() if h.epoch == 0 and id not in leases}
        self._book.learn(tentative | {id: lease.held for id, lease in leases.items()})
        for id in kept:
            if self._holds(id):
                self._confirm(id, began, leases[id].sends_in if id in leases else 0.0)
        for id in was:
            if not self.drives(id):
                self._callbacks.lost(id)
        for id in self._machines:
            if self.drives(id) and id not in was:
                self._callbacks.taken(id, estates.get(id))
        self._callbacks.learned()

    def _confirm(self, id: UUID, began: float, sends_in: float) -> None:
        self._confirmed[id] = began
        self._sends_at[id] = began + sends_in

    async def _keep_book(self) -> None:
        await asyncio.to_thread(self._book.keep, self._station, ours=not self.fence)

    # Taking ---------------------------------------------------------------------------------------------------------

    async def _reach_out(self, link: ServerLink) -> None:
        """Ask for what is free, what a person ordered, and what its holder seems to have left."""
        for order in list(self._orders.values()):
            mine = order.connection not in self._machines or self._confirmed_mine(order.connection)
            if mine or await self._take(link, order.connection, order.id, answered=False) in _FINAL:
                self._settle(order)
        for id in list(self._machines):
            if id not in self.known:
                await self._take(link, id, None, answered=False)
            elif self._seems_left(id):
                await asyncio.sleep(random.uniform(0, min(1.0, self._silence / 10)))
                if await self._callbacks.answers(id):
                    await self._take(link, id, None, answered=True)

    def _seems_left(self, id: UUID) -> bool:
        """Whether another holds the machine, was not seen for long, and may be followed without asking anybody."""
        lease, machine = self.known[id], self._machines.get(id)
        others = lease.held.station != self._station and lease.unseen >= self._silence
        return others and machine is not None and machine.takeover == "auto"

    def _confirmed_mine(self, id: UUID) -> bool:
        lease = self.known.get(id)
        return lease is not None and lease.held.station == self._station

    def _settle(self, order: Order) -> None:
        self._settled.add(order.id)
        self._orders.pop(order.id, None)

    async def _take(self, link: ServerLink, id: UUID, order: UUID | None, *, answered: bool) -> str:
        """Ask for one machine; returns why it was given or not."""
        began = self._seconds()
        run = self.marks.run
        told, estate = await link.ask(lambda c: _take(c, id, order, answered, run))
        why = str(told["why"])
        if not told["granted"]:
            log.debug("machine not given", connection=str(id), why=why)
            return why
        lease, drove = _lease(told), self.drives(id)
        self.known[id] = lease
        self._book.learn({**self._book.held, id: lease.held})
        self._confirm(id, began, lease.sends_in)
        if not drove:  # at once: nothing may judge its alarms before it is known where they stood
            self._since[id] = self._clock()
            self._callbacks.taken(id, estate)
        self._callbacks.learned()
        await self._keep_book()
        log.info("machine is this station's", connection=str(id), epoch=lease.held.epoch, why=why)
        return why

    # Sending --------------------------------------------------------------------------------------------------------

    async def why_not_send(self, link: ServerLink, id: UUID) -> str:
        """Asked right before a value is sent: why it must not be; empty when this epoch holds."""
        held = self._book.held.get(id)
        if self.fence:
            return _as_reason(self.fence)
        if held is None or held.station != self._station:
            return f"station {self.holder(id) or '?'} talks to this machine."
        began = self._seconds()
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                told = await link.ask(
                    lambda c: _one(c, "SELECT sync.holds_lease(%s, %s, %s)", id, held.epoch, self.marks.run)
                )
        except Fenced as fence:
            self.look_now()
            return _as_reason(fence.sentence)
        except (LinesideError, TimeoutError):
            return self._why_not_alone(id)
        if not told["holds"]:
            self.look_now()
            return "another station has taken this machine over."
        self._confirm(id, began, float(told["sends_in"]))
        return self._why_wait(id)

    def _why_wait(self, id: UUID) -> str:
        left = self._sends_at.get(id, 0.0) - self._seconds()
        if left <= 0:
            return ""
        return f"the station that held this machine before may still be sending; try again in {left:.0f} s."

    def _why_not_alone(self, id: UUID) -> str:
        """Without the server: while nobody can have taken the machine, and as long as nobody ever may."""
        machine, held = self._machines.get(id), self._book.held[id]
        if machine is not None and machine.takeover == "never" and held.epoch:
            return ""
        if id in self._confirmed and self._seconds() - self._confirmed[id] < self._silence:
            return self._why_wait(id)
        return (
            "the server is not reached, so another station may have taken this machine over; it is read, but no value "
            "is sent."
        )

    async def let_go(self, link: ServerLink, id: UUID) -> None:
        """Say that nothing is sent any more to a machine that was lost."""
        lease = self.known.get(id)
        if lease is not None:
            epoch = lease.held.epoch - 1
            await link.ask(lambda c: c.execute("SELECT sync.let_go(%s, %s)", (id, epoch)).rowcount)


def _lease(told: dict[str, Any]) -> Lease:
    held = Held(int(told["epoch"]), str(told["station"]))
    return Lease(held, float(told["unseen"]), float(told["sends_in"]))


def _one(connection: Connection[Any], statement: str, *parameters: object) -> dict[str, Any]:
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def _as_reason(sentence: str) -> str:
    """A sentence behind a colon."""
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _take(
    connection: Connection[Any], id: UUID, order: UUID | None, answered: bool, run: UUID
) -> tuple[dict[str, Any], Estate | None]:
    """Ask for a machine and, where another held it, read where its alarms stood."""
    told = _one(connection, "SELECT sync.take_lease(%s, %s, %s, %s)", id, order, answered, run)
    if not told["granted"] or told["why"] not in ("silent", "by hand"):
        return told, None
    return told, _estate(connection, id)


def _estate(connection: Connection[Any], id: UUID) -> Estate:
    """Where the alarms of a machine stood, as its last holder told it."""
    alarms = connection.execute(
        "SELECT key, record::text, state FROM sync.machine_alarm WHERE place = %s", (str(id),)
    )
    acts = connection.execute("SELECT id::text FROM sync.machine_act")
    return Estate(
        tuple(
            (key, facts_told(text), bytes(state) if state is not None else None)
            for key, text, state in alarms
        ),
        tuple(act for (act,) in acts),
    )
