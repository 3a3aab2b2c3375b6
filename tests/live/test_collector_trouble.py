"""A full disk, a sleep, a set clock, a folder that is gone: the collector says so, and nothing is invented."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Refused
from app.domain.machine_news import LinkState
from app.domain.plant import AlarmSettings, Connection, Plant
from app.domain.samples import Quality, Sample
from app.drivers import open_driver
from app.drivers.protocol import Credentials, Driver, Granted, Reading, Sink, Watch
from app.drivers.simulator import SimulatedPlant
from app.live.collector import Collector
from app.live.source import MemoryPlantSource
from app.store.history import FILE_NAME, HistoryReader
from tests.live.conftest import EAGER, collecting, until

LONG_AGO, FAR_OFF = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
ITEMS = "CONV-1/items"


def conveyor(machines: SimulatedPlant, **alarm: Any) -> MemoryPlantSource:
    whole = machines.plant
    tags = tuple(
        replace(t, scan=0.05, alarm=AlarmSettings(**alarm)) for t in whole.tags if t.equipment == "CONV-1"
    )
    connections = tuple(c for c in whole.connections if c.name == "conv-1-modbus")
    return MemoryPlantSource(Plant(whole.equipment, connections, tags))


def stored(history: HistoryReader, tag: str) -> list[Sample]:
    return history.samples(tag, LONG_AGO, FAR_OFF)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, where the system lets us make one."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("only an administrator of Linux can make a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_full_disk_is_said_counted_and_leaves_one_mark_where_values_are_missing(
    modbus_machines: SimulatedPlant, small_disk: Path
) -> None:
    async with collecting(conveyor(modbus_machines), small_disk, most_waiting=60) as collector:
        backlog, count = collector.intake.backlog, 0

        async def move(until_now: Any) -> None:
            nonlocal count
            async with asyncio.timeout(20):
                while not until_now():
                    count += 1
                    modbus_machines.force("CONV-1", "items", count)
                    await modbus_machines.tick()
                    await asyncio.sleep(0.06)

        with HistoryReader(small_disk / FILE_NAME) as history:
            await move(lambda: len(stored(history, ITEMS)) > 3)
            ballast = small_disk / "ballast"
            with ballast.open("wb") as file:  # somebody else fills the disk to its last byte
                while True:
                    try:
                        os.write(file.fileno(), b"x" * 4096)
                    except OSError:
                        break
            await move(lambda: backlog.given_up > 20)
            assert "cannot be used now" in collector.saving.trouble
            assert len(backlog) <= 60 + 40
            await until(lambda: any("given up" in str(r.value) for r in collector.desk.open_records()))
            ballast.unlink()
            await move(lambda: not collector.saving.trouble)
            last = count
            await until(lambda: [s for s in stored(history, ITEMS) if s.value == last])
            found = stored(history, ITEMS)
    marks = [i for i, s in enumerate(found) if s.quality == Quality.BAD_DATA_LOST]
    assert len(marks) == 1
    values = [int(s.value) for s in found if isinstance(s.value, (int, float))]
    before, after = values[: marks[0]], values[marks[0] :]
    assert before[-1] + 1 < after[0]
    for part in (before, after):
        assert part == sorted(part)


@dataclass
class Clocks:
    """The clocks of a computer that can be put to sleep or set; they run with the real ones otherwise."""

    shift: timedelta = field(default_factory=timedelta)
    slept: float = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def asleep(self) -> float:
        return asyncio.get_running_loop().time() + self.slept

    def awake(self) -> float:
        return asyncio.get_running_loop().time()

    def arguments(self) -> dict[str, Any]:
        return {"clock": self.now, "asleep": self.asleep, "awake": self.awake, "opener": self.open}

    def open(self, connection: Connection, credentials: Credentials) -> Driver:
        """A driver that looks at this clock, as all programs of the computer do."""
        driver = open_driver(connection, credentials)
        subscribe = driver.subscribe

        async def shifted(watches: Sequence[Watch], sink: Sink) -> list[Granted]:
            def take(readings: Sequence[Reading]) -> None:
                sink(
                    [
                        replace(
                            r,
                            source_time=r.source_time + self.shift,
                            receive_time=r.receive_time + self.shift,
                        )
                        for r in readings
                    ]
                )

            return await subscribe(watches, take)

        vars(driver)["subscribe"] = shifted
        return driver

    def sleep(self, seconds: float) -> None:
        self.shift += timedelta(seconds=seconds)
        self.slept += seconds


async def test_after_a_sleep_every_connection_is_made_anew_and_the_time_asleep_is_a_gap(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader
) -> None:
    clocks = Clocks()
    async with collecting(conveyor(modbus_machines), data_dir, **clocks.arguments()) as collector:
        await until(lambda: collector.links.driver_of("conv-1-modbus"))
        await until(lambda: ITEMS in history.latest())
        driver = collector.links.driver_of("conv-1-modbus")
        fell_asleep = clocks.now()
        clocks.sleep(3600)
        await until(lambda: collector.links.driver_of("conv-1-modbus") not in (None, driver))
        await until(lambda: any(s.bad for s in stored(history, ITEMS)))
        bad = next(s for s in stored(history, ITEMS) if s.bad)
        assert bad.source_time - fell_asleep < timedelta(seconds=60)
        await until(lambda: [s for s in collector.intake.latest() if s.tag == ITEMS and s.good])
        told = [r for r in collector.desk.open_records() if "did not run" in str(r.value)]
        assert len(told) == 1


@pytest.mark.parametrize("by", [3600, -3600])
async def test_a_clock_that_is_set_raises_no_alarm_and_stops_no_curve(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader, by: int
) -> None:
    clocks = Clocks()
    modbus_machines.force("CONV-1", "temperature", 40.0)
    await modbus_machines.tick()
    source = conveyor(modbus_machines, on_delay=600.0, comm_delay=600.0)
    async with collecting(source, data_dir, **clocks.arguments()) as collector:
        await until(lambda: ITEMS in history.latest())
        modbus_machines.force("CONV-1", "temperature", 95.0)  # far above its limit, for less than ten minutes
        await modbus_machines.tick()
        await until(lambda: [s for s in collector.intake.latest() if s.value == 95.0])
        clocks.shift += timedelta(seconds=by)
        await until(lambda: [r for r in collector.desk.open_records() if "was set" in str(r.value)])
        number = len(stored(history, ITEMS))
        await until(lambda: len(stored(history, ITEMS)) > number)  # the next value of each tag is kept
        assert {s.state for s in collector.links.statuses()} == {LinkState.ONLINE}
        await asyncio.sleep(0.6)  # two ticks
        assert not [r for r in collector.desk.open_records() if r.tag]


@pytest.mark.parametrize("how", ["gone", "replaced"])
async def test_a_collector_whose_data_was_taken_away_stops_with_a_sentence(
    modbus_machines: SimulatedPlant, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "place"
    collector = Collector(conveyor(modbus_machines), folder, back_off=EAGER)
    running = asyncio.create_task(collector.run())
    await until(collector.ready.is_set)
    shutil.rmtree(folder)
    if how == "replaced":
        folder.mkdir()
        (folder / FILE_NAME).touch()
    with pytest.raises(Refused, match="the collector has stopped"):
        async with asyncio.timeout(15):
            await running
    assert not (folder / "collector.json").exists()
