"""Real servers on loopback for the tests of the drivers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from app.drivers.simulator import SimulatedPlant


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until a condition holds; fails the test after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 — any condition, not only events
            await asyncio.sleep(0.01)


@pytest.fixture(name="until")
def _until() -> Callable[..., object]:
    return until


@pytest.fixture
async def simulation() -> AsyncIterator[SimulatedPlant]:
    """The demo plant, ten times as fast as life."""
    async with SimulatedPlant(speed=10.0) as plant:
        yield plant


@pytest.fixture
async def modbus_machines() -> AsyncIterator[SimulatedPlant]:
    """Only the Modbus machines of the demo plant, standing still; `tick` makes them move."""
    plant = SimulatedPlant()
    await plant.start_modbus()
    await plant.tick()
    yield plant
    await plant.stop()
