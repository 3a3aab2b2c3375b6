"""What an import compares a file with, what earlier imports did, and the mappings that people saved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.plant import Tag as PlantTag
from app.domain.plant_writing import duration_text
from app.domain.sheets.fields import ImportTarget
from app.domain.sheets.matching import MappingTemplate
from app.domain.sheets.values import Value
from app.store.queries.plant import read_plant
from app.store.tables import (
    Audit,
    ImportRun,
    ImportTemplate,
    MaintenanceOrder,
    Stage,
    Tag,
    UserAccount,
    WorkOrder,
)
from app.store.wall_clock import wall_clock

ORDER_COLUMNS = {
    "number": "number",
    "product": "product",
    "product_name": "product_name",
    "quantity": "quantity",
    "priority": "priority",
    "customer": "customer",
    "lot": "lot",
    "planned_start": "planned_start",
    "planned_end": "planned_end",
    "status": "status",
    "description": "note",
    "area": "line",
}
MAINTENANCE_COLUMNS = {
    "number": "number",
    "title": "title",
    "description": "description",
    "priority": "priority",
    "status": "status",
    "due": "due_at",
    "equipment": "equipment",
    "assignee": "assignee",
    "estimated_hours": "estimated_hours",
    "kind": "kind",
    "created": "created_at",
    "completed": "completed_at",
    "feedback": "feedback",
}
_FOLLOWING = ("quantity_done", "started_at", "finished_at")  # what a new status of an order brings along
_ASSIGNED = re.compile(r"(?:^|\n)Assigned to: (.+)$")
_CHUNK = 400


def with_assignee(note: str, name: str) -> str:
    """An order's note that also keeps the name of a person who has no account here."""
    plain, _ = split_assignee(note)
    if not name:
        return plain
    return f"{plain}\nAssigned to: {name}" if plain else f"Assigned to: {name}"


def split_assignee(note: str) -> tuple[str, str]:
    """(note, name) as `with_assignee` put them together; the name is empty when there is none."""
    found = _ASSIGNED.search(note)
    return (note, "") if found is None else (note[: found.start()], found[1])


@dataclass(frozen=True, slots=True)
class ExistingRow:
    """A row of the store: `values` in the form of an import plan, `columns` as the table holds them."""

    id: UUID
    values: Mapping[str, Value]
    columns: Mapping[str, Any]


def _in_chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _planned(value: Any) -> Value:
    """A column's value in the form of a plan: wall-clock times, keys of choices, None for an empty text."""
    if isinstance(value, datetime):
        return wall_clock(value)
    if isinstance(value, Enum):
        return str(value.value)
    plain: Value = value
    return None if plain == "" else plain


def find_existing(
    session: Session, target: ImportTarget, identities: Iterable[str]
) -> dict[str, ExistingRow]:
    """Identity → the living row of that number, or of that import key for identities that begin with `~`."""
    if target.key == "tags":
        return _existing_tags(session, frozenset(identities))
    table: Any = WorkOrder if target.key == "work-orders" else MaintenanceOrder
    columns = ORDER_COLUMNS if target.key == "work-orders" else MAINTENANCE_COLUMNS
    names = [*columns.values(), *(_FOLLOWING if target.key == "work-orders" else ())]
    if session.execute(select(table.id).where(~table.deleted).limit(1)).first() is None:
        return {}
    found: dict[str, ExistingRow] = {}
    for chunk in _in_chunks(identities):
        numbers = [identity for identity in chunk if not identity.startswith("~")]
        keys = [identity for identity in chunk if identity.startswith("~")]
        rows = session.execute(
            select(table.id, table.import_key, *(getattr(table, name) for name in names)).where(
                ~table.deleted,
                or_(
                    *([table.number.in_(numbers)] if numbers else []),
                    *([table.import_key.in_(keys)] if keys else []),
                ),
            )
        ).all()
        wanted = set(chunk)
        for row_id, import_key, *values in rows:
            held = dict(zip(names, values, strict=True))
            identity = import_key if import_key in wanted else held["number"]
            planned = {key: _planned(held[name]) for key, name in columns.items()}
            found[identity] = ExistingRow(row_id, planned, held)
    return _with_people(session, found) if target.key == "work-orders" else found


def _existing_tags(session: Session, names: frozenset[str]) -> dict[str, ExistingRow]:
    """Tags by their name."""
    ids = {row.name: row.id for row in session.execute(select(Tag.name, Tag.id).where(~Tag.deleted))}
    tags = [tag for tag in read_plant(session).tags if tag.name in names]
    return {tag.name: ExistingRow(ids[tag.name], tag_values(tag), {"number": tag.name}) for tag in tags}


