"""The same registers in every reading, so that a person can tell which one the maker of the machine meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.samples import Value
from app.drivers.modbus_decodings import all_decodings, same
from app.drivers.modbus_values import ORDERS, decode, encode, parse_address


@pytest.mark.parametrize("order", ORDERS)
def test_a_measured_value_stands_first_in_its_true_order(order: str) -> None:
    words = encode(123.456, parse_address(f"hr:7:float32:{order}"))
    first = all_decodings(words, "hr", 7)[0]
    assert (first.address, first.rank) == (f"hr:7:float32:{order}", 1)
    assert first.value == pytest.approx(123.456, abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint32", 48_213),
        ("string(16)", "Press 4 Hall B"),
        ("time32", "2026-03-31T14:00:00+00:00"),
        ("int16", -40),
    ],
)
def test_a_counter_a_name_and_a_time_are_among_the_likely_ones(kind: str, value: Value) -> None:
    words = encode(value, parse_address(f"hr:0:{kind}"))
    likely = [(d.address, d.value) for d in all_decodings(words, "hr", 0) if d.rank == 1]
    assert (f"hr:0:{kind}:abcd", value) in likely


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=8), st.booleans())
def test_any_registers_can_be_shown_and_every_row_reads_what_it_says(
    words: list[int], one_based: bool
) -> None:
    rows = all_decodings(words, "ir", 7, one_based=one_based)
    assert len({row.address for row in rows}) == len(rows)
    assert [row.rank for row in rows] == sorted(row.rank for row in rows)
    assert len([row for row in rows if row.type == "bit"]) == 16
    for row in rows:
        address = parse_address(row.address, one_based=one_based)
        assert address.offset == 7
        assert same(decode(words[: address.words], address), row.value)
