"""OPC UA values: what a tag holds of each type, and what a node takes of a value."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import variant_from_binary, variant_to_binary
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.samples import Quality, Value
from app.drivers.faults import BadAddress
from app.drivers.opcua_values import encoded, fault_of, node_id, plain, reading, split_index
from tests.chance import examples

NOW = datetime(2026, 3, 31, 14, 5, tzinfo=UTC)
V = ua.VariantType


def data(value: Any, kind: ua.VariantType, status: int = 0) -> ua.DataValue:
    now = ua.DateTime.fromisoformat(NOW.isoformat())
    return ua.DataValue(ua.Variant(value, kind), ua.StatusCode(ua.UInt32(status)), SourceTimestamp=now)


@pytest.mark.parametrize(
    ("value", "kind", "held"),
    [
        (True, V.Boolean, True),
        (2**64 - 1, V.UInt64, 2**64 - 1),
        (-5, V.SByte, -5),
        (1.5, V.Float, 1.5),
        (math.inf, V.Double, math.inf),
        ("Ofen", V.String, "Ofen"),
        (NOW, V.DateTime, "2026-03-31T14:05:00+00:00"),
        (NOW.replace(tzinfo=None), V.DateTime, "2026-03-31T14:05:00+00:00"),
        (b"\x01\xaf", V.ByteString, "01af"),
        (ua.LocalizedText("offen", "de"), V.LocalizedText, "offen"),
        (ua.NodeId.from_string("ns=2;s=A"), V.NodeId, "ns=2;s=A"),
        (UUID(int=5), V.Guid, "00000000-0000-0000-0000-000000000005"),
        (ua.QualifiedName("a", 2), V.QualifiedName, "2:a"),
        (ua.StatusCode(ua.UInt32(0x80340000)), V.StatusCode, "BadNodeIdUnknown"),
        ([1, 2, 3], V.Int32, "1, 2, 3"),
        ([[1.5, 2.0], [3.0, 4.0]], V.Double, "[1.5, 2.0], [3.0, 4.0]"),
        ([], V.Int32, ""),
        (None, V.String, None),
    ],
)
def test_a_tag_holds_numbers_as_they_are_and_all_else_as_text(
    value: Any, kind: ua.VariantType, held: Value
) -> None:
    taken = reading("a", data(value, kind), NOW)
    assert (taken.value, taken.quality, taken.source_time) == (held, Quality.GOOD, NOW)
    assert type(taken.value) is type(held)


def test_not_a_number_stays_not_a_number() -> None:
    taken = reading("a", data(math.nan, V.Double), NOW)
    assert isinstance(taken.value, float)
    assert math.isnan(taken.value)


def test_the_time_of_a_clock_that_was_never_set_is_not_believed() -> None:
    server, unset = (ua.DateTime(year, 1, 1, 0, 0, 1, tzinfo=UTC) for year in (2026, 1970))
    value = ua.Variant(1.0, V.Double)
    for source, other, told in (
        (server, unset, server),
        (unset, server, server),
        (None, server, server),
        (unset, unset, NOW),
        (ua.DateTime(1601, 1, 1), None, NOW),
    ):
        given_times = ua.DataValue(value, SourceTimestamp=source, ServerTimestamp=other)
        assert reading("a", given_times, NOW).source_time == told


def test_a_long_list_is_cut_and_counted() -> None:
    text = plain(list(range(1000)))
    assert isinstance(text, str)
    assert text.endswith("31, … (1,000 values)")


def test_a_structure_is_no_value_but_a_reason() -> None:
    status = ua.ServerStatusDataType()
    taken = reading("a", data(status, V.ExtensionObject), NOW)
    assert (taken.value, taken.quality) == (None, Quality.BAD_CONFIGURATION_ERROR)
    fault = fault_of("a", data(status, V.ExtensionObject), ())
    assert isinstance(fault, BadAddress)
    assert "structure" in fault.sentence
    assert fault_of("a", data(1.0, V.Double), ()) is None


def test_an_element_of_a_list_is_taken_and_one_behind_its_end_is_not() -> None:
    listed = data([1, 2, 3], V.Int32)
    assert reading("a[2]", listed, NOW, (2,)).value == 3
    assert reading("a[3]", listed, NOW, (3,)).quality == Quality.BAD_CONFIGURATION_ERROR
    assert reading("a[1,0]", data([[1, 2], [3, 4]], V.Int32), NOW, (1, 0)).value == 3
    assert "3 values, the first is [0]" in str(fault_of("a[3]", listed, (3,)))
    assert "leave the [ ] out" in str(fault_of("a[0]", data(1, V.Int32), (0,)))


def test_a_bad_value_is_missing_and_an_uncertain_one_is_not() -> None:
    assert reading("a", data(5, V.Int32, Quality.BAD_SENSOR_FAILURE), NOW).value is None
    uncertain = reading("a", data(5, V.Int32, Quality.UNCERTAIN_LAST_USABLE), NOW)
    assert (uncertain.value, uncertain.quality) == (5, Quality.UNCERTAIN_LAST_USABLE)
    assert reading("a", None, NOW).quality == Quality.BAD


def test_an_address_is_a_node_with_or_without_an_index() -> None:
    assert split_index("ns=2;s=Arr[3]") == ("ns=2;s=Arr", (3,))
    assert split_index("ns=2;s=Table[1,2]") == ("ns=2;s=Table", (1, 2))
    assert split_index("ns=2;s=Plain") == ("ns=2;s=Plain", ())
    assert split_index("ns=2;s=Arr[x]") == ("ns=2;s=Arr[x]", ())
    assert node_id(" ns=3;i=7 ").NamespaceIndex == 3
    with pytest.raises(BadAddress, match="write it like"):
        node_id("Oven2.Temp")


_KINDS: dict[ua.VariantType, st.SearchStrategy[Any]] = {
    V.Boolean: st.booleans(),
    V.SByte: st.integers(-(2**7), 2**7 - 1),
    V.Byte: st.integers(0, 2**8 - 1),
    V.Int16: st.integers(-(2**15), 2**15 - 1),
    V.UInt16: st.integers(0, 2**16 - 1),
    V.Int32: st.integers(-(2**31), 2**31 - 1),
    V.UInt32: st.integers(0, 2**32 - 1),
    V.Int64: st.integers(-(2**63), 2**63 - 1),
    V.UInt64: st.integers(0, 2**64 - 1),
    V.Float: st.floats(width=32, allow_nan=False, allow_infinity=False),
    V.Double: st.floats(allow_nan=False, allow_infinity=False),
    V.String: st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    V.ByteString: st.binary().map(bytes.hex),
    V.Guid: st.uuids().map(str),
    V.DateTime: st.integers(0, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC).isoformat()),
}


@given(st.sampled_from(sorted(_KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), _KINDS[kind])))
@examples(200)
def test_what_is_written_is_what_is_read_whatever_the_type(pair: tuple[ua.VariantType, Value]) -> None:
    kind, value = pair
    wire = variant_to_binary(encoded(value, kind, "a"))
    back = variant_from_binary(Buffer(wire))
    assert back.VariantType == kind
    assert plain(back.Value) == value


@given(st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.text(max_size=5), st.none()))
@examples(200)
def test_a_value_is_written_unchanged_or_refused_but_never_bent(value: Value) -> None:
    for kind in _KINDS:
        try:
            variant = encoded(value, kind, "a")
        except Refused:
            continue
        back = plain(variant_from_binary(Buffer(variant_to_binary(variant))).Value)
        if kind == V.Float:
            assert isinstance(value, (int, float))
            assert back == struct.unpack("<f", struct.pack("<f", value))[0]
        elif kind == V.Double and isinstance(value, int):
            assert back == float(value)
        elif kind in (V.DateTime, V.ByteString, V.Guid):
            assert isinstance(value, str)  # its form may differ: upper case, blanks, a time zone
        else:
            assert back == value


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (300, V.Byte, "whole numbers from 0 to 255"),
        (1.5, V.Int16, "takes whole numbers"),
        (True, V.Double, "takes numbers"),
        (math.nan, V.Double, "takes numbers"),
        (1e39, V.Float, "up to 3.4e38"),
        (2, V.Boolean, "either on or off"),
        (5, V.String, "takes text"),
        ("tomorrow", V.DateTime, "written like 2026"),
        ("xyz", V.ByteString, "written like 01af"),
        ("x", V.ExtensionObject, "Lineside cannot write that"),
    ],
)
def test_what_a_node_cannot_take_is_refused_in_words(value: Value, kind: ua.VariantType, words: str) -> None:
    with pytest.raises(Refused, match=words):
        encoded(value, kind, "ns=2;s=A")
