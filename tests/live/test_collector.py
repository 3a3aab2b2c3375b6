"""The collector over real servers: values, outages, alarms, configuration while running, power cuts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from app.domain.alarms import Phase, Urgency
from app.domain.alarms.verbs import Verb
from app.domain.errors import Refused
from app.domain.machine_news import LinkState, LinkStatus
from app.domain.plant import AlarmSettings, Connection, Equipment, Limits, Plant, Tag
from app.domain.plant_file import dump_plant
from app.domain.samples import Quality, Sample
from app.drivers.simulator import SimulatedPlant
from app.live.feed import Feed
from app.live.messages import AlarmChanged, Message, SampleBatch
from app.live.source import FilePlantSource, MemoryPlantSource
from app.store.history import HistoryReader
from tests.live.conftest import collecting, events_told, until
from tests.proxy import FaultyProxy

LONG_AGO, FAR_OFF = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def stored(history: HistoryReader, tag: str) -> list[Sample]:
    return history.samples(tag, LONG_AGO, FAR_OFF)


def only(plant: Plant, *connections: str) -> Plant:
    """The part of a plant that is reached over these connections, scanned quickly."""
    return replace(
        plant,
        connections=tuple(c for c in plant.connections if c.name in connections),
        tags=tuple(replace(t, scan=0.1) for t in plant.tags if t.connection in connections),
    )


@pytest.fixture
async def feed(data_dir: Path) -> AsyncIterator[list[Message]]:
    """What a desktop hears."""
    heard: list[Message] = []
    running = asyncio.create_task(Feed(data_dir, heard.append).run())
    yield heard
    if running.done():
        running.result()  # a listener never gives up
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def links(heard: list[Message]) -> dict[str, LinkStatus]:
    return {m.connection: m for m in heard if isinstance(m, LinkStatus)}


def values(heard: list[Message], tag: str) -> list[Sample]:
    return [s.sample() for m in heard if isinstance(m, SampleBatch) for s in m.samples if s.tag == tag]


async def test_a_register_and_a_node_arrive_in_history_and_on_the_desktop_with_time_and_quality(
    simulation: SimulatedPlant, data_dir: Path, history: HistoryReader, feed: list[Message]
) -> None:
    started = datetime.now(UTC)
    async with collecting(MemoryPlantSource(simulation.plant), data_dir):
        for tag in ("CONV-1/speed", "IMM-1/temperature"):
            await until(lambda tag=tag: stored(history, tag) and values(feed, tag))  # type: ignore[misc]  # one each
            sample = stored(history, tag)[0]
            assert (sample.quality, isinstance(sample.value, float)) == (Quality.GOOD, True)
            assert started - timedelta(seconds=5) < sample.source_time <= sample.receive_time
            assert sample.receive_time - started < timedelta(seconds=15)
        await until(lambda: 40.0 <= float(stored(history, "CONV-1/temperature")[0].value or 0) < 60.0)
        assert {s.state for s in links(feed).values()} == {LinkState.ONLINE}
        await until(lambda: len(history.latest()) == len(simulation.plant.tags))


async def test_after_the_opcua_server_was_killed_values_resume_and_each_tag_has_exactly_one_bad_sample(
    simulation: SimulatedPlant, data_dir: Path, history: HistoryReader, feed: list[Message]
) -> None:
    plant = only(simulation.plant, "line-opcua")
    names = [tag.name for tag in plant.tags if tag.equipment == "IMM-1"]
    async with collecting(MemoryPlantSource(plant), data_dir) as collector:
        await until(lambda: set(names) <= history.latest().keys())
        await simulation.stop_opcua()
        await until(lambda: all(history.latest(names)[n].bad for n in names))
        await until(lambda: links(feed)["line-opcua"].attempts > 2)
        await simulation.start_opcua()
        await until(lambda: all(history.latest(names)[n].good for n in names), 20)
        status = links(feed)["line-opcua"]
        assert (status.state, status.outages, collector.intake.backlog.given_up) == (LinkState.ONLINE, 1, 0)
    for name in names:
        assert [s.quality for s in stored(history, name) if s.bad] == [Quality.BAD_NO_COMMUNICATION]


async def test_after_the_modbus_server_was_killed_values_resume_and_each_tag_has_exactly_one_bad_sample(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader, caplog: pytest.LogCaptureFixture
) -> None:
    plant = only(modbus_machines.plant, "conv-1-modbus")
    names = [tag.name for tag in plant.tags]
    async with collecting(MemoryPlantSource(plant), data_dir):
        await until(lambda: len(history.latest(names)) == len(names))
        await modbus_machines.stop_modbus()
        await until(lambda: all(s.bad for s in history.latest(names).values()))
        await asyncio.sleep(0.5)  # several attempts fail meanwhile
        await modbus_machines.start_modbus()
        await modbus_machines.tick()
        await until(lambda: all(s.good for s in history.latest(names).values()))
    for name in names:
        assert [s.quality for s in stored(history, name) if s.bad] == [Quality.BAD_NO_COMMUNICATION]
    told = events_told(caplog)
    assert (told.count("machine lost"), told.count("machine is back")) == (1, 1)


async def test_a_unit_that_falls_silent_and_comes_back_has_one_bad_sample_and_never_delays_the_others(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader, feed: list[Message]
) -> None:
    plant = only(modbus_machines.plant, "weld-1-modbus", "weld-2-modbus", "conv-1-modbus")
    modbus_machines.drop("WELD-1")
    await modbus_machines.tick()
    dead = Connection("dead", "modbus-tcp", "tcp://127.0.0.1:1", timeout=5.0)
    # These units share one line to their gateway: a silent one costs the others its timeout, seldom.
    plant = replace(
        plant,
        connections=(dead, *(replace(c, timeout=0.3) for c in plant.connections)),
        tags=(*plant.tags, Tag("CONV-1/dead", "CONV-1", "dead", "hr:0")),
    )
    async with collecting(MemoryPlantSource(plant), data_dir):
        await until(lambda: "WELD-2/voltage" in history.latest(), 3)
        for _ in range(20):
            await modbus_machines.tick()
            await asyncio.sleep(0.1)
        await until(lambda: history.latest(["WELD-1/voltage", "CONV-1/dead"]).keys() >= {"WELD-1/voltage"})
        times = [s.receive_time for s in values(feed, "CONV-1/speed")]
        assert max(b - a for a, b in pairwise(times)) < timedelta(seconds=0.8)
        assert len(times) > 10
        modbus_machines.restore("WELD-1")
        await modbus_machines.tick()
        await until(lambda: history.latest()["WELD-1/voltage"].good)
    assert [s.good for s in stored(history, "WELD-1/voltage")][:2] == [False, True]
    assert [s.quality for s in stored(history, "CONV-1/dead")] == [Quality.BAD_NO_COMMUNICATION]


async def test_an_overheated_machine_raises_an_alarm_that_is_acknowledged_and_survives_a_restart(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader, feed: list[Message]
) -> None:
    plant = only(modbus_machines.plant, "conv-1-modbus")
    quick = AlarmSettings(on_delay=0.2, comm_delay=60.0)
    source = MemoryPlantSource(replace(plant, tags=tuple(replace(t, alarm=quick) for t in plant.tags)))
    modbus_machines.force("CONV-1", "temperature", 86.0)
    await modbus_machines.tick()
    async with collecting(source, data_dir):
        await until(lambda: [a for a in history.alarms(active_only=True) if a.phase is Phase.UNACK])
        alarm = history.alarms()[0]
        assert (alarm.tag, alarm.urgency, alarm.value) == ("CONV-1/temperature", Urgency.CRITICAL, 86.0)
        await until(lambda: [m for m in feed if isinstance(m, AlarmChanged) and m.alarm.id == alarm.id])
        source.act(Verb.ACKNOWLEDGE, alarm.id, "anna", datetime.now(UTC))
        await until(lambda: history.alarms()[0].phase is Phase.ACKED)
        assert history.alarms()[0].acked_by == "anna"
    feed.clear()
    async with collecting(source, data_dir):
        await until(lambda: [m for m in feed if isinstance(m, AlarmChanged)])
        told = next(m.alarm for m in feed if isinstance(m, AlarmChanged))
        assert (told.id, told.phase) == (alarm.id, Phase.ACKED)
        await until(lambda: values(feed, "CONV-1/temperature"))
        modbus_machines.force("CONV-1", "temperature", 40.0)
        await modbus_machines.tick()
        await until(lambda: history.alarms()[0].phase is Phase.NORMAL)
    assert len(history.alarms()) == 1
    assert [line.event for line in reversed(history.journal())] == ["raised", "acknowledged", "cleared"]


async def test_a_change_of_the_plant_takes_effect_while_running_and_other_machines_do_not_notice(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader, feed: list[Message]
) -> None:
    whole = only(modbus_machines.plant, "conv-1-modbus", "weld-1-modbus")
    source = MemoryPlantSource(only(whole, "conv-1-modbus"))
    async with collecting(source, data_dir):
        await until(lambda: "CONV-1/speed" in history.latest())
        source.change(whole)
        await until(lambda: "WELD-1/current" in history.latest())
        off = replace(whole.connections[1], enabled=False)
        source.change(replace(whole, connections=(whole.connections[0], off)))
        await until(lambda: history.latest()["WELD-1/current"].quality == Quality.BAD_OUT_OF_SERVICE)
        source.change(Plant(whole.equipment, whole.connections[:1], whole.tags[:1]))
        await until(lambda: history.latest()["CONV-1/items"].quality == Quality.BAD_OUT_OF_SERVICE)
        await until(lambda: history.latest()["CONV-1/speed"].good)
    assert not [s for s in stored(history, "CONV-1/speed") if s.bad]
    told = [m.state for m in feed if isinstance(m, LinkStatus) and m.connection == "conv-1-modbus"]
    assert LinkState.OFFLINE not in told


async def test_a_broken_plant_file_changes_nothing_and_is_told_once(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader, caplog: pytest.LogCaptureFixture
) -> None:
    file = data_dir / "plant.yaml"
    file.write_text(dump_plant(only(modbus_machines.plant, "conv-1-modbus")))
    async with collecting(FilePlantSource(file), data_dir) as collector:
        await until(lambda: "CONV-1/speed" in history.latest())
        file.write_text("tags: [{name: x}]")
        collector._look_now()
        await until(lambda: "plant not followed" in events_told(caplog))
        modbus_machines.force("CONV-1", "items", 77)
        await modbus_machines.tick()
        await until(lambda: history.latest()["CONV-1/items"].value == 77)


async def test_a_driver_that_does_not_exist_and_an_unknown_address_are_told_and_stop_nobody(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader, feed: list[Message]
) -> None:
    plant = only(modbus_machines.plant, "conv-1-modbus")
    broker = Connection("broker", "profinet", "tcp://127.0.0.1")
    odd = (
        Tag("CONV-1/odd", "CONV-1", "conv-1-modbus", "hr:rubbish"),
        Tag("CONV-1/far", "CONV-1", "broker", "a#b"),
    )
    async with collecting(
        MemoryPlantSource(replace(plant, connections=(broker, *plant.connections), tags=(*plant.tags, *odd))),
        data_dir,
    ):
        await until(lambda: len(history.latest()) == len(plant.tags) + 2)
        await until(lambda: "no driver called “profinet”" in links(feed)["broker"].sentence)
        told = f"Connected, but 1 of {len(plant.tags) + 1} addresses cannot be read, first “hr:rubbish”."
        await until(lambda: links(feed)["conv-1-modbus"].sentence == told)
    latest = history.latest()
    assert latest["CONV-1/odd"].quality == Quality.BAD_CONFIGURATION_ERROR
    assert latest["CONV-1/far"].quality == Quality.BAD_NO_COMMUNICATION
    assert latest["CONV-1/speed"].good


async def test_a_lost_machine_raises_one_communication_alarm_and_not_one_for_each_tag(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader
) -> None:
    plant = only(modbus_machines.plant, "weld-1-modbus")
    quick = AlarmSettings(comm_delay=0.2)
    modbus_machines.drop("WELD-1")
    await modbus_machines.tick()
    source = MemoryPlantSource(replace(plant, tags=tuple(replace(t, alarm=quick) for t in plant.tags)))
    async with collecting(source, data_dir):
        await until(history.alarms)
        modbus_machines.restore("WELD-1")
        await modbus_machines.tick()
        await until(lambda: history.alarms()[0].phase is Phase.RTN_UNACK)
    assert [a.key for a in history.alarms()] == ["WELD-1/current!comm"]


class Cable:
    """A piece of network between collector and machine that can be pulled: bytes stop, nobody is told."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._carriers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Cable:
        self._server = await asyncio.start_server(self._plugged, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        for end in self._ends:
            end.close()
        await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)
        await self._server.wait_closed()

    def pull(self) -> None:
        self._whole.clear()

    def plug(self) -> None:
        self._whole.set()

    async def _plugged(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far, far_out = await asyncio.open_connection("127.0.0.1", self._target)
        self._ends |= {near_out, far_out}
        for source, sink in ((near, far_out), (far, near_out)):
            self._carriers.add(asyncio.create_task(self._carry(source, sink)))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self._whole.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@pytest.mark.parametrize("machine", ["CONV-1", "IMM-1"])
async def test_a_pulled_cable_is_noticed_and_values_resume_when_it_is_plugged_in(
    request: pytest.FixtureRequest, machine: str, data_dir: Path, history: HistoryReader
) -> None:
    simulation = SimulatedPlant()
    await (simulation.start() if machine == "IMM-1" else simulation.start_modbus())
    await simulation.tick()
    port = simulation.opcua_port if machine == "IMM-1" else simulation.modbus_port
    try:
        async with Cable(port) as cable:
            plant = simulation.plant
            tag = next(t for t in plant.tags if t.equipment == machine and t.name.endswith("temperature"))
            connection = next(c for c in plant.connections if c.name == tag.connection)
            detour = replace(connection, url=connection.url.replace(str(port), str(cable.port)), timeout=1.0)
            small = Plant(plant.equipment, (detour,), (replace(tag, scan=0.1),))
            async with collecting(MemoryPlantSource(small), data_dir):
                await until(lambda: tag.name in history.latest())
                cable.pull()
                await until(lambda: history.latest()[tag.name].bad)
                cable.plug()
                await until(lambda: history.latest()[tag.name].good)
    finally:
        await simulation.stop()
    assert [s.quality for s in stored(history, tag.name) if s.bad] == [Quality.BAD_NO_COMMUNICATION]


async def test_a_machine_that_accepts_but_never_answers_is_lost_and_not_trusted(
    data_dir: Path, history: HistoryReader, feed: list[Message]
) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):  # how Lineside gives up on it
            await reader.read(-1)
        writer.close()

    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    url = f"tcp://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    plant = Plant(
        (Equipment("M", "M"),),
        (Connection("c", "modbus-tcp", url, timeout=0.2),),
        (Tag("M/t", "M", "c", "hr:0", limits=Limits(hi=1)),),
    )
    async with collecting(MemoryPlantSource(plant), data_dir):
        await until(lambda: links(feed).get("c") and links(feed)["c"].attempts > 1)
        status = links(feed)["c"]
        assert (status.state, status.outages) == (LinkState.OFFLINE, 1)
    assert [s.quality for s in stored(history, "M/t")] == [Quality.BAD_NO_COMMUNICATION]
    silent.close()
    await silent.wait_closed()


