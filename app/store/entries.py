"""How a change is written down: field patches as JSON that a server and a later version can read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.sql.type_api import TypeEngine

from app.store.tables import Base
from app.store.tables.base import UtcDateTime

ENTRY_FORMAT = 1
CREATED, UPDATED = "c", "u"


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


def encode(
    change_id: UUID, operation: str, actor: str, at: datetime, patches: Sequence[Patch], undoes: UUID | None
) -> str:
    """The outbox body of one change."""
    head = {
        "f": ENTRY_FORMAT,
        "change": str(change_id),
        "operation": operation,
        "actor": actor,
        "at": plain(at),
    }
    if undoes is not None:
        head["undoes"] = str(undoes)
    rows = [{"e": p.entity, "id": str(p.id), "k": p.kind, "v": p.version, "set": p.fields} for p in patches]
    return json.dumps({**head, "rows": rows}, ensure_ascii=False, separators=(",", ":"))


def decode(body: str) -> list[Patch]:
    """The patches of an outbox body."""
    return [
        Patch(
            row["e"],
            UUID(row["id"]),
            row["k"],
            row["v"],
            {field: cast(tuple[Any, Any], tuple(pair)) for field, pair in row["set"].items()},
        )
        for row in json.loads(body)["rows"]
    ]
