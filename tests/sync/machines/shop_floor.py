"""Stations for tests of shared machines: each a real collector with a folder of its own, on one real server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Container, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app.domain.alarms import Phase
from app.domain.machine_news import LinkStatus, MachineFacts, Takeover, WriteAnswered
from app.domain.plant import Connection, Limits, Plant, Writing
from app.domain.samples import Sample, Value
from app.drivers.simulator import SimulatedPlant
from app.live.clock_watch import seconds_with_sleep
from app.live.collector import Collector, utc_now
from app.live.commands import Command
from app.live.feed import Feed
from app.live.messages import AlarmChanged, Message, SampleBatch
from app.live.source import AlarmAction, MemoryPlantSource
from app.store.history import AlarmRecord
from app.sync.machines.server_fellows import ServerFellows
from app.sync.server.address import connect
from app.sync.server.sentences import plain_errors
from tests.live.conftest import collecting, until
from tests.sync.conftest import ServerDatabase

if TYPE_CHECKING:
    import psycopg

WELDER, FEED = "weld-1-modbus", "WELD-1/wire_feed"
BEAT = 0.3
_numbers = itertools.count(1)


def welder(machines: SimulatedPlant, **more: Any) -> Plant:
    """One welder alone, whose wire feed may be set and alarms above 1,000."""
    whole = machines.plant
    extra = {"writing": Writing(0, 2000), "limits": Limits(hi=1000.0)}
    tags = tuple(
        replace(t, scan=0.1, **(extra if t.name == FEED else {"limits": Limits()}))
        for t in whole.tags
        if t.equipment == "WELD-1"
    )
    connection = next(c for c in whole.connections if c.name == WELDER)
    return replace(whole, connections=(replace(connection, **more),), tags=tags)


@dataclass
class Floor:
    """What all stations have in common: the server, the plant, what people did (as if it had been brought to all)."""

    server: ServerDatabase
    plant: Plant
    folder: Path
    ids: dict[str, UUID] = field(default_factory=dict)
    acts: list[AlarmAction] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    takeovers: list[Takeover] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = {c.name: uuid4() for c in self.plant.connections}
        with self.server.connect() as db:
            for connection in self.plant.connections:
                self._store(db, connection)

    def _store(self, db: psycopg.Connection[Any], c: Connection) -> None:
        settings = f'{{"takeover": "{c.takeover}", "station": "{c.station}"}}'
        db.execute(
            "INSERT INTO lineside.connection (id, name, driver, url, settings) VALUES (%s, %s, %s, %s, %s)",
            (self.ids[c.name], c.name, c.driver, c.url, settings),
        )

    def silence(self, seconds: float) -> None:
        """How long a holder may be unseen."""
        with self.server.connect() as db:
            db.execute("UPDATE sync.lease_terms SET silence = make_interval(secs => %s)", (seconds,))

    def act(self, verb: Any, target: str, **more: Any) -> AlarmAction:
        """A person does something about an alarm, on any station."""
        more = {"at": datetime.now(UTC), "actor": "anna", **more}
        self.acts.append(AlarmAction(str(uuid4()), verb, target, **more))
        return self.acts[-1]

    def send(self, tag: str, value: Value) -> str:
        """A person sends a value to a machine, on any station."""
        self.commands.append(Command(next(_numbers), str(uuid4()), tag, value, "anna", datetime.now(UTC)))
        return self.commands[-1].id

    def order(self, station: str, connection: str = WELDER) -> None:
        """A person orders that a station takes a machine over; the entry has reached the server."""
        order = Takeover(uuid4(), connection, station, datetime.now(UTC))
        with self.server.connect() as db:
            db.execute(
                "INSERT INTO lineside.machine_takeover (id, connection_id, station, at, actor)"
                " VALUES (%s, %s, %s, %s, 'anna')",
                (order.id, self.ids[connection], station, order.at),
            )
        self.takeovers.append(order)

    def lease(self, connection: str = WELDER) -> tuple[str, int]:
        """Who holds a machine, and since which epoch; nobody where there is no lease."""
        with self.server.connect() as db:
            row = db.execute(
                "SELECT station, epoch FROM sync.lease WHERE connection = %s", (self.ids[connection],)
            ).fetchone()
        return ("", 0) if row is None else (row[0], row[1])

    def holder_may_send(self) -> bool:
        """Whether nobody who held the machine before can be sending any more."""
        with self.server.connect() as db:
            row = db.execute("SELECT sends_from <= now() FROM sync.lease").fetchone()
        return row is not None and bool(row[0])

    def unseen(self, name: str) -> bool:
        return name not in self.server.stations

    def fellows(self, name: str, folder: Path, url: str = "") -> ServerFellows:
        """What a collector of a station in this folder hears the others by; the station is made where it is new."""
        if self.unseen(name):
            self.server.add_station(name)
        folder.mkdir(exist_ok=True)
        address = url or self.server.station_url(name)

        def open_connection() -> psycopg.Connection[Any]:
            with plain_errors():
                return connect(address, program="test", seconds=2)

        return ServerFellows(
            folder, seconds=seconds_with_sleep, clock=utc_now, open_connection=open_connection, beat=BEAT
        )

    @asynccontextmanager
    async def station(
        self, name: str, url: str = "", folder: Path | None = None, **more: Any
    ) -> AsyncIterator[Station]:
        """A running station; its folder stays, so that it can be started again. Another `folder` may be a copy."""
        folder = folder or self.folder / name
        fellows = self.fellows(name, folder, url)
        source = FloorSource(self, name)
        async with collecting(
            source, folder, commands=source, machines=source, fellows=fellows, **more
        ) as collector:
            station = Station(name, folder, collector, source)
            listening = asyncio.create_task(Feed(folder, station.hear).run())
            try:
                yield station
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


class FloorSource(MemoryPlantSource):
    """The plant and the people of a floor, as one station's store would tell them."""

    def __init__(self, floor: Floor, station: str) -> None:
        super().__init__(floor.plant)
        self._floor, self._station = floor, station
        self._acts = self._sent = 0

    def version(self) -> int:
        return self.changes + len(self._floor.acts) + len(self._floor.commands) + len(self._floor.takeovers)

    def alarm_actions(self, known: Container[str]) -> Sequence[AlarmAction]:
        news, self._acts = self._floor.acts[self._acts :], len(self._floor.acts)
        return [act for act in news if act.id not in known]

    def commands(self, known: Container[str]) -> Sequence[Command]:
        news, self._sent = self._floor.commands[self._sent :], len(self._floor.commands)
        return [command for command in news if command.id not in known]

    def machine_facts(self) -> MachineFacts:
        return MachineFacts(self._floor.ids, frozenset(), tuple(self._floor.takeovers), self._station)


