"""Alarm logic after ISA-18.2: conditions, delays, nine states, people's acts; decides, does nothing."""

from app.domain.alarms.acts import MAX_SHELF, acknowledge, put_back, reset, shelve, take_out, unshelve
from app.domain.alarms.covers import suppression_words, unsuppress
from app.domain.alarms.delays import unwatched
from app.domain.alarms.packing import pack, unpack
from app.domain.alarms.phases import due, retire, settle, step
from app.domain.alarms.rules import (
    AlarmRule,
    at_station,
    home_of,
    key_of,
    rule_of,
    rules_for,
    rules_of,
    split_key,
    system_key,
    system_rule,
)
from app.domain.alarms.shapes import (
    AlarmState,
    AlarmTransition,
    Aside,
    Condition,
    Event,
    Kind,
    Limit,
    Phase,
    Step,
    Urgency,
)
from app.domain.alarms.system import announce
from app.domain.alarms.words import (
    alarm_state_words,
    alarm_words,
    condition_words,
    limit_words,
    machine_of,
    signal_of,
    tags_called,
)

__all__ = [
    "MAX_SHELF",
    "AlarmRule",
    "AlarmState",
    "AlarmTransition",
    "Aside",
    "Condition",
    "Event",
    "Kind",
    "Limit",
    "Phase",
    "Step",
    "Urgency",
    "acknowledge",
    "alarm_state_words",
    "alarm_words",
    "announce",
    "at_station",
    "condition_words",
    "due",
    "home_of",
    "key_of",
    "limit_words",
    "machine_of",
    "pack",
    "put_back",
    "reset",
    "retire",
    "rule_of",
    "rules_for",
    "rules_of",
    "settle",
    "shelve",
    "signal_of",
    "split_key",
    "step",
    "suppression_words",
    "system_key",
    "system_rule",
    "tags_called",
    "take_out",
    "unpack",
    "unshelve",
    "unsuppress",
    "unwatched",
]
