"""Two hundred Modbus devices in one event loop: all are polled, and a slow one makes nobody wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from tests.drivers.modbus_supervision import Supervised
from tests.drivers.odd_device import OddDevice, registers
from tests.proxy import FaultyProxy

Until = Callable[..., "asyncio.Future[None]"]
SERVERS, ADDRESSES = 20, 10  # loopback has many addresses, and each makes a connection of its own


async def test_two_hundred_devices_are_polled_and_a_slow_one_delays_nobody(until: Until) -> None:
    async with AsyncExitStack() as stack:
        devices = [
            await stack.enter_async_context(
                OddDevice(lambda t, u, m: registers(t, u, int.from_bytes(m[1:3], "big")), places=ADDRESSES)
            )
            for _ in range(SERVERS)
        ]
        slow_one = await stack.enter_async_context(OddDevice(lambda t, u, _: registers(t, u, 1)))
        proxy = await stack.enter_async_context(FaultyProxy("127.0.0.1", slow_one.port))
        proxy.delay(2.0)
        kept = [
            await stack.enter_async_context(
                Supervised(device.at(f"127.0.0.{address}"), ["hr:3", "hr:200"], 0.5)
            )
            for device in devices
            for address in range(1, ADDRESSES + 1)
        ]
        slow = await stack.enter_async_context(Supervised(slow_one.through(proxy.port), ["hr:3"], 0.1))
        await until(lambda: all(len(one.good) >= 8 for one in kept), 60)
        assert len(slow.good) < min(len(one.good) for one in kept), (
            "everybody was served several times before the slow one was"
        )
        assert not [one for one in kept if one.faults]
        assert {(r.address, r.value) for one in kept for r in one.got} == {("hr:3", 3), ("hr:200", 200)}
        assert {device.accepted for device in devices} == {ADDRESSES}, "one connection for each, no knocking"
        await until(lambda: bool(slow.good), 60)
