"""What is told of MQTT values when messages, silence and last wills come, without any broker."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.domain.samples import Quality, Value, is_bad
from app.drivers.mqtt_address import parse_address
from app.drivers.mqtt_board import Board
from app.drivers.protocol import Reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def board(*addresses: str, freshness: float = 0.0) -> Board:
    made = Board()
    for text in addresses:
        made.add(parse_address(text), freshness, 0.0)
    return made


def told(readings: list[Reading]) -> list[tuple[str, Value, int]]:
    return [(r.address, r.value, r.quality) for r in readings]


def test_one_message_serves_every_address_in_it() -> None:
    readings = board("t#a", "t#b[1]", "other").take("t", b'{"a": 1, "b": [2, 3]}', False, NOW, 0.0)
    assert told(readings) == [("t#a", 1, Quality.GOOD), ("t#b[1]", 3, Quality.GOOD)]


def test_a_retained_message_is_an_initial_value_until_the_first_live_one() -> None:
    values = board("t")
    assert told(values.take("t", b"1", True, NOW, 0.0)) == [("t", 1, Quality.UNCERTAIN_INITIAL)]
    assert told(values.take("t", b"2", False, NOW, 0.0)) == [("t", 2, Quality.GOOD)]
    assert values.take("t", b"1", True, NOW, 0.0) == []


def test_a_retained_message_with_its_own_time_is_as_good_as_any() -> None:
    (reading,) = board("t#v@t").take("t", b'{"v": 1, "t": "2025-12-31T23:00:00Z"}', True, NOW, 0.0)
    assert (reading.quality, reading.source_time) == (Quality.GOOD, datetime(2025, 12, 31, 23, tzinfo=UTC))
    assert reading.receive_time == NOW


def test_a_value_that_grows_old_is_told_once_more_as_old_and_once_only() -> None:
    values = board("t", freshness=5.0)
    values.take("t", b"1", False, NOW, 10.0)
    assert values.overdue(NOW, 15.0) == []
    assert told(values.overdue(NOW, 15.1)) == [("t", 1, Quality.UNCERTAIN_LAST_USABLE)]
    assert values.overdue(NOW, 99.0) == []
    assert told(values.take("t", b"1", False, NOW, 100.0)) == [("t", 1, Quality.GOOD)]


def test_a_message_that_cannot_be_understood_is_told_once_until_a_good_one_came() -> None:
    values = board("t#a")
    assert told(values.take("t", b"rubbish", False, NOW, 0.0)) == [
        ("t#a", None, Quality.BAD_CONFIGURATION_ERROR)
    ]
    assert values.take("t", b'{"b": 1}', False, NOW, 0.0) == []
    assert told(values.take("t", b'{"a": 1}', False, NOW, 0.0)) == [("t#a", 1, Quality.GOOD)]
    assert told(values.take("t", b'{"a": {}}', False, NOW, 0.0)) == [
        ("t#a", None, Quality.BAD_CONFIGURATION_ERROR)
    ]
    assert values.unreadable == 3


def test_after_the_last_will_everything_is_bad_and_retained_values_do_not_change_that() -> None:
    values = board("t", "u", "v")
    values.take("t", b"1", False, NOW, 0.0)
    assert {(r.value, r.quality) for r in values.gone(NOW)} == {(None, Quality.BAD_NO_COMMUNICATION)}
    assert values.gone(NOW) == []
    assert values.take("u", b"2", True, NOW, 0.0) == []
    assert values.overdue(NOW, 1e9) == []
    assert told(values.back(NOW)) == [
        ("t", 1, Quality.UNCERTAIN_LAST_USABLE),
        ("u", 2, Quality.UNCERTAIN_LAST_USABLE),
        ("v", None, Quality.BAD_WAITING_FOR_INITIAL_DATA),
    ]


def test_a_live_value_after_the_last_will_brings_the_machine_back() -> None:
    values = board("t")
    values.take("t", b"1", False, NOW, 0.0)
    values.gone(NOW)
    assert told(values.take("t", b"2", False, NOW, 0.0))[-1] == ("t", 2, Quality.GOOD)
    assert not values.down


EVENTS = st.one_of(
    st.tuples(st.just("message"), st.binary(max_size=12), st.booleans()),
    st.tuples(st.just("number"), st.integers(), st.booleans()),
    st.tuples(st.sampled_from(["gone", "back", "wait", "old"])),
)


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens_a_bad_reading_has_no_value_and_a_machine_that_is_gone_shows_none(
    events: list[tuple[object, ...]],
) -> None:
    values, tick = board("t", "t#a", freshness=2.0), 0.0
    last: dict[str, Reading] = {}
    for event in events:
        tick += 1.0
        match event:
            case ("message", bytes(raw), bool(retained)):
                readings = values.take("t", raw, retained, NOW, tick)
            case ("number", int(number), bool(retained)):
                readings = values.take("t", b'{"a": %d}' % number, retained, NOW, tick)
            case ("gone",):
                readings = values.gone(NOW)
            case ("back",):
                readings = values.back(NOW)
            case ("wait",):
                readings = values.waiting(NOW)
            case _:
                readings = values.overdue(NOW, tick)
        last |= {r.address: r for r in readings}
        assert all((r.value is None) == is_bad(r.quality) for r in readings)
        if values.down:
            assert {r.quality for r in last.values()} == {Quality.BAD_NO_COMMUNICATION}
