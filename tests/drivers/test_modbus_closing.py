"""Closing a Modbus connection in the middle of traffic: always, at once, and without a late value."""

from __future__ import annotations

import asyncio

from app.drivers import open_driver
from app.drivers.protocol import Reading, Watch
from app.drivers.simulator import SimulatedPlant


async def test_a_connection_can_be_closed_at_any_moment_of_its_traffic(
    modbus_machines: SimulatedPlant,
) -> None:
    wanted = next(c for c in modbus_machines.plant.connections if c.name == "conv-1-modbus")
    for moment in range(60):
        driver = open_driver(wanted)
        got: list[Reading] = []
        await driver.connect()
        await driver.subscribe([Watch("ir:0:float32", 0.001), Watch("hr:10", 0.002)], got.extend)
        await asyncio.sleep(0.004 + moment * 0.00013)
        async with asyncio.timeout(2):
            await driver.close()
        seen = len(got)
        await asyncio.sleep(0)
        assert len(got) == seen
