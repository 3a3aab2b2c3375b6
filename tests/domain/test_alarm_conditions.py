"""What raises an alarm besides limits: deviation, rate, state, standstill, and excesses that come too often."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alarms import (
    AlarmRule,
    AlarmState,
    Event,
    Kind,
    Limit,
    Phase,
    due,
    key_of,
    rule_of,
    rules_for,
    rules_of,
    split_key,
    step,
)
from app.domain.plant import (
    AlarmSettings,
    DeviationRule,
    DigitalRule,
    Limits,
    Plant,
    RateRule,
    SuppressionRule,
    Tag,
)
from app.domain.samples import Quality, Sample, Value

T0 = datetime(2026, 3, 4, tzinfo=UTC)
LOST = Quality.BAD_NO_COMMUNICATION


def moment(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


class Watcher:
    """One alarm of the tag M/t, of the given kind."""

    def __init__(self, kind: Kind, limits: Limits = Limits(), **settings: object) -> None:  # noqa: B008 - frozen
        made = rules_for("M/t", limits, AlarmSettings(**settings))  # type: ignore[arg-type]  # fields by name
        self.rule: AlarmRule = next(rule for rule in made if rule.kind is kind)
        self.state, self.events = AlarmState(), list[Event]()

    def see(
        self, second: float, value: Value, tag: str = "M/t", quality: int = Quality.GOOD, late: float = 0
    ) -> Phase:
        sample = Sample(tag, moment(second), moment(second + late), value, quality)
        self.state, happened = step(self.rule, self.state, sample, sample.receive_time)
        self.events += [line.event for line in happened]
        return self.state.shown

    def tick(self, second: float) -> Phase:
        self.state, happened = step(self.rule, self.state, None, moment(second))
        self.events += [line.event for line in happened]
        return self.state.shown


def test_a_deviation_from_a_number_alarms_on_either_side_with_hysteresis() -> None:
    rule = DeviationRule(100.0, warning=10, critical=20)
    watch = Watcher(Kind.DEVIATION, deviation=rule, hysteresis=2.0)
    assert watch.see(0, 109) is Phase.NORMAL
    assert watch.see(1, 89) is Phase.UNACK
    assert (watch.state.limit, watch.state.value) == (Limit.DEVIATION, -11)
    assert watch.see(2, 91.5) is Phase.UNACK
    assert watch.see(3, 125) is Phase.UNACK
    assert watch.state.limit is Limit.DEVIATION_CRITICAL
    assert watch.see(4, 103) is Phase.RTN_UNACK


def test_a_deviation_from_another_tag_follows_whichever_of_the_two_moves() -> None:
    watch = Watcher(Kind.DEVIATION, deviation=DeviationRule("M/set", warning=5))
    assert watch.rule.listens_to == ("M/t", "M/set")
    assert watch.see(0, 50) is Phase.NORMAL  # nothing to compare with yet
    assert watch.see(1, 52, "M/set") is Phase.NORMAL
    assert watch.see(2, 60, "M/set") is Phase.UNACK
    assert watch.see(3, 58) is Phase.RTN_UNACK


def test_a_deviation_freezes_while_either_value_is_not_good() -> None:
    watch = Watcher(Kind.DEVIATION, deviation=DeviationRule("M/set", warning=5), on_delay=5)
    watch.see(0, 50, "M/set")
    watch.see(1, 60)
    watch.see(2, None, "M/set", LOST)
    assert watch.state.unknown
    assert watch.tick(60) is Phase.NORMAL
    watch.see(61, 50, "M/set")
    assert watch.tick(66) is Phase.UNACK


def ramp(watch: Watcher, per_second: float, seconds: Iterable[float]) -> Phase:
    return [watch.see(second, 20 + per_second * second) for second in seconds][-1]


def test_a_value_that_rises_or_falls_too_fast_alarms_and_one_that_does_not_does_not() -> None:
    rule = RateRule(warning=2, critical=4, window=10)
    assert ramp(Watcher(Kind.RATE, rate=rule), 1.9, range(30)) is Phase.NORMAL
    falling = Watcher(Kind.RATE, rate=rule)
    assert ramp(falling, -3, range(30)) is Phase.UNACK
    assert falling.state.limit is Limit.RATE
    assert falling.state.value == pytest.approx(-3)
    assert ramp(Watcher(Kind.RATE, rate=rule), 5, range(30)) is Phase.UNACK


def test_two_samples_close_together_say_nothing_about_a_rate() -> None:
    watch = Watcher(Kind.RATE, rate=RateRule(warning=2, window=10))
    watch.see(0, 20)
    assert watch.see(0.01, 21) is Phase.NORMAL


@given(
    st.lists(st.floats(-0.3, 0.3), min_size=40, max_size=40),
    st.lists(st.floats(0, 2), min_size=40, max_size=40),
)
def test_noise_and_late_arrival_make_no_rate_of_a_value_that_stands(
    noise: list[float], late: list[float]
) -> None:
    watch = Watcher(Kind.RATE, rate=RateRule(warning=0.5, window=10))
    for second, (error, delay) in enumerate(zip(noise, late, strict=True)):
        assert watch.see(float(second), 20 + error, late=delay) is Phase.NORMAL


def test_a_rate_ends_when_nothing_comes_any_more() -> None:
    watch = Watcher(Kind.RATE, rate=RateRule(warning=2, window=10))
    assert ramp(watch, 5, range(20)) is Phase.UNACK
    again = due(watch.rule, watch.state)
    assert again is not None
    assert watch.tick((again - T0).total_seconds()) is Phase.RTN_UNACK


def test_a_rate_begins_anew_after_bad_values() -> None:
    watch = Watcher(Kind.RATE, rate=RateRule(warning=2, window=10))
    ramp(watch, 0, range(10))
    watch.see(10, None, quality=LOST)
    watch.see(300, 90)
    assert watch.see(301, 90) is Phase.NORMAL


def test_the_trail_of_a_rate_stays_short_at_any_scan_rate() -> None:
    watch = Watcher(Kind.RATE, rate=RateRule(warning=2, window=600))
    ramp(watch, 0.001, [n / 20 for n in range(15_000)])
    assert len(watch.state.trail) <= 34


def test_a_state_that_should_not_be_alarms_while_it_lasts() -> None:
    watch = Watcher(Kind.DIGITAL, digital=DigitalRule((3, "fault"), critical=True))
    assert watch.see(0, 1) is Phase.NORMAL
    assert watch.see(1, 3) is Phase.UNACK
    assert watch.state.limit is Limit.STATE_CRITICAL
    assert watch.see(2, None, quality=LOST) is Phase.UNACK
    assert watch.see(3, "fault") is Phase.UNACK
    assert watch.see(4, "run") is Phase.RTN_UNACK


def test_a_bit_alarms_when_it_is_set() -> None:
    watch = Watcher(Kind.DIGITAL, digital=DigitalRule((True,)), on_delay=2)
    assert watch.see(0, False) is Phase.NORMAL
    watch.see(1, True)
    assert watch.tick(3) is Phase.UNACK


def test_a_value_that_stands_still_alarms_until_it_moves() -> None:
    watch = Watcher(Kind.STALE, stale=60)
    for second in (0, 20, 40):
        watch.see(second, 7.5)
    assert due(watch.rule, watch.state) == moment(60)
    assert watch.tick(59) is Phase.NORMAL
    assert watch.tick(60) is Phase.UNACK
    assert watch.see(61, 7.5) is Phase.UNACK
    assert watch.see(62, 7.6) is Phase.RTN_UNACK


def test_a_lost_link_is_no_standstill_and_the_time_begins_anew_with_it() -> None:
    watch = Watcher(Kind.STALE, stale=60)
    watch.see(0, 7.5)
    watch.see(30, None, quality=LOST)
    assert watch.tick(500) is Phase.NORMAL
    watch.see(510, 7.5)
    assert watch.tick(560) is Phase.NORMAL
    assert watch.tick(570) is Phase.UNACK


def test_short_excesses_that_come_too_often_alarm_although_each_is_too_short() -> None:
    watch = Watcher(Kind.VALUE, Limits(hi=80), on_delay=5, count=3, window=60)
    for second in (0, 30):
        watch.see(second, 90)
        assert watch.see(second + 1, 20) is Phase.NORMAL
    assert watch.see(50, 90) is Phase.UNACK
    assert watch.see(51, 20) is Phase.RTN_UNACK


def test_short_excesses_far_apart_do_not_add_up() -> None:
    watch = Watcher(Kind.VALUE, Limits(hi=80), on_delay=5, count=3, window=60)
    for second in range(0, 300, 31):
        watch.see(second, 90)
        assert watch.see(second + 1, 20) is Phase.NORMAL
    watch.tick(999)
    watch.see(999, 20)
    assert watch.state.conditions == {}


@given(
    st.lists(st.tuples(st.floats(0.1, 30), st.booleans()), max_size=60),
    st.sampled_from([0.0, 2.0, 10.0]),
    st.sampled_from([2, 3, 5]),
)
def test_an_alarm_rises_after_the_delay_or_the_count_and_not_before(
    series: list[tuple[float, bool]], delay: float, times: int
) -> None:
    """The rule of Phoebus: an excess of at least the delay, or so many of them within the window."""
    watch = Watcher(Kind.VALUE, Limits(hi=80), on_delay=delay, count=times, window=60)
    now, began, begins = 0.0, None, list[float]()
    for later, high in series:
        now += later
        if high and began is None:
            began = now
            begins = [*(b for b in begins if now - b < 60), now]
        elif not high:
            began = None
        watch.see(now, 90 if high else 20)
        if Event.RAISED in watch.events:
            assert began is not None
            assert now - began >= delay - 1e-6 or len(begins) >= times
            return
        assert began is None or (now - began < delay and len(begins) < times)


def test_every_alarm_of_a_tag_has_a_key_of_its_own_that_leads_back_to_it() -> None:
    settings = AlarmSettings(
        stale=60,
        deviation=DeviationRule(1.0, 2),
        rate=RateRule(1.0),
        digital=DigitalRule((1,)),
        response="Look.",
    )
    plant = Plant(tags=(Tag("M/t", "M", "c", "a", limits=Limits(hi=1), alarm=settings),))
    found = {rule.kind: rule.key for rule in rules_of(plant)}
    assert set(found) == set(Kind) - {Kind.SYSTEM}
    assert len(set(found.values())) == len(found)
    for kind, key in found.items():
        assert (split_key(key), key_of("M/t", kind)) == (("M/t", kind), key)
        rule = rule_of(plant, key)
        assert rule is not None
        assert rule.response == "Look."
    assert rule_of(plant, "M/gone") is None


def test_a_tag_that_nothing_suppresses_speaks_for_its_machine() -> None:
    quiet = AlarmSettings(suppress=SuppressionRule("M/on", (False,)))
    plant = Plant(
        tags=(Tag("M/a", "M", "c", "1", alarm=quiet), Tag("M/b", "M", "c", "2"), Tag("M/d", "M", "c", "3"))
    )
    assert [rule.tag for rule in rules_of(plant) if rule.speaks_for_machine] == ["M/b"]
