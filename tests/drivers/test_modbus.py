"""Modbus TCP against real servers: values, exceptions as quality, splitting, silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality
from app.drivers import open_driver
from app.drivers.faults import RefusedConnection, Unreachable
from app.drivers.protocol import Reading, Watch
from app.drivers.simulator import SimulatedPlant

Until = Callable[..., "asyncio.Future[None]"]


class Device:
    """A small Modbus device with a hole at holding register 12 and a wish for the next exception code."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[tuple[int, int]] = []
        self.codes: list[int] = []

    async def answer(self, _function: int, _start: int, address: int, count: int, *_: Any) -> Any:
        from pymodbus.constants import ExcCodes

        self.requests.append((address, count))
        return ExcCodes(self.codes.pop(0)) if self.codes else None

    def connection(self, **more: Any) -> Connection:
        return Connection("d", "modbus-tcp", f"tcp://127.0.0.1:{self.port}", timeout=0.5, **more)


@pytest.fixture
async def device(free_port: int) -> AsyncIterator[Device]:
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    made = Device(free_port)
    registers = [
        SimData(10, values=[0x42F6, 0xE979], datatype=DataType.REGISTERS),
        SimData(13, values=[7, 0x12AF], datatype=DataType.REGISTERS),
    ]
    bits = [SimData(0, values=[True, False] * 8, datatype=DataType.BITS)]
    simulated = SimDevice(1, simdata=(bits, bits, registers, registers), action=made.answer)
    server = ModbusTcpServer(simulated, address=("127.0.0.1", free_port))
    await server.serve_forever(background=True)
    yield made
    await cast(Any, server).shutdown()


async def test_registers_and_bits_arrive_as_values(device: Device) -> None:
    driver = open_driver(device.connection())
    await driver.connect()
    try:
        readings = await driver.read(["hr:10:float32", "coil:0", "di:1", "ir:13:int16"])
    finally:
        await driver.close()
    assert [r.value for r in readings] == [pytest.approx(123.456, abs=1e-5), True, False, 7]
    assert {r.quality for r in readings} == {Quality.GOOD}


async def test_a_register_that_does_not_exist_spoils_only_itself(device: Device, until: Until) -> None:
    driver = open_driver(device.connection())
    got: list[Reading] = []
    await driver.connect()
    try:
        wishes = ["hr:10:float32", "hr:12", "hr:13", "hr:14:bcd16", "hr:x"]
        granted = await driver.subscribe([Watch(a, 0.05) for a in wishes], got.extend)
        assert [g.address for g in granted if g.fault] == ["hr:x"]
        await until(lambda: len([r for r in got if r.address == "hr:13"]) >= 4)
    finally:
        await driver.close()
    last = {r.address: (r.value, r.quality) for r in got}
    assert last["hr:10:float32"][0] == pytest.approx(123.456, abs=1e-5)
    assert last["hr:13"] == (7, Quality.GOOD)
    assert last["hr:12"] == (None, Quality.BAD_CONFIGURATION_ERROR)
    assert last["hr:14:bcd16"] == (None, Quality.BAD_SENSOR_FAILURE)
    assert last["hr:x"] == (None, Quality.BAD_CONFIGURATION_ERROR)
    assert (
        len([r for r in device.requests if r == (10, 5)]) == 0
    )  # the hole is refused before the device is asked
    assert device.requests[-1] != (12, 1)


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        (2, Quality.BAD_CONFIGURATION_ERROR),
        (3, Quality.BAD_CONFIGURATION_ERROR),
        (4, Quality.BAD_DEVICE_FAILURE),
        (10, Quality.BAD_NO_COMMUNICATION),
        (11, Quality.BAD_NO_COMMUNICATION),
    ],
)
async def test_an_exception_of_the_device_becomes_a_quality(device: Device, code: int, quality: int) -> None:
    driver = open_driver(device.connection())
    await driver.connect()
    try:
        device.codes = [code]
        reading = (await driver.read(["hr:13"]))[0]
    finally:
        await driver.close()
    assert (reading.value, reading.quality) == (None, quality)


async def test_a_busy_device_is_asked_again(device: Device) -> None:
    driver = open_driver(device.connection())
    await driver.connect()
    try:
        device.codes = [6, 6]
        assert (await driver.read(["hr:13"]))[0].value == 7
    finally:
        await driver.close()


async def test_a_unit_that_falls_silent_ends_the_connection(
    modbus_machines: SimulatedPlant, until: Until
) -> None:
    wanted = next(c for c in modbus_machines.plant.connections if c.name == "weld-1-modbus")
    driver = open_driver(wanted)
    got: list[Reading] = []
    await driver.connect()
    try:
        await driver.subscribe([Watch("hr:100:float32:cdab", 0.05)], got.extend)
        await until(lambda: len(got) > 2)
        assert driver.silence() < 1.0
        modbus_machines.drop("WELD-1")
        await modbus_machines.tick()
        async with asyncio.timeout(5):
            assert isinstance(await driver.lost(), Unreachable)
    finally:
        await driver.close()


async def test_a_crashed_server_is_noticed_at_once(modbus_machines: SimulatedPlant) -> None:
    wanted = next(c for c in modbus_machines.plant.connections if c.name == "conv-1-modbus")
    driver = open_driver(wanted)
    await driver.connect()
    try:
        await driver.subscribe([Watch("ir:0:float32", 0.05)], lambda _: None)
        await modbus_machines.stop_modbus()
        async with asyncio.timeout(3):
            assert isinstance(await driver.lost(), Unreachable)
    finally:
        await driver.close()


async def test_nobody_on_the_port_and_a_url_without_a_host_get_a_sentence(free_port: int) -> None:
    with pytest.raises(RefusedConnection, match="no Modbus server on that port"):
        await open_driver(Connection("d", "modbus-tcp", f"tcp://127.0.0.1:{free_port}")).connect()
    with pytest.raises(Refused, match="has no host name"):
        open_driver(Connection("d", "modbus-tcp", "tcp://"))


async def test_browsing_shows_the_tables_and_every_way_to_read_a_register(device: Device) -> None:
    driver = open_driver(device.connection(addressing="one-based"))
    await driver.connect()
    try:
        assert [n.address for n in await driver.browse()] == ["hr:0", "ir:0", "coil:0", "di:0"]
        found = {n.address: n.detail for n in await driver.browse("hr:11")}
        assert found["hr:11:float32:abcd"].startswith("123.456")
        assert (await driver.read(["hr:11:float32:abcd"]))[0].value == pytest.approx(123.456, abs=1e-5)
        with pytest.raises(Refused):
            await driver.write("hr:11", 1)
    finally:
        await driver.close()
