"""Sparkplug B payloads: every scalar datatype goes round, no bytes break anything, field numbers are the standard's."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.samples import Value
from app.drivers.sparkplug_message import Malformed, Metric, Payload, decode, encode
from app.drivers.sparkplug_types import DataType, from_wire, is_scalar, to_wire

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
U64 = st.integers(0, 2**64 - 1)


def integers(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


VALUES: dict[DataType, st.SearchStrategy[Value]] = {
    DataType.INT8: integers(8, signed=True),
    DataType.INT16: integers(16, signed=True),
    DataType.INT32: integers(32, signed=True),
    DataType.INT64: integers(64, signed=True),
    DataType.UINT8: integers(8, signed=False),
    DataType.UINT16: integers(16, signed=False),
    DataType.UINT32: integers(32, signed=False),
    DataType.UINT64: integers(64, signed=False),
    DataType.FLOAT: st.floats(width=32, allow_nan=False),
    DataType.DOUBLE: st.floats(allow_nan=False),
    DataType.BOOLEAN: st.booleans(),
    DataType.STRING: TEXT,
    DataType.DATETIME: st.datetimes().map(
        lambda d: d.replace(microsecond=0, year=max(d.year, 1971)).isoformat() + "+00:00"
    ),
    DataType.TEXT: TEXT,
    DataType.UUID: st.uuids().map(str),
}


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    datatype = draw(st.sampled_from(sorted(VALUES)))
    null = draw(st.booleans())
    value = None if null else draw(VALUES[datatype])
    return Metric(
        name=draw(TEXT),
        alias=draw(st.none() | U64),
        datatype=int(datatype),
        value=value,
        time=draw(st.none() | U64),
        historical=draw(st.booleans()),
        null=null,
        properties=draw(st.dictionaries(TEXT, TEXT | st.booleans() | integers(32, signed=True), max_size=3)),
        wire=None if value is None else to_wire(datatype, value)[1],
    )


@given(st.lists(metrics(), max_size=5), st.none() | U64, st.none() | st.integers(0, 255))
def test_every_payload_is_read_as_it_was_written(
    found: list[Metric], time: int | None, seq: int | None
) -> None:
    payload = Payload(tuple(found), time, seq)
    assert decode(encode(payload)) == payload


@given(st.binary(max_size=200))
@example(bytes.fromhex("12020a01"))
@example(b"\x12\x03\x0a\x01\xff")
def test_no_bytes_at_all_break_the_reading(raw: bytes) -> None:
    try:
        payload = decode(raw)
    except Malformed:
        return
    assert isinstance(payload, Payload)


@given(st.binary(max_size=60), st.integers(0, 40), st.data())
def test_a_message_that_is_cut_or_changed_on_the_way_is_read_or_refused(
    raw: bytes, at: int, data: st.DataObject
) -> None:
    whole = encode(Payload((data.draw(metrics()),), 1, 2))
    for broken in (whole[: at % len(whole)], whole[:at] + raw + whole[at:]):
        try:
            decode(broken)
        except Malformed:
            continue


def test_the_bytes_are_those_of_the_standard() -> None:
    # written by hand from the field numbers of Sparkplug B 3.0, 6.4: payload 1, 2, 3; metric 1, 2, 3, 4 and 12
    metric = b"\x0a\x04Temp" + b"\x10\x07" + b"\x18\x64" + b"\x20\x09" + b"\x65" + struct.pack("<f", 21.5)
    raw = b"\x08\x05" + b"\x12" + bytes([len(metric)]) + metric + b"\x18\x03"
    assert decode(raw) == Payload((Metric("Temp", 7, 9, 21.5, 100, wire=21.5),), 5, 3)
    assert encode(Payload((Metric("Temp", 7, 9, 21.5, 100),), 5, 3)) == raw


def test_what_we_do_not_read_is_skipped() -> None:
    data_set = b"\x92\x01\x02\x08\x01"  # field 18 of a metric, a data set
    raw = b"\x12" + bytes([len(data_set) + 2]) + b"\x20\x10" + data_set
    (metric,) = decode(raw).metrics
    assert (metric.datatype, metric.value, is_scalar(metric.datatype)) == (16, None, False)


@pytest.mark.parametrize(
    ("datatype", "wire", "value"),
    [
        (DataType.INT8, 0xFF, -1),
        (DataType.INT8, 0xFFFF_FFFF, -1),
        (DataType.INT16, 0x8000, -32768),
        (DataType.INT32, 0xFFFF_FFFE, -2),
        (DataType.INT64, 2**64 - 3, -3),
        (DataType.UINT32, 2**32 - 1, 2**32 - 1),
        (DataType.UINT64, 2**64 - 1, 2**64 - 1),
        (DataType.DATETIME, 1767225600000, "2026-01-01T00:00:00+00:00"),
        (DataType.DATETIME, 2**64 - 1, None),
        (DataType.BOOLEAN, 1, None),
        (DataType.FLOAT, "x", None),
        (DataType.STRING, "x" * 5_000, None),
        (99, 1, None),
    ],
)
def test_signed_integers_travel_as_unsigned_ones(datatype: int, wire: object, value: Value) -> None:
    assert from_wire(datatype, wire) == value


@pytest.mark.parametrize(
    ("datatype", "value", "why"),
    [
        (DataType.UINT8, 256, "0 to 255"),
        (DataType.INT8, -129, "-128 to 127"),
        (DataType.INT32, 1.5, "whole number"),
        (DataType.UINT16, "7", "a number"),
        (DataType.UINT16, math.inf, "whole number"),
        (DataType.FLOAT, 1e300, "too large"),
        (DataType.BOOLEAN, 2, "true or false"),
        (DataType.STRING, 1, "text"),
        (DataType.DATETIME, True, "time"),
        (99, 1, "cannot be written"),
    ],
)
def test_a_value_that_a_metric_cannot_hold_is_refused(datatype: int, value: Value, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encode(Payload((Metric("m", datatype=datatype, value=value),)))


@given(st.integers(-10, 40), st.integers() | st.floats() | st.booleans() | TEXT | st.binary(max_size=3))
def test_no_pair_of_type_and_wire_value_breaks_the_reading(datatype: int, wire: object) -> None:
    assert isinstance(from_wire(datatype, wire), (bool, int, float, str, type(None)))
