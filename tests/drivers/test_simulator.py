"""The demo plant: the same for the same seed, eventful within seconds, and a process that ends when asked."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import pytest

from app.domain.plant_file import dump_plant, parse_plant
from app.domain.samples import Value
from app.drivers import open_driver
from app.drivers.modbus_values import ORDERS
from app.drivers.simulator import MACHINES, SimulatedPlant, simulated_plant


def life(seed: int, seconds: int) -> dict[str, list[dict[str, Value] | None]]:
    plant = SimulatedPlant(seed=seed)
    return {m.code: [plant.values(m, float(t)) for t in range(seconds)] for m in MACHINES}


def series(code: str, name: str, seconds: int = 260) -> list[float]:
    return [float(v[name] or 0) for v in life(1, seconds)[code] if v is not None]


def test_the_same_seed_lives_the_same_life() -> None:
    assert life(7, 20) == life(7, 20)
    assert life(7, 20) != life(8, 20)


def test_every_tag_of_the_plant_file_has_a_signal_and_the_file_is_sound() -> None:
    plant = simulated_plant(4840, 5020)
    assert parse_plant(dump_plant(plant)) == plant
    first = life(1, 1)
    for tag in plant.tags:
        code, name = tag.name.split("/")
        values = first[code][0]
        assert values is not None
        assert name in values
    assert {m.name for m in MACHINES} >= {"Injection Molding Machine #1", "Quality Control Scanner"}
    assert len([m for m in MACHINES if m.type == "mig-mag"]) == 2


def test_things_happen_within_the_first_minute_of_simulated_time() -> None:
    temperature = series("IMM-1", "temperature", 60)
    assert max(temperature) > 85
    assert temperature[0] < 80
    assert None in life(1, 60)["WELD-2"]


def test_the_bearing_wears_and_is_replaced() -> None:
    vibration = series("CNC-2", "vibration")
    assert vibration[0] < 1.5
    assert max(vibration[200:240]) > 2.5
    assert vibration[245] < 1.5


def test_a_signal_can_be_forced_and_a_machine_dropped() -> None:
    plant = SimulatedPlant()
    robot = next(m for m in MACHINES if m.code == "ROB-3")
    plant.force("ROB-3", "temperature", 99.0)
    assert (plant.values(robot, 0.0) or {})["temperature"] == 99.0
    plant.release("ROB-3", "temperature")
    assert (plant.values(robot, 0.0) or {})["temperature"] != 99.0
    plant.drop("ROB-3")
    assert plant.values(robot, 0.0) is None


@pytest.mark.parametrize("how", ["terminate", "close stdin"])
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM on Windows")
async def test_as_a_process_it_tells_its_ports_and_ends_cleanly(how: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.drivers.simulator", "--speed", "5",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        async with asyncio.timeout(100):
            ports = json.loads(await process.stdout.readline())
            _, writer = await asyncio.open_connection("127.0.0.1", ports["modbus_port"])
            writer.close()
            await writer.wait_closed()
            if how == "terminate":
                process.send_signal(signal.SIGTERM)
                await process.wait()  # while its standard input is still open
            process.stdin.close()
            _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, errors) == (0, b"")


async def test_a_machine_follows_the_setpoint_that_is_written(modbus_machines: SimulatedPlant) -> None:
    plant = modbus_machines.plant
    setpoint = next(tag for tag in plant.tags if tag.name == "CONV-1/speed_setpoint")
    assert setpoint.writing is not None
    driver = open_driver(next(c for c in plant.connections if c.name == setpoint.connection))
    await driver.connect()
    try:
        before = (await driver.read(["ir:0:float32"]))[0].value
        await driver.write(setpoint.address, 1300.0)
        for _ in range(3):
            await modbus_machines.tick()
        after, kept = (reading.value for reading in await driver.read(["ir:0:float32", setpoint.address]))
        assert kept == 1300.0
        assert isinstance(before, float)
        assert isinstance(after, float)
        assert before - after > 100
    finally:
        await driver.close()


async def test_a_temperature_stands_in_every_byte_order(modbus_machines: SimulatedPlant) -> None:
    wanted = next(c for c in modbus_machines.plant.connections if c.name == "conv-1-modbus")
    driver = open_driver(wanted)
    await driver.connect()
    try:
        readings = await driver.read([f"hr:{30 + 2 * n}:float32:{order}" for n, order in enumerate(ORDERS)])
        assert len({reading.value for reading in readings}) == 1
        assert 30 < float(readings[0].value or 0) < 60
    finally:
        await driver.close()
