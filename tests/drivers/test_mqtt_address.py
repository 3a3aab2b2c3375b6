"""Addresses of values inside MQTT messages, and what is read out of any message at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.samples import Quality, Value, is_bad
from app.drivers.faults import BadAddress
from app.drivers.mqtt_address import MqttAddress, Step, find, parse_address, spell_address
from app.drivers.mqtt_values import LARGEST, Payload, encode, moment
from tests.chance import examples

TOPICS = st.text(
    st.characters(exclude_characters="+#\0", exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"]), min_size=1
)
STEPS = st.one_of(st.text(), st.integers(0, 10**6))
PATHS = st.lists(STEPS, max_size=5).map(tuple)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(TOPICS, PATHS, PATHS)
@example("a/b", ("x.y", 0, "", "@", '"]'), ("ts",))
@examples(200)
def test_every_path_can_be_spelled_and_is_understood_again(
    topic: str, path: tuple[Step, ...], time_path: tuple[Step, ...]
) -> None:
    address = parse_address(spell_address(topic, path, time_path))
    assert (address.topic, address.path, address.time_path) == (topic, path, time_path)


@pytest.mark.parametrize(
    ("text", "topic", "path", "time_path"),
    [
        ("plant/oven2", "plant/oven2", (), ()),
        ("plant/oven2#", "plant/oven2", (), ()),
        ("plant/oven2#temp.value", "plant/oven2", ("temp", "value"), ()),
        ("plant/oven2#zones[1].temp", "plant/oven2", ("zones", 1, "temp"), ()),
        ("plant/oven2#[0]", "plant/oven2", (0,), ()),
        ("plant/oven2#temp.value@temp.ts", "plant/oven2", ("temp", "value"), ("temp", "ts")),
        ('plant/a@b#["odd.key"].x', "plant/a@b", ("odd.key", "x"), ()),
    ],
)
def test_addresses_are_read_as_a_person_writes_them(
    text: str, topic: str, path: tuple[Step, ...], time_path: tuple[Step, ...]
) -> None:
    assert parse_address(f" {text} ") == MqttAddress(f" {text} ", topic, path, time_path)


@pytest.mark.parametrize(
    "text", ["", "#a", "plant/+/x", "a#b..c", "a#b[x]", "a#b[", 'a#["b', "a#b@", "a#b@c@d", "a#.b"]
)
def test_what_is_no_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadAddress, match="is not an address that can be read"):
        parse_address(text)


@given(st.text())
def test_no_text_at_all_breaks_the_reading_of_addresses(text: str) -> None:
    try:
        address = parse_address(text)
    except BadAddress:
        return
    again = parse_address(spell_address(address.topic, address.path, address.time_path))
    assert (again.topic, again.path, again.time_path) == (address.topic, address.path, address.time_path)


@given(JSON, PATHS)
def test_whatever_is_found_in_a_message_is_a_value_or_a_bad_reading(
    document: object, path: tuple[Step, ...]
) -> None:
    decoded = Payload(json.dumps(document).encode()).decode(MqttAddress("t", "t", path, ("ts",)))
    assert (decoded.value is None) == is_bad(decoded.quality)
    assert isinstance(decoded.value, (bool, int, float, str, type(None)))


@given(st.binary(), PATHS)
@example(b"[" * 100_000, ())
@example(b"1" * 5_000, ())
@example(b'{"a":1e999}', ("a",))
def test_no_bytes_at_all_break_the_reading_of_messages(raw: bytes, path: tuple[Step, ...]) -> None:
    decoded = Payload(raw).decode(MqttAddress("t", "t", path, path))
    assert (decoded.value is None) == is_bad(decoded.quality)


KEYS_ONLY = st.lists(st.text(), max_size=4).map(tuple)


@given(KEYS_ONLY, st.integers() | st.booleans() | st.text(max_size=50))
def test_what_is_written_to_a_path_is_found_there_by_the_same_path(
    path: tuple[Step, ...], value: Value
) -> None:
    raw = encode(value, path)
    if path:
        assert find(json.loads(raw), path) == value
    else:
        assert raw.decode() == (value if isinstance(value, str) else json.dumps(value))


def test_a_place_in_a_list_and_no_number_cannot_be_written() -> None:
    with pytest.raises(Refused, match="lose the others"):
        encode(1.0, ("a", 0))
    with pytest.raises(Refused, match="cannot be sent"):
        encode(float("nan"), ())


@pytest.mark.parametrize(
    ("raw", "value", "quality"),
    [
        (b"21.5", 21.5, Quality.GOOD),
        (b" 7 ", 7, Quality.GOOD),
        (b"true", True, Quality.GOOD),
        (b"running", "running", Quality.GOOD),
        (b'"running"', "running", Quality.GOOD),
        (b"null", None, Quality.BAD),
        (b"NaN", None, Quality.BAD_SENSOR_FAILURE),
        (b'{"value": 1}', None, Quality.BAD_CONFIGURATION_ERROR),
        (b"\xff\xfe", None, Quality.BAD_CONFIGURATION_ERROR),
        (b"1" * (LARGEST + 1), None, Quality.BAD_CONFIGURATION_ERROR),
        (str(2**70).encode(), float(2**70), Quality.GOOD),
    ],
)
def test_a_whole_message_is_a_number_a_truth_value_or_text(raw: bytes, value: Value, quality: int) -> None:
    decoded = Payload(raw).decode(MqttAddress("t", "t"))
    assert (decoded.value, decoded.quality) == (value, quality)
    assert type(decoded.value) is type(value)


@pytest.mark.parametrize(
    "given_time",
    [1767225600, 1767225600.0, 1767225600000, 1767225600000000, 1767225600000000000, "1767225600",
     "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00"],
)  # fmt: skip
def test_a_time_is_understood_in_the_ways_machines_write_it(given_time: object) -> None:
    assert abs(moment(given_time) - datetime(2026, 1, 1, tzinfo=UTC)) < timedelta(milliseconds=1)


@pytest.mark.parametrize("given_time", [0, True, None, "soon", [], 1e300, float("nan"), -5, 10**400])
def test_a_clock_that_was_never_set_is_not_believed(given_time: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        moment(given_time)
    raw = json.dumps({"v": 1, "t": given_time}).encode()
    decoded = Payload(raw).decode(parse_address("t#v@t"))
    assert (decoded.value, decoded.quality, decoded.time) == (1, Quality.UNCERTAIN, None)
