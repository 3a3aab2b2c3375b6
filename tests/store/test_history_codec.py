"""Chunks of samples: every bit comes back, noise costs what it must, damage is noticed."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.history.codec import decode, encode
from app.store.history.columns import Row, columns_of, joined
from app.store.history.damage import Damaged
from app.store.history.packing import pack_ints, unpack_ints
from tests.chance import examples

ANY_INT = st.integers(-(2**63), 2**63 - 1)
DECIMAL = st.builds(lambda n, d: round(n / 10**d, d), st.integers(-(10**7), 10**7), st.integers(0, 3))
VALUE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    ANY_INT,
    DECIMAL,
    st.floats(allow_nan=False),
    st.sampled_from([-0.0, 0.0, float("inf"), float("-inf"), 5e-324, 1e308]),
    st.text(max_size=5),
)
ROW = st.tuples(ANY_INT, ANY_INT, ANY_INT, VALUE, st.integers(0, 2**32 - 1), ANY_INT)


def exact(rows: list[Row]) -> list[tuple[object, ...]]:
    """Rows with the bits of their reals, of which 0.0 and -0.0 would be called equal."""
    return [(*r[:3], struct.pack("<d", r[3]) if isinstance(r[3], float) else r[3], *r[4:]) for r in rows]


@given(st.lists(ROW, min_size=1, max_size=60), st.integers(1, 4))
@examples(60)
def test_whatever_can_be_stored_comes_back_bit_by_bit(rows: list[Row], times: int) -> None:
    rows = rows * times
    assert exact(decode(encode(columns_of(rows))).rows()) == exact(rows)


@given(st.lists(DECIMAL, min_size=1, max_size=200), st.lists(st.floats(allow_nan=False), max_size=3))
@examples(60)
def test_decimals_with_a_few_odd_values_between_come_back_bit_by_bit(
    decimals: list[float], odd: list[float]
) -> None:
    rows: list[Row] = [(n, n, 1, v, 0, 30) for n, v in enumerate([*decimals, *odd, *decimals])]
    assert exact(decode(encode(columns_of(rows))).rows()) == exact(rows)


@given(st.lists(ANY_INT, max_size=50), st.integers(-(2**40), 2**40), ANY_INT)
@examples(60)
def test_integers_along_any_line_come_back(noise: list[int], slope: int, begin: int) -> None:
    with np.errstate(over="ignore"):
        line = np.int64(begin) + np.arange(len(noise), dtype=np.int64) * np.int64(slope)
        for numbers in (line, line + np.array(noise, np.int64), line + np.array(noise, np.int64) % 50_000):
            assert unpack_ints(pack_ints(numbers), len(numbers)).tolist() == numbers.tolist()


@given(st.lists(st.lists(ROW, max_size=10), max_size=4))
@examples(40)
def test_stretches_are_joined_with_their_texts(stretches: list[list[Row]]) -> None:
    together = joined([columns_of(rows) for rows in stretches])
    assert exact(together.rows()) == exact([row for rows in stretches for row in rows])


def test_a_noisy_signal_at_a_jittering_rate_takes_less_than_two_and_a_half_bytes() -> None:
    chance, value, rows = Random(3), 20.0, list[Row]()
    for n in range(20_000):
        value = round(value + chance.gauss(0, 0.05), 2)
        rows.append((n * 100_000 + round(chance.uniform(0, 20_000)), 8 * n, 1, value, 0, 30_000))
    packed = encode(columns_of(rows))
    assert len(packed) / len(rows) < 2.5
    assert decode(packed).rows() == rows


def test_without_identity_values_times_and_qualities_are_the_same() -> None:
    rows: list[Row] = [(n, 7 * n, 1, float(n), 0, n) for n in range(100)]
    plain = decode(encode(columns_of(rows)), identity=False).rows()
    assert [(t, v, q) for t, _, _, v, q, _ in plain] == [(t, v, q) for t, _, _, v, q, _ in rows]


@given(st.binary(max_size=60), st.integers(0, 300), st.integers(1, 255))
@examples(60)
def test_damage_is_noticed(garbage: bytes, at: int, flip: int) -> None:
    with pytest.raises(Damaged):
        decode(garbage)
    sound = bytearray(encode(columns_of([(n, n, 1, n / 7, 0, 5) for n in range(50)])))
    sound[at % len(sound)] ^= flip
    with pytest.raises(Damaged):
        decode(bytes(sound))


def test_a_damaged_count_of_samples_is_damage_and_asks_for_no_memory() -> None:
    chunk = bytearray(encode(columns_of([(n, n, 1, n / 7, 0, 5) for n in range(50)])))
    chunk[8] ^= 252
    with pytest.raises(Damaged, match="cannot hold"):
        decode(bytes(chunk))
