"""Sparkplug B over a real broker: births asked for, deaths told by the broker, commands obeyed, gaps healed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality, Value
from app.drivers import open_driver
from app.drivers.faults import BadAddress, DeviceTrouble, Unreachable
from app.drivers.protocol import Driver, Reading, Watch
from app.drivers.simulator.mqtt_edge_node import Signal, SparkplugNode
from app.drivers.simulator.mqtt_machine import MqttMachine
from app.drivers.sparkplug_types import DataType
from tests.drivers.broker import Broker
from tests.proxy import FaultyProxy

Until = Callable[..., Awaitable[None]]
Told = list[Reading]
SIGNALS = (
    Signal("load", DataType.INT16, -5, unit="%"),
    Signal("temp/in", DataType.FLOAT, 20.5, "oven", "°C"),
    Signal("parts", DataType.UINT64, 2**40, "oven"),
    Signal("running", DataType.BOOLEAN, True, "oven"),
    Signal("recipe", DataType.STRING, "A7", "oven"),
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def group() -> str:
    return uuid4().hex


@pytest.fixture
def connection(broker: Broker, group: str) -> Connection:
    return Connection(group, "sparkplug", broker.url, timeout=3.0)


@pytest.fixture
async def node(broker: Broker, group: str) -> AsyncIterator[SparkplugNode]:
    async with SparkplugNode(broker.url, group, "edge", SIGNALS) as running:
        yield running


@asynccontextmanager
async def driving(connection: Connection) -> AsyncIterator[Driver]:
    driver = open_driver(connection)
    try:
        await driver.connect()
        yield driver
    finally:
        await driver.close()
        await driver.close()


def last(told: Told, address: str) -> tuple[Value, int] | None:
    return next(((r.value, r.quality) for r in reversed(told) if r.address == address), None)


async def test_a_node_that_was_born_long_ago_is_asked_for_its_values_and_then_sends_changes(
    connection: Connection, node: SparkplugNode, group: str, until: Until
) -> None:
    told: Told = []
    load, temp = f"{group}/edge:load", f"{group}/edge/oven:temp/in"
    async with driving(connection) as driver:
        granted = await driver.subscribe([Watch(load, 1.0), Watch(temp, 1.0), Watch("odd", 1.0)], told.extend)
        assert [isinstance(g.fault, BadAddress) for g in granted] == [False, False, True]
        await until(lambda: last(told, temp) == (20.5, Quality.GOOD))
        assert last(told, load) == (-5, Quality.GOOD)
        assert last(told, "odd") == (None, Quality.BAD_CONFIGURATION_ERROR)
        await node.data({"temp/in": 21.5}, "oven")
        await until(lambda: last(told, temp) == (21.5, Quality.GOOD))
        assert driver.silence() < 10
        assert driver.traffic().failures == 0
    assert all(abs(r.receive_time - r.source_time) < timedelta(seconds=20) for r in told)


async def test_the_death_of_node_or_device_is_told_and_a_new_birth_heals(
    connection: Connection, broker: Broker, group: str, until: Until
) -> None:
    told: Told = []
    load, temp = f"{group}/edge:load", f"{group}/edge/oven:temp/in"
    gone = (None, Quality.BAD_NO_COMMUNICATION)
    async with driving(connection) as driver:
        await driver.subscribe([Watch(load, 1.0), Watch(temp, 1.0)], told.extend)
        async with SparkplugNode(broker.url, group, "edge", SIGNALS) as node:
            await until(lambda: last(told, temp) == (20.5, Quality.GOOD))
            await node.device_dies("oven")
            await until(lambda: last(told, temp) == gone)
            assert last(told, load) == (-5, Quality.GOOD)
            await node.die()
            await until(lambda: last(told, load) == gone)
        async with SparkplugNode(broker.url, group, "edge", SIGNALS, aliases=False, bdseq=1):
            await until(lambda: last(told, temp) == (20.5, Quality.GOOD))
            await until(lambda: last(told, load) == (-5, Quality.GOOD))


async def test_after_a_lost_message_values_are_uncertain_until_the_node_told_everything_again(
    connection: Connection, node: SparkplugNode, group: str, until: Until
) -> None:
    told: Told = []
    load = f"{group}/edge:load"
    async with driving(connection) as driver:
        await driver.subscribe([Watch(load, 1.0)], told.extend)
        await until(lambda: last(told, load) == (-5, Quality.GOOD))
        node.lose_one_message()
        await node.data({"load": 9})
        await until(lambda: (9, Quality.UNCERTAIN) in [(r.value, r.quality) for r in told])
        await until(lambda: last(told, load) == (9, Quality.GOOD))


async def test_values_that_the_node_stored_while_it_was_away_keep_their_times(
    connection: Connection, node: SparkplugNode, group: str, until: Until
) -> None:
    told: Told = []
    load, then = f"{group}/edge:load", datetime(2026, 1, 1, tzinfo=UTC)
    async with driving(connection) as driver:
        await driver.subscribe([Watch(load, 1.0)], told.extend)
        await until(lambda: last(told, load) == (-5, Quality.GOOD))
        await node.data({"load": 3}, at=int(then.timestamp() * 1000), historical=True)
        await until(lambda: last(told, load) == (3, Quality.GOOD))
        assert told[-1].source_time == then


async def test_nodes_devices_and_metrics_can_be_browsed_and_read(
    connection: Connection, node: SparkplugNode, group: str
) -> None:
    async with driving(replace(connection, timeout=1.0)) as driver:
        assert group in {n.address for n in await driver.browse()}
        assert [n.name for n in await driver.browse(group)] == ["edge"]
        edge = {n.name: n for n in await driver.browse(f"{group}/edge")}
        assert (edge["oven"].has_children, edge["load"].detail) == (True, "-5 %")
        metrics = {n.name: n.address for n in await driver.browse(f"{group}/edge/oven")}
        readings = await driver.read(
            [*metrics.values(), f"{group}/edge/oven:nothing", "odd", f"{group}/none:x"]
        )
        assert {(r.value, r.quality) for r in readings} == {
            (20.5, Quality.GOOD),
            (2**40, Quality.GOOD),
            (True, Quality.GOOD),
            ("A7", Quality.GOOD),
            (None, Quality.BAD_NODE_ID_UNKNOWN),
            (None, Quality.BAD_CONFIGURATION_ERROR),
            (None, Quality.BAD_WAITING_FOR_INITIAL_DATA),
        }
        assert await driver.browse("none/none") == []


async def test_a_written_value_reaches_the_node_in_its_own_datatype(
    connection: Connection, node: SparkplugNode, group: str, until: Until
) -> None:
    told: Told = []
    load, temp = f"{group}/edge:load", f"{group}/edge/oven:temp/in"
    async with driving(connection) as driver:
        await driver.subscribe([Watch(temp, 1.0)], told.extend)
        await until(lambda: last(told, temp) == (20.5, Quality.GOOD))
        await driver.write(temp, 30)
        await driver.write(load, -300)
        await until(lambda: last(told, temp) == (30.0, Quality.GOOD))
        await until(lambda: len(node.commands) == 2)
        assert [(m.datatype, m.value, m.alias is not None, m.name) for m in node.commands] == [
            (DataType.FLOAT, 30.0, True, ""),
            (DataType.INT16, -300, True, ""),
        ]
        with pytest.raises(Refused, match="-32768 to 32767"):
            await driver.write(load, 40_000)
        with pytest.raises(DeviceTrouble, match="has not been announced"):
            await driver.write(f"{group}/edge:nothing", 1)


async def test_what_is_no_sparkplug_is_counted_and_breaks_nothing(
    connection: Connection, node: SparkplugNode, broker: Broker, group: str, until: Until
) -> None:
    told: Told = []
    load = f"{group}/edge:load"
    async with driving(connection) as driver, MqttMachine(broker.url, f"{group}/x") as stranger:
        await driver.subscribe([Watch(load, 1.0)], told.extend)
        await until(lambda: last(told, load) == (-5, Quality.GOOD))
        for kind in ("NDATA", "NDATA/edge/x", "ODD", "NCMD"):
            await stranger.say(f"spBv1.0/{group}/{kind}/edge", b"\xff\xff\xff")
        await until(lambda: driver.traffic().failures == 1)
        await node.data({"load": 8})
        await until(lambda: last(told, load) == (8, Quality.GOOD))


async def test_a_node_that_never_comes_is_told_to_be_waited_for_and_a_cut_cable_ends_the_wait(
    broker: Broker, until: Until
) -> None:
    told: Told = []
    async with FaultyProxy("127.0.0.1", broker.port) as proxy:
        url = f"mqtt://{proxy.host}:{proxy.port}"
        async with driving(Connection("cut", "sparkplug", url, timeout=2.0)) as driver:
            await driver.subscribe([Watch("nobody/here:x", 1.0)], told.extend)
            await until(lambda: last(told, "nobody/here:x") == (None, Quality.BAD_WAITING_FOR_INITIAL_DATA))
            proxy.cut()
            assert isinstance(await driver.lost(), Unreachable)
            with pytest.raises(Unreachable):
                await driver.read(["nobody/there:x"])
