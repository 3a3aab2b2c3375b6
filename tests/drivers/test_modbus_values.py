"""Registers to values: golden vectors for the four byte orders, round trips, and the grammar of addresses."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.samples import Value
from app.drivers.faults import BadAddress
from app.drivers.modbus_values import ORDERS, Undecodable, decode, encode, parse_address


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("abcd", [0x42F6, 0xE979]),
        ("cdab", [0xE979, 0x42F6]),
        ("badc", [0xF642, 0x79E9]),
        ("dcba", [0x79E9, 0xF642]),
    ],
)
def test_123_456_is_read_in_each_of_the_four_byte_orders(order: str, words: list[int]) -> None:
    address = parse_address(f"hr:0:float32:{order}")
    assert decode(words, address) == pytest.approx(123.456, abs=1e-5)
    assert encode(123.456, address) == words


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("hr:0", [65535], 65535),
        ("hr:0:int16", [65535], -1),
        ("hr:0:int16:badc", [0x3412], 0x1234),
        ("hr:0:uint32:cdab", [0x0001, 0x0002], 0x0002_0001),
        ("ir:0:int32", [0xFFFF, 0xFFFE], -2),
        ("hr:0:uint64:dcba", [0x0800, 0x0700, 0x0600, 0x0500], 0x0005_0006_0007_0008),
        ("hr:0:int64:cdab", [1, 0, 0, 0], 1),
        ("hr:0:float64", list(struct.unpack(">4H", struct.pack(">d", -2.5))), -2.5),
        ("hr:0:bcd16", [0x1234], 1234),
        ("hr:0:bcd32:cdab", [0x5678, 0x1234], 12345678),
        ("hr:0:string(6)", [0x4F76, 0x656E, 0x0000], "Oven"),
        ("hr:0:string(4):badc", [0x764F, 0x6E65], "Oven"),
        ("hr:0:string(3)", [0x4F76, 0x656E], "Ove"),
        ("hr:0:string(4)", [0x47FC, 0x7465], "Güte"),
        ("hr:0:string(4)", [0xC3BC, 0x2020], "ü"),
        ("hr:0:bcd64", [0x0123, 0x4567, 0x8901, 0x2345], 123456789012345),
        ("hr:0:time32", [0x6553, 0xF100], "2023-11-14T22:13:20+00:00"),
        ("hr:0.3:bool:badc", [0x0800], True),
        ("hr:0.3", [0b1000], True),
        ("hr:0.0", [0b1000], False),
    ],
)
def test_every_type_is_decoded(text: str, words: list[int], value: Value) -> None:
    address = parse_address(text)
    assert address.words == len(words)
    assert decode(words, address) == value


def test_digits_that_are_not_decimal_are_not_a_value() -> None:
    with pytest.raises(Undecodable):
        decode([0x12AF], parse_address("hr:0:bcd16"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("40001", "as hr:0, or set its addressing"),
        ("20001", "write it like"),
        ("hr:70000", "0 to 65535"),
        ("hr:65535:float32", "0 to 65535"),
        ("hr:1:float", "is not one of"),
        ("hr:1:float32:aabb", "byte order"),
        ("hr:1.16", "from 0 to 15"),
        ("coil:1:int16", "single bit"),
        ("hr:1:string", "length of the text"),
        ("hr:1:int16(3)", "has no length"),
    ],
)
def test_a_wrong_address_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(BadAddress, match=why) as fault:
        parse_address(text)
    assert fault.value.sentence.startswith(f"“{text}” is not an address")


@pytest.mark.parametrize(
    ("text", "table", "offset"),
    [
        ("hr:1:int16", "hr", 0),
        ("40001", "hr", 0),
        ("400001:float32:cdab", "hr", 0),
        ("465536", "hr", 65535),
        ("49999", "hr", 9998),
        ("30108.3", "ir", 107),
        ("10001", "di", 0),
        ("00017", "coil", 16),
        ("000017", "coil", 16),
    ],
)
def test_addresses_as_in_the_manual_count_from_one(text: str, table: str, offset: int) -> None:
    parsed = parse_address(text, one_based=True)
    assert (parsed.table, parsed.offset, parsed.text) == (table, offset, text)


@pytest.mark.parametrize("text", ["hr:0", "40000", "465537", "4001", "4000001"])
def test_a_manual_has_no_register_zero_and_five_or_six_digits(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_address(text, one_based=True)


orders = st.sampled_from(ORDERS)
widths = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1),
          "uint32": (0, 2**32 - 1), "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
          "bcd16": (0, 9999), "bcd32": (0, 99_999_999), "bcd64": (0, 10**16 - 1)}  # fmt: skip


@given(st.sampled_from(sorted(widths)), orders, st.data())
def test_whole_numbers_survive_the_round_trip(kind: str, order: str, data: st.DataObject) -> None:
    value = data.draw(st.integers(*widths[kind]))
    address = parse_address(f"hr:5:{kind}:{order}")
    words = encode(value, address)
    assert all(0 <= w <= 0xFFFF for w in words)
    assert decode(words, address) == value


@given(st.sampled_from(sorted(widths)), orders, st.integers(1, 10**9))
def test_what_does_not_fit_is_never_sent(kind: str, order: str, beyond: int) -> None:
    low, high = widths[kind]
    for value in (low - beyond, high + beyond, float("nan"), float("inf"), "7", None):
        with pytest.raises(Undecodable):
            encode(value, parse_address(f"hr:5:{kind}:{order}"))


@given(orders, *[st.floats(width=width, allow_nan=False, allow_infinity=False) for width in (64, 32)])
def test_floating_numbers_survive_the_round_trip(order: str, wide: float, narrow: float) -> None:
    for kind, value in (("float64", wide), ("float32", narrow)):
        address = parse_address(f"ir:0:{kind}:{order}")
        assert decode(encode(value, address), address) == value


def test_a_number_too_large_for_a_short_float_is_refused() -> None:
    with pytest.raises(Undecodable, match="float32 holds"):
        encode(1e39, parse_address("hr:0:float32"))


def test_a_fraction_is_rounded_to_what_a_register_can_hold() -> None:
    assert encode(123.6, parse_address("hr:0")) == [124]
    assert encode(-0.2, parse_address("hr:0:bcd16")) == [0]


@given(orders, st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=21), st.integers(0, 3))
def test_texts_survive_the_round_trip(order: str, text: str, more: int) -> None:
    address = parse_address(f"hr:0:string({max(1, len(text) + more)}):{order}")
    assert decode(encode(text, address), address) == text


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(Undecodable, match="longer than 3 bytes"):
        encode("Oven", parse_address("hr:0:string(3)"))


@given(orders, st.integers(0, 2**32 - 1))
def test_times_survive_the_round_trip(order: str, seconds: int) -> None:
    address = parse_address(f"hr:0:time32:{order}")
    shown = decode(encode(seconds, address), address)
    assert encode(shown, address) == encode(seconds, address)


def test_a_time_is_written_as_people_write_it() -> None:
    address = parse_address("hr:0:time32")
    assert decode(encode("2026-03-31 14:00", address), address) == "2026-03-31T14:00:00+00:00"
    assert decode(encode("2026-03-31T14:00+02:00", address), address) == "2026-03-31T12:00:00+00:00"
    for wrong in ("noon", "1969-12-31", -1, 2**32):
        with pytest.raises(Undecodable):
            encode(wrong, address)


texts = st.one_of(
    st.builds("{}:{}:{}:{}".format, st.sampled_from(["hr", "ir"]), st.integers(1, 65000),
              st.sampled_from([*widths, "float32", "float64", "time32", "string(1)", "string(250)"]), orders),
    st.builds("{}:{}.{}".format, st.sampled_from(["hr", "ir"]), st.integers(1, 65535), st.integers(0, 15)),
    st.builds("{}:{}.{}:bool:{}".format, st.just("hr"), st.integers(1, 65535), st.integers(0, 15), orders),
    st.builds("{}:{}".format, st.sampled_from(["coil", "di"]), st.integers(1, 65535)),
)  # fmt: skip


@given(texts, st.booleans())
def test_an_address_written_out_is_read_as_the_same(text: str, one_based: bool) -> None:
    parsed = parse_address(text, one_based=one_based)
    written = parsed.written(one_based=one_based)
    assert replace(parse_address(written, one_based=one_based), text=text) == parsed
    other = parse_address(parsed.written(one_based=not one_based), one_based=not one_based)
    assert replace(other, text=text) == parsed


@given(st.text(max_size=12), st.booleans())
def test_any_text_is_an_address_or_refused(text: str, one_based: bool) -> None:
    with suppress(BadAddress):
        parse_address(text, one_based=one_based)
