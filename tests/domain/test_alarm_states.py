"""The nine states of an alarm: latching, shelved, suppressed, out of service, and what is due when that ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.domain.alarms import (
    AlarmRule,
    AlarmState,
    AlarmTransition,
    Event,
    Phase,
    Step,
    Urgency,
    acknowledge,
    announce,
    due,
    pack,
    put_back,
    reset,
    retire,
    rules_for,
    shelve,
    step,
    system_rule,
    take_out,
    unpack,
    unshelve,
    unwatched,
)
from app.domain.errors import Refused
from app.domain.plant import AlarmSettings, Limits, SuppressionRule
from app.domain.samples import Quality, Sample, Value

T0 = datetime(2026, 3, 4, tzinfo=UTC)
BAND = Limits(hihi=85.0, hi=80.0)
STOPPED = SuppressionRule("M/running", (False,))


def moment(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


@dataclass
class Desk:
    """Runs the limit alarm of one tag and remembers what happened."""

    settings: AlarmSettings = field(default_factory=AlarmSettings)
    state: AlarmState = field(default_factory=AlarmState)
    lines: list[AlarmTransition] = field(default_factory=list)

    @property
    def rule(self) -> AlarmRule:
        return rules_for("M/t", BAND, self.settings)[0]

    @property
    def events(self) -> list[Event]:
        return [line.event for line in self.lines]

    def take(self, result: Step) -> Phase:
        self.state, transitions = result
        self.lines += transitions
        return self.state.shown

    def see(self, second: float, value: Value, tag: str = "M/t", quality: int = Quality.GOOD) -> Phase:
        sample = Sample(tag, moment(second), moment(second), value, quality)
        return self.take(step(self.rule, self.state, sample, moment(second)))

    def tick(self, second: float) -> Phase:
        return self.take(step(self.rule, self.state, None, moment(second)))

    def ack(self, second: float) -> Phase:
        return self.take(acknowledge(self.rule, self.state, "anna", moment(second)))

    def reset(self, second: float) -> Phase:
        return self.take(reset(self.rule, self.state, "anna", moment(second)))

    def shelve(self, second: float, until: float = 3600, *, one_shot: bool = False) -> Phase:
        result = shelve(
            self.rule, self.state, moment(until), "known", "anna", moment(second), one_shot=one_shot
        )
        return self.take(result)

    def unshelve(self, second: float) -> Phase:
        return self.take(unshelve(self.rule, self.state, "anna", moment(second)))

    def take_out(self, second: float) -> Phase:
        return self.take(take_out(self.rule, self.state, "new sensor", "P-17", "anna", moment(second)))

    def put_back(self, second: float) -> Phase:
        return self.take(put_back(self.rule, self.state, "anna", moment(second)))


def latching() -> Desk:
    return Desk(AlarmSettings(latching=True))


def test_a_latching_alarm_wants_an_acknowledgement_and_then_a_reset() -> None:
    desk = latching()
    desk.see(0, 90)
    assert desk.see(1, 20) is Phase.LATCHED_UNACK
    assert desk.ack(2) is Phase.LATCHED_ACKED
    assert desk.reset(3) is Phase.NORMAL
    assert desk.events == [Event.RAISED, Event.RETURNED, Event.ACKNOWLEDGED, Event.RESET]
    assert desk.state.urgency is Urgency.NONE


def test_a_latching_alarm_that_was_acknowledged_while_active_still_wants_its_reset() -> None:
    desk = latching()
    desk.see(0, 90)
    desk.ack(1)
    assert desk.see(2, 20) is Phase.LATCHED_ACKED
    assert desk.see(3, 90) is Phase.UNACK
    assert desk.state.occurrence == 2


def test_a_reset_is_refused_while_active_before_the_acknowledgement_and_twice() -> None:
    desk = latching()
    desk.see(0, 90)
    with pytest.raises(Refused, match="still active"):
        desk.reset(1)
    desk.see(2, 20)
    with pytest.raises(Refused, match="Acknowledge this alarm"):
        desk.reset(3)
    desk.ack(4)
    desk.reset(5)
    with pytest.raises(Refused, match="nothing to reset"):
        desk.reset(6)


def test_a_one_shot_shelf_ends_when_the_alarm_returns_to_normal() -> None:
    desk = Desk()
    desk.see(0, 90)
    desk.ack(1)
    assert desk.shelve(2, one_shot=True) is Phase.SHELVED
    assert desk.see(3, 91) is Phase.SHELVED
    assert desk.see(4, 20) is Phase.NORMAL
    assert desk.see(5, 90) is Phase.UNACK


def test_a_one_shot_shelf_keeps_an_unacknowledged_alarm_waiting_and_ends_with_its_time_too() -> None:
    desk = Desk()
    desk.see(0, 90)
    desk.shelve(1, one_shot=True)
    assert desk.see(2, 20) is Phase.RTN_UNACK
    desk.ack(3)
    desk.shelve(4, until=60, one_shot=True)
    desk.see(5, 90)
    assert desk.tick(60) is Phase.UNACK


def test_out_of_service_ends_only_by_hand_and_takes_the_alarm_off_its_shelf() -> None:
    desk = Desk()
    desk.shelve(0, until=60)
    assert desk.take_out(1) is Phase.OUT_OF_SERVICE
    assert desk.lines[-1].reason == "new sensor (permit P-17)"
    with pytest.raises(Refused, match="already out of service"):
        desk.take_out(2)
    with pytest.raises(Refused, match="is out of service"):
        desk.shelve(2)
    with pytest.raises(Refused, match="not shelved"):
        desk.unshelve(2)
    desk.see(3, 90)
    assert desk.tick(99_999) is Phase.OUT_OF_SERVICE
    assert desk.put_back(100_000) is Phase.UNACK
    with pytest.raises(Refused, match="not out of service"):
        desk.put_back(100_001)
    with pytest.raises(Refused, match="Say why"):
        take_out(desk.rule, desk.state, " ", "", "anna", T0)


def test_what_happens_out_of_service_is_journaled_underneath() -> None:
    desk = Desk()
    desk.take_out(0)
    desk.see(1, 90)
    desk.see(2, 20)
    assert desk.events == [Event.TAKEN_OUT, Event.RAISED, Event.RETURNED]
    assert {line.phase for line in desk.lines} == {Phase.OUT_OF_SERVICE}
    assert desk.put_back(3) is Phase.NORMAL


def test_an_alarm_is_suppressed_while_its_machine_stands_and_rings_when_it_still_holds_then() -> None:
    desk = Desk(AlarmSettings(suppress=STOPPED))
    desk.see(0, False, "M/running")
    assert desk.see(1, 90) is Phase.SUPPRESSED
    assert desk.see(2, 20) is Phase.SUPPRESSED
    assert desk.see(3, True, "M/running") is Phase.NORMAL
    desk.see(4, False, "M/running")
    desk.see(5, 90)
    assert desk.see(6, True, "M/running") is Phase.UNACK


def test_suppression_hides_an_unacknowledged_alarm_but_does_not_lose_it() -> None:
    desk = Desk(AlarmSettings(suppress=STOPPED))
    desk.see(0, 90)
    assert desk.see(1, False, "M/running") is Phase.SUPPRESSED
    desk.see(2, 20)
    assert desk.see(3, True, "M/running") is Phase.RTN_UNACK


def test_a_suppressing_tag_that_falls_silent_leaves_its_last_word() -> None:
    desk = Desk(AlarmSettings(suppress=STOPPED))
    desk.see(0, False, "M/running")
    desk.see(1, None, "M/running", Quality.BAD_NO_COMMUNICATION)
    assert desk.see(2, 90) is Phase.SUPPRESSED


def test_suppressing_an_alarm_that_concerns_nobody_is_not_worth_a_line() -> None:
    desk = Desk(AlarmSettings(suppress=STOPPED))
    desk.see(0, False, "M/running")
    desk.see(1, True, "M/running")
    assert desk.events == []


def test_a_shelf_under_a_suppression_outlives_it() -> None:
    desk = Desk(AlarmSettings(suppress=STOPPED))
    desk.see(0, 90)
    desk.see(1, False, "M/running")
    desk.shelve(2)
    assert desk.see(3, True, "M/running") is Phase.SHELVED
    desk.see(4, 20)
    assert desk.unshelve(5) is Phase.RTN_UNACK


def test_a_latched_alarm_still_wants_its_reset_after_a_shelf() -> None:
    desk = latching()
    desk.see(0, 90)
    desk.see(1, 20)
    desk.shelve(2)
    assert desk.unshelve(3) is Phase.LATCHED_UNACK
    desk.shelve(4)
    desk.ack(5)
    assert desk.unshelve(6) is Phase.LATCHED_ACKED


def test_what_came_and_went_on_the_shelf_leaves_no_latched_alarm_either() -> None:
    desk = latching()
    desk.shelve(0)
    desk.see(1, 90)
    desk.see(2, 20)
    assert desk.unshelve(3) is Phase.NORMAL
    assert desk.state.unseen == 0


def test_an_acknowledged_alarm_that_stays_rings_again_when_its_time_is_over() -> None:
    desk = Desk(AlarmSettings(re_alarm=60))
    desk.see(0, 90)
    desk.ack(10)
    assert due(desk.rule, desk.state) == moment(70)
    assert desk.tick(69) is Phase.ACKED
    assert desk.tick(70) is Phase.UNACK
    assert desk.events[-1] is Event.RANG_AGAIN
    assert desk.state.occurrence == 1


def test_an_alarm_on_the_shelf_does_not_ring_again() -> None:
    desk = Desk(AlarmSettings(re_alarm=60))
    desk.see(0, 90)
    desk.ack(1)
    desk.shelve(2)
    assert desk.tick(600) is Phase.SHELVED


def test_an_acknowledgement_given_before_the_alarm_rang_again_does_not_count() -> None:
    desk = Desk()
    desk.see(0, 81)
    desk.see(20, 90)
    with pytest.raises(Refused, match="rung again"):
        acknowledge(desk.rule, desk.state, "anna", moment(10), now=moment(30))
    acknowledge(desk.rule, desk.state, "anna", moment(20), now=moment(30))


def test_an_alarm_that_rang_in_the_future_of_a_clock_set_back_can_be_acknowledged() -> None:
    desk = Desk()
    desk.see(3600, 90)
    state, _ = acknowledge(desk.rule, desk.state, "anna", moment(10), now=moment(11))
    assert state.phase is Phase.ACKED


def test_raisings_are_counted_until_somebody_looks() -> None:
    desk = Desk()
    for second in range(6):
        desk.see(second, 20 if second % 2 else 90)
    assert (desk.state.unseen, desk.state.unseen_since) == (3, T0)
    desk.ack(9)
    assert (desk.state.unseen, desk.state.unseen_since) == (0, None)


@pytest.mark.parametrize(
    ("acked", "after"), [(False, Phase.RTN_UNACK), (True, Phase.NORMAL)], ids=["unseen", "seen"]
)
@pytest.mark.parametrize("cover", ["none", "shelf", "service", "suppression"])
def test_an_alarm_whose_tag_is_gone_still_waits_for_whoever_has_not_seen_it(
    acked: bool, after: Phase, cover: str
) -> None:
    desk = Desk(AlarmSettings(latching=True, suppress=STOPPED))
    desk.see(0, 90)
    if acked:
        desk.ack(1)
    if cover == "shelf":
        desk.shelve(2)
    elif cover == "service":
        desk.take_out(2)
    elif cover == "suppression":
        desk.see(2, False, "M/running")
    assert desk.take(retire(desk.rule, desk.state, moment(3))) is after
    if not acked:
        assert desk.ack(4) is Phase.NORMAL


def test_a_computer_that_slept_starts_its_delays_anew() -> None:
    desk = Desk(AlarmSettings(on_delay=10))
    desk.see(0, 90)
    desk.state = unwatched(desk.state, moment(5000))
    assert desk.tick(5009) is Phase.NORMAL
    assert desk.tick(5010) is Phase.UNACK


def test_a_system_alarm_keeps_its_sentence_and_rings_once() -> None:
    rule, desk = system_rule("system!disk-full"), Desk()
    desk.take(announce(rule, desk.state, "3 samples given up.", Urgency.WARNING, T0))
    desk.take(announce(rule, desk.state, "9 samples given up.", Urgency.WARNING, moment(1)))
    assert (desk.events, desk.state.value) == ([Event.RAISED], "9 samples given up.")
    desk.take(announce(rule, desk.state, "The disk is full.", Urgency.CRITICAL, moment(2)))
    assert desk.take(announce(rule, desk.state, "", Urgency.NONE, moment(3))) is Phase.RTN_UNACK
    assert desk.events == [Event.RAISED, Event.ESCALATED, Event.RETURNED]


def test_a_packed_state_comes_back_equal() -> None:
    desk = Desk(AlarmSettings(latching=True, on_delay=2, count=3, suppress=STOPPED))
    for second, value in enumerate([90, 20, 90, 20, 90, 91, 92]):
        desk.see(second, value)
        assert unpack(pack(desk.state)) == desk.state
    desk.take_out(9)
    assert unpack(pack(desk.state)) == desk.state


def test_a_state_packed_by_the_first_version_is_understood() -> None:
    packed = msgspec.msgpack.encode(
        {
            "phase": "unacknowledged", "urgency": 2, "occurrence": 4, "limit": "hihi", "value": 91.5,
            "raised_at": moment(5), "unknown": False, "shelved_until": moment(900), "shelf_reason": "sensor moved",
            "unacked_before_shelf": True, "conditions": {"hihi": {"active": True, "turning_since": None}},
        }
    )  # fmt: skip
    desk = Desk(state=unpack(packed))
    assert desk.state.shown is Phase.SHELVED
    assert desk.state.aside is not None
    assert (desk.state.aside.reason, desk.state.aside.until) == ("sensor moved", moment(900))
    desk.see(10, 20)
    assert desk.tick(900) is Phase.RTN_UNACK
    with pytest.raises(ValueError, match="no alarm state"):
        unpack(msgspec.msgpack.encode({"phase": "levitating"}))
