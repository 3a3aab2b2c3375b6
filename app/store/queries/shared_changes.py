"""What happened at all stations of a server, in its order, and which changes were merged by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.store.entries import table_of
from app.store.queries.listing import Column, Listing
from app.store.tables import Audit, SharedChange

SHARED_CHANGES = Listing(
    entity="shared-changes",
    title="Changes of all stations",
    source=SharedChange.__table__,
    id=SharedChange.__table__.c.seq,
    sort="seq",
    descending=True,
    columns=(
        Column("seq", "No.", "integer", SharedChange.seq.expression, keyed=True),
        Column("at", "When", "time", SharedChange.at.expression, keyed=True),
        Column("station", "Station", "text", SharedChange.station.expression),
        Column("actor", "Who", "text", SharedChange.actor.expression),
        Column("label", "What", "text", SharedChange.label.expression),
        Column("verdict", "Outcome", "text", SharedChange.verdict.expression),
        Column("operation", "Operation", "text", SharedChange.operation.expression),
        Column("said_at", "Entered", "time", SharedChange.said_at.expression, shown=False),
        Column("change_id", "Change", "text", func.lower(SharedChange.change_id), shown=False),
    ),
    aliases={"who": "actor", "when": "at"},
)

_LOOKED_THROUGH = 5_000
_NAMES = ("number", "name", "title", "code", "product")


@dataclass(frozen=True, slots=True)
class MergedChange:
    """A change that the server put beside somebody else's: other fields of the same row had moved meanwhile.

    `fields` are the ones that the others had changed.
    """

    seq: int
    at: datetime
    station: str
    actor: str
    label: str
    entity: str
    row_id: UUID
    row_name: str
    fields: tuple[str, ...]


def merged_changes(session: Session, limit: int = 300) -> list[MergedChange]:
    """The newest of them, one line a row."""
    found = session.execute(
        select(SharedChange)
        .where(SharedChange.merged.is_not(None))
        .order_by(SharedChange.seq.desc())
        .limit(limit)
    ).scalars()
    lines = []
    for change in found:
        for row in change.merged or ():
            entity, row_id = str(row["e"]), UUID(str(row["id"]))
            moved = row.get("fields")
            fields = tuple(str(name) for name in moved) if isinstance(moved, list) else ()
            name = row_name(session, entity, row_id)
            lines.append(
                MergedChange(
                    change.seq,
                    change.at,
                    change.station,
                    change.actor,
                    change.label,
                    entity,
                    row_id,
                    name,
                    fields,
                )
            )
    return lines


@dataclass(frozen=True, slots=True)
class ChangeElsewhere:
    """What somebody did at another station; `at` is the server's clock."""

    at: datetime
    actor: str
    station: str
    label: str


def changes_elsewhere(session: Session, number: str, limit: int) -> list[ChangeElsewhere]:
    """The newest changes at other stations whose words name this number; those of many rows at once do not.

    What was done here stands in the audit trail of this station and is left out.
    """
    done_here = exists().where(Audit.change_id == SharedChange.change_id)
    newest = select(func.max(SharedChange.seq) - _LOOKED_THROUGH).scalar_subquery()
    found = session.execute(
        select(SharedChange)
        .where(SharedChange.seq > newest, SharedChange.verdict == "applied", ~done_here)
        .where(SharedChange.label.contains(number, autoescape=True))
        .order_by(SharedChange.seq.desc())
        .limit(4 * limit)
    ).scalars()
    whole = re.compile(rf"(?<![\w-]){re.escape(number)}(?![\w-])")
    named = [change for change in found if whole.search(change.label)]
    return [ChangeElsewhere(c.at, c.actor, c.station, c.label) for c in named[:limit]]


def row_name(session: Session, entity: str, row_id: UUID) -> str:
    """What people call a row: its number, name or title; a stage by its order too, else the kind alone."""
    table = table_of(entity)
    found = session.execute(select(table).where(table.c.id == row_id)).mappings().one_or_none()
    kind = entity.replace("_", " ")
    if found is None:
        return f"a {kind} that is not here"
    name = next((str(found[column]) for column in _NAMES if found.get(column)), "")
    if entity == "stage":
        order = row_name(session, "work_order", found["work_order_id"])
        return f"{order} {name}"
    if entity == "inspection_result":
        return f"{row_name(session, 'inspection', found['inspection_id'])} {name}"
    return name or kind
