"""On- and off-delay, and the count of short excesses: when an observed condition counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.domain.alarms.rules import AlarmRule
from app.domain.alarms.shapes import CALM, AlarmState, Condition, Limit


def advance(rule: AlarmRule, state: AlarmState, raw: dict[Limit, bool], now: datetime) -> AlarmState:
    """A condition turns when the opposite was observed without a break for long enough, or often enough.

    Without a fresh observation (`raw` empty) a turning condition keeps turning, unless the value is unknown.
    """
    changed: dict[Limit, Condition] = {}
    for limit, _ in rule.limits:
        old = state.conditions.get(limit, CALM)
        new = _turned(rule, old, raw.get(limit), now)
        if new != old:
            changed[limit] = new
    if not changed:
        return state
    conditions = {limit: c for limit, c in (state.conditions | changed).items() if not c.calm}
    return replace(state, conditions=conditions)


def _turned(rule: AlarmRule, old: Condition, observed: bool | None, now: datetime) -> Condition:
    if observed is None and old.turning_since is None:
        return old
    if observed is not None and observed == old.active:
        return Condition(old.active, excesses=_recent(rule, old, now))
    excesses = old.excesses
    if old.turning_since is None and not old.active and rule.count:
        excesses = (*_recent(rule, old, now), now)
        if len(excesses) >= rule.count:
            return Condition(True)
    since = min(old.turning_since or now, now)  # a clock that was set back lengthens no delay
    delay = timedelta(seconds=rule.off_delay if old.active else rule.on_delay)
    return Condition(not old.active) if now - since >= delay else Condition(old.active, since, excesses)


def _recent(rule: AlarmRule, condition: Condition, now: datetime) -> tuple[datetime, ...]:
    """When the excesses within the counting window began."""
    if not condition.excesses:
        return ()
    window = timedelta(seconds=rule.count_window)
    return tuple(began for began in condition.excesses if now - began < window)


def unwatched(state: AlarmState, now: datetime) -> AlarmState:
    """Nobody looked for a while, or the clock was set: what was being timed begins anew at `now`."""
    conditions = {
        limit: Condition(c.active, None if c.turning_since is None else now)
        for limit, c in state.conditions.items()
    }
    return replace(
        state,
        conditions={limit: c for limit, c in conditions.items() if not c.calm},
        moved_at=None if state.moved_at is None else now,
        acked_at=None if state.acked_at is None else now,
        heard_at=None,
        trail=(),
    )
