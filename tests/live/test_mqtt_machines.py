"""The collector over a real MQTT broker: plain JSON and Sparkplug B end in history, also through an outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.domain.plant import Connection, Equipment, Plant, Tag
from app.domain.samples import Quality, Sample
from app.drivers.simulator.mqtt_edge_node import Signal, SparkplugNode
from app.drivers.simulator.mqtt_machine import MqttMachine
from app.drivers.sparkplug_types import DataType
from app.live.source import MemoryPlantSource
from app.store.history import HistoryReader
from tests.drivers.broker import Broker
from tests.live.conftest import collecting, until

LONG_AGO, FAR_OFF = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
SIGNALS = (Signal("load", DataType.INT16, -5), Signal("recipe", DataType.STRING, "A7", "press"))


def plant(url: str) -> Plant:
    """An oven that publishes JSON with a last will, and a press behind a Sparkplug B node, over one broker."""
    return Plant(
        (Equipment("OVEN", "Oven"), Equipment("PRESS", "Press")),
        (
            Connection("oven", "mqtt", url, timeout=2.0, status_topic="hall/oven/status"),
            Connection("press", "sparkplug", url, timeout=2.0),
        ),
        (
            Tag("OVEN/temp", "OVEN", "oven", "hall/oven#temp@time"),
            Tag("PRESS/load", "PRESS", "press", "hall/edge:load"),
            Tag("PRESS/recipe", "PRESS", "press", "hall/edge/press:recipe"),
        ),
    )


def stored(history: HistoryReader, tag: str) -> list[Sample]:
    return history.samples(tag, LONG_AGO, FAR_OFF)


async def test_what_machines_publish_ends_in_history_with_their_times_and_survives_an_outage_of_the_broker(
    tmp_path: Path, data_dir: Path, history: HistoryReader
) -> None:
    measured = datetime.now(UTC) - timedelta(minutes=1)
    with Broker(tmp_path) as broker:
        async with collecting(MemoryPlantSource(plant(broker.url)), data_dir):
            async with (
                MqttMachine(broker.url, "hall/oven") as oven,
                SparkplugNode(broker.url, "hall", "edge", SIGNALS) as edge,
            ):
                await until(lambda: len(history.latest()) == 3)
                await oven.publish({"temp": 71.5}, at=measured)
                await until(lambda: any(s.value == 71.5 for s in stored(history, "OVEN/temp")))
                sample = next(s for s in stored(history, "OVEN/temp") if s.value == 71.5)
                assert sample.good
                assert abs(sample.source_time - measured) < timedelta(milliseconds=1)
                await edge.data({"load": 12})
                await until(lambda: history.latest()["PRESS/load"].value == 12)
                await until(lambda: history.latest()["PRESS/recipe"].value == "A7")
                broker.kill()
                await until(lambda: all(s.bad for s in history.latest().values()))
            broker.start()
            async with (
                MqttMachine(broker.url, "hall/oven") as oven,
                SparkplugNode(broker.url, "hall", "edge", SIGNALS, bdseq=1),
            ):
                await until(lambda: history.latest()["PRESS/load"].value == -5)
                await oven.publish({"temp": 72.5})
                await until(lambda: history.latest()["OVEN/temp"].value == 72.5)
                await oven.die()
                await until(lambda: history.latest()["OVEN/temp"].quality == Quality.BAD_NO_COMMUNICATION)
