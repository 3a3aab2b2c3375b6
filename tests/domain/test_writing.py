"""What may be sent to a machine, within which limits, as which raw value, and whether it arrived."""

from __future__ import annotations

import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.plant import Scale, Tag, Writing
from app.domain.samples import Quality, Value
from app.domain.writing import arrived, check_write, raw_value, unscaled

PLAIN = Tag("M/x", "M", "c", "hr:0", writing=Writing())
BOUNDED = Tag("M/speed", "M", "c", "hr:0", unit="1/min", writing=Writing(low=0, high=1500))
STATES = Tag("M/mode", "M", "c", "hr:0", states=((0, "Off"), (2, "Automatic")), writing=Writing())


def test_nothing_is_written_unless_it_was_switched_on() -> None:
    with pytest.raises(Refused, match="may not be written"):
        check_write(Tag("M/x", "M", "c", "hr:0"), 1.0)


@pytest.mark.parametrize("value", [-0.1, 1500.1, "1501", float("nan"), float("inf"), True, "fast", "", None])
def test_what_is_outside_the_limits_or_no_number_is_refused(value: Value) -> None:
    with pytest.raises(Refused) as refusal:
        check_write(BOUNDED, value)
    assert refusal.value.sentence.endswith(".")


@pytest.mark.parametrize(("value", "sent"), [(0, 0), ("1500", 1500), ("12.5", 12.5), (1499.9, 1499.9)])
def test_what_is_within_the_limits_is_sent(value: Value, sent: Value) -> None:
    assert check_write(BOUNDED, value) == sent


def test_a_state_is_sent_by_its_name_or_number_and_no_other() -> None:
    assert (check_write(STATES, "automatic"), check_write(STATES, "2")) == (2, 2)
    for wrong in ("manual", 1, "1"):
        with pytest.raises(Refused, match="Automatic"):
            check_write(STATES, wrong)


@given(
    st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0, 1)
)
def test_a_scaled_value_comes_back_as_it_was_sent(
    raw_lo: float, raw_hi: float, lo: float, hi: float, part: float
) -> None:
    assume(abs(raw_hi - raw_lo) > 1 and abs(hi - lo) > 1e-2)
    scale = Scale(raw_lo, raw_hi, lo, hi)
    value = lo + part * (hi - lo)
    back, quality = scale.apply(unscaled(scale, value), Quality.GOOD)
    assert back == pytest.approx(value, rel=1e-6, abs=1e-6)
    assert quality == Quality.GOOD


@pytest.mark.parametrize(
    ("value", "like", "raw"),
    [
        ("12", 7, 12),
        ("12", 7.5, 12.0),
        ("012", "abc", "012"),
        ("on", False, True),
        (0, True, False),
        (2.5, 7, 2.5),
    ],
)
def test_the_machine_gets_the_kind_of_value_that_it_has(value: Value, like: Value, raw: Value) -> None:
    sent = raw_value(PLAIN, value, like)
    assert (sent, type(sent)) == (raw, type(raw))


def test_a_scaled_value_for_a_whole_register_is_rounded() -> None:
    tag = Tag("M/x", "M", "c", "hr:0", scale=Scale(0, 4095, 0, 200), writing=Writing(0, 200))
    assert raw_value(tag, 100.0, 7) == 2048


@pytest.mark.parametrize(("value", "like"), [("perhaps", True), ("abc", 1), (True, 1.0), (3, False)])
def test_a_value_of_another_kind_is_refused(value: Value, like: Value) -> None:
    with pytest.raises(Refused):
        raw_value(PLAIN, value, like)


@given(st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-1e30, max_value=1e30))
def test_a_value_that_a_machine_keeps_in_32_bits_has_arrived(value: float) -> None:
    kept = struct.unpack(">f", struct.pack(">f", value))[0]
    assert arrived(value, kept)


@pytest.mark.parametrize(
    ("sent", "read"), [(1.0, 1.01), (True, False), ("a", "b"), (1, None), (1, True), (0, 1e-3)]
)
def test_another_value_has_not_arrived(sent: Value, read: Value) -> None:
    assert not arrived(sent, read)
