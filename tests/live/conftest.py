"""A collector in this process, over real servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.drivers.simulator import SimulatedPlant
from app.live.back_off import BackOff
from app.live.collector import Collector
from app.live.source import PlantSource
from app.store.history import FILE_NAME, HistoryReader

EAGER = BackOff(first=0.05, longest=0.2, patient=0.5)


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until a condition holds; fails the test after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 — any condition, not only events
            await asyncio.sleep(0.01)


def events_told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, in order; a logger that an earlier test set up for the log files carries its entry whole."""
    return [
        record.msg["event"] if isinstance(record.msg, dict) else record.getMessage()
        for record in caplog.records
    ]


@asynccontextmanager
async def collecting(source: PlantSource, data_dir: Path, **more: Any) -> AsyncIterator[Collector]:
    """A running collector for the length of a block; its failure is the test's failure."""
    collector = Collector(source, data_dir, back_off=EAGER, **more)
    running = asyncio.create_task(collector.run())
    ready = asyncio.create_task(collector.ready.wait())
    await asyncio.wait([running, ready], timeout=15, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        if running.done():
            running.result()
        yield collector
    finally:
        collector.stop()
        async with asyncio.timeout(15):
            await running


@pytest.fixture
def history(data_dir: Path) -> Any:
    """Reads what the collector has stored."""
    with HistoryReader(data_dir / FILE_NAME) as reader:
        yield reader


@asynccontextmanager
async def standing_still() -> AsyncIterator[SimulatedPlant]:
    """Only the Modbus machines of the demo plant; `tick` makes them move."""
    plant = SimulatedPlant()
    await plant.start_modbus()
    await plant.tick()
    try:
        yield plant
    finally:
        await plant.stop()


@pytest.fixture
async def modbus_machines() -> AsyncIterator[SimulatedPlant]:
    """Only the Modbus machines of the demo plant, standing still."""
    async with standing_still() as plant:
        yield plant


@pytest.fixture
async def simulation() -> AsyncIterator[SimulatedPlant]:
    """The whole demo plant, living."""
    async with SimulatedPlant(speed=4.0) as plant:
        yield plant
