"""Sessions of OPC UA servers, of which small controllers have five: never leaked, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_session import InternalSession
from asyncua.ua.status_codes import StatusCodes

from app.domain.samples import Quality
from app.drivers.faults import MachineFault, TooManySessions, Unreachable
from app.drivers.opcua import OpcUaDriver
from app.drivers.protocol import Reading, Watch
from tests.drivers.opcua_machine import Machine, Prepared, machine, stop
from tests.proxy import FaultyProxy

Until = Callable[..., "asyncio.Future[None]"]
_ANYBODY = User(role=UserRole.Anonymous)


class FiveSessions(Prepared):
    """A controller with five places for clients; a session that nobody closes keeps its place."""

    def create_session(self, name: str, user: User = _ANYBODY, external: bool = False) -> InternalSession:
        if external and len(self._external_sessions) >= 5:
            raise ServiceError(StatusCodes.BadTooManySessions)
        return super().create_session(name, user, external)


async def opened(served: Machine, **settings: Any) -> OpcUaDriver:
    driver = OpcUaDriver(served.connection(**settings))
    await driver.connect()
    return driver


async def test_a_server_with_five_sessions_is_opened_and_closed_twenty_times(until: Until) -> None:
    async with machine(inside=FiveSessions()) as served:
        address = await served.add("speed", 1.0)
        for _ in range(20):
            driver = await opened(served)
            await driver.subscribe([Watch(address, 0.1)], lambda _: None)
            await driver.close()
            await until(lambda: not served.sessions)
        guests = [await opened(served) for _ in range(5)]
        try:
            with pytest.raises(TooManySessions, match="close other programs"):
                await opened(served)
            await guests.pop().close()
            guests.append(await opened(served))
        finally:
            for guest in guests:
                await guest.close()


async def test_giving_up_in_the_middle_of_connecting_leaves_no_session(until: Until) -> None:
    async with machine(inside=FiveSessions()) as served, FaultyProxy("127.0.0.1", served.port) as proxy:
        url = f"opc.tcp://127.0.0.1:{proxy.port}/machine"
        proxy.delay(0.05)
        for patience in (0.05, 0.15, 0.25, 0.35, 0.45, 0.55):
            driver = OpcUaDriver(served.connection(url=url))
            connecting = asyncio.create_task(driver.connect())
            await asyncio.wait([connecting], timeout=patience)
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await driver.close()
            await until(lambda: not served.sessions)


async def test_a_short_timeout_of_the_session_frees_the_place_of_a_crashed_program() -> None:
    async with machine() as served:
        driver = await opened(served)
        (session,) = served.sessions
        assert session.session_timeout is not None
        assert session.session_timeout <= 30.0
        await driver.close()


async def test_a_cable_pulled_in_the_middle_of_a_message_is_noticed_and_the_machine_comes_back(
    until: Until,
) -> None:
    async with machine() as served, FaultyProxy("127.0.0.1", served.port) as proxy:
        addresses = [await served.add(f"v{i}", float(i)) for i in range(50)]
        wanted = served.connection(url=f"opc.tcp://127.0.0.1:{proxy.port}/machine", timeout=3.0)
        driver = OpcUaDriver(wanted)
        got: list[Reading] = []
        await driver.connect()
        await driver.subscribe([Watch(a, 0.05) for a in addresses], got.extend)
        await until(lambda: len(got) == 50)
        proxy.cut_after(200)
        for address in addresses:
            await served.show(address, 99.0, ua.VariantType.Double)
        async with asyncio.timeout(20):
            assert isinstance(await driver.lost(), Unreachable)
        assert {r.quality for r in got} == {int(Quality.GOOD)}
        await driver.close()
        await proxy.heal()
        again = OpcUaDriver(wanted)
        try:
            await again.connect()
            await again.subscribe([Watch(a, 0.05) for a in addresses], got.extend)
            await until(lambda: len(got) >= 100)
            assert {r.value for r in got[-50:]} == {99.0}
        finally:
            await again.close()


@pytest.mark.parametrize("fault", ["half open", "muted in a message", "refused"])
async def test_a_machine_that_falls_silent_is_noticed(until: Until, fault: str) -> None:
    async with machine() as served, FaultyProxy("127.0.0.1", served.port) as proxy:
        address = await served.add("speed", 1.0)
        wanted = served.connection(url=f"opc.tcp://127.0.0.1:{proxy.port}/machine", timeout=1.0)
        driver = OpcUaDriver(wanted)
        try:
            await driver.connect()
            await driver.subscribe([Watch(address, 0.05)], lambda _: None)
            if fault == "refused":
                await proxy.refuse()
            elif fault == "half open":
                proxy.half_open()
                proxy.mute_after(0)
            else:
                proxy.mute_after(10)
            async with asyncio.timeout(30):
                assert isinstance(await driver.lost(), Unreachable)
            with pytest.raises(MachineFault):
                await driver.read([address])
        finally:
            await driver.close()


async def test_a_restarted_server_is_found_again_by_a_new_driver(until: Until) -> None:
    async with machine() as first:
        port = first.port
        address = await first.add("speed", 1.0)
        driver = await opened(first)
        await driver.subscribe([Watch(address, 0.05)], lambda _: None)
        await stop(first.server)
        async with asyncio.timeout(20):
            assert isinstance(await driver.lost(), Unreachable)
        await driver.close()
    async with machine(port=port) as second:
        await second.add("speed", 2.0)
        driver = await opened(second)
        assert [r.value for r in await driver.read([address])] == [2.0]
        await driver.close()


async def test_what_was_asked_and_what_failed_is_counted() -> None:
    async with machine() as served:
        address = await served.add("speed", 1.0)
        driver = await opened(served)
        try:
            before = driver.traffic()
            await driver.read([address])
            after = driver.traffic()
            assert after.requests == before.requests + 1
            assert after.failures == before.failures
            assert 0 < after.last_seconds <= after.slowest_seconds
        finally:
            await driver.close()
        with pytest.raises(Unreachable):
            await driver.read([address])
