"""Answers that are late, foreign, short, long or cut in half: never taken for a value, never a crash."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from random import Random

import pytest

from app.domain.samples import Quality
from app.drivers import open_driver
from app.drivers.faults import DeviceTrouble, MachineFault, RefusedConnection, Unreachable
from app.drivers.protocol import Driver, Reading, Watch
from tests.drivers.modbus_device import Device
from tests.drivers.odd_device import OddDevice, Reply, registers
from tests.proxy import FaultyProxy

Until = Callable[..., "asyncio.Future[None]"]


async def read_of(reply: Reply, address: str = "hr:7", timeout: float = 0.3) -> Reading:
    """What a driver makes of the answers of an odd device."""
    async with OddDevice(reply) as device:
        driver = open_driver(device.connection(timeout=timeout))
        await driver.connect()
        try:
            return (await driver.read([address]))[0]
        finally:
            await driver.close()


async def test_an_answer_with_another_number_or_of_another_unit_is_not_taken() -> None:
    def foreign(transaction: int, unit: int, _: bytes) -> bytes:
        others = registers(transaction - 1, unit, 666) + registers(transaction + 1, unit, 666)
        return others + registers(0, unit, 666) + registers(transaction, unit + 1, 666)

    with pytest.raises(Unreachable, match="4 messages came, none of them the answer"):
        await read_of(foreign)
    reading = await read_of(lambda t, u, m: foreign(t, u, m) + registers(t, u, 7), timeout=5)
    assert (reading.value, reading.quality) == (7, Quality.GOOD)


@pytest.mark.parametrize(
    "message",
    [
        b"\x03\x02\x00",
        b"\x03\x04\x00\x07\x00\x08",
        b"\x03\x00",
        b"\x04\x02\x00\x07",
        b"\x03",
        b"\x83",
        b"\x03\x02" + bytes(250),
    ],
)
async def test_a_short_long_or_foreign_answer_is_bad_and_the_connection_goes_on(message: bytes) -> None:
    asked = 0

    def reply(transaction: int, unit: int, _: bytes) -> bytes:
        nonlocal asked
        asked += 1
        if asked == 2:
            return registers(transaction, unit, 7)
        return struct.pack(">HHHB", transaction, 0, len(message) + 1, unit) + message

    async with OddDevice(reply) as device:
        driver = open_driver(device.connection())
        await driver.connect()
        try:
            first = (await driver.read(["hr:7"]))[0]
            assert (first.value, first.quality) == (None, Quality.BAD_COMMUNICATION_ERROR)
            assert (await driver.read(["hr:7"]))[0].value == 7
        finally:
            await driver.close()
    assert device.accepted == 1


@pytest.mark.parametrize("seed", range(10))
async def test_any_bytes_at_all_are_a_fault_and_never_a_value(seed: int) -> None:
    noise = Random(seed)
    try:
        reading = await read_of(lambda *_: b"\xff" + noise.randbytes(noise.randint(7, 600)))
    except MachineFault:
        return
    assert reading.value is None


async def test_something_that_is_not_modbus_is_said() -> None:
    with pytest.raises(DeviceTrouble, match="what it sends is not Modbus"):
        await read_of(lambda *_: b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def test_a_device_that_closes_on_us_may_have_another_client() -> None:
    async with OddDevice(lambda *_: b"", places=0) as device:
        driver = open_driver(device.connection())

        async def try_it() -> None:
            await driver.connect()
            await driver.read(["hr:0"])

        try:
            with pytest.raises(RefusedConnection, match="many devices allow one client only"):
                await try_it()
        finally:
            await driver.close()


async def test_a_late_answer_is_never_taken_for_that_of_a_later_question(free_port: int) -> None:
    device = await Device().over_tcp(free_port)
    async with FaultyProxy("127.0.0.1", free_port) as proxy:
        device.port = proxy.port
        driver = open_driver(device.connection(timeout=0.6))
        await driver.connect()
        try:
            for register in range(0, 8, 2):
                proxy.delay(0.8, "down")
                with pytest.raises(Unreachable):
                    await driver.read([f"hr:{register}"])
                proxy.delay(0.0)  # the next answer comes at once, behind the one that is still on its way
                assert [r.value for r in await driver.read([f"hr:{register + 1}"])] == [register + 1]
            assert proxy.accepted == 1
        finally:
            await driver.close()
            await device.stop()


async def watched(driver: Driver, got: list[Reading]) -> None:
    await driver.connect()
    await driver.subscribe([Watch("hr:100:float32", 0.02), Watch("hr:200:uint32", 0.02)], got.extend)


async def test_a_cable_pulled_in_the_middle_of_an_answer_leaves_no_false_value(
    free_port: int, until: Until
) -> None:
    device = await Device().over_tcp(free_port)
    whole = {
        "hr:100:float32": struct.unpack(">f", struct.pack(">HH", 100, 101))[0],
        "hr:200:uint32": 200 << 16 | 201,
    }
    got: list[Reading] = []
    async with FaultyProxy("127.0.0.1", free_port) as proxy:
        device.port = proxy.port
        for count in (1, 8, 9, 12):  # an answer has 13 bytes
            driver = open_driver(device.connection(timeout=0.8))
            await watched(driver, got)
            try:
                seen = len(got)
                await until(lambda seen=seen: len(got) > seen + 4)
                proxy.mute_after(count)
                async with asyncio.timeout(10):
                    assert isinstance(await driver.lost(), Unreachable)
                await proxy.heal()
            finally:
                await driver.close()
        driver = open_driver(device.connection())
        await watched(driver, got)
        seen = len(got)
        await until(lambda: len(got) > seen + 4)
        proxy.hold()  # half a second without a cable: what was on its way still counts
        await asyncio.sleep(0.3)
        await proxy.heal()
        seen = len(got)
        await until(lambda: len(got) > seen + 4)
        proxy.cut_after(5)
        async with asyncio.timeout(10):
            assert isinstance(await driver.lost(), Unreachable)
        await driver.close()
    await device.stop()
    assert {(r.address, r.value) for r in got} == set(whole.items())
    assert {r.quality for r in got} == {Quality.GOOD}


async def test_a_half_open_connection_is_left_and_made_anew(free_port: int, until: Until) -> None:
    device = await Device().over_tcp(free_port)
    async with FaultyProxy("127.0.0.1", free_port) as proxy:
        device.port = proxy.port
        got: list[Reading] = []
        driver = open_driver(device.connection(timeout=0.8))
        await watched(driver, got)
        await until(lambda: bool(got))
        proxy.half_open()
        async with asyncio.timeout(10):
            assert "no response" in (await driver.lost()).sentence
        await driver.close()
        driver = open_driver(device.connection(timeout=0.8))
        await watched(driver, got)
        async with asyncio.timeout(10):
            assert isinstance(await driver.lost(), Unreachable)
        await driver.close()
        await proxy.refuse()
        with pytest.raises(RefusedConnection):
            await watched(driver, got)
        await proxy.heal()
        driver = open_driver(device.connection())
        seen = len(got)
        await watched(driver, got)
        await until(lambda: len(got) > seen)
        await driver.close()
    await device.stop()
