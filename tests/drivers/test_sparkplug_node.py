"""What births, data, gaps and deaths of a Sparkplug B node make of its values, without any broker."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.samples import Quality, Value, is_bad
from app.drivers.faults import BadAddress
from app.drivers.protocol import Reading
from app.drivers.sparkplug_message import Metric, Payload, decode, encode
from app.drivers.sparkplug_node import EdgeNode, parse_address
from app.drivers.sparkplug_types import DataType

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT = 1_767_225_600_000  # NOW in milliseconds
LOAD, TEMP = "g/n:load", "g/n/oven:temp/in"


def message(*metrics: Metric, seq: int | None = None) -> Payload:
    return decode(encode(Payload(metrics, AT, seq)))


def node_birth(bdseq: int = 1, load: Value = 5) -> Payload:
    return message(
        Metric("bdSeq", datatype=DataType.INT64, value=bdseq),
        Metric("load", 1, DataType.INT16, load, properties={"engUnit": "%"}),
        seq=0,
    )


def device_birth(seq: int = 1) -> Payload:
    return message(Metric("temp/in", 2, DataType.FLOAT, 20.5), seq=seq)


def data(alias: int, datatype: DataType | None, value: Value, seq: int) -> Payload:
    wire = Metric(alias=alias, datatype=datatype or DataType.INT16, value=value)
    return message(wire, seq=seq)


def told(readings: list[Reading]) -> list[tuple[str, Value, int]]:
    return [(r.address, r.value, r.quality) for r in readings]


@pytest.fixture
def node() -> EdgeNode:
    """A node that was born with its device; both metrics are watched."""
    made = EdgeNode()
    for text in (LOAD, TEMP):
        made.watch(parse_address(text))
    made.take("NBIRTH", "", node_birth(), NOW)
    made.take("DBIRTH", "oven", device_birth(), NOW)
    return made


def test_births_name_the_metrics_and_data_come_by_alias(node: EdgeNode) -> None:
    assert node.known["", "load"].unit == "%"
    readings = node.take("NDATA", "", data(1, DataType.INT16, -7, 2), NOW)
    assert told(readings) == [(LOAD, -7, Quality.GOOD)]
    readings = node.take("DDATA", "oven", data(2, DataType.FLOAT, 21.5, 3), NOW)
    assert told(readings) == [(TEMP, 21.5, Quality.GOOD)]
    assert readings[0].source_time == NOW


def test_data_without_a_datatype_have_that_of_the_birth(node: EdgeNode) -> None:
    raw = (
        b"\x12\x08" + b"\x10\x01" + b"\x50\xfb\xff\x03" + b"\x18\x64" + b"\x18\x02"
    )  # alias 1, 0xFFFB, time, seq 2
    assert told(node.take("NDATA", "", decode(raw), NOW)) == [(LOAD, -5, Quality.GOOD)]


def test_a_lost_message_makes_everything_uncertain_until_the_next_birth(node: EdgeNode) -> None:
    assert told(node.take("NDATA", "", data(1, DataType.INT16, 6, 3), NOW)) == [
        (LOAD, 5, Quality.UNCERTAIN),
        (TEMP, 20.5, Quality.UNCERTAIN),
        (LOAD, 6, Quality.UNCERTAIN),
    ]
    assert node.wants_rebirth
    assert told(node.take("NBIRTH", "", node_birth(load=6), NOW))[-1] == (LOAD, 6, Quality.GOOD)
    assert told(node.take("DBIRTH", "oven", device_birth(), NOW)) == [(TEMP, 20.5, Quality.GOOD)]
    assert not node.wants_rebirth


def test_the_sequence_goes_on_after_255(node: EdgeNode) -> None:
    for seq in [*range(2, 256), 0, 1]:
        assert told(node.take("NDATA", "", data(1, DataType.INT16, seq, seq), NOW)) == [
            (LOAD, seq, Quality.GOOD)
        ]


def test_the_death_of_a_node_makes_everything_of_it_bad(node: EdgeNode) -> None:
    will = message(Metric("bdSeq", datatype=DataType.INT64, value=1))
    assert told(node.take("NDEATH", "", will, NOW)) == [
        (LOAD, None, Quality.BAD_NO_COMMUNICATION),
        (TEMP, None, Quality.BAD_NO_COMMUNICATION),
    ]
    assert node.take("NDEATH", "", will, NOW) == []
    assert told(node.take("NDATA", "", data(1, DataType.INT16, 6, 2), NOW)) == []
    assert node.wants_rebirth


def test_the_will_of_an_earlier_session_kills_nobody(node: EdgeNode) -> None:
    assert node.take("NDEATH", "", message(Metric("bdSeq", datatype=DataType.INT64, value=0)), NOW) == []
    assert node.born


def test_the_death_of_a_device_leaves_the_node_alone(node: EdgeNode) -> None:
    assert told(node.take("DDEATH", "oven", message(seq=2), NOW)) == [
        (TEMP, None, Quality.BAD_NO_COMMUNICATION)
    ]
    assert told(node.take("NDATA", "", data(1, DataType.INT16, 6, 3), NOW)) == [(LOAD, 6, Quality.GOOD)]


def test_a_device_that_is_not_announced_again_is_not_believed_any_more(node: EdgeNode) -> None:
    assert (TEMP, 20.5, Quality.UNCERTAIN_LAST_USABLE) in told(node.take("NBIRTH", "", node_birth(2), NOW))


def test_a_metric_that_the_birth_does_not_name_is_unknown() -> None:
    node = EdgeNode()
    node.watch(parse_address("g/n:nothing"))
    assert told(node.waiting(NOW)) == [("g/n:nothing", None, Quality.BAD_WAITING_FOR_INITIAL_DATA)]
    assert told(node.take("NBIRTH", "", node_birth(), NOW)) == [
        ("g/n:nothing", None, Quality.BAD_NODE_ID_UNKNOWN)
    ]


def test_stored_values_keep_their_own_times_and_do_not_become_the_newest(node: EdgeNode) -> None:
    old = Metric(alias=1, datatype=DataType.INT16, value=1, time=AT - 60_000, historical=True)
    (reading,) = node.take("NDATA", "", message(old, seq=2), NOW)
    assert (reading.value, reading.quality, (NOW - reading.source_time).total_seconds()) == (
        1,
        Quality.GOOD,
        60,
    )
    assert node.known["", "load"].value == 5


@pytest.mark.parametrize(
    ("metric", "value", "quality"),
    [
        (Metric(alias=1, datatype=DataType.INT16, null=True), None, Quality.BAD),
        (Metric(alias=1, datatype=DataType.INT16, value=3, properties={"Quality": 0}), None, Quality.BAD),
        (
            Metric(alias=1, datatype=DataType.INT16, value=3, properties={"Quality": 500}),
            3,
            Quality.UNCERTAIN_LAST_USABLE,
        ),
        (Metric(alias=1, datatype=DataType.DOUBLE, value=float("nan")), None, Quality.BAD_SENSOR_FAILURE),
        (Metric(alias=1, datatype=17, null=True), None, Quality.BAD_CONFIGURATION_ERROR),
        (Metric(alias=1, datatype=DataType.UINT64, value=2**64 - 1), float(2**64), Quality.GOOD),
    ],
)
def test_what_has_no_value_is_told_as_bad(node: EdgeNode, metric: Metric, value: Value, quality: int) -> None:
    assert told(node.take("NDATA", "", message(metric, seq=2), NOW)) == [(LOAD, value, quality)]


@pytest.mark.parametrize("text", ["", "g/n", "g:m", "g/n/d/e:m", "g//d:m", "g/n:", "+/n:m", "g/#:m"])
def test_what_is_no_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadAddress, match="is not an address that can be read"):
        parse_address(text)


KINDS = st.sampled_from(["NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA"])
METRICS = st.builds(
    Metric,
    name=st.sampled_from(["", "load", "temp/in", "bdSeq"]),
    alias=st.none() | st.integers(0, 3),
    datatype=st.sampled_from([None, DataType.INT16, DataType.FLOAT, DataType.STRING, 16]),
    null=st.booleans(),
    historical=st.booleans(),
    wire=st.none() | st.integers(0, 300) | st.floats() | st.text(max_size=3),
)


@given(st.lists(st.tuples(KINDS, st.lists(METRICS, max_size=3), st.none() | st.integers(0, 3)), max_size=20))
def test_no_order_of_messages_breaks_a_node_and_a_bad_reading_never_has_a_value(
    messages: list[tuple[str, list[Metric], int | None]],
) -> None:
    node = EdgeNode()
    for text in (LOAD, TEMP):
        node.watch(parse_address(text))
    for kind, metrics, seq in messages:
        device = "oven" if kind[0] == "D" else ""
        readings = node.take(kind, device, Payload(tuple(metrics), AT, seq), NOW)
        assert all((r.value is None) == is_bad(r.quality) for r in readings)
        if kind not in ("NBIRTH", "NDEATH") and not node.born and readings:
            assert {r.quality for r in readings} != {Quality.GOOD} or any(m.historical for m in metrics)
