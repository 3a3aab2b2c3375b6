"""What a session is about to write, as field patches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect as inspect_row
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from app.store.entries import plain
from app.store.tables import Record

BOOKKEEPING = frozenset({"id", "version"})


def changed_fields(row: Record) -> dict[str, tuple[Any, Any]]:
    fields: dict[str, tuple[Any, Any]] = {}
    for attribute in inspect_row(row).mapper.column_attrs:
        history = inspect_row(row).attrs[attribute.key].history
        if attribute.key in BOOKKEEPING or not history.has_changes():
            continue
        before = plain(history.deleted[0]) if history.deleted else None
        after = plain(history.added[0]) if history.added else None
        if before != after:
            fields[attribute.key] = (before, after)
    return fields | {name: unchanged(getattr(row, name)) for name in row.sharing.companions(fields)}


def unchanged(value: object) -> tuple[Any, Any]:
    """How a field is noted that belongs together with a changed one: nobody may have changed it meanwhile either."""
    return plain(value), plain(value)


def fill_defaults(row: Record) -> None:
    for column in inspect_row(row).mapper.columns:
        default = column.default
        if getattr(row, column.key) is None and default is not None:
            value = default.arg if isinstance(default, ScalarElementColumnDefault) else {}
            setattr(row, column.key, value)
