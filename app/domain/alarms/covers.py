"""Hiding an alarm on purpose: suppressed by design, shelved, out of service; and what is due when that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.domain.alarms.journaling import went
from app.domain.alarms.rules import AlarmRule
from app.domain.alarms.shapes import AlarmState, Event, Phase, Step, Urgency
from app.domain.alarms.words import state_words
from app.domain.samples import Sample


def suppression(rule: AlarmRule, state: AlarmState, sample: Sample, now: datetime) -> Step:
    """Follow the tag that suppresses this alarm by design.

    While that tag's value is not good its last word holds: a machine that was switched off may well take its
    controller with it. Only what concerns somebody is written down; a machine stops and starts too often for more.
    """
    if rule.suppress is None or sample.tag != rule.suppress.when or not sample.good:
        return state, ()
    wanted = sample.value in rule.suppress.values
    if wanted == state.suppressed:
        return state, ()
    return suppress(rule, state, now) if wanted else unsuppress(rule, state, now)


def suppress(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    """Hide it by logic."""
    hidden = replace(state, suppressed=True, owed=owed_by(state))
    reason = suppression_words(rule)
    silent = state.phase is Phase.NORMAL
    return (hidden, ()) if silent else went(rule, hidden, Event.SUPPRESSED, now, reason=reason)


def unsuppress(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    """The logic no longer hides it."""
    if state.phase is Phase.NORMAL:
        return replace(state, suppressed=False), ()
    return drop_cover(rule, replace(state, suppressed=False), Event.UNSUPPRESSED, now)


def suppression_words(rule: AlarmRule) -> str:
    """Why an alarm is hidden by design: which tag says so."""
    if rule.suppress is None:
        return ""
    states = " or ".join(state_words(value, None) for value in rule.suppress.values)
    return f"{rule.suppress.when} is {states}"


def owed_by(state: AlarmState) -> Phase:
    """The phase to come back to when nothing happens while the alarm is hidden; the first cover decides."""
    return state.owed if state.covered else state.phase


def shelf_is_over(state: AlarmState, now: datetime) -> bool:
    """Whether the time of a shelf has run out."""
    return state.aside is not None and state.aside.until is not None and now >= state.aside.until


def drop_cover(
    rule: AlarmRule, state: AlarmState, event: Event, now: datetime, actor: str = "", reason: str = ""
) -> Step:
    """A cover was taken off (`state` says so already): active → unacknowledged; clear → normal or what was owed.

    Owed is what was there before the alarm was hidden: unacknowledged stays that, a latched alarm still wants its
    reset. What came and went while it was hidden is in the journal only. Another cover may still be there.
    """
    if state.covered:
        return went(rule, state, event, now, actor, reason)
    phase = Phase.UNACK if state.active else _still_owed(rule, state)
    if phase.unacked:
        state = replace(
            state,
            urgency=max(state.urgency, Urgency.WARNING),
            unseen=max(state.unseen, 1),
            unseen_since=state.unseen_since or now,
            rang_at=now if phase is Phase.UNACK else state.rang_at,
        )
    elif phase is Phase.NORMAL:
        state = replace(state, urgency=Urgency.NONE, unseen=0, unseen_since=None)
    state = replace(state, phase=phase, owed=Phase.NORMAL)
    return went(rule, state, event, now, actor, reason)


def _still_owed(rule: AlarmRule, state: AlarmState) -> Phase:
    if state.owed.unacked:
        return Phase.LATCHED_UNACK if rule.latching else Phase.RTN_UNACK
    if rule.latching and state.owed in (Phase.ACKED, Phase.LATCHED_ACKED):
        return Phase.LATCHED_ACKED
    return Phase.NORMAL
