"""Writing to an OPC UA server: what arrives, and what is refused with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from asyncua import ua
from asyncua.server.address_space import AttributeService
from asyncua.ua.status_codes import StatusCodes

from app.domain.errors import Refused
from app.domain.samples import Quality, Value
from app.drivers.faults import BadAddress, Unconfirmed, Unreachable
from app.drivers.opcua import OpcUaDriver
from app.drivers.simulator import SimulatedPlant
from tests.drivers.opcua_machine import Machine, machine
from tests.proxy import FaultyProxy

V = ua.VariantType


@asynccontextmanager
async def writing() -> AsyncIterator[tuple[Machine, OpcUaDriver]]:
    async with machine() as served:
        driver = OpcUaDriver(served.connection())
        try:
            await driver.connect()
            yield served, driver
        finally:
            await driver.close()


async def test_a_value_arrives_in_the_type_of_the_node() -> None:
    pairs: list[tuple[str, Value, ua.VariantType, Value]] = [
        ("double", 0.0, V.Double, 180),
        ("float", 0.0, V.Float, 1.5),
        ("word", 0, V.UInt16, 65535),
        ("long", 0, V.Int64, -(2**40)),
        ("switch", False, V.Boolean, True),
        ("text", "a", V.String, "Gehäuse"),
    ]
    async with writing() as (served, driver):
        for name, first, kind, value in pairs:
            address = await served.add(name, first, kind, writable=True)
            await driver.write(address, value)
            data = await served.nodes[address].read_data_value()
            assert data.Value is not None
            assert (data.Value.VariantType, data.Value.Value) == (kind, value)
            (back,) = await driver.read([address])
            assert (back.value, back.quality) == (value, Quality.GOOD)


async def test_what_may_not_be_written_is_refused_in_words() -> None:
    async with writing() as (served, driver):
        fixed = await served.add("fixed", 1.0)
        word = await served.add("word", 1, V.UInt16, writable=True)
        listed = await served.add("list", [1.0, 2.0], V.Double, writable=True)
        with pytest.raises(Refused, match="does not let it be written"):
            await driver.write(fixed, 2.0)
        with pytest.raises(Refused, match="from 0 to 65,535"):
            await driver.write(word, 70000)
        with pytest.raises(Refused, match="it is a list"):
            await driver.write(listed, 2.0)
        # This server takes one element for the whole list, so a single one must not be sent to it.
        with pytest.raises(Refused, match="cannot take a single value of a list"):
            await driver.write(f"{listed}[1]", 5.0)
        with pytest.raises(BadAddress):
            await driver.write("ns=2;s=Nothing", 1)
        with pytest.raises(BadAddress):
            await driver.write("rubbish", 1)
        assert await served.value(listed) == [1.0, 2.0]
        assert await served.value(word) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (StatusCodes.BadOutOfRange, "does not allow this value"),
        (StatusCodes.BadUserAccessDenied, "this user may not write it"),
        (StatusCodes.BadTypeMismatch, "wants another kind"),
    ],
)
async def test_the_refusal_of_the_machine_is_awaited_and_told(
    monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    async def refuse(
        _self: AttributeService, params: ua.WriteParameters, **_user: object
    ) -> list[ua.StatusCode]:
        return [ua.StatusCode(ua.UInt32(code)) for _ in params.NodesToWrite]

    async with writing() as (served, driver):
        address = await served.add("word", 1, V.UInt16, writable=True)
        monkeypatch.setattr(AttributeService, "write", refuse)
        with pytest.raises(Refused, match=words):
            await driver.write(address, 2)
        monkeypatch.undo()


async def test_an_enumeration_takes_only_its_own_states(simulation: SimulatedPlant) -> None:
    driver = OpcUaDriver(simulation.plant.connections[0])
    try:
        await driver.connect()
        await driver.write("ns=2;s=Recipe.mode", 1)
        await driver.write("ns=2;s=Recipe.setpoint", 185.5)
        with pytest.raises(Refused, match="0 Off, 1 Manual, 2 Automatic"):
            await driver.write("ns=2;s=Recipe.mode", 7)
        names = ("mode", "setpoint", "zones[1]", "name", "released")
        got = await driver.read([f"ns=2;s=Recipe.{name}" for name in names])
        assert [r.value for r in got] == [1, 185.5, 180.0, "Housing, black", True]
    finally:
        await driver.close()


async def test_a_value_without_an_answer_ends_the_session_lest_it_arrive_late() -> None:
    async with machine() as served, FaultyProxy("127.0.0.1", served.port) as proxy:
        address = await served.add("v", 1.0, writable=True)
        url = f"opc.tcp://127.0.0.1:{proxy.port}/machine"
        driver = OpcUaDriver(served.connection(url=url, timeout=1.0))
        await driver.connect()
        try:
            proxy.half_open()
            with pytest.raises(Unreachable):
                await driver.write(address, 2.0)
            async with asyncio.timeout(10):
                assert isinstance(await driver.lost(), Unreachable)
        finally:
            await driver.close()


async def test_a_gateway_that_heard_nothing_of_its_machine_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silent(
        _self: AttributeService, params: ua.WriteParameters, **_user: object
    ) -> list[ua.StatusCode]:
        return [ua.StatusCode(ua.UInt32(StatusCodes.BadTimeout)) for _ in params.NodesToWrite]

    async with writing() as (served, driver):
        address = await served.add("v", 1.0, writable=True)
        monkeypatch.setattr(AttributeService, "write", silent)
        with pytest.raises(Unconfirmed, match="not known"):
            await driver.write(address, 2.0)
