"""Many units behind one socket: one connection, turns taken fairly, a dead unit costs the others little."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from app.domain.samples import Quality
from app.drivers import open_driver
from app.drivers.faults import Unreachable
from app.drivers.modbus import line_of
from app.drivers.modbus_lines import take_seat
from app.drivers.modbus_requests import read_request
from tests.drivers.modbus_device import Device
from tests.drivers.modbus_supervision import Supervised
from tests.drivers.odd_device import OddDevice, registers
from tests.proxy import FaultyProxy

Until = Callable[..., "asyncio.Future[None]"]


def unit_number(transaction: int, unit: int, _: bytes) -> bytes:
    return registers(transaction, unit, unit)


async def test_units_share_the_one_place_that_a_gateway_has(until: Until) -> None:
    async with OddDevice(unit_number, places=1) as device:
        drivers = [open_driver(device.connection(unit)) for unit in (0, 1, 2, 247, 255)]
        await asyncio.gather(*(driver.connect() for driver in drivers))
        for _ in range(3):
            values = await asyncio.gather(*(driver.read(["hr:0"]) for driver in drivers))
            assert [v[0].value for v in values] == [0, 1, 2, 247, 255]
        await drivers[0].close()
        await drivers[3].close()
        assert (await drivers[1].read(["hr:0"]))[0].value == 1
        await drivers[3].connect()  # a driver may also be opened again
        assert (await drivers[3].read(["hr:0"]))[0].value == 247
        assert (device.accepted, device.turned_away) == (1, 0)
        for driver in drivers:
            await driver.close()
            await driver.close()
        await until(lambda: not device.clients)
        again = open_driver(device.connection(9))
        await again.connect()
        assert (await again.read(["hr:0"]))[0].value == 9
        await again.close()
        assert (device.accepted, device.turned_away) == (2, 0)


async def test_seats_take_turns_however_much_one_of_them_wants() -> None:
    asked: list[int] = []

    def reply(transaction: int, unit: int, _: bytes) -> bytes:
        asked.append(unit)
        return registers(transaction, unit, unit)

    async with OddDevice(reply) as device:
        way = line_of(device.connection())
        seats = [take_seat(way, unit, lambda _: None) for unit in (1, 2, 3)]
        await seats[0].open(2)
        wishes = [seats[0]] * 30 + [seats[1]] * 4 + [seats[2]] * 4
        await asyncio.gather(*(seat.ask(read_request("hr", 0, 1), 2) for seat in wishes))
        for seat in seats:
            await seat.leave()
    assert sorted(asked[:12]) == [1] * 4 + [2] * 4 + [3] * 4
    assert len(asked) == 38


async def test_one_who_stops_waiting_leaves_the_line_in_order() -> None:
    async with OddDevice(unit_number) as device:
        drivers = [open_driver(device.connection(unit)) for unit in (1, 2)]
        for driver in drivers:
            await driver.connect()
        for moment in range(40):
            impatient = asyncio.ensure_future(drivers[0].read(["hr:0"]))
            await asyncio.sleep(moment * 0.0001)
            impatient.cancel()
            values = [(await driver.read(["hr:0"]))[0].value for driver in reversed(drivers)]
            assert values == [2, 1]
        for driver in drivers:
            await driver.close()
        assert device.accepted == 1


async def test_a_silent_unit_is_asked_less_and_less_and_comes_back(free_port: int, until: Until) -> None:
    device = await Device((1, 2, 3)).over_tcp(free_port)
    device.silent = {2}
    clock = asyncio.get_running_loop().time
    began = clock()
    async with AsyncExitStack() as stack:
        kept = [
            await stack.enter_async_context(Supervised(device.connection(unit=unit, timeout=limit), ["hr:7"]))
            for unit, limit in ((1, 5.0), (2, 0.2), (3, 5.0))
        ]
        await until(lambda: min(len(kept[0].got), len(kept[2].got)) > 80, 60)
        # Each time costs the others 0.2 s, and from the second time on at least 0.8 s must pass until the next.
        assert 2 <= device.asked.count(2) <= 3 + (clock() - began) / 0.8
        assert not kept[1].good
        assert all(isinstance(fault, Unreachable) for fault in kept[1].faults)
        assert not kept[0].faults
        assert not kept[2].faults
        device.silent = set()
        await until(lambda: len(kept[1].good) > 3, 60)
    await device.stop()


async def test_a_unit_that_the_gateway_reports_dead_rests_as_well(until: Until) -> None:
    asked: list[int] = []

    def reply(transaction: int, unit: int, message: bytes) -> bytes:
        asked.append(unit)
        if unit == 2:
            return registers(transaction, unit)[:4] + bytes([0, 3, unit, 0x83, 0x0B])
        return registers(transaction, unit, unit)

    clock = asyncio.get_running_loop().time
    began = clock()
    async with (
        OddDevice(reply) as device,
        Supervised(device.connection(1, 5.0), ["hr:0"]) as live,
        Supervised(device.connection(2, 1.0), ["hr:0"]) as dead,
    ):
        await until(lambda: len(live.good) > 60 and len(dead.got) > 60, 60)
        assert {reading.quality for reading in dead.got} == {Quality.BAD_NO_COMMUNICATION}
        assert not dead.faults
        assert 2 <= asked.count(2) <= 3 + (clock() - began) / 4


async def test_all_units_hear_when_their_socket_breaks_and_share_the_next_one(until: Until) -> None:
    async with (
        OddDevice(unit_number, places=1) as device,
        AsyncExitStack() as stack,
    ):
        kept = [
            await stack.enter_async_context(Supervised(device.connection(unit), ["hr:0"]))
            for unit in range(1, 6)
        ]
        await until(lambda: all(one.good for one in kept))
        for client in list(device.clients):
            client.transport.abort()
        await until(lambda: all(one.faults for one in kept))
        for one in kept:
            one.got.clear()
        await until(lambda: all(one.good for one in kept))
        assert (device.accepted, device.turned_away) == (2, 0)
        assert all({reading.value for reading in one.good} == {one.connection.unit} for one in kept)


async def test_a_dead_socket_is_replaced_although_some_unit_always_holds_it(
    free_port: int, until: Until
) -> None:
    device = await Device((1, 2, 3)).over_tcp(free_port)
    async with FaultyProxy("127.0.0.1", free_port) as proxy, AsyncExitStack() as stack:
        device.port = proxy.port
        kept = [
            await stack.enter_async_context(Supervised(device.connection(unit=unit, timeout=0.2), ["hr:7"]))
            for unit in (1, 2, 3)
        ]
        await until(lambda: all(one.good for one in kept))
        proxy.half_open()
        await until(lambda: all(one.faults for one in kept), 30)
        await proxy.heal()
        for one in kept:
            one.got.clear()
        await until(lambda: all(one.good for one in kept), 60)
    await device.stop()
