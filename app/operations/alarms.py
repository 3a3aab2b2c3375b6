"""What a person does about an alarm; the collector reads these acts and moves its alarm states."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from app.domain.alarms import Kind, alarm_words, at_station, rule_of, split_key
from app.domain.alarms.verbs import NEEDED, Verb
from app.domain.errors import Refused
from app.domain.orders import check_note, check_text
from app.operations.change import Change, operation
from app.store.queries.alarms import ever_tags, plant_around
from app.store.sharing import joined_station
from app.store.tables import AlarmAction

LONGEST_SHELF_MINUTES = 8 * 60
MOST_AT_ONCE = 5000


def _note(
    change: Change, alarm: str, action: Verb, comment: str, *, minutes: int | None = None, permit: str = ""
) -> UUID:
    return _note_all(change, [alarm], action, comment, minutes=minutes, permit=permit)[0]


def _note_all(
    change: Change,
    alarms: Sequence[str],
    action: Verb,
    comment: str,
    *,
    minutes: int | None = None,
    permit: str = "",
) -> list[UUID]:
    """One row an alarm, for the collector to read."""
    tidy = check_note(comment, "comment", "comment", longest=500)
    until = change.now + timedelta(minutes=minutes) if minutes else None
    ids = [change.new_id() for _ in alarms]
    station = joined_station(change.session)
    if station:  # every station reads this, and each has alarms of its own Lineside
        alarms = [at_station(alarm, station) for alarm in alarms]
    rows = [
        {
            "id": id,
            "alarm": check_text(alarm, "alarm", "alarm", longest=200),
            "action": action.value,
            "comment": tidy,
            "until": until,
            "permit": permit,
            "at": change.now,
            "actor": change.actor.name,
        }
        for id, alarm in zip(ids, alarms, strict=True)
    ]
    change.insert(AlarmAction, rows)
    return ids


def _words(change: Change, alarm: str) -> str:
    """The alarm in words for the audit trail; the id of a record says itself."""
    if _is_record(alarm):
        return f"alarm {alarm}"
    return alarm_words(alarm, plant_around(change.session, split_key(alarm)[0]))


def _is_record(alarm: str) -> bool:
    """Whether this names one raising rather than an alarm of the plant."""
    try:
        UUID(alarm)
    except ValueError:
        return False
    return True


def _require_known(change: Change, *alarms: str) -> None:
    """Refuse what was never an alarm here; alarms of tags that were removed may still have to be seen."""
    tags = {alarm: split_key(alarm)[0] for alarm in alarms if not _is_record(alarm)}
    known = ever_tags(change.session, [tag for tag in tags.values() if tag])
    for alarm, tag in tags.items():
        if tag and tag not in known:
            raise Refused(f"There is no alarm {alarm}; `lineside alarms` shows all.", field="alarm")


def _require_configured(change: Change, alarm: str) -> None:
    """Refuse to put aside an alarm that the plant does not have (any more)."""
    tag, kind = split_key(alarm)
    if kind is Kind.SYSTEM or _is_record(alarm):
        return
    if rule_of(plant_around(change.session, tag), alarm) is not None:
        return
    raise Refused(f"The plant has no alarm {alarm} (any more).", field="alarm")


@operation(NEEDED[Verb.ACKNOWLEDGE], undoable=False)
def acknowledge_alarm(change: Change, /, *, alarm: str, comment: str = "") -> UUID:
    """Acknowledge an alarm, active or returned, with an optional comment."""
    _require_known(change, alarm)
    change.label = f"Acknowledged {_words(change, alarm)}"
    return _note(change, alarm, Verb.ACKNOWLEDGE, comment)


@operation(NEEDED[Verb.ACKNOWLEDGE], undoable=False)
def acknowledge_alarms(change: Change, /, *, alarms: Sequence[str], comment: str = "") -> int:
    """Acknowledge many alarms at once, all with the same comment; returns how many."""
    wanted = list(dict.fromkeys(alarms))
    if not wanted:
        raise Refused("Nothing waits for an acknowledgement.", field="alarms")
    if len(wanted) > MOST_AT_ONCE:
        raise Refused(f"Acknowledge at most {MOST_AT_ONCE:,} alarms at once.", field="alarms")
    _require_known(change, *wanted)
    _note_all(change, wanted, Verb.ACKNOWLEDGE, comment)
    one = len(wanted) == 1
    change.label = f"Acknowledged {_words(change, wanted[0]) if one else f'{len(wanted):,} alarms'}"
    return len(wanted)


@operation(NEEDED[Verb.RESET], undoable=False)
def reset_alarm(change: Change, /, *, alarm: str) -> UUID:
    """Let a latched alarm go whose condition is gone; the collector refuses while it is there."""
    _require_known(change, alarm)
    change.label = f"Reset {_words(change, alarm)}"
    return _note(change, alarm, Verb.RESET, "")


@operation(NEEDED[Verb.SHELVE], undoable=False)
def shelve_alarm(change: Change, /, *, alarm: str, minutes: int, reason: str, one_shot: bool = False) -> UUID:
    """Silence an alarm for 1 to 480 minutes, with a reason; one_shot also ends it when the alarm returns to normal."""
    if not 1 <= minutes <= LONGEST_SHELF_MINUTES:
        raise Refused(
            f"An alarm can be shelved for 1 to {LONGEST_SHELF_MINUTES} minutes, not {minutes}.",
            field="minutes",
        )
    why = check_text(reason, "reason", "reason", longest=500)
    _require_configured(change, alarm)
    once = ", until it is normal at most" if one_shot else ""
    change.label = f"Shelved {_words(change, alarm)} for {minutes} min{once}"
    return _note(change, alarm, Verb.SHELVE_ONCE if one_shot else Verb.SHELVE, why, minutes=minutes)


@operation(NEEDED[Verb.UNSHELVE], undoable=False)
def unshelve_alarm(change: Change, /, *, alarm: str) -> UUID:
    """Let a shelved alarm sound again."""
    _require_known(change, alarm)
    change.label = f"Unshelved {_words(change, alarm)}"
    return _note(change, alarm, Verb.UNSHELVE, "")


@operation(NEEDED[Verb.TAKE_OUT], undoable=False)
def take_alarm_out_of_service(change: Change, /, *, alarm: str, reason: str, permit: str = "") -> UUID:
    """Take an alarm out of service for maintenance, with a reason and a permit number, until it is returned."""
    why = check_text(reason, "reason", "reason", longest=500)
    number = check_note(permit, "permit", "permit number", longest=60)
    _require_configured(change, alarm)
    change.label = f"Took {_words(change, alarm)} out of service"
    return _note(change, alarm, Verb.TAKE_OUT, why, permit=number)


@operation(NEEDED[Verb.PUT_BACK], undoable=False)
def return_alarm_to_service(change: Change, /, *, alarm: str) -> UUID:
    """Put an alarm back in service; one that is active rings."""
    _require_known(change, alarm)
    change.label = f"Returned {_words(change, alarm)} to service"
    return _note(change, alarm, Verb.PUT_BACK, "")
