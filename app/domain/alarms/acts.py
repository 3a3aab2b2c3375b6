"""What people do about an alarm: acknowledge, reset, shelve, take out of service, and back; refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.domain.alarms.covers import drop_cover, owed_by
from app.domain.alarms.journaling import went
from app.domain.alarms.phases import worst_of
from app.domain.alarms.rules import AlarmRule
from app.domain.alarms.shapes import AlarmState, Aside, Event, Phase, Step, Urgency
from app.domain.errors import Refused

MAX_SHELF = timedelta(hours=8)
_SEEN = {
    Phase.UNACK: Phase.ACKED,
    Phase.RTN_UNACK: Phase.NORMAL,
    Phase.LATCHED_UNACK: Phase.LATCHED_ACKED,
}


def acknowledge(
    rule: AlarmRule,
    state: AlarmState,
    actor: str,
    at: datetime,
    comment: str = "",
    now: datetime | None = None,
) -> Step:
    """Somebody has seen it; allowed at any time while it is unacknowledged, refused otherwise.

    `at` is when the person did so, `now` when that is heard of (the same when None). When the alarm has rung again in
    between, the word comes too late: nobody has seen that yet. A ring in the future is one of a clock set back since.
    """
    if not state.unacked:
        raise Refused("This alarm is already acknowledged.")
    if state.rang_at is not None and at < state.rang_at <= (now or at):
        raise Refused("The alarm has rung again since; look at it once more.")
    worst, phase = worst_of(rule, state), _SEEN[state.phase]
    urgency = Urgency.NONE if phase is Phase.NORMAL else state.urgency
    owed = Phase.NORMAL
    if state.owed is not Phase.NORMAL and rule.latching:
        owed = Phase.LATCHED_ACKED
    seen = replace(
        state,
        phase=phase,
        urgency=worst.urgency if worst is not None and phase is Phase.ACKED else urgency,
        limit=worst or state.limit,
        unseen=0,
        unseen_since=None,
        acked_at=at,
        owed=owed,
    )
    return went(rule, seen, Event.ACKNOWLEDGED, at, actor, comment.strip())


def reset(rule: AlarmRule, state: AlarmState, actor: str, now: datetime) -> Step:
    """Let a latched alarm go; refused while its condition is there and before it is acknowledged."""
    if state.active:
        raise Refused("This alarm is still active; it can be reset when its condition is gone.")
    if state.unacked:
        raise Refused("Acknowledge this alarm before you reset it.")
    if state.phase is not Phase.LATCHED_ACKED:
        raise Refused("There is nothing to reset.")
    over = replace(state, phase=Phase.NORMAL, urgency=Urgency.NONE, owed=Phase.NORMAL)
    return went(rule, over, Event.RESET, now, actor)


def shelve(
    rule: AlarmRule,
    state: AlarmState,
    until: datetime,
    reason: str,
    actor: str,
    now: datetime,
    *,
    one_shot: bool = False,
) -> Step:
    """Hide the alarm until a time, one-shot at most until it returns to normal; it keeps being evaluated."""
    if state.aside is not None and state.aside.phase is Phase.OUT_OF_SERVICE:
        raise Refused("This alarm is out of service.")
    if state.aside is not None:
        raise Refused("This alarm is already shelved.")
    if not reason.strip():
        raise Refused("Say why the alarm is shelved.", field="reason")
    if not now < until <= now + MAX_SHELF:
        raise Refused("An alarm can be shelved for up to 8 hours.", field="until")
    shelf = Aside(Phase.SHELVED, now, actor, reason.strip(), until, one_shot)
    return went(
        rule, replace(state, aside=shelf, owed=owed_by(state)), Event.SHELVED, now, actor, shelf.reason
    )


def unshelve(rule: AlarmRule, state: AlarmState, actor: str, now: datetime) -> Step:
    """Bring the alarm back before its time; an active one rings again."""
    if state.aside is None or state.aside.phase is not Phase.SHELVED:
        raise Refused("This alarm is not shelved.")
    return drop_cover(rule, replace(state, aside=None), Event.UNSHELVED, now, actor)


def take_out(rule: AlarmRule, state: AlarmState, reason: str, permit: str, actor: str, now: datetime) -> Step:
    """Out of service for maintenance, until somebody returns it; a shelf that it lies on ends without ringing."""
    if state.aside is not None and state.aside.phase is Phase.OUT_OF_SERVICE:
        raise Refused("This alarm is already out of service.")
    if not reason.strip():
        raise Refused("Say why the alarm is taken out of service.", field="reason")
    out = Aside(Phase.OUT_OF_SERVICE, now, actor, reason.strip(), permit=permit.strip())
    words = f"{out.reason} (permit {out.permit})" if out.permit else out.reason
    return went(rule, replace(state, aside=out, owed=owed_by(state)), Event.TAKEN_OUT, now, actor, words)


def put_back(rule: AlarmRule, state: AlarmState, actor: str, now: datetime) -> Step:
    """Back in service; an active alarm rings."""
    if state.aside is None or state.aside.phase is not Phase.OUT_OF_SERVICE:
        raise Refused("This alarm is not out of service.")
    return drop_cover(rule, replace(state, aside=None), Event.PUT_BACK, now, actor)
