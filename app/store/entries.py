"""How a change is written down: field patches as JSON that a server and a later version can read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table
from sqlalchemy.sql.type_api import TypeEngine

from app.store.tables import Base
from app.store.tables.base import UtcDateTime

ENTRY_FORMAT = 2
SHARED_SCHEMA = 1
"""Which tables and columns entries speak of; raised with every migration that changes a shared table."""

CREATED, UPDATED, CREATED_MANY = "c", "u", "m"


@dataclass(frozen=True, slots=True)
class Patch:
    """One row of one change: `fields` maps a column to (value before, value after), both JSON values.

    `version` is the row's version after the change; a creation has `before` None everywhere.
    """

    entity: str
    id: UUID
    kind: str
    version: int
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class CreatedRows:
    """Many rows that one change created in one table: `rows` holds the values of `columns`, parallel to `ids`.

    Written down as a table: as a patch each, 50,000 imported orders with their stages would take three times the room.
    """

    entity: str
    columns: tuple[str, ...]
    ids: Sequence[UUID]
    rows: Sequence[tuple[Any, ...]]

    def patches(self) -> Iterator[Patch]:
        """The same as single patches."""
        for row_id, values in zip(self.ids, self.rows, strict=True):
            fields = {name: (None, plain(value)) for name, value in zip(self.columns, values, strict=True)}
            yield Patch(self.entity, row_id, CREATED, 1, fields)


def plain(value: object) -> Any:
    """`value` as JSON knows it: ids and choices as text, times as ISO 8601 in UTC with microseconds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    return value


def typed(column_type: TypeEngine[Any], value: Any) -> Any:
    """The inverse of `plain` for a column of `column_type`."""
    if value is None:
        return None
    if isinstance(column_type, UtcDateTime):
        return datetime.fromisoformat(value)
    enum_class = getattr(column_type, "enum_class", None)
    if enum_class is not None:
        return enum_class(value)
    if column_type.__visit_name__ == "uuid":
        return UUID(value)
    return value


def table_of(entity: str) -> Table:
    return Base.metadata.tables[entity]


@dataclass(frozen=True, slots=True)
class Head:
    """What a change says of itself before its rows: `needs` is the permission that it took (its name), if any.

    `actor_id` is None for what the plant itself did. `resolves` names the parked entries (source, n) that it settles.
    """

    change_id: UUID
    operation: str
    label: str
    actor: str
    actor_id: UUID | None
    at: datetime
    undoes: UUID | None
    needs: str | None
    undoable: bool
    resolves: tuple[tuple[UUID, int], ...] = ()


def encode(head: Head, patches: Iterable[Patch | CreatedRows]) -> str:
    """The outbox body of one change."""
    facts: dict[str, Any] = {
        "f": ENTRY_FORMAT,
        "schema": SHARED_SCHEMA,
        "change": str(head.change_id),
        "operation": head.operation,
        "label": head.label,
        "actor": head.actor,
        "actor_id": plain(head.actor_id),
        "at": plain(head.at),
        "needs": head.needs,
        "undoable": head.undoable,
    }
    if head.undoes is not None:
        facts["undoes"] = str(head.undoes)
    if head.resolves:
        facts["resolves"] = [[str(source), n] for source, n in head.resolves]
    rows = [_written(patch) for patch in patches]
    return msgspec.json.encode({**facts, "rows": rows}).decode()


def _written(patch: Patch | CreatedRows) -> dict[str, Any]:
    if isinstance(patch, CreatedRows):
        return {
            "e": patch.entity,
            "k": CREATED_MANY,
            "columns": patch.columns,
            "ids": patch.ids,
            "rows": patch.rows,
        }
    return {"e": patch.entity, "id": patch.id, "k": patch.kind, "v": patch.version, "set": patch.fields}


def undo_terms(body: str) -> tuple[bool, str | None]:
    """Whether the change of an outbox body may be undone at all, and the permission (its name) that this takes."""
    facts = msgspec.json.decode(body)
    return bool(facts["undoable"]), facts["needs"]


def decode(body: str) -> list[Patch]:
    """The patches of an outbox body, each row on its own."""
    patches: list[Patch] = []
    for row in msgspec.json.decode(body)["rows"]:
        if row["k"] == CREATED_MANY:
            ids = [UUID(row_id) for row_id in row["ids"]]
            patches += CreatedRows(row["e"], tuple(row["columns"]), ids, row["rows"]).patches()
            continue
        fields = {name: cast(tuple[Any, Any], tuple(pair)) for name, pair in row["set"].items()}
        patches.append(Patch(row["e"], UUID(row["id"]), row["k"], row["v"], fields))
    return patches
