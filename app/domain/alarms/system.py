"""Alarms of Lineside itself: raised and cleared by what notices the trouble, otherwise alarms like all others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.domain.alarms.delays import advance
from app.domain.alarms.phases import settle
from app.domain.alarms.rules import AlarmRule
from app.domain.alarms.shapes import AlarmState, Limit, Step, Urgency


def announce(rule: AlarmRule, state: AlarmState, sentence: str, urgency: Urgency, now: datetime) -> Step:
    """The trouble is there, in these words (kept as the value); urgency NONE says that it is over."""
    if sentence and state.value != sentence:
        state = replace(state, value=sentence)
    raw = {
        Limit.SYSTEM: urgency is Urgency.WARNING,
        Limit.SYSTEM_CRITICAL: urgency is Urgency.CRITICAL,
    }
    return settle(rule, advance(rule, state, raw, now), now)
