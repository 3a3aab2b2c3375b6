"""The state machine of ISA-18.2: how a sample or the passing of time moves an alarm between its phases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.domain.alarms.conditions import freeze, judge, judge_silence, nothing_to_say
from app.domain.alarms.covers import drop_cover, shelf_is_over, suppression
from app.domain.alarms.delays import advance
from app.domain.alarms.journaling import went
from app.domain.alarms.rules import AlarmRule
from app.domain.alarms.shapes import AlarmState, AlarmTransition, Event, Kind, Limit, Phase, Step, Urgency
from app.domain.samples import Sample

_QUIET_AFTER_CLEAR = {Phase.UNACK: Phase.LATCHED_UNACK, Phase.ACKED: Phase.LATCHED_ACKED}


def step(rule: AlarmRule, state: AlarmState, sample: Sample | None, now: datetime) -> Step:
    """Evaluate a sample, or with None only the passing of time; returns the next state and what happened.

    The sample may be of any tag that the alarm listens to: its own, the one it is compared with, the one that
    suppresses it. A state that did not change is returned as the same object.
    """
    if sample is None:
        return _pass_time(rule, state, now)
    at_rest = state.phase is Phase.NORMAL and not state.conditions and not state.unknown
    if at_rest and rule.suppress is None and nothing_to_say(rule, sample):
        return state, ()
    state, covered = suppression(rule, state, sample, now)
    if sample.tag != rule.tag and sample.tag != rule.target:
        return state, covered
    state, raw = judge(rule, state, sample)
    if raw is None or (state.phase is Phase.NORMAL and not state.conditions and not any(raw.values())):
        return state, covered
    state, happened = settle(rule, advance(rule, state, raw, now), now)
    return state, covered + happened


def _pass_time(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    freed: tuple[AlarmTransition, ...] = ()
    if shelf_is_over(state, now):
        state, freed = drop_cover(rule, replace(state, aside=None), Event.UNSHELVED, now)
    state = advance(rule, state, judge_silence(rule, state, now), now)
    state, happened = settle(rule, state, now)
    if _rings_again(rule, state, now):
        state, rang = went(rule, _ringing(state, now), Event.RANG_AGAIN, now)
        happened += rang
    return state, freed + happened


def _ringing(state: AlarmState, now: datetime) -> AlarmState:
    """It calls for somebody once more; the raising is the same."""
    return replace(
        state,
        phase=Phase.UNACK,
        rang_at=now,
        unseen=max(state.unseen, 1),
        unseen_since=state.unseen_since or now,
    )


def _rings_again(rule: AlarmRule, state: AlarmState, now: datetime) -> bool:
    at = _re_alarm_at(rule, state)
    return at is not None and at <= now


def _re_alarm_at(rule: AlarmRule, state: AlarmState) -> datetime | None:
    """When an acknowledged alarm calls again; never while it is hidden on purpose."""
    if not rule.re_alarm or state.phase is not Phase.ACKED or state.covered or state.acked_at is None:
        return None
    return state.acked_at + timedelta(seconds=rule.re_alarm)


def due(rule: AlarmRule, state: AlarmState) -> datetime | None:
    """When the passing of time may move this alarm without a sample; None when it cannot."""
    times = [_re_alarm_at(rule, state)]
    for condition in state.conditions.values():
        if condition.turning_since is not None:
            delay = rule.off_delay if condition.active else rule.on_delay
            times.append(condition.turning_since + timedelta(seconds=delay))
    if state.aside is not None:
        times.append(state.aside.until)
    if not state.unknown:
        if rule.kind is Kind.STALE and state.moved_at is not None and not state.active:
            times.append(state.moved_at + timedelta(seconds=rule.limits[0][1]))
        if rule.kind is Kind.RATE and state.heard_at is not None and state.conditions:
            times.append(state.heard_at + timedelta(seconds=rule.rate_window, microseconds=1))
    return min((at for at in times if at is not None), default=None)


def worst_of(rule: AlarmRule, state: AlarmState) -> Limit | None:
    """The most urgent limit that counts as exceeded; of two alike the one that the rule names first."""
    holding = [
        limit for limit, _ in rule.limits if limit in state.conditions and state.conditions[limit].active
    ]
    return max(holding, key=lambda limit: limit.urgency, default=None)


def settle(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    """Move between the phases according to the conditions."""
    worst = worst_of(rule, state)
    if worst is None:
        return _gone(rule, state, now) if state.active else (state, ())
    if not state.active:
        return _raise(rule, state, worst, now)
    if worst.urgency > state.urgency:
        worse = replace(_ringing(state, now), urgency=worst.urgency, limit=worst)
        return went(rule, worse, Event.ESCALATED, now)
    if state.phase is Phase.ACKED and (worst.urgency < state.urgency or worst is not state.limit):
        return replace(state, urgency=worst.urgency, limit=worst), ()
    return state, ()


def _raise(rule: AlarmRule, state: AlarmState, worst: Limit, now: datetime) -> Step:
    """A new raising; what nobody has acknowledged yet stays counted, with the highest urgency since."""
    waiting = state.unacked
    raised = replace(
        state,
        phase=Phase.UNACK,
        urgency=max(worst.urgency, state.urgency) if waiting else worst.urgency,
        limit=worst,
        occurrence=state.occurrence + 1,
        raised_at=now,
        rang_at=now,
        unseen=max(state.unseen, 1) + 1 if waiting else 1,
        unseen_since=state.unseen_since if waiting and state.unseen_since is not None else now,
    )
    return went(rule, raised, Event.RAISED, now)


def _gone(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    """The condition is gone: wait for the acknowledgement, for the reset, or be over; a one-shot shelf ends here."""
    if rule.latching:
        state, happened = went(
            rule, replace(state, phase=_QUIET_AFTER_CLEAR[state.phase]), Event.RETURNED, now
        )
    elif state.phase is Phase.UNACK:
        state, happened = went(rule, replace(state, phase=Phase.RTN_UNACK), Event.RETURNED, now)
    else:
        calm = replace(state, phase=Phase.NORMAL, urgency=Urgency.NONE)
        state, happened = went(rule, calm, Event.CLEARED, now)
    if state.aside is not None and state.aside.one_shot:
        state, freed = drop_cover(rule, replace(state, aside=None), Event.UNSHELVED, now)
        happened += freed
    return state, happened


def retire(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    """Its tag is gone from the plant: nothing holds any more, but what nobody acknowledged still waits for that."""
    happened: tuple[AlarmTransition, ...] = ()
    if state.covered:
        event = Event.PUT_BACK if state.shown is Phase.OUT_OF_SERVICE else Event.UNSHELVED
        state = replace(state, conditions={}, aside=None, suppressed=False)
        if state.active:
            state = replace(state, phase=Phase.RTN_UNACK if state.unacked else Phase.NORMAL)
        state, happened = drop_cover(rule, state, event, now)
    state = freeze(replace(state, conditions={}))
    if state.active:
        state, gone = _gone(replace(rule, latching=False), state, now)
        happened += gone
    elif state.phase.latched:
        phase = Phase.RTN_UNACK if state.unacked else Phase.NORMAL
        urgency = state.urgency if state.unacked else Urgency.NONE
        state, gone = went(rule, replace(state, phase=phase, urgency=urgency), Event.CLEARED, now)
        happened += gone
    return state, happened
