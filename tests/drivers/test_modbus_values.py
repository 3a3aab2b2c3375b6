"""Registers to values: golden vectors for the four byte orders, round trips, and the grammar of addresses."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.samples import Value
from app.drivers.faults import BadAddress
from app.drivers.modbus_values import ORDERS, Undecodable, all_decodings, decode, encode, parse_address


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
        ("40001", "write it like"),
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


def test_addresses_as_in_the_manual_count_from_one() -> None:
    assert parse_address("hr:1:int16", one_based=True).offset == 0
    with pytest.raises(BadAddress):
        parse_address("hr:0", one_based=True)


orders = st.sampled_from(ORDERS)
widths = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1),
          "uint32": (0, 2**32 - 1), "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
          "bcd16": (0, 9999), "bcd32": (0, 99_999_999)}  # fmt: skip


@given(st.sampled_from(sorted(widths)), orders, st.data())
def test_whole_numbers_survive_the_round_trip(kind: str, order: str, data: st.DataObject) -> None:
    value = data.draw(st.integers(*widths[kind]))
    address = parse_address(f"hr:5:{kind}:{order}")
    words = encode(value, address)
    assert all(0 <= w <= 0xFFFF for w in words)
    assert decode(words, address) == value


@given(orders, st.floats(allow_nan=False), st.floats(width=32, allow_nan=False))
def test_floating_numbers_survive_the_round_trip(order: str, wide: float, narrow: float) -> None:
    for kind, value in (("float64", wide), ("float32", narrow)):
        address = parse_address(f"ir:0:{kind}:{order}")
        assert decode(encode(value, address), address) == value


@given(orders, st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20))
def test_texts_survive_the_round_trip(order: str, text: str) -> None:
    address = parse_address(f"hr:0:string(20):{order}")
    assert decode(encode(text, address), address) == text


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=4))
def test_any_registers_can_be_shown_in_every_decoding(words: list[int]) -> None:
    found = dict(all_decodings(words, "hr", 7))
    assert found["hr:7:uint16:abcd"] == words[0]
    for address, value in found.items():
        assume(not (isinstance(value, float) and math.isnan(value)))
        assert decode(words[: parse_address(address).words], parse_address(address)) == value
