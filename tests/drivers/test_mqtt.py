"""MQTT against a real broker: values with their age, last will, browsing, reading and writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality, Value
from app.drivers import driver_for_url, for_trial, open_driver
from app.drivers.faults import BadAddress, Unreachable
from app.drivers.mqtt_values import LARGEST
from app.drivers.protocol import Driver, Reading, Watch
from app.drivers.simulator.machines import machine
from app.drivers.simulator.mqtt_machine import MqttMachine, tags_of
from tests.drivers.broker import Broker

Until = Callable[..., Awaitable[None]]
Told = list[Reading]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def topic() -> str:
    """A topic of this test alone, since the broker is shared and remembers."""
    return f"plant/{uuid4().hex}"


@pytest.fixture
def connection(broker: Broker, topic: str) -> Connection:
    return Connection(topic, "mqtt", broker.url, timeout=3.0)


@pytest.fixture
async def oven(broker: Broker, topic: str) -> AsyncIterator[MqttMachine]:
    async with MqttMachine(broker.url, topic) as machine:
        yield machine


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


async def test_values_in_json_arrive_with_the_time_of_the_machine(
    connection: Connection, oven: MqttMachine, until: Until
) -> None:
    measured = datetime.now(UTC) - timedelta(minutes=5)
    told: Told = []
    addresses = [f"{oven.topic}#temp@time", f"{oven.topic}#running@time", f"{oven.topic}/raw"]
    async with driving(connection) as driver:
        granted = await driver.subscribe([Watch(a, 1.0) for a in addresses], told.extend)
        assert [(g.address, g.fault) for g in granted] == [(a, None) for a in addresses]
        await oven.publish({"temp": 71.5, "running": True}, at=measured)
        await oven.say(addresses[2], "12.25")
        await until(lambda: last(told, addresses[2]) == (12.25, Quality.GOOD))
        traffic = driver.traffic()
    assert [(r.value, r.quality) for r in told[:2]] == [(71.5, Quality.GOOD), (True, Quality.GOOD)]
    assert [abs(r.source_time - measured) < timedelta(milliseconds=1) for r in told[:2]] == [True, True]
    assert all(r.receive_time - measured >= timedelta(minutes=5) for r in told[:2])
    assert (traffic.requests >= 4, traffic.failures, traffic.overflows) == (True, 0, 0)


async def test_a_retained_value_is_uncertain_until_the_machine_speaks(
    connection: Connection, oven: MqttMachine, until: Until
) -> None:
    told: Told = []
    await oven.say(oven.topic, "5", retain=True)
    async with driving(connection) as driver:
        await driver.subscribe([Watch(oven.topic, 1.0)], told.extend)
        await until(lambda: last(told, oven.topic) == (5, Quality.UNCERTAIN_INITIAL))
        await oven.say(oven.topic, "6")
        await until(lambda: last(told, oven.topic) == (6, Quality.GOOD))
    assert [(r.value, r.quality) for r in told] == [(5, Quality.UNCERTAIN_INITIAL), (6, Quality.GOOD)]


async def test_a_topic_without_a_message_is_told_to_be_waiting(
    connection: Connection, topic: str, until: Until
) -> None:
    told: Told = []
    async with driving(connection) as driver:
        await driver.subscribe([Watch(topic, 1.0)], told.extend)
        await until(lambda: last(told, topic) == (None, Quality.BAD_WAITING_FOR_INITIAL_DATA))


async def test_a_silent_topic_gives_its_last_value_once_more_as_old(
    connection: Connection, oven: MqttMachine, until: Until
) -> None:
    told: Told = []
    async with driving(connection) as driver:
        await driver.subscribe([Watch(oven.topic, 1.0, freshness=0.4)], told.extend)
        await oven.say(oven.topic, "1")
        await until(lambda: last(told, oven.topic) == (1, Quality.UNCERTAIN_LAST_USABLE))
        assert driver.traffic().refreshed == 1
        await oven.say(oven.topic, "2")
        await until(lambda: (2, Quality.GOOD) in [(r.value, r.quality) for r in told])


async def test_the_last_will_of_a_machine_makes_its_values_bad_and_its_return_makes_them_good(
    connection: Connection, broker: Broker, topic: str, until: Until
) -> None:
    told: Told = []
    address = f"{topic}#temp"
    async with driving(
        replace(connection, status_topic=f"{topic}/status", status_offline="Offline")
    ) as driver:
        await driver.subscribe([Watch(address, 1.0)], told.extend)
        async with MqttMachine(broker.url, topic) as oven:
            await oven.publish({"temp": 70.0})
            await until(lambda: last(told, address) == (70.0, Quality.GOOD))
            await oven.die()
            await until(lambda: last(told, address) == (None, Quality.BAD_NO_COMMUNICATION))
        async with MqttMachine(broker.url, topic) as oven:
            await until(lambda: last(told, address) == (70.0, Quality.UNCERTAIN_LAST_USABLE))
            await oven.publish({"temp": 71.0})
            await until(lambda: last(told, address) == (71.0, Quality.GOOD))
            await oven.stop()
            await until(lambda: last(told, address) == (None, Quality.BAD_NO_COMMUNICATION))


async def test_a_will_that_was_left_before_we_came_counts_although_values_are_retained(
    connection: Connection, broker: Broker, topic: str, until: Until
) -> None:
    told: Told = []
    address = f"{topic}#temp"
    async with MqttMachine(broker.url, topic) as oven:
        await oven.publish({"temp": 70.0}, retain=True)
        await oven.stop()
    async with driving(replace(connection, status_topic=f"{topic}/status")) as driver:
        await driver.subscribe([Watch(address, 1.0)], told.extend)
        await until(lambda: last(told, address) == (None, Quality.BAD_NO_COMMUNICATION))


async def test_messages_that_cannot_be_understood_are_told_and_counted_and_break_nothing(
    connection: Connection, oven: MqttMachine, until: Until
) -> None:
    told: Told = []
    address = f"{oven.topic}#a"
    async with driving(connection) as driver:
        wishes = [Watch(address, 1.0), Watch("bad/+/topic", 1.0)]
        granted = await driver.subscribe(wishes, told.extend)
        assert [isinstance(g.fault, BadAddress) for g in granted] == [False, True]
        for rubbish in (b"\xff\x00", "{", '{"b": 1}', '{"a": [1]}', b"[" * 5_000, b"1" * (LARGEST + 1)):
            await oven.say(oven.topic, rubbish)
        await oven.say(oven.topic, '{"a": 3}')
        await until(lambda: last(told, address) == (3, Quality.GOOD))
        assert (driver.traffic().failures, driver.traffic().overflows) == (6, 1)
    assert [r.quality for r in told if r.address == address] == [
        Quality.BAD_CONFIGURATION_ERROR,
        Quality.GOOD,
    ]


async def test_nothing_of_a_flood_is_lost(connection: Connection, oven: MqttMachine, until: Until) -> None:
    told: Told = []
    async with driving(connection) as driver:
        await driver.subscribe([Watch(oven.topic, 1.0)], told.extend)
        await asyncio.gather(*(oven.say(oven.topic, str(i)) for i in range(500)))
        await until(lambda: len(told) >= 500)
    assert {r.value for r in told} == set(range(500))


async def test_topics_can_be_browsed_down_to_the_values_in_their_json(
    tmp_path: Path,
) -> None:
    topic = "plant/oven"
    # A broker of its own: this one gives everything that is retained to every client once anybody listened to #.
    with Broker(tmp_path) as broker:
        async with MqttMachine(broker.url, topic) as oven:
            await _browse(Connection("x", "mqtt", broker.url, timeout=0.7), oven, topic)


async def _browse(connection: Connection, oven: MqttMachine, topic: str) -> None:
    await oven.say(topic, '{"temp": {"value": 70.5, "unit": "C"}, "zones": [1, true]}', retain=True)
    await oven.say(f"{topic}/raw", "7", retain=True)
    async with driving(for_trial(connection)) as driver:
        tops = {n.address: n for n in await driver.browse()}
        assert (tops["plant"].readable, tops["plant"].has_children) == (False, True)
        node = next(n for n in await driver.browse("plant") if n.address == topic)
        assert (node.readable, node.has_children, node.detail) == (False, True, "4 values")
        below = {n.name: n for n in await driver.browse(topic)}
        assert {name: n.detail for name, n in below.items()} == {
            "temp.value": "70.5", "temp.unit": "C", "zones[0]": "1", "zones[1]": "true", "raw": "7",
            "status": "online",
        }  # fmt: skip
        readings = await driver.read([n.address for n in below.values() if n.readable])
        assert {r.value for r in readings} == {70.5, "C", 1, 7, "online"}
        assert {r.quality for r in readings} == {Quality.UNCERTAIN_INITIAL}


async def test_reading_waits_for_a_message_and_says_when_none_came(
    connection: Connection, oven: MqttMachine, topic: str
) -> None:
    async with driving(replace(connection, timeout=1.0)) as driver:
        reading = asyncio.create_task(driver.read([topic, f"{topic}/nothing", "#"]))
        while not reading.done():
            await oven.say(topic, "8")
            await asyncio.sleep(0.05)
        assert [(r.value, r.quality) for r in await reading] == [
            (8, Quality.GOOD),
            (None, Quality.BAD_WAITING_FOR_INITIAL_DATA),
            (None, Quality.BAD_CONFIGURATION_ERROR),
        ]


async def test_a_written_value_arrives_as_the_bare_text_or_at_its_place_in_json(
    connection: Connection, broker: Broker, topic: str, until: Until
) -> None:
    told: Told = []
    addresses = [f"{topic}/plain", f"{topic}/json#set.temp"]
    async with driving(connection) as reader, driving(replace(connection, client_id=f"{topic}-w")) as writer:
        await reader.subscribe([Watch(a, 1.0) for a in addresses], told.extend)
        await writer.write(addresses[0], 80.5)
        await writer.write(addresses[1], True)
        await until(lambda: last(told, addresses[0]) == (80.5, Quality.GOOD))
        await until(lambda: last(told, addresses[1]) == (True, Quality.GOOD))
        with pytest.raises(Refused, match="lose the others"):
            await writer.write(f"{topic}#list[0]", 1)
        with pytest.raises(BadAddress):
            await writer.write("a/+", 1)


async def test_a_machine_of_the_demo_plant_is_described_for_a_plant_file(topic: str) -> None:
    tags = tags_of(machine("IMM-1"), "broker", topic)
    assert tags[0].address == f"{topic}#temperature@time"
    assert len(tags) == len(machine("IMM-1").signals)


async def test_without_a_connection_there_is_a_fault_and_not_a_crash() -> None:
    driver = open_driver(Connection("x", "mqtt", "mqtt://127.0.0.1:1"))
    with pytest.raises(Unreachable):
        await driver.read(["a"])
    assert isinstance(await driver.lost(), Unreachable)
    await driver.close()


def test_the_driver_is_found_by_the_url_and_a_trial_has_a_name_of_its_own() -> None:
    assert (driver_for_url("mqtt://x"), driver_for_url("mqtts://x:1")) == ("mqtt", "mqtt")
    with pytest.raises(Refused, match="no host name"):
        open_driver(Connection("x", "mqtt", "mqtt://"))
    wanted = Connection("x", "mqtt", "mqtt://h")
    assert for_trial(wanted).client_id.startswith("lineside-x-")
    assert for_trial(replace(wanted, client_id="me")).client_id.startswith("me-trial-")
    assert for_trial(wanted).client_id != for_trial(wanted).client_id
