"""Modbus TCP against real servers: values, exceptions as quality, splitting, silence, counting."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable

import pytest

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality
from app.drivers import open_driver
from app.drivers.faults import BadAddress, DeviceTrouble, RefusedConnection, Unreachable
from app.drivers.modbus import ModbusDriver
from app.drivers.modbus_values import encode, parse_address
from app.drivers.protocol import Driver, Reading, Watch
from app.drivers.simulator import SimulatedPlant
from tests.drivers.modbus_device import Device

Until = Callable[..., "asyncio.Future[None]"]


@pytest.fixture
async def device(free_port: int) -> AsyncIterator[Device]:
    made = await Device().over_tcp(free_port)
    yield made
    await made.stop()


@pytest.fixture
async def driver(device: Device) -> AsyncIterator[Driver]:
    made = open_driver(device.connection())
    await made.connect()
    yield made
    await made.close()


async def test_all_four_tables_arrive_as_values(device: Device, driver: Driver) -> None:
    await device.set("hr", 10, encode(123.456, parse_address("hr:10:float32:cdab")))
    await device.set("ir", 20, encode("Oven 2", parse_address("ir:20:string(8)")))
    wishes = [
        "hr:10:float32:cdab",
        "ir:7:int16",
        "ir:20:string(8)",
        "hr:5.0",
        "hr:5.1",
        "coil:1",
        "coil:2",
        "di:33",
    ]
    readings = await driver.read(wishes)
    assert [r.address for r in readings] == wishes
    assert readings[0].value == pytest.approx(123.456, abs=1e-5)
    assert [r.value for r in readings[1:]] == [7, "Oven 2", True, False, True, False, True]
    assert {r.quality for r in readings} == {Quality.GOOD}


async def test_addresses_of_the_manual_are_understood(device: Device) -> None:
    driver = open_driver(device.connection(addressing="one-based"))
    await driver.connect()
    try:
        wishes = ["40008", "400008:int16", "30008", "00002", "10003", "hr:8"]
        assert [r.value for r in await driver.read(wishes)] == [7, 7, 7, True, False, 7]
        assert [n.address for n in await driver.browse()] == ["hr:1", "ir:1", "coil:1", "di:1"]
        assert {r.value for r in await driver.read(["hr:1"])} == {0}
    finally:
        await driver.close()


async def test_a_register_that_does_not_exist_spoils_only_itself(
    device: Device, driver: Driver, until: Until
) -> None:
    device.bad = {12}
    await device.set("hr", 14, [0x12AF])
    got: list[Reading] = []
    wishes = ["hr:10:uint32", "hr:12", "hr:13", "hr:14:bcd16", "hr:x"]
    granted = await driver.subscribe([Watch(a, 0.05) for a in wishes], got.extend)
    assert [g.address for g in granted if g.fault] == ["hr:x"]
    await until(lambda: len([r for r in got if r.address == "hr:13"]) >= 4)
    last = {r.address: (r.value, r.quality) for r in got}
    assert last["hr:10:uint32"] == (10 << 16 | 11, Quality.GOOD)
    assert last["hr:13"] == (13, Quality.GOOD)
    assert last["hr:12"] == (None, Quality.BAD_CONFIGURATION_ERROR)
    assert last["hr:14:bcd16"] == (None, Quality.BAD_SENSOR_FAILURE)
    assert last["hr:x"] == (None, Quality.BAD_CONFIGURATION_ERROR)
    assert device.requests.count((3, 10, 5)) == 1, (
        "what was rejected as a whole is not asked for as a whole again"
    )
    assert device.requests.count((3, 12, 1)) == 1, "nor is the culprit"


async def test_a_missing_register_in_a_gap_costs_no_tag_its_value(device: Device, driver: Driver) -> None:
    device.bad = {3, 7}
    wishes = ["hr:0", "hr:2", "hr:5", "hr:9", "hr:11"]
    assert [r.value for r in await driver.read(wishes)] == [0, 2, 5, 9, 11]


async def test_gap_and_length_of_the_connection_are_kept(device: Device) -> None:
    driver = open_driver(device.connection(gap=2, max_words=10))
    await driver.connect()
    try:
        values = [r.value for r in await driver.read([f"hr:{i}" for i in (*range(25), 28, 32)])]
        assert values == [*range(25), 28, 32]
        with pytest.raises(BadAddress, match="asks for 10 at a time"):
            await driver.read(["hr:0:string(100)"])
    finally:
        await driver.close()
    assert device.requests == [(3, 0, 10), (3, 10, 10), (3, 20, 5), (3, 28, 1), (3, 32, 1)]


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        (1, Quality.BAD_CONFIGURATION_ERROR),
        (2, Quality.BAD_CONFIGURATION_ERROR),
        (3, Quality.BAD_CONFIGURATION_ERROR),
        (4, Quality.BAD_DEVICE_FAILURE),
        (10, Quality.BAD_NO_COMMUNICATION),
        (11, Quality.BAD_NO_COMMUNICATION),
    ],
)
async def test_an_exception_of_the_device_becomes_a_quality(
    device: Device, driver: Driver, code: int, quality: int
) -> None:
    device.codes = [code]
    reading = (await driver.read(["hr:13"]))[0]
    assert (reading.value, reading.quality) == (None, quality)


async def test_a_busy_device_is_asked_again(device: Device, driver: Driver) -> None:
    device.codes = [6, 5]
    assert (await driver.read(["hr:13"]))[0].value == 13
    device.codes = [6, 6, 6]
    assert (await driver.read(["hr:13"]))[0].quality == Quality.BAD_COMMUNICATION_ERROR


async def test_a_number_that_is_none_is_a_broken_sensor(device: Device, driver: Driver) -> None:
    await device.set("hr", 0, [0x7FC0, 0, 0x7F80, 0])
    for reading in await driver.read(["hr:0:float32", "hr:2:float32"]):
        assert (reading.value, reading.quality) == (None, Quality.BAD_SENSOR_FAILURE)


async def test_requests_failures_and_seconds_are_counted(device: Device, driver: Driver) -> None:
    before = driver.traffic()
    assert (before.requests, before.failures, before.last_seconds) == (0, 0, 0.0)
    await driver.read(["hr:1", "coil:1"])
    device.slow = 0.05
    await driver.read(["hr:1"])
    device.slow = 0.0
    device.codes = [4]
    await driver.read(["hr:1"])
    counted = driver.traffic()
    assert (counted.requests, counted.failures) == (4, 1)
    assert counted.slowest_seconds >= 0.05
    assert 0 < counted.last_seconds <= counted.slowest_seconds


async def test_a_connection_without_addresses_shows_that_it_lives(
    device: Device, driver: Driver, until: Until
) -> None:
    await driver.subscribe([], lambda _: None)
    await until(lambda: len(device.requests) == 1)


async def test_a_machine_is_proved_by_an_answer_and_not_by_an_open_socket(
    device: Device, driver: Driver
) -> None:
    assert isinstance(driver, ModbusDriver)
    await driver.prove()
    device.codes = [2]
    await driver.prove()
    device.codes = [11]
    with pytest.raises(Unreachable, match="the unit behind the gateway does not answer"):
        await driver.prove()


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
        modbus_machines.drop("WELD-1")
        await modbus_machines.tick()
        async with asyncio.timeout(10):
            assert isinstance(await driver.lost(), Unreachable)
        assert all(reading.quality == Quality.GOOD for reading in got)
    finally:
        await driver.close()


async def test_a_crashed_server_is_noticed_at_once(modbus_machines: SimulatedPlant, until: Until) -> None:
    wanted = next(c for c in modbus_machines.plant.connections if c.name == "conv-1-modbus")
    driver = open_driver(wanted)
    got: list[Reading] = []
    await driver.connect()
    try:
        await driver.subscribe([Watch("ir:0:float32", 0.05)], got.extend)
        await until(lambda: bool(got))
        await modbus_machines.stop_modbus()
        async with asyncio.timeout(10):
            assert isinstance(await driver.lost(), Unreachable)
    finally:
        await driver.close()


async def test_nobody_on_the_port_and_a_url_without_a_host_get_a_sentence(free_port: int) -> None:
    with pytest.raises(RefusedConnection, match="no Modbus server on that port"):
        await open_driver(Connection("d", "modbus-tcp", f"tcp://127.0.0.1:{free_port}")).connect()
    with pytest.raises(Refused, match="has no host name"):
        open_driver(Connection("d", "modbus-tcp", "tcp://"))
    driver = open_driver(Connection("d", "modbus-tcp", "tcp://no-such-host.invalid:502"))
    with pytest.raises(Unreachable, match="no-such-host"):
        await driver.connect()
    with pytest.raises(Unreachable, match="the connection is closed"):
        await driver.read(["hr:0"])


async def test_browsing_shows_every_way_to_read_a_register_the_likely_ones_first(
    device: Device, driver: Driver
) -> None:
    await device.set("hr", 11, encode(123.456, parse_address("hr:11:float32")))
    found = await driver.browse("hr:11")
    assert found[0].address == "hr:11:float32:abcd"
    assert math.isclose(float(found[0].detail), 123.456, rel_tol=1e-6)
    assert "hr:11.15" in [node.address for node in found]
    assert [node.detail for node in await driver.browse("coil:4")][:3] == ["off", "on", "off"]
    assert len(await driver.browse("di:60")) == 4
    last = await driver.browse("hr:299")
    assert {node.name.split()[0] for node in last} == {"int16", "uint16", "string", "bit"}
    with pytest.raises(BadAddress, match="no such register"):
        await driver.browse("hr:300")
    device.codes = [4]
    with pytest.raises(DeviceTrouble, match="a fault of its own"):
        await driver.browse("hr:1")
