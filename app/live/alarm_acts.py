"""What a person did about an alarm, as the step of that alarm which it asks for."""

from __future__ import annotations

from datetime import datetime

from app.domain.alarms import (
    AlarmRule,
    AlarmState,
    Step,
    acknowledge,
    put_back,
    reset,
    shelve,
    take_out,
    unshelve,
)
from app.domain.alarms.verbs import Verb
from app.domain.errors import Refused
from app.live.source import AlarmAction


def acted(rule: AlarmRule, state: AlarmState, action: AlarmAction, now: datetime | None) -> Step:
    """Do to an alarm what `action` says, which is heard of only `now`; raises Refused when it makes no sense."""
    actor, at, verb = action.actor, action.at, action.verb
    if verb is Verb.ACKNOWLEDGE:
        return acknowledge(rule, state, actor, at, action.reason, now)
    if verb is Verb.RESET:
        return reset(rule, state, actor, at)
    if verb is Verb.UNSHELVE:
        return unshelve(rule, state, actor, at)
    if verb is Verb.TAKE_OUT:
        return take_out(rule, state, action.reason, action.permit, actor, at)
    if verb is Verb.PUT_BACK:
        return put_back(rule, state, actor, at)
    if now is not None and (action.until or at) <= now:
        raise Refused("The time of this shelf is over already.")
    one_shot = verb is Verb.SHELVE_ONCE
    return shelve(rule, state, action.until or at, action.reason, actor, at, one_shot=one_shot)
