"""The whole way: two joined folders, two collector processes, one machine; killed, taken over, acted on from afar."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.domain.alarms import Phase
from app.domain.people import Role
from app.drivers.simulator import SimulatedPlant
from app.live.collector import utc_now
from app.live.feed import Feed
from app.live.messages import AlarmChanged, Message, SampleBatch
from app.operations.alarms import acknowledge_alarm, shelve_alarm, unshelve_alarm
from app.operations.machines import write_to_machine
from app.operations.plant import apply_plant
from app.store.history import FILE_NAME, HistoryReader
from tests.sync.conftest import ServerDatabase
from tests.sync.harness import SyncedStation, World
from tests.sync.machines.shop_floor import FEED, until, welder


class Window:
    """What a window of a station hears."""

    def __init__(self) -> None:
        self.value: object = None
        self.phase: Phase | None = None

    def hear(self, message: Message) -> None:
        if isinstance(message, SampleBatch):
            for wire in message.samples:
                if wire.tag == FEED:
                    self.value = wire.value if wire.sample().good else None
        elif isinstance(message, AlarmChanged) and message.alarm.key == FEED:
            self.phase = message.alarm.phase


@asynccontextmanager
async def collector(station: SyncedStation) -> AsyncIterator[tuple[asyncio.subprocess.Process, Window]]:
    """The collector of a station as a process, and a window that listens to it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "--data-dir", str(station.folder), stdout=asyncio.subprocess.DEVNULL
    )
    window = Window()
    listening = asyncio.create_task(Feed(station.folder, window.hear).run())
    try:
        yield process, window
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture
def world(server: ServerDatabase, tmp_path: Path) -> World:
    return World(server, tmp_path)


def holder(server: ServerDatabase) -> str:
    with server.connect() as db:
        row = db.execute("SELECT station FROM sync.lease").fetchone()
    return "" if row is None else str(row[0])


def acts(station: SyncedStation) -> list[tuple[str, str, str]]:
    """What people did, as the journal of the station has it: what, who, why."""
    with HistoryReader(station.folder / FILE_NAME) as history:
        lines = history.journal(key=FEED)
    return [(line.event, line.actor, line.reason) for line in reversed(lines) if line.actor]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
async def test_a_killed_holder_is_followed_and_people_act_from_any_station(
    world: World, server: ServerDatabase, machines: SimulatedPlant
) -> None:
    with server.connect() as db:
        db.execute("UPDATE sync.lease_terms SET silence = '4 seconds'")
    first, second = world.station("01"), world.station("02")
    try:
        first.do(apply_plant(plant=welder(machines)))
        world.settle()
        for station in (first, second):
            station.house.door.clock = utc_now
        async with collector(first) as (process, here):
            await until(lambda: holder(server) == "01", 60)
            async with collector(second) as (_, there):
                second.do(write_to_machine(tag=FEED, value=1500))  # from afar
                world.settle()
                await until(lambda: here.phase is Phase.UNACK and there.phase is Phase.UNACK, 30)
                await until(lambda: there.value == 1500)
                with HistoryReader(first.folder / FILE_NAME) as history:
                    (raised,) = history.alarms(tag=FEED)
                second.do(acknowledge_alarm(alarm=FEED, comment="seen"), Role.OPERATOR)
                world.settle()
                await until(lambda: here.phase is Phase.ACKED and there.phase is Phase.ACKED, 30)
                shelf = shelve_alarm(alarm=FEED, minutes=60, reason="sensor is moved")
                second.do(shelf, Role.SUPERVISOR)
                world.settle()
                await until(lambda: here.phase is Phase.SHELVED and there.phase is Phase.SHELVED, 30)
                await until(lambda: len(acts(first)) == 2, 30)
                assert acts(first) == [
                    ("acknowledged", "operator", "seen"),
                    ("shelved", "supervisor", "sensor is moved"),
                ]
                os.kill(process.pid, signal.SIGKILL)
                await until(lambda: holder(server) == "02", 60)
                await until(lambda: there.value == 1500, 30)
                assert there.phase is Phase.SHELVED
                second.do(unshelve_alarm(alarm=FEED), Role.TECHNICIAN)  # nobody has it but this station now
                await until(lambda: there.phase is Phase.UNACK, 30)
                await until(lambda: ("unshelved", "technician", "") in acts(second), 30)
        with HistoryReader(second.folder / FILE_NAME) as history:
            (alarm,) = history.alarms(tag=FEED)
        assert (alarm.raised_at, alarm.occurrence) == (raised.raised_at, raised.occurrence), (
            "the same raising"
        )
    finally:
        world.close()
