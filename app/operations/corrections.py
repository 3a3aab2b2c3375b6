"""Corrections of measured values: a layer with author and reason; what was measured never changes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.domain import corrections as rules
from app.domain.alarms import machine_of, signal_of
from app.domain.errors import Refused
from app.domain.orders import check_text
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store.queries.alarms import plant_around
from app.store.tables import Correction, Tag

_DONE = {
    rules.CorrectionKind.EXCLUDE: "values left out",
    rules.CorrectionKind.OFFSET: "values shifted",
    rules.CorrectionKind.FACTOR: "values scaled",
    rules.CorrectionKind.REPLACE: "values replaced",
}


@operation(Permission.CORRECT_HISTORY)
def correct_history(
    change: Change,
    /,
    *,
    tag: str,
    start: datetime,
    end: datetime,
    kind: rules.CorrectionKind,
    reason: str,
    amount: float | None = None,
) -> UUID:
    """Say what really was between two times: exclude values, or shift, scale or replace them."""
    known = change.session.execute(select(Tag.id).where(Tag.name == tag).limit(1)).scalar_one_or_none()
    if known is None:  # one that was removed since may still be corrected
        raise Refused(f"There is no signal called {tag}.", field="tag")
    rules.check_correction(rules.Correction(tag, start, end, kind, amount))
    if start > change.now:
        raise Refused("What was not measured yet cannot be corrected.", field="start")
    row = Correction(
        id=change.new_id(),
        tag=tag,
        start=start,
        end=end,
        kind=kind.value,
        amount=amount,
        reason=check_text(reason, "reason", "reason", longest=500),
        at=change.now,
        author=change.actor.name,
    )
    change.session.add(row)
    change.label = f"Corrected {_signal(change, tag)}: {_DONE[kind]}"
    return row.id


@operation(Permission.CORRECT_HISTORY)
def withdraw_correction(change: Change, /, *, correction_id: UUID, reason: str) -> None:
    """Take a correction back; the curve shows again what was measured."""
    row = change.get(Correction, correction_id, "correction")
    said = check_text(reason, "reason", "reason", longest=500)
    row.deleted = True
    change.label = f"Withdrew a correction of {_signal(change, row.tag)}: {said}"


def _signal(change: Change, tag: str) -> str:
    plant = plant_around(change.session, tag)
    return f"{machine_of(plant, tag)}, {signal_of(plant, tag)}"
