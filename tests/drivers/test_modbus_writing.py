"""Writing to Modbus devices: the right function for each address, all or nothing, and a plain no for what cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Value
from app.drivers import open_driver
from app.drivers.faults import BadAddress, DeviceTrouble, Unconfirmed, Unreachable
from app.drivers.protocol import Driver
from tests.drivers.modbus_device import Device
from tests.drivers.odd_device import OddDevice, registers


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


@pytest.mark.parametrize(
    ("address", "value", "function"),
    [
        ("coil:6", True, 5),
        ("coil:7", 0, 5),
        ("hr:7", 1234, 6),
        ("hr:7:int16:badc", -2, 6),
        ("hr:7:bcd16", 1234, 6),
        ("hr:7:float32:cdab", 12.5, 16),
        ("hr:7:float64:dcba", -1e-9, 16),
        ("hr:7:int64:badc", -(2**40), 16),
        ("hr:7:bcd32", 12345678, 16),
        ("hr:7:string(9)", "Press 4", 16),
        ("hr:7:time32", "2026-03-31T14:00:00+00:00", 16),
        ("hr:8.0", True, 22),
        ("hr:9.3", False, 22),
        ("hr:9.0:bool:badc", True, 22),
    ],
)
async def test_every_kind_of_value_is_written_with_its_function_and_reads_back(
    device: Device, driver: Driver, address: str, value: Value, function: int
) -> None:
    await driver.write(address, value)
    assert {used for used, _, _ in device.requests} == {function}
    assert (await driver.read([address]))[0].value == value


async def test_a_bit_is_changed_without_touching_its_neighbours(device: Device, driver: Driver) -> None:
    await device.set("hr", 40, [0b1010_0101])
    await driver.write("hr:40.1", True)
    await driver.write("hr:40.7", False)
    assert await device.get("hr", 40) == [0b0010_0111]


async def test_a_device_that_cannot_mask_has_no_bit_written_behind_its_back(
    device: Device, driver: Driver
) -> None:
    device.without = {22}
    with pytest.raises(Refused, match="cannot change one bit of a register"):
        await driver.write("hr:40.1", True)
    assert await device.get("hr", 40) == [40]
    assert {function for function, _, _ in device.requests} == {22}


async def test_a_device_that_knows_only_the_long_requests_gets_them(device: Device, driver: Driver) -> None:
    device.without = {5, 6}
    await driver.write("hr:40", 7)
    await driver.write("coil:4", True)
    assert (await device.get("hr", 40), await device.get("coil", 4)) == ([7], [1])


@pytest.mark.parametrize(
    ("address", "value", "why"),
    [
        ("ir:1", 1, "input register: machines let it be read only"),
        ("di:1", True, "discrete input: machines let it be read only"),
        ("hr:1", 65536, "uint16 holds 0 to 65535"),
        ("hr:1:int16", -32769, "int16 holds -32768 to 32767"),
        ("hr:1:bcd16", 10000, "bcd16 holds 0 to 9999"),
        ("hr:1:float32", 1e39, "float32 holds"),
        ("hr:1", "hot", "is not a number"),
        ("hr:1", None, "is not a number"),
        ("hr:1:float32", float("nan"), "is not a number"),
        ("hr:1:string(3)", "Press", "longer than 3 bytes"),
        ("hr:1:string(250)", "Press", "one request may write"),
        ("coil:1", 2, "either on or off"),
        ("coil:1", "on", "either on or off"),
        ("hr:1.2", 0.5, "either on or off"),
    ],
)
async def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    device: Device, driver: Driver, address: str, value: Value, why: str
) -> None:
    with pytest.raises(Refused, match=why) as refused:
        await driver.write(address, value)
    assert refused.value.sentence.endswith(".")
    assert not device.requests


async def test_a_device_that_says_no_is_quoted(device: Device, driver: Driver) -> None:
    device.bad = {12}
    with pytest.raises(DeviceTrouble, match="did not take 5 for hr:12: it has no such address"):
        await driver.write("hr:12", 5)
    device.codes = [3]
    with pytest.raises(DeviceTrouble, match="does not allow this value"):
        await driver.write("hr:13", 5)
    with pytest.raises(BadAddress):
        await driver.write("cow:13", 5)
    device.codes = [6]
    await driver.write("hr:13", 5)
    assert await device.get("hr", 13) == [5]


async def test_a_write_without_an_answer_is_not_repeated_and_its_fate_is_not_guessed(device: Device) -> None:
    driver = open_driver(device.connection(timeout=0.2))
    await driver.connect()
    device.silent = {1}
    try:
        with pytest.raises(Unreachable, match="whether it took the value is not known"):
            await driver.write("hr:13", 5)
        await asyncio.sleep(0.1)
        assert len(device.requests) == 1
    finally:
        await driver.close()


async def test_a_confirmation_of_something_else_confirms_nothing() -> None:
    async with OddDevice(lambda t, u, m: registers(t, u)[:4] + bytes([0, 6, u]) + m[:3] + b"\0\x09") as odd:
        driver = open_driver(odd.connection())
        await driver.connect()
        try:
            with pytest.raises(Unconfirmed, match="confirms something else"):
                await driver.write("hr:13", 5)
        finally:
            await driver.close()


@pytest.mark.parametrize("code", [5, 11])
async def test_a_device_that_may_have_taken_a_value_is_not_said_to_have_refused_it(code: int) -> None:
    asked: list[bytes] = []

    def reply(transaction: int, unit: int, message: bytes) -> bytes:
        asked.append(message)
        return registers(transaction, unit)[:4] + bytes([0, 3, unit, message[0] | 0x80, code])

    async with OddDevice(reply) as odd:
        driver = open_driver(odd.connection())
        await driver.connect()
        try:
            with pytest.raises(Unconfirmed, match="whether it took the value is not known"):
                await driver.write("hr:13", 5)
        finally:
            await driver.close()
    assert len(asked) == 1


async def test_a_write_without_an_answer_is_taken_off_the_wire_lest_it_arrive_late() -> None:
    ends: asyncio.Queue[Exception | None] = asyncio.Queue()

    class Mute(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            ends.put_nowait(exc)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Mute, "127.0.0.1", 0)
    url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    driver = open_driver(Connection("d", "modbus-tcp", url, timeout=0.2))
    await driver.connect()
    try:
        with pytest.raises(Unreachable):
            await driver.write("hr:13", 5)
        async with asyncio.timeout(10):
            assert isinstance(await ends.get(), ConnectionResetError)
        with pytest.raises(Unreachable):  # over a new socket
            await driver.read(["hr:13"])
    finally:
        await driver.close()
        server.close()
        await server.wait_closed()
