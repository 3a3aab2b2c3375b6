"""From readings to samples: broken sensors, shared addresses, changes of the plant, small steps of the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.plant import Connection, DeadbandRule, Equipment, Limits, Plant, Scale, Tag
from app.domain.samples import Quality, Sample, Value
from app.drivers.protocol import Granted, Reading, Traffic, Watch
from app.live.figures import LinkMeter
from app.live.intake import Intake
from app.live.scanning import raw_deadband, watches_of
from app.store.history import FILE_NAME, HistoryReader, HistoryWriter

T0 = datetime(2026, 3, 4, tzinfo=UTC)
TEMPERATURE = Tag("M/t", "M", "c", "hr:0")


def plant(*tags: Tag, driver: str = "modbus-tcp") -> Plant:
    return Plant((Equipment("M", "M"),), (Connection("c", driver, "tcp://127.0.0.1"),), tags)


class Bench:
    """An intake with a clock that the test moves."""

    def __init__(self, *tags: Tag, driver: str = "modbus-tcp") -> None:
        self.now, self.said = T0, list[Sample]()
        self.intake = Intake(lambda: self.now, self.said.extend)
        self.intake.configure(plant(*tags, driver=driver))

    def read(self, value: Value, second: float = 0.0, quality: int = Quality.GOOD) -> Sample:
        self.now = at = T0 + timedelta(seconds=second)
        self.intake.accept("c", [Reading("hr:0", value, quality, at, at)])
        return self.said[-1]

    def told(
        self, value: Value, at: datetime, quality: int = Quality.GOOD, *, historical: bool = False
    ) -> None:
        """A value with a time of the machine's own."""
        self.intake.accept("c", [Reading("hr:0", value, quality, at, self.now, historical)])

    def stored(self) -> list[tuple[float, Value, int]]:
        """What went to the disk: seconds, value, quality."""
        return [
            ((s.source_time - T0).total_seconds(), s.value, s.quality) for s in self.intake.backlog.take()
        ]


@pytest.mark.parametrize(
    ("raw", "value", "quality"),
    [(32767, None, Quality.BAD_SENSOR_FAILURE), (100, 10.0, Quality.GOOD), (True, True, Quality.GOOD)],
)
def test_a_mark_of_a_broken_sensor_is_no_value(raw: Value, value: Value, quality: int) -> None:
    bench = Bench(replace(TEMPERATURE, invalid=(32767.0, 1.0), scale=Scale(0, 1000, 0, 100)))
    sample = bench.read(raw)
    assert (sample.value, sample.quality) == (value, quality)


@pytest.mark.parametrize("scale", [None, Scale(0, 1, 0, 1)])
@pytest.mark.parametrize("raw", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_value(raw: float, scale: Scale | None) -> None:
    sample = Bench(replace(TEMPERATURE, scale=scale)).read(raw)
    assert (sample.value, sample.quality) == (None, Quality.BAD_SENSOR_FAILURE)


def test_a_mark_that_came_through_a_short_float_is_still_a_mark() -> None:
    bench = Bench(replace(TEMPERATURE, invalid=(-9999.9, 1e300)))
    assert bench.read(-9999.900390625).quality == Quality.BAD_SENSOR_FAILURE
    assert bench.read(-9999.8).quality == Quality.GOOD


@pytest.mark.parametrize("ahead", [timedelta(hours=1), -timedelta(hours=1), timedelta(0)])
def test_a_lost_machine_is_the_newest_of_its_history_wherever_its_clock_stands(
    ahead: timedelta, data_dir: Path
) -> None:
    bench = Bench(TEMPERATURE)
    for second in range(3):
        bench.now = T0 + timedelta(seconds=second)
        bench.told(second, bench.now + ahead)
    bench.now += timedelta(seconds=1)
    for trouble in (Quality.UNCERTAIN_LAST_USABLE, Quality.BAD_SENSOR_FAILURE):  # noticed by our own clock
        bench.told(None, bench.now, trouble)
    bench.intake.lost("c")
    assert [s.source_time for s in bench.said] == sorted(s.source_time for s in bench.said)
    with HistoryWriter(data_dir / FILE_NAME) as writer, HistoryReader(data_dir / FILE_NAME) as reader:
        writer.write(bench.intake.backlog.take())
        assert reader.latest()["M/t"].quality == Quality.BAD_NO_COMMUNICATION


def test_what_a_machine_kept_for_later_is_stored_and_never_taken_for_now() -> None:
    bench = Bench(replace(TEMPERATURE, scale=Scale(0, 1, 0, 10)))
    bench.read(5, 60)
    bench.told(1, T0, historical=True)
    assert [s.value for s in bench.said] == [50.0]
    assert [s.value for s in bench.intake.latest()] == [50.0]
    assert bench.stored() == [(60, 50.0, 0), (0, 10.0, 0)]


@pytest.mark.parametrize("driver", ["opcua", "sparkplug", "modbus-tcp", "mqtt"])
def test_a_step_after_a_long_rest_is_no_ramp_where_only_changes_are_told(driver: str) -> None:
    bench = Bench(replace(TEMPERATURE, scale=Scale(0, 1, 0, 2)), driver=driver)
    bench.read(5, 0)
    bench.read(25, 60)
    rest = [(59, 10.0, 0)] if driver in ("opcua", "sparkplug") else []
    assert bench.stored() == [(0, 10.0, 0), *rest, (60, 50.0, 0)]


def test_nothing_is_known_to_have_stood_when_values_were_lost_or_the_machine_was_away() -> None:
    bench = Bench(TEMPERATURE, driver="opcua")
    bench.read(5, 0)
    bench.read(25, 60, 0x480)
    bench.intake.lost("c")
    bench.read(5, 120)
    assert [t for t, _, _ in bench.stored()] == [0, 60, 60, 120]


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
