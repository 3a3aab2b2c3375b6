"""Modbus RTU over pseudo terminals: one line for many units, noise, silence, an adapter that is unplugged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Refused
from app.domain.plant import Connection, SerialLine
from app.domain.samples import Quality
from app.drivers import driver_for_url, open_driver
from app.drivers.faults import PortFault, Unconfirmed, Unreachable
from app.drivers.modbus_frames import serial_frame
from app.drivers.serial_ports import port_of
from tests.drivers.modbus_device import LINE, Device
from tests.drivers.modbus_supervision import Supervised
from tests.drivers.serial_cable import SerialCable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo terminals")
Until = Callable[..., "asyncio.Future[None]"]


@pytest.fixture
async def cable(tmp_path: Path) -> AsyncIterator[SerialCable]:
    async with SerialCable(tmp_path) as made:
        yield made


@pytest.fixture
async def device(cable: SerialCable) -> AsyncIterator[Device]:
    made = await Device((1, 2, 3)).over_serial(cable.far)
    yield made
    await made.stop()


def over(cable: SerialCable, unit: int = 1, **more: Any) -> Connection:
    known: dict[str, Any] = {"timeout": 2.0, "line": LINE}
    return Connection(f"u{unit}", "modbus-rtu", cable.url, unit=unit, **(known | more))


async def read_once(connection: Connection, address: str = "hr:7") -> tuple[object, int]:
    driver = open_driver(connection)
    await driver.connect()
    try:
        reading = (await driver.read([address]))[0]
        return reading.value, reading.quality
    finally:
        await driver.close()


async def test_values_of_several_units_come_over_one_line(device: Device, cable: SerialCable) -> None:
    await device.set("hr", 5, [222], unit=2)
    drivers = [open_driver(over(cable, unit)) for unit in (1, 2, 3)]
    for driver in drivers:
        await driver.connect()
    try:
        read = await asyncio.gather(
            *(driver.read(["hr:5", "ir:299", "coil:1", "di:2"]) for driver in drivers)
        )
        assert [[r.value for r in some] for some in read] == [
            [5, 299, True, False],
            [222, 299, True, False],
            [5, 299, True, False],
        ]
        await drivers[2].write("hr:100:float32", 2.5)
        assert (await drivers[2].read(["hr:100:float32"]))[0].value == 2.5
        await drivers[2].write("hr:10", 77)
        assert (await drivers[2].read(["hr:10", "hr:0:string(200)"]))[0].value == 77
        assert drivers[2].traffic().failures == 0
    finally:
        for driver in drivers:
            await driver.close()


async def test_the_line_is_free_as_soon_as_the_last_one_has_left(device: Device, cable: SerialCable) -> None:
    for _ in range(5):
        assert await read_once(over(cable)) == (7, Quality.GOOD)


async def test_noise_around_an_answer_and_an_echo_do_no_harm(device: Device, cable: SerialCable) -> None:
    cable.to_near = lambda data: b"\x00\xff\x01\x03" + data + b"\xfe"
    assert await read_once(over(cable)) == (7, Quality.GOOD)
    cable.heal()

    def echo(data: bytes) -> bytes:
        cable.say(data)
        return data

    cable.to_far = echo
    driver = open_driver(over(cable))
    await driver.connect()
    try:
        assert [r.value for r in await driver.read(["hr:7", "coil:0", "coil:17"])] == [7, False, True]
        await driver.write("hr:7", 8)
        assert (await driver.read(["hr:7"]))[0].value == 8
    finally:
        await driver.close()


async def test_a_garbled_answer_is_asked_for_again_and_never_a_value(
    device: Device, cable: SerialCable, until: Until
) -> None:
    spoilt = 0

    def spoil(data: bytes) -> bytes:
        nonlocal spoilt
        spoilt += 1
        return bytes([data[0], data[1], data[2], *(byte ^ 0x10 for byte in data[3:])]) if spoilt % 2 else data

    cable.to_near = spoil
    async with Supervised(over(cable, timeout=0.6), ["hr:7"]) as kept:
        await until(lambda: len(kept.good) >= 3, 60)
    assert {reading.value for reading in kept.got} <= {7, None}
    assert not kept.faults
    cable.to_near = lambda data: data[:3] + bytes(len(data) - 3)
    assert await read_once(over(cable, timeout=0.2)) == (None, Quality.BAD_COMMUNICATION_ERROR)


async def test_a_write_whose_answer_is_garbled_is_sent_once_and_its_fate_is_not_guessed(
    device: Device, cable: SerialCable
) -> None:
    sent: list[bytes] = []

    def spy(data: bytes) -> bytes:
        sent.append(data)
        return data

    cable.to_far, cable.to_near = spy, lambda data: data[:-1] + bytes([data[-1] ^ 1])
    driver = open_driver(over(cable, timeout=0.5))
    await driver.connect()
    try:
        with pytest.raises(Unconfirmed, match="whether it took the value is not known"):
            await driver.write("hr:13", 5)
    finally:
        await driver.close()
    assert len(sent) == 1


async def test_half_an_answer_and_a_wrong_speed_are_said(device: Device, cable: SerialCable) -> None:
    cable.to_near = lambda data: data[:3]
    with pytest.raises(Unreachable, match="no whole answer; check baud rate, parity"):
        await read_once(over(cable, timeout=0.2))
    cable.to_near = lambda _: b""
    with pytest.raises(Unreachable, match="no response"):
        await read_once(over(cable, timeout=0.2))


async def test_what_another_unit_or_an_earlier_question_says_is_not_taken(
    device: Device, cable: SerialCable
) -> None:
    late = serial_frame(1, b"\x03\x02\x02\x9a")  # 666, whole and with a good checksum
    foreign = serial_frame(2, b"\x03\x02\x02\x9a")
    driver = open_driver(over(cable))
    await driver.connect()
    try:
        for _ in range(5):
            cable.say(late)  # before the question: cannot be its answer
            await asyncio.sleep(0.05)
            cable.to_near = lambda data: foreign + data
            assert (await driver.read(["hr:7"]))[0].value == 7
    finally:
        await driver.close()


async def test_one_lost_answer_is_a_bad_value_and_the_second_an_outage(
    device: Device, cable: SerialCable, until: Until
) -> None:
    async with Supervised(over(cable, timeout=0.2), ["hr:7"]) as kept:
        await until(lambda: bool(kept.good))
        cable.to_far = lambda _: b""
        await until(lambda: bool(kept.faults), 30)
        cable.heal()
        assert isinstance(kept.faults[0], Unreachable)
        assert kept.got[-1].quality == Quality.BAD_COMMUNICATION_ERROR
        kept.got.clear()
        await until(lambda: bool(kept.good), 30)


async def test_a_dead_unit_does_not_eat_the_line(device: Device, cable: SerialCable, until: Until) -> None:
    device.silent = {2}
    clock = asyncio.get_running_loop().time
    began = clock()
    async with AsyncExitStack() as stack:
        kept = [
            await stack.enter_async_context(Supervised(over(cable, unit, timeout=limit), ["hr:7"]))
            for unit, limit in ((1, 5.0), (2, 0.2), (3, 5.0))
        ]
        await until(lambda: min(len(kept[0].good), len(kept[2].good)) > 50, 60)
        assert 1 <= device.asked.count(2) <= 3 + (clock() - began) / 0.8
        assert not kept[0].faults
        assert not kept[1].good
        device.silent = set()
        await until(lambda: len(kept[1].good) > 3, 60)


async def test_an_adapter_that_is_unplugged_and_plugged_in_again(
    device: Device, cable: SerialCable, until: Until
) -> None:
    async with AsyncExitStack() as stack:
        kept = [
            await stack.enter_async_context(Supervised(over(cable, unit, timeout=1.0), ["hr:7"]))
            for unit in (1, 2)
        ]
        await until(lambda: all(one.good for one in kept))
        cable.unplug()
        await until(lambda: all(len(one.faults) > 2 for one in kept), 30)
        for one in kept:
            assert all(isinstance(fault, PortFault) for fault in one.faults)
            assert "is gone" in one.faults[0].sentence
            assert "There is no serial port" in one.faults[-1].sentence
            one.got.clear()
        cable.plug_in()
        await until(lambda: all(one.good for one in kept), 30)


async def test_what_is_wrong_with_a_port_is_said_with_what_to_do(
    cable: SerialCable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import serial

    with pytest.raises(PortFault, match=r"There is no serial port .*: check that the adapter is plugged in"):
        await read_once(replace(over(cable), url=f"serial://{tmp_path}/ttyUSB7"))
    with (
        serial.Serial(str(cable.near), exclusive=True),
        pytest.raises(PortFault, match="in use by another program"),
    ):
        await read_once(over(cable))
    plain = tmp_path / "notes.txt"
    plain.touch()
    with pytest.raises(PortFault, match=r"cannot be opened as a serial port|cannot be set to"):
        await read_once(replace(over(cable), url=f"serial://{plain}"))

    def forbidden(*_: object, **__: object) -> None:
        raise serial.SerialException(13, "could not open port: [Errno 13] Permission denied")

    monkeypatch.setattr(serial, "Serial", forbidden)  # the tests may run as a user who may open everything
    with pytest.raises(PortFault, match="add the user to the group"):
        await read_once(over(cable))


async def test_what_cannot_be_a_serial_unit_is_refused(cable: SerialCable, device: Device) -> None:
    for unit in (0, 248):
        with pytest.raises(Refused, match="from 1 to 247"):
            open_driver(over(cable, unit))
    one = open_driver(over(cable))
    await one.connect()
    try:
        with pytest.raises(Refused, match="same baud rate"):
            await open_driver(over(cable, 2, line=SerialLine(9600, "none"))).connect()
    finally:
        await one.close()


def test_ports_are_named_as_the_system_names_them() -> None:
    assert driver_for_url("serial:///dev/ttyUSB0") == "modbus-rtu"
    assert port_of("serial:///dev/ttyUSB0") == "/dev/ttyUSB0"
    assert port_of("serial://COM3") == "COM3"
    assert port_of("serial:///dev/serial/by-id/usb-FTDI%20x") == "/dev/serial/by-id/usb-FTDI x"
    for nothing in ("serial://", "serial:///"):
        with pytest.raises(Refused, match="names no serial port"):
            port_of(nothing)
