"""What a person does about an alarm; the collector reads these actions and moves its alarm states."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.errors import Refused
from app.domain.orders import check_note, check_text
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store.tables import AlarmAction

LONGEST_SHELF_MINUTES = 8 * 60


class AlarmActionKind(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"


def _note(
    change: Change, alarm: str, kind: AlarmActionKind, comment: str, minutes: int | None = None
) -> UUID:
    action = AlarmAction(
        id=change.new_id(),
        alarm=check_text(alarm, "alarm", "alarm", longest=200),
        action=kind.value,
        comment=check_note(comment, "comment", "comment", longest=500),
        until=change.now + timedelta(minutes=minutes) if minutes else None,
        at=change.now,
        actor=change.actor.name,
    )
    change.session.add(action)
    return action.id


@operation(Permission.ACKNOWLEDGE_ALARMS, undoable=False)
def acknowledge_alarm(change: Change, /, *, alarm: str, comment: str = "") -> UUID:
    """Acknowledge an alarm, active or returned, with an optional comment."""
    change.label = f"Acknowledged {alarm}"
    return _note(change, alarm, AlarmActionKind.ACKNOWLEDGE, comment)


@operation(Permission.SHELVE_ALARMS, undoable=False)
def shelve_alarm(change: Change, /, *, alarm: str, minutes: int, reason: str) -> UUID:
    """Silence an alarm for 1 to 480 minutes, with a reason."""
    if not 1 <= minutes <= LONGEST_SHELF_MINUTES:
        raise Refused(
            f"An alarm can be shelved for 1 to {LONGEST_SHELF_MINUTES} minutes, not {minutes}.",
            field="minutes",
        )
    change.label = f"Shelved {alarm} for {minutes} min"
    return _note(
        change, alarm, AlarmActionKind.SHELVE, check_text(reason, "reason", "reason", longest=500), minutes
    )


@operation(Permission.SHELVE_ALARMS, undoable=False)
def unshelve_alarm(change: Change, /, *, alarm: str) -> UUID:
    """Let a shelved alarm sound again."""
    change.label = f"Unshelved {alarm}"
    return _note(change, alarm, AlarmActionKind.UNSHELVE, "")