@dataclass
class Station:
    """One station and what its window hears."""

    name: str
    folder: Path
    collector: Collector
    source: FloorSource
    heard: list[Message] = field(default_factory=list)
    samples: dict[str, Sample] = field(default_factory=dict)
    alarms: dict[str, AlarmRecord] = field(default_factory=dict)
    links: dict[str, LinkStatus] = field(default_factory=dict)
    answers: dict[str, WriteAnswered] = field(default_factory=dict)

    def hear(self, message: Message) -> None:
        self.heard.append(message)
        if isinstance(message, SampleBatch):
            self.samples.update((wire.tag, wire.sample()) for wire in message.samples)
        elif isinstance(message, AlarmChanged):
            self.alarms[message.alarm.id] = message.alarm
        elif isinstance(message, LinkStatus):
            self.links[message.connection] = message
        elif isinstance(message, WriteAnswered):
            self.answers[message.id] = message

    @property
    def drives(self) -> bool:
        """Whether it talks to the welder."""
        return self.collector.links.driver_of(WELDER) is not None

    def shows(self, value: Value, tag: str = FEED) -> bool:
        """Whether its window shows this value as good."""
        sample = self.samples.get(tag)
        return sample is not None and sample.good and sample.value == value

    def phase(self, tag: str = FEED) -> Phase | None:
        """Where the newest limit alarm of a tag stands in its window."""
        records = [r for r in self.alarms.values() if r.key == tag]
        return max(records, key=lambda r: r.occurrence).phase if records else None


__all__ = ["BEAT", "FEED", "WELDER", "Floor", "Station", "until", "welder"]
