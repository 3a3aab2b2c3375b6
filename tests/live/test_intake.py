"""From readings to samples: broken sensors, shared addresses, changes of the plant, small steps of the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.plant import Connection, DeadbandRule, Equipment, Limits, Plant, Scale, Tag
from app.domain.samples import Quality, Sample, Value
from app.drivers.protocol import Granted, Reading, Traffic, Watch
from app.live.figures import LinkMeter
from app.live.intake import Intake
from app.live.scanning import raw_deadband, watches_of

T0 = datetime(2026, 3, 4, tzinfo=UTC)
TEMPERATURE = Tag("M/t", "M", "c", "hr:0")


def plant(*tags: Tag) -> Plant:
    return Plant((Equipment("M", "M"),), (Connection("c", "modbus-tcp", "tcp://127.0.0.1"),), tags)


class Bench:
    """An intake with a clock that the test moves."""

    def __init__(self, *tags: Tag) -> None:
        self.now, self.said = T0, list[Sample]()
        self.intake = Intake(lambda: self.now, self.said.extend)
        self.intake.configure(plant(*tags))

    def read(self, value: Value, second: float = 0.0, quality: int = Quality.GOOD) -> Sample:
        self.now = at = T0 + timedelta(seconds=second)
        self.intake.accept("c", [Reading("hr:0", value, quality, at, at)])
        return self.said[-1]


@pytest.mark.parametrize(
    ("raw", "value", "quality"),
    [(32767, None, Quality.BAD_SENSOR_FAILURE), (100, 10.0, Quality.GOOD), (True, True, Quality.GOOD)],
)
def test_a_mark_of_a_broken_sensor_is_no_value(raw: Value, value: Value, quality: int) -> None:
    bench = Bench(replace(TEMPERATURE, invalid=(32767.0, 1.0), scale=Scale(0, 1000, 0, 100)))
    sample = bench.read(raw)
    assert (sample.value, sample.quality) == (value, quality)


def test_a_tag_that_is_new_on_a_known_address_has_its_value_at_once() -> None:
    bench = Bench(TEMPERATURE)
    bench.read(7)
    bench.intake.configure(plant(TEMPERATURE, replace(TEMPERATURE, name="M/double", scale=Scale(0, 1, 0, 2))))
    assert {s.tag: s.value for s in bench.intake.latest()} == {"M/t": 7, "M/double": 14.0}


def test_a_new_scale_holds_at_once_and_new_limits_change_nothing() -> None:
    bench = Bench(TEMPERATURE)
    bench.read(7)
    bench.intake.configure(plant(replace(TEMPERATURE, limits=Limits(hi=5))))
    assert len(bench.said) == 1
    bench.intake.configure(plant(replace(TEMPERATURE, scale=Scale(0, 1, 0, 10))))
    assert [s.value for s in bench.said] == [7, 70.0]


def test_nothing_is_said_again_of_a_machine_that_is_gone_or_another_one_now() -> None:
    scaled = plant(replace(TEMPERATURE, scale=Scale(0, 1, 0, 10)))
    for end in (Intake.lost, Intake.forget):
        bench = Bench(TEMPERATURE)
        bench.read(7)
        end(bench.intake, "c")
        bench.intake.configure(scaled)
        assert 70.0 not in [s.value for s in bench.said]


@given(st.lists(st.floats(-1.9, 1.9), min_size=1, max_size=30))
def test_small_corrections_of_the_clock_never_turn_the_time_of_a_tag_back(steps: list[float]) -> None:
    bench, second = Bench(TEMPERATURE), 10.0
    for number, step in enumerate(steps):
        second += step
        bench.read(number, second)
    times = [s.receive_time for s in bench.said]
    assert times == sorted(times)
    assert [s.source_time for s in bench.said] == times


def test_the_deadband_is_told_to_the_machine_in_its_own_units() -> None:
    scaled = replace(TEMPERATURE, scale=Scale(0, 4000, 0, 200), deadband=DeadbandRule(0.5))
    percent = replace(scaled, name="M/p", deadband=DeadbandRule(1, percent=True))
    assert (raw_deadband(scaled), raw_deadband(percent)) == (10.0, 40.0)
    both = plant(scaled, replace(percent, scan=0.2, freshness=9.0))
    assert watches_of(both, "c") == (Watch("hr:0", 0.2, 10.0, 9.0),)
    assert watches_of(plant(scaled, TEMPERATURE), "c")[0].deadband == 0.0


def test_limits_alone_ask_nothing_else_of_the_machine() -> None:
    rule = DeadbandRule(1, percent=True)
    narrow = replace(TEMPERATURE, deadband=rule, limits=Limits(hi=10, lo=0))
    wide = replace(narrow, limits=Limits(hi=1000, lo=0))
    assert watches_of(plant(narrow), "c") == watches_of(plant(wide), "c")


def test_figures_of_a_link_add_up_over_its_drivers() -> None:
    meter = LinkMeter("c")
    good = Reading("hr:0", 1, Quality.GOOD, T0, T0)
    meter.connected()
    meter.granted([Watch("hr:0", 0.1), Watch("hr:1", 0.1)], [Granted("hr:0", 0.5), Granted("hr:1", 0.1)])
    assert meter.figures(0.0, Traffic(5, 1, last_seconds=0.1, slowest_seconds=0.4)).slowest_seconds == 0.4
    meter.took([good] * 10)
    second = meter.figures(2.0, Traffic(7, 1, 3, 2, last_seconds=0.2, slowest_seconds=0.4))
    assert (second.values_per_second, second.requests, second.overflows, second.refreshed) == (5.0, 7, 3, 2)
    meter.ended(Traffic(7, 1, 3, 2, last_seconds=0.2, slowest_seconds=0.4))
    meter.connected()
    later = meter.figures(90.0, Traffic(2, 0, last_seconds=0.3, slowest_seconds=0.3))
    assert (later.requests, later.failures, later.reconnects) == (9, 1, 1)
    assert (later.slowest_seconds, later.poll_seconds) == (0.3, 0.3)
    assert (later.interval_seconds, later.last_good) == (0.5, T0)
