"""Saved views as the dropdown of a place lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.store.tables import SavedView


@dataclass(frozen=True)
class ViewLine:
    """One view that a person may open; only its `owner` may change it."""

    id: UUID
    name: str
    owner: str
    shared: bool
    content: Mapping[str, Any] = field(default_factory=dict)


def saved_views(session: Session, place: str, person: str) -> list[ViewLine]:
    """The person's own views, then those that others share, by name."""
    found = select(SavedView).where(
        SavedView.place == place, ~SavedView.deleted, or_(SavedView.owner == person, SavedView.shared)
    )
    lines = [
        ViewLine(v.id, v.name, v.owner, v.shared, dict(v.content)) for v in session.execute(found).scalars()
    ]
    return sorted(lines, key=lambda line: (line.owner != person, line.name.casefold(), line.owner))
