"""OPC UA against a real server: values with time and quality, faults with sentences, sessions given back."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality
from app.drivers import driver_for_url, open_driver
from app.drivers.faults import BadAddress, MachineFault, RefusedConnection, Unreachable, WrongCredentials
from app.drivers.protocol import Credentials, Reading, Watch
from app.drivers.simulator import SimulatedPlant

Until = Callable[..., "asyncio.Future[None]"]
TEMPERATURE, CYCLES = "ns=2;s=IMM1.temperature", "ns=2;s=IMM1.cycles"


def line(simulation: SimulatedPlant) -> Connection:
    return simulation.plant.connections[0]


async def test_values_arrive_with_the_time_and_quality_of_the_machine(
    simulation: SimulatedPlant, until: Until
) -> None:
    driver = open_driver(line(simulation))
    got: list[Reading] = []
    try:
        await driver.connect()
        granted = await driver.subscribe([Watch(TEMPERATURE, 0.1), Watch(CYCLES, 0.25)], got.extend)
        assert [(g.address, g.fault) for g in granted] == [(TEMPERATURE, None), (CYCLES, None)]
        await until(lambda: {r.address for r in got if r.quality == Quality.GOOD} == {TEMPERATURE, CYCLES})
        await until(lambda: len([r for r in got if r.address == TEMPERATURE]) >= 3)
    finally:
        await driver.close()
    temperatures = [r for r in got if r.address == TEMPERATURE]
    assert all(isinstance(r.value, float) and 50 < r.value < 100 for r in temperatures)
    assert all(timedelta(0) <= r.receive_time - r.source_time < timedelta(seconds=2) for r in temperatures)
    assert all(r.source_time.tzinfo is UTC for r in temperatures)
    assert next(r for r in got if r.address == CYCLES).value == 0


async def test_a_change_of_quality_arrives_as_a_bad_reading_without_a_value(
    simulation: SimulatedPlant, until: Until
) -> None:
    driver = open_driver(line(simulation))
    got: list[Reading] = []
    try:
        await driver.connect()
        await driver.subscribe([Watch(TEMPERATURE, 0.1)], got.extend)
        await until(lambda: bool(got))
        simulation.drop("IMM-1")
        await until(lambda: got[-1].quality == Quality.BAD_NO_COMMUNICATION)
        assert got[-1].value is None
        simulation.restore("IMM-1")
        await until(lambda: got[-1].quality == Quality.GOOD)
    finally:
        await driver.close()


async def test_an_address_that_the_server_does_not_know_is_told_and_the_others_flow(
    simulation: SimulatedPlant, until: Until
) -> None:
    driver = open_driver(line(simulation))
    got: list[Reading] = []
    try:
        await driver.connect()
        wishes = [Watch(a, 0.1) for a in ("ns=2;s=Nothing", "rubbish", TEMPERATURE)]
        granted = {g.address: g.fault for g in await driver.subscribe(wishes, got.extend)}
        assert isinstance(granted["ns=2;s=Nothing"], BadAddress)
        assert isinstance(granted["rubbish"], BadAddress)
        await until(lambda: len({r.address for r in got}) == 3)
        assert {r.address: r.quality for r in got if r.value is None} == {
            "ns=2;s=Nothing": Quality.BAD_NODE_ID_UNKNOWN,
            "rubbish": Quality.BAD_CONFIGURATION_ERROR,
        }
        reading = (await driver.read(["ns=2;s=Nothing"]))[0]
        assert (reading.value, reading.quality) == (None, Quality.BAD_NODE_ID_UNKNOWN)
    finally:
        await driver.close()


async def test_the_address_space_can_be_browsed_down_to_what_can_be_read(simulation: SimulatedPlant) -> None:
    driver = open_driver(line(simulation))
    try:
        await driver.connect()
        machines = {n.name: n for n in await driver.browse()}
        folder = machines["Injection Molding Machine #1"]
        assert (folder.readable, folder.has_children) == (False, True)
        variables = {n.name: n.address for n in await driver.browse(folder.address) if n.readable}
        assert variables["temperature"] == TEMPERATURE
        assert (await driver.read([variables["temperature"]]))[0].quality == Quality.GOOD
    finally:
        await driver.close()


async def test_a_crashed_server_is_noticed_at_once(simulation: SimulatedPlant) -> None:
    driver = open_driver(line(simulation))
    try:
        await driver.connect()
        await simulation.stop_opcua()
        async with asyncio.timeout(5):
            assert isinstance(await driver.lost(), Unreachable)
    finally:
        await driver.close()


async def test_closing_gives_the_session_back(simulation: SimulatedPlant, until: Until) -> None:
    for _ in range(3):
        driver = open_driver(line(simulation))
        await driver.connect()
        await driver.subscribe([Watch(TEMPERATURE, 0.1)], lambda _: None)
        await driver.close()
        await driver.close()
    sessions = simulation._opcua._server.iserver._external_sessions  # type: ignore[union-attr]  # as its operator would look
    await until(lambda: not sessions)


async def test_a_closed_port_and_a_silent_machine_get_their_own_sentences(free_port: int) -> None:
    wanted = Connection("x", "opcua", f"opc.tcp://127.0.0.1:{free_port}", timeout=0.4)
    with pytest.raises(RefusedConnection, match="no OPC UA server on that port"):
        await open_driver(wanted).connect()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        driver = open_driver(replace(wanted, url=f"opc.tcp://127.0.0.1:{silent.getsockname()[1]}"))
        started = time.monotonic()
        with pytest.raises(Unreachable, match="check the machine's power"):
            await driver.connect()
        assert time.monotonic() - started < 2.0


class _Doorkeeper(UserManager):
    """Lets only anna in."""

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        return User(role=UserRole.User) if (username, password) == ("anna", "secret") else None


async def test_a_wrong_password_is_told_as_such_and_the_right_one_opens(free_port: int) -> None:
    server = Server(user_manager=_Doorkeeper())
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{free_port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.start()
    wanted = Connection("x", "opcua", f"opc.tcp://127.0.0.1:{free_port}", user="anna")
    try:
        with pytest.raises(WrongCredentials, match="enter them again"):
            await open_driver(wanted, Credentials("guess")).connect()
        driver = open_driver(wanted, Credentials("secret"))
        await driver.connect()
        await driver.close()
    finally:
        await server.stop()


def test_the_driver_is_found_by_the_url() -> None:
    assert driver_for_url("opc.tcp://x") == "opcua"
    assert driver_for_url("tcp://x") == "modbus-tcp"
    with pytest.raises(Refused, match="is not a machine address"):
        driver_for_url("ftp://x")
    with pytest.raises(Refused, match="no driver called “profinet”"):
        open_driver(Connection("b", "profinet", "tcp://x"))


async def test_reading_without_a_connection_is_a_fault_and_not_a_crash() -> None:
    driver = open_driver(Connection("x", "opcua", "opc.tcp://127.0.0.1:1"))
    with pytest.raises(MachineFault):
        await driver.read([TEMPERATURE])
    assert isinstance(await driver.lost(), Unreachable)
    assert driver.silence() < 60
    assert datetime.now(UTC).tzinfo is UTC
