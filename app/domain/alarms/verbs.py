"""What a person can do to an alarm, in the words that the store and the server keep, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.domain.people import Permission


class Verb(StrEnum):
    """What a person can do to an alarm."""

    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    SHELVE = "shelve"
    SHELVE_ONCE = "shelve-once"
    UNSHELVE = "unshelve"
    TAKE_OUT = "out-of-service"
    PUT_BACK = "back-in-service"


NEEDED: Mapping[Verb, Permission] = {
    Verb.ACKNOWLEDGE: Permission.ACKNOWLEDGE_ALARMS,
    Verb.RESET: Permission.ACKNOWLEDGE_ALARMS,
    Verb.SHELVE: Permission.SHELVE_ALARMS,
    Verb.SHELVE_ONCE: Permission.SHELVE_ALARMS,
    Verb.UNSHELVE: Permission.SHELVE_ALARMS,
    Verb.TAKE_OUT: Permission.TAKE_ALARMS_OUT,
    Verb.PUT_BACK: Permission.TAKE_ALARMS_OUT,
}
"""The permission that each act takes."""
