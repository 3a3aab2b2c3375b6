"""What happened to a row: what the audit trail says that wrote it here, and what other stations did that names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.store.queries.shared_changes import changes_elsewhere
from app.store.tables import Audit, Outbox

_MOST = 40
_LOOKED_THROUGH = 2_000
_LARGEST_BODY = 200_000


@dataclass(frozen=True)
class Happening:
    """One line of a history."""

    at: datetime
    actor: str
    sentence: str


def happenings(session: Session, number: str, row_ids: Sequence[UUID]) -> tuple[Happening, ...]:
    """What wrote one of `row_ids` here, and what names `number` at other stations, the newest first."""
    elsewhere = [
        Happening(change.at, f"{change.actor}, station {change.station}", change.label)
        for change in changes_elsewhere(session, number, _MOST)
    ]
    both = [*_here(session, row_ids), *elsewhere]
    return tuple(sorted(both, key=lambda happening: happening.at, reverse=True)[:_MOST])


def _here(session: Session, row_ids: Sequence[UUID]) -> list[Happening]:
    """The trail keeps no index by row, so only its newest part is looked through."""
    recent = (
        select(Audit.at, Audit.actor, Audit.sentence, Audit.seq, Audit.change_id)
        .where(Audit.outcome == "done")
        .order_by(Audit.seq.desc())
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    touches = [func.instr(Outbox.body, str(row_id)) > 0 for row_id in row_ids]
    found = session.execute(
        select(recent.c.at, recent.c.actor, recent.c.sentence)
        .join(Outbox, Outbox.change_id == recent.c.change_id)
        .where(func.length(Outbox.body) < _LARGEST_BODY, or_(*touches))
        .order_by(recent.c.seq.desc())
        .limit(_MOST)
    )
    return [Happening(row.at, row.actor, row.sentence) for row in found]
