"""200 Modbus devices at once, among them one that never answers and one that answers slowly."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from app.domain.machine_news import LinkState
from app.domain.plant import Connection, Equipment, Plant, Tag
from app.drivers.simulator import SimulatedPlant
from app.live.source import MemoryPlantSource
from tests.live.conftest import collecting, until
from tests.proxy import FaultyProxy

DEVICES = 200


async def test_two_hundred_devices_are_polled_side_by_side_and_a_dead_or_slow_one_delays_nobody(
    modbus_machines: SimulatedPlant, data_dir: Path
) -> None:
    async with AsyncExitStack() as stack:
        target = ("127.0.0.1", modbus_machines.modbus_port)
        doors = [await stack.enter_async_context(FaultyProxy(*target)) for _ in range(DEVICES)]
        doors[-2].half_open()
        doors[-1].delay(1.0)
        source = next(c for c in modbus_machines.plant.connections if c.name == "conv-1-modbus")
        plant = Plant(
            tuple(Equipment(f"M{n}", f"Machine {n}") for n in range(DEVICES)),
            tuple(
                Connection(f"c{n}", "modbus-tcp", f"tcp://127.0.0.1:{port}", unit=source.unit, timeout=30.0)
                for n, port in enumerate(door.port for door in doors)
            ),
            tuple(Tag(f"M{n}/speed", f"M{n}", f"c{n}", "ir:0:float32", scan=0.5) for n in range(DEVICES)),
        )
        async with collecting(MemoryPlantSource(plant), data_dir) as collector:

            def answered() -> dict[str, int]:
                return {f.connection: f.requests - f.failures for f in collector.links.figures()}

            # While the slow one answers once a second or slower, all others go on at their own pace; the mute one
            # holds its request for half a minute meanwhile.
            await until(lambda: sum(count >= 6 for count in answered().values()) >= DEVICES - 2, 40)
            counts = answered()
            assert counts[f"c{DEVICES - 2}"] <= 1  # the one that is waited for
            assert counts[f"c{DEVICES - 1}"] < 6
            online = [s for s in collector.links.statuses() if s.state is LinkState.ONLINE]
            assert len(online) >= DEVICES - 2