async def test_a_second_collector_for_the_same_folder_is_refused(data_dir: Path) -> None:
    async with collecting(MemoryPlantSource(Plant()), data_dir):
        with pytest.raises(Refused, match="already running"):
            async with collecting(MemoryPlantSource(Plant()), data_dir):
                pass


async def test_collecting_for_some_seconds_ends_by_itself_and_leaves_a_closed_curve_behind(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader
) -> None:
    from app.live.collector import Collector

    source = MemoryPlantSource(only(modbus_machines.plant, "conv-1-modbus"))
    await Collector(source, data_dir).run(seconds=1.5)
    assert history.latest()["CONV-1/speed"].good
    await Collector(MemoryPlantSource(Plant()), data_dir).run(seconds=0.1)
    assert history.latest()["CONV-1/speed"].quality == Quality.BAD_NOT_CONNECTED


async def test_values_of_the_machine_before_are_not_good_any_more_once_the_address_is_another(
    modbus_machines: SimulatedPlant, data_dir: Path, history: HistoryReader
) -> None:
    plant = only(modbus_machines.plant, "conv-1-modbus")
    source = MemoryPlantSource(plant)
    async with FaultyProxy("127.0.0.1", modbus_machines.modbus_port) as proxy, collecting(source, data_dir):
        proxy.half_open()
        await until(lambda: "CONV-1/speed" in history.latest())
        url = plant.connections[0].url.replace(str(modbus_machines.modbus_port), str(proxy.port))
        source.change(replace(plant, connections=(replace(plant.connections[0], url=url, timeout=60.0),)))
        await until(lambda: history.latest()["CONV-1/speed"].quality == Quality.BAD_NOT_CONNECTED)
