"""How soon a machine is tried again: at once after a loss, within seconds after a minute, patiently where needed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.domain.machine_news import LinkState
from app.drivers.faults import (
    ExpiredCertificate,
    NoSuchSecurity,
    ServerCertificate,
    TooManySessions,
    UnknownServer,
    Unreachable,
    UntrustedCertificate,
    WrongCredentials,
)
from app.drivers.mqtt_faults import UntrustedBroker
from app.drivers.simulator import SimulatedPlant
from app.live.back_off import BackOff
from app.live.source import MemoryPlantSource
from app.live.watchdog import within
from tests.live.conftest import collecting, until

GONE = Unreachable("tcp://m")
SHOWN = ServerCertificate(
    "ab" * 32, "CN=oven", datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
)
FOR_A_PERSON = (
    TooManySessions("m"),
    WrongCredentials("m"),
    UnknownServer("m", SHOWN),
    ExpiredCertificate("m", SHOWN),
    NoSuchSecurity("m", "Basic256Sha256/Sign", ()),
    UntrustedCertificate("m"),
    UntrustedBroker("m", "no"),
)


@given(st.integers(0, 1000), st.integers())
def test_pauses_grow_to_ten_seconds_and_no_further(attempt: int, seed: int) -> None:
    back_off, chance = BackOff(), Random(seed)
    pause = back_off.pause(attempt, GONE, chance)
    assert 0.375 <= pause <= 12.5
    for fault in FOR_A_PERSON:
        assert 45 <= back_off.pause(attempt, fault, chance) <= 75


@given(st.integers())
def test_a_machine_that_is_back_after_a_minute_is_tried_within_seven_seconds_on_average(seed: int) -> None:
    chance, waits = Random(seed), []
    for _ in range(200):
        at, attempt = 0.0, 0
        while at < 60:
            at += BackOff().pause(attempt, GONE, chance)
            attempt += 1
        waits.append(at - 60)
    assert sum(waits) / len(waits) < 7


async def test_work_that_takes_too_long_is_ended_even_when_it_swallows_its_cancellation() -> None:
    ended = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            try:
                await asyncio.sleep(60)  # as a library that loses a cancellation
            finally:
                ended.set()

    try:
        await within(0.05, stubborn())
    except TimeoutError:
        assert ended.is_set()
    else:
        raise AssertionError("it went on")
    assert await within(5, asyncio.sleep(0, "done")) == "done"


async def test_a_bug_in_a_driver_stops_no_other_machine_and_is_tried_again(
    modbus_machines: SimulatedPlant, data_dir: Path, expected_errors: list[object]
) -> None:
    from app.drivers import open_driver
    from app.drivers.protocol import Credentials, Driver

    opened: list[str] = []

    def opener(connection: object, credentials: Credentials) -> Driver:
        from app.domain.plant import Connection

        assert isinstance(connection, Connection)
        opened.append(connection.name)
        if connection.name == "weld-1-modbus" and opened.count(connection.name) == 1:
            raise ImportError("a library is missing")
        return open_driver(connection, credentials)

    async with collecting(MemoryPlantSource(modbus_machines.plant), data_dir, opener=opener) as collector:
        await until(lambda: collector.links.driver_of("conv-1-modbus"))
        await until(lambda: collector.links.driver_of("weld-1-modbus"))
        states = {s.connection: s.state for s in collector.links.statuses()}
        assert states["weld-1-modbus"] is LinkState.ONLINE
    assert expected_errors
