"""Whether what a sample says, or the silence after it, is what an alarm is there for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import mul

from app.domain.alarms.rules import AlarmRule
from app.domain.alarms.shapes import CALM, AlarmState, Condition, Kind, Limit
from app.domain.samples import Quality, Sample, Value, is_good

Raw = dict[Limit, bool]
Judged = tuple[AlarmState, Raw | None]
"""The state with what was learnt, and each condition as observed; None when nothing can be said about it."""

# Qualities that say that a whole machine is gone; one alarm is enough for that, not one for each of its tags.
_WHOLE_MACHINE = {
    Quality.BAD_COMMUNICATION_ERROR,
    Quality.BAD_NO_COMMUNICATION,
    Quality.BAD_NOT_CONNECTED,
    Quality.BAD_OUT_OF_SERVICE,
}
TRAIL_POINTS = 32  # points kept of a rate's window: enough for a straight line, cheap at any scan rate
RATE_RETURNS = 0.9  # a rate returns below this share of its limit, for it has no hysteresis of its own


def nothing_to_say(rule: AlarmRule, sample: Sample) -> bool:
    """Whether this sample says nothing at all to an alarm at rest: said quickly, for nearly every sample is so."""
    if sample.quality & 0xC000_0000:
        return False
    if rule.kind is Kind.COMMUNICATION:
        return True
    value = sample.value
    if rule.kind is not Kind.VALUE or value.__class__ is not float:
        return False
    return rule.band[0] < value < rule.band[1]


def judge(rule: AlarmRule, state: AlarmState, sample: Sample) -> Judged:
    """Look at a sample of the alarm's own tag, or of the tag that it is compared with.

    Alarms on values freeze while a value is not good. A communication alarm lives on qualities alone. A standstill
    begins anew with the first good value after bad ones, since nobody knows what happened meanwhile.
    """
    if rule.kind is Kind.COMMUNICATION:
        other_speaks = not rule.speaks_for_machine and sample.quality in _WHOLE_MACHINE
        return state, {Limit.COMM: not is_good(sample.quality) and not other_speaks}
    if rule.kind is Kind.DIGITAL:
        return _judge_state(rule, state, sample)
    if rule.kind is Kind.STALE:
        return _judge_standstill(rule, state, sample)
    number = number_of(sample)
    if rule.kind is Kind.DEVIATION:
        return _judge_deviation(rule, state, sample, number)
    if number is None:
        return freeze(state), None
    if rule.kind is Kind.RATE:
        return _judge_rate(rule, state, sample, number)
    raw = exceeded(rule, state, number)
    return _watching(thaw(state), raw, sample.value), raw


def judge_silence(rule: AlarmRule, state: AlarmState, now: datetime) -> Raw:
    """What the passing of time says by itself: a value stands still, or a rate has ended because nothing came."""
    if state.unknown:
        return {}
    if rule.kind is Kind.STALE and state.moved_at is not None:
        return {Limit.STALE: now - state.moved_at >= timedelta(seconds=rule.limits[0][1])}
    window = timedelta(seconds=rule.rate_window)
    if rule.kind is Kind.RATE and state.heard_at is not None and now - state.heard_at > window:
        return {limit: False for limit, _ in rule.limits}
    return {}


def number_of(sample: Sample) -> float | None:
    """The value as a number, or None when nothing can be said about it."""
    value = sample.value
    if not sample.good or isinstance(value, str) or value is None or value != value:
        return None
    return float(value)


def freeze(state: AlarmState) -> AlarmState:
    """No good value: nothing that was about to turn may turn on the strength of no data."""
    if state.unknown:
        return state
    conditions = {limit: Condition(True) for limit, c in state.conditions.items() if c.active}
    return replace(state, unknown=True, conditions=conditions, trail=(), heard_at=None, moved_at=None)


def thaw(state: AlarmState) -> AlarmState:
    """A good value again."""
    return replace(state, unknown=False) if state.unknown else state


def exceeded(rule: AlarmRule, state: AlarmState, x: float) -> Raw:
    """Each limit by itself: trips at the limit, returns only beyond the hysteresis."""
    raw: Raw = {}
    for limit, at in rule.limits:
        held = limit in state.conditions and state.conditions[limit].active
        if limit in (Limit.LO, Limit.LOLO):
            raw[limit] = x <= at or (held and x <= at + rule.hysteresis)
        else:
            raw[limit] = x >= at or (held and x >= at - rule.hysteresis)
    return raw


def _watching(state: AlarmState, raw: Raw, value: Value) -> AlarmState:
    """A value is worth remembering only once a limit is reached: nearly every sample leaves the state as it is."""
    if (state.conditions or any(raw.values())) and state.value != value:
        return replace(state, value=value)
    return state


def _judge_state(rule: AlarmRule, state: AlarmState, sample: Sample) -> Judged:
    """A discrete value (a bit, the number of a state, a text) is one of those that alarm."""
    if not sample.good or sample.value is None:
        return freeze(state), None
    raw = {limit: sample.value in rule.values for limit, _ in rule.limits}
    return _watching(thaw(state), raw, sample.value), raw


def _judge_standstill(rule: AlarmRule, state: AlarmState, sample: Sample) -> Judged:
    """Any change of the value ends a standstill, however small; a fresh time with the same value does not."""
    if not sample.good:
        return freeze(state), None
    if state.moved_at is None or not _same(state.seen, sample.value):
        moved = replace(thaw(state), seen=sample.value, value=sample.value, moved_at=sample.receive_time)
        return moved, {Limit.STALE: False}
    return state, judge_silence(rule, state, sample.receive_time)


def _same(one: Value, other: Value) -> bool:
    return one == other or (one != one and other != other)


def _judge_deviation(rule: AlarmRule, state: AlarmState, sample: Sample, number: float | None) -> Judged:
    """The distance from a number, or from the newest good value of another tag; frozen while either is not good."""
    if sample.tag == rule.tag:
        if state.seen != number:
            state = replace(state, seen=number)
    elif state.against != number:
        state = replace(state, against=number)
    target = state.against if isinstance(rule.target, str) else rule.target
    if target is None or not isinstance(state.seen, float):
        return freeze(state), None
    away = state.seen - target
    raw = exceeded(rule, state, abs(away))
    return _watching(thaw(state), raw, away), raw


def _judge_rate(rule: AlarmRule, state: AlarmState, sample: Sample, number: float) -> Judged:
    """The slope of the straight line that fits the window best (least squares), so that jitter and noise even out.

    It counts from source times, and only once the samples cover at least half of the window: two samples that came
    close together say nothing about a rate.
    """
    at = sample.source_time.timestamp()
    trail = _trail(state.trail, at, number, rule.rate_window)
    state = replace(state, unknown=False, trail=trail, heard_at=sample.receive_time)
    points = trail if trail[-1][0] == at else (*trail, (at, number))
    if at - points[0][0] < rule.rate_window / 2:
        return state, {}
    rate = slope(points)
    raw: Raw = {}
    for limit, at in rule.limits:
        held = state.conditions.get(limit, CALM).active
        raw[limit] = abs(rate) >= (at * RATE_RETURNS if held else at)
    return _watching(state, raw, rate), raw


Trail = tuple[tuple[float, float], ...]


def _trail(trail: Trail, at: float, number: float, window: float) -> Trail:
    """Points of the last window, at least a small step apart; a clock that was set back begins a new trail."""
    if trail and at < trail[-1][0]:
        return ((at, number),)
    if trail and trail[0][0] < at - window:
        trail = tuple(point for point in trail if point[0] >= at - window)
    if trail and at - trail[-1][0] < window / TRAIL_POINTS:
        return trail
    return (*trail, (at, number))


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Change per second of the least-squares line through (seconds, value); 0 when all times are the same."""
    first, base = points[0]
    xs, ys = [at - first for at, _ in points], [y - base for _, y in points]
    count, sum_x = len(xs), sum(xs)
    spread = sum(map(mul, xs, xs)) - sum_x * sum_x / count
    return (sum(map(mul, xs, ys)) - sum_x * sum(ys) / count) / spread if spread > 0 else 0.0
