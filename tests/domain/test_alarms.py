"""The alarm state machine of ISA-18.2, by tables and by properties."""

from __future__ import annotations

from dataclasses import dataclass
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
    Step,
    Urgency,
    acknowledge,
    rules_for,
    shelve,
    step,
    unshelve,
)
from app.domain.errors import Refused
from app.domain.plant import AlarmSettings, Limits
from app.domain.samples import Quality, Sample, Value

T0 = datetime(2026, 3, 4, tzinfo=UTC)
BAND = Limits(hihi=85.0, hi=80.0, lo=10.0, lolo=5.0)


def moment(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


def sample(second: float, value: Value, quality: int = Quality.GOOD) -> Sample:
    return Sample("M/t", moment(second), moment(second), value, quality)


def rule(**settings: float) -> AlarmRule:
    return rules_for("M/t", BAND, AlarmSettings(**settings))[0]  # type: ignore[arg-type]  # the priority stays out


def communication(delay: float = 30.0) -> AlarmRule:
    return rules_for("M/t", BAND, AlarmSettings(comm_delay=delay))[1]


@dataclass
class Desk:
    """Runs one alarm and remembers what happened."""

    rule: AlarmRule
    state: AlarmState
    events: list[Event]

    @classmethod
    def of(cls, rule: AlarmRule) -> Desk:
        return cls(rule, AlarmState(), [])

    def take(self, result: Step) -> None:
        self.state, transitions = result
        self.events += [t.event for t in transitions]

    def see(self, second: float, value: Value, quality: int = Quality.GOOD) -> Phase:
        self.take(step(self.rule, self.state, sample(second, value, quality), moment(second)))
        return self.state.shown

    def tick(self, second: float) -> Phase:
        self.take(step(self.rule, self.state, None, moment(second)))
        return self.state.shown

    def ack(self, second: float) -> Phase:
        self.take(acknowledge(self.rule, self.state, "anna", moment(second)))
        return self.state.shown


def test_an_alarm_that_goes_before_it_is_seen_waits_for_acknowledgement() -> None:
    desk = Desk.of(rule())
    assert desk.see(0, 79.9) is Phase.NORMAL
    assert desk.see(1, 80.0) is Phase.UNACK
    assert desk.see(2, 70.0) is Phase.RTN_UNACK
    assert desk.ack(3) is Phase.NORMAL
    assert desk.events == [Event.RAISED, Event.RETURNED, Event.ACKNOWLEDGED]


def test_an_active_alarm_can_be_acknowledged_and_stays_until_it_clears() -> None:
    desk = Desk.of(rule())
    desk.see(0, 82.0)
    assert desk.ack(1) is Phase.ACKED
    assert desk.see(2, 82.5) is Phase.ACKED
    assert desk.see(3, 70.0) is Phase.NORMAL
    assert desk.state.urgency is Urgency.NONE


def test_a_condition_that_comes_again_is_a_new_occurrence() -> None:
    desk = Desk.of(rule())
    for second, value in enumerate([81.0, 70.0, 81.0]):
        desk.see(second, value)
    assert (desk.state.shown, desk.state.occurrence) == (Phase.UNACK, 2)


def test_an_acknowledged_alarm_that_gets_worse_rings_again() -> None:
    desk = Desk.of(rule())
    desk.see(0, 81.0)
    desk.ack(1)
    assert desk.see(2, 86.0) is Phase.UNACK
    assert (desk.state.urgency, desk.state.limit, desk.state.occurrence) == (Urgency.CRITICAL, Limit.HIHI, 1)


def test_the_urgency_is_the_highest_seen_until_acknowledgement() -> None:
    desk = Desk.of(rule())
    desk.see(0, 86.0)
    desk.see(1, 81.0)
    before = desk.state.urgency
    desk.ack(2)
    assert [before, desk.state.urgency] == [Urgency.CRITICAL, Urgency.WARNING]


@pytest.mark.parametrize(
    ("value", "limit", "urgency"),
    [(80.0, Limit.HI, 1), (85.0, Limit.HIHI, 2), (10.0, Limit.LO, 1), (5.0, Limit.LOLO, 2)],
)
def test_each_limit_trips_at_its_value(value: float, limit: Limit, urgency: int) -> None:
    desk = Desk.of(rule())
    assert desk.see(0, value) is Phase.UNACK
    assert (desk.state.limit, desk.state.urgency) == (limit, urgency)


def test_an_alarm_returns_only_beyond_the_hysteresis() -> None:
    desk = Desk.of(rule(hysteresis=2.0))
    desk.see(0, 80.0)
    assert desk.see(1, 78.0) is Phase.UNACK
    assert desk.see(2, 77.9) is Phase.RTN_UNACK


def test_a_short_excursion_within_the_on_delay_raises_nothing() -> None:
    desk = Desk.of(rule(on_delay=2.0))
    for second, value in [(0, 81.0), (1.5, 81.0), (1.9, 79.0), (3, 81.0), (4.9, 81.0)]:
        assert desk.see(second, value) is Phase.NORMAL
    assert desk.see(5, 81.0) is Phase.UNACK


def test_the_on_delay_also_runs_out_when_the_value_stands_still() -> None:
    desk = Desk.of(rule(on_delay=2.0))
    desk.see(0, 81.0)
    assert desk.tick(1.9) is Phase.NORMAL
    assert desk.tick(2) is Phase.UNACK


def test_swinging_between_two_limits_does_not_keep_an_alarm_from_rising() -> None:
    desk = Desk.of(rule(on_delay=2.0))
    for second in range(3):
        desk.see(second, 81.0 if second % 2 else 86.0)
    assert desk.state.shown is Phase.UNACK


def test_an_alarm_stays_within_the_off_delay() -> None:
    desk = Desk.of(rule(off_delay=2.0))
    desk.see(0, 81.0)
    desk.see(1, 70.0)
    assert desk.see(2, 81.0) is Phase.UNACK
    desk.see(3, 70.0)
    assert desk.tick(5) is Phase.RTN_UNACK
    assert desk.events == [Event.RAISED, Event.RETURNED]


@pytest.mark.parametrize("quality", [Quality.BAD_NO_COMMUNICATION, Quality.UNCERTAIN_LAST_USABLE])
def test_a_value_alarm_holds_its_state_while_the_value_is_not_good(quality: int) -> None:
    desk = Desk.of(rule(off_delay=1.0))
    desk.see(0, 81.0)
    assert desk.see(1, 20.0, quality) is Phase.UNACK
    assert desk.state.unknown
    assert desk.tick(9999) is Phase.UNACK
    assert desk.see(10000, 82.0) is Phase.UNACK
    assert not desk.state.unknown


def test_a_value_that_was_about_to_alarm_does_not_alarm_on_no_data() -> None:
    desk = Desk.of(rule(on_delay=5.0))
    desk.see(0, 81.0)
    desk.see(1, None, Quality.BAD_NO_COMMUNICATION)
    assert desk.tick(60) is Phase.NORMAL
    desk.see(61, 81.0)
    assert desk.tick(65) is Phase.NORMAL
    assert desk.tick(66) is Phase.UNACK


def test_not_a_number_is_no_data() -> None:
    desk = Desk.of(rule())
    desk.see(0, float("nan"))
    assert (desk.state.shown, desk.state.unknown) == (Phase.NORMAL, True)


def test_the_communication_alarm_rises_after_its_own_delay_and_returns_with_the_first_good_value() -> None:
    desk = Desk.of(communication())
    assert desk.rule.kind is Kind.COMMUNICATION
    desk.see(0, None, Quality.BAD_NO_COMMUNICATION)
    assert desk.tick(29) is Phase.NORMAL
    assert desk.tick(30) is Phase.UNACK
    assert desk.see(31, 20.0) is Phase.RTN_UNACK


def test_a_short_loss_of_communication_raises_nothing() -> None:
    desk = Desk.of(communication())
    desk.see(0, None, Quality.BAD_NO_COMMUNICATION)
    desk.see(20, 20.0)
    assert desk.tick(60) is Phase.NORMAL


def test_a_shelved_alarm_is_evaluated_underneath_and_rings_when_its_time_is_over() -> None:
    desk = Desk.of(rule())
    desk.take(shelve(desk.rule, desk.state, moment(60), "sensor is being moved", "anna", T0))
    assert desk.see(1, 90.0) is Phase.SHELVED
    assert desk.tick(59) is Phase.SHELVED
    assert desk.tick(60) is Phase.UNACK
    assert desk.events == [Event.SHELVED, Event.RAISED, Event.UNSHELVED]


def test_what_was_unacknowledged_before_it_was_shelved_still_is_afterwards() -> None:
    desk = Desk.of(rule())
    desk.see(0, 90.0)
    desk.take(shelve(desk.rule, desk.state, moment(60), "known", "anna", moment(1)))
    desk.see(2, 20.0)
    desk.take(unshelve(desk.rule, desk.state, "anna", moment(3)))
    assert desk.state.shown is Phase.RTN_UNACK


def test_what_came_and_went_on_the_shelf_leaves_no_alarm() -> None:
    desk = Desk.of(rule())
    desk.take(shelve(desk.rule, desk.state, moment(60), "known", "anna", T0))
    desk.see(1, 90.0)
    desk.see(2, 20.0)
    assert desk.tick(60) is Phase.NORMAL


def test_what_makes_no_sense_is_refused_with_a_sentence() -> None:
    desk = Desk.of(rule())
    with pytest.raises(Refused, match="already acknowledged"):
        desk.ack(0)
    with pytest.raises(Refused, match="not shelved"):
        unshelve(desk.rule, desk.state, "anna", T0)
    with pytest.raises(Refused, match="Say why"):
        shelve(desk.rule, desk.state, moment(60), "  ", "anna", T0)
    with pytest.raises(Refused, match="8 hours"):
        shelve(desk.rule, desk.state, moment(9 * 3600), "long", "anna", T0)
    desk.take(shelve(desk.rule, desk.state, moment(60), "known", "anna", T0))
    with pytest.raises(Refused, match="already shelved"):
        shelve(desk.rule, desk.state, moment(60), "known", "anna", T0)


def test_when_a_whole_machine_is_gone_one_tag_speaks_for_all() -> None:
    silent = Desk.of(rules_for("M/t", Limits(), AlarmSettings(comm_delay=0.0), speaks_for_machine=False)[0])
    assert silent.see(0, None, Quality.BAD_NO_COMMUNICATION) is Phase.NORMAL
    assert silent.see(1, None, Quality.BAD_SENSOR_FAILURE) is Phase.UNACK
    assert silent.see(2, None, Quality.BAD_NO_COMMUNICATION) is Phase.RTN_UNACK


def test_a_tag_without_limits_has_only_a_communication_alarm() -> None:
    assert [r.kind for r in rules_for("M/t", Limits(), AlarmSettings())] == [Kind.COMMUNICATION]


moves = st.lists(
    st.tuples(
        st.sampled_from(["see", "bad", "tick", "ack", "shelve", "unshelve"]),
        st.floats(0, 100),
        st.floats(0.1, 20),
    ),
    max_size=60,
)
rules = st.builds(
    lambda on, off, hysteresis: rule(on_delay=on, off_delay=off, hysteresis=hysteresis),
    st.sampled_from([0.0, 3.0]),
    st.sampled_from([0.0, 3.0]),
    st.sampled_from([0.0, 4.0]),
)


@given(rules, moves)
def test_an_unacknowledged_alarm_never_goes_away_by_itself(
    alarm: AlarmRule, plan: list[tuple[str, float, float]]
) -> None:
    desk, now = Desk.of(alarm), 0.0
    waiting = False  # a person has seen it ring and nobody has acknowledged
    for move, value, later in plan:
        now += later
        try:
            if move == "see":
                desk.see(now, value)
            elif move == "bad":
                desk.see(now, None, Quality.BAD_DEVICE_FAILURE)
            elif move == "tick":
                desk.tick(now)
            elif move == "ack":
                desk.ack(now)
                waiting = False
            elif move == "shelve":
                desk.take(shelve(alarm, desk.state, moment(now + 30), "test", "anna", moment(now)))
            else:
                desk.take(unshelve(alarm, desk.state, "anna", moment(now)))
        except Refused:
            continue
        if desk.state.shown in (Phase.UNACK, Phase.RTN_UNACK):
            waiting = True
        if waiting and desk.state.shown is not Phase.SHELVED:
            assert desk.state.unacked
        if desk.state.phase is Phase.NORMAL:
            assert desk.state.urgency is Urgency.NONE
        else:
            assert desk.state.urgency is not Urgency.NONE


@given(rules, st.lists(st.floats(0, 100), max_size=40))
def test_raising_and_clearing_take_turns(alarm: AlarmRule, series: list[float]) -> None:
    desk = Desk.of(alarm)
    for second, value in enumerate(series):
        desk.see(second, value)
    turns = [e for e in desk.events if e in (Event.RAISED, Event.RETURNED)]
    assert turns == [Event.RAISED, Event.RETURNED] * (len(turns) // 2) + [Event.RAISED] * (len(turns) % 2)
    assert desk.events.count(Event.RAISED) == desk.state.occurrence
