"""Notes on curves as they are read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.store.tables import Note


@dataclass(frozen=True)
class NoteLine:
    """One remark; without `equipment` and `tag` it concerns everything."""

    id: UUID
    at: datetime
    text: str
    equipment: str
    tag: str
    author: str


def notes_between(
    session: Session, start: datetime, end: datetime, equipment: Collection[str], most: int = 2000
) -> list[NoteLine]:
    """Notes of these machines (codes) and of everything from `start` to `end`, oldest first."""
    concerned = or_(Note.equipment == "", Note.equipment.in_(equipment))
    found = select(Note).where(Note.at >= start, Note.at < end, concerned, ~Note.deleted)
    rows = session.execute(found.order_by(Note.at, Note.id).limit(most)).scalars()
    return [NoteLine(row.id, row.at, row.text, row.equipment, row.tag, row.author) for row in rows]
