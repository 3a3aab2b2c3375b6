"""A state together with the line of the journal that says how it came about."""

from __future__ import annotations

from datetime import datetime

from app.domain.alarms.rules import AlarmRule
from app.domain.alarms.shapes import AlarmState, AlarmTransition, Event, Step


def went(
    rule: AlarmRule, state: AlarmState, event: Event, now: datetime, actor: str = "", reason: str = ""
) -> Step:
    """The state that was reached, and one line that says so."""
    line = AlarmTransition(
        key=rule.key,
        event=event,
        at=now,
        occurrence=state.occurrence,
        phase=state.listed,
        urgency=state.urgency,
        limit=state.limit,
        value=state.value,
        actor=actor,
        reason=reason,
    )
    return state, (line,)