def tag_values(tag: PlantTag) -> dict[str, Value]:
    """A tag as the cells of an import or an export have it; None where there is nothing to say."""
    limits, alarm, scale = tag.limits, tag.alarm, tag.scale
    deadband = f"{tag.deadband.amount:.12g}{'%' if tag.deadband.percent else ''}"
    return {
        "name": tag.name,
        "equipment": tag.equipment,
        "connection": tag.connection,
        "address": tag.address,
        "unit": tag.unit or None,
        "label": tag.label or None,
        "scan": duration_text(tag.scan),
        "raw_lo": scale.raw_lo if scale else None,
        "raw_hi": scale.raw_hi if scale else None,
        "eu_lo": scale.eu_lo if scale else None,
        "eu_hi": scale.eu_hi if scale else None,
        "hihi": limits.hihi,
        "hi": limits.hi,
        "lo": limits.lo,
        "lolo": limits.lolo,
        "deadband": deadband if tag.deadband.amount else None,
        "priority": alarm.priority,
        "on_delay": alarm.on_delay,
        "hysteresis": alarm.hysteresis,
        "consequence": alarm.consequence or None,
        "response": alarm.response or None,
    }


def _with_people(session: Session, found: Mapping[str, ExistingRow]) -> dict[str, ExistingRow]:
    """Orders keep their person on the stages, or in the note when he has no account."""
    names: dict[UUID, str] = {}
    for chunk in _in_chunks(row.id for row in found.values()):
        names.update(
            (order_id, name)
            for order_id, name in session.execute(
                select(Stage.work_order_id, func.min(UserAccount.name))
                .join(UserAccount, UserAccount.id == Stage.assignee_id)
                .where(Stage.work_order_id.in_(chunk), ~Stage.deleted)
                .group_by(Stage.work_order_id)
            )
        )
    result: dict[str, ExistingRow] = {}
    for identity, row in found.items():
        note, noted = split_assignee(row.columns["note"])
        values = {**row.values, "description": note or None, "assignee": noted or names.get(row.id)}
        result[identity] = ExistingRow(row.id, values, row.columns)
    return result


def existing_rows(
    session: Session, target: ImportTarget, identities: Iterable[str]
) -> dict[str, Mapping[str, Value]]:
    """Identity → values in the form of a plan, for the dry run."""
    return {identity: row.values for identity, row in find_existing(session, target, identities).items()}


@dataclass(frozen=True, slots=True)
class RunLine:
    """One applied import as the list of recent imports shows it; `undone` when it was taken back."""

    number: str
    file_name: str
    target: str
    created: int
    changed: int
    same: int
    skipped: int
    at: datetime
    actor: str
    change_id: UUID
    undone: bool


def recent_runs(session: Session, limit: int = 20) -> tuple[RunLine, ...]:
    """The last imports, the newest first, those that were taken back too."""
    undone = select(Audit.undoes).where(Audit.undoes == ImportRun.change_id).exists()
    rows = session.execute(
        select(ImportRun, undone).order_by(ImportRun.at.desc(), ImportRun.number.desc()).limit(limit)
    )
    return tuple(
        RunLine(
            run.number,
            run.file_name,
            run.target,
            run.created_rows,
            run.changed_rows,
            run.same_rows,
            run.skipped_rows,
            run.at,
            run.actor,
            run.change_id,
            bool(taken_back),
        )
        for run, taken_back in rows
    )


def change_of_run(session: Session, number: str) -> UUID:
    """The change that an undo of the import takes back. Raises `NotFound`."""
    found = session.execute(
        select(ImportRun.change_id).where(func.lower(ImportRun.number) == number.strip().lower())
    ).scalar()
    if found is None:
        raise NotFound(f"There is no import {number}; the list of imports shows their numbers.")
    return found


def runs_of_file(session: Session, digest: str) -> tuple[str, ...]:
    """Numbers of the imports, not undone, that read exactly this file."""
    return tuple(
        session.execute(
            select(ImportRun.number)
            .where(ImportRun.digest == digest, ~ImportRun.deleted)
            .order_by(ImportRun.at)
        ).scalars()
    )


def templates(session: Session, target: str = "") -> tuple[tuple[str, MappingTemplate], ...]:
    """(target key, template) of the saved mappings, the newest first; of one target when it is given."""
    query = select(ImportTemplate).where(~ImportTemplate.deleted).order_by(ImportTemplate.id.desc())
    if target:
        query = query.where(ImportTemplate.target == target)
    return tuple((row.target, _template(row)) for row in session.execute(query).scalars())


def template_named(session: Session, name: str) -> tuple[str, MappingTemplate]:
    """(target key, template) of that name. Raises `NotFound`."""
    for target, template in templates(session):
        if template.name.casefold() == name.strip().casefold():
            return target, template
    raise NotFound(f"There is no saved mapping “{name}”.")


def _template(row: ImportTemplate) -> MappingTemplate:
    kept: Mapping[str, Any] = row.mapping
    return MappingTemplate(
        row.name,
        dict(kept.get("headers", {})),
        str(kept.get("sheet", "")),
        int(kept.get("header_row", 0)),
        dict(kept.get("answers", {})),
    )
