"""Many rows at once: written past the object mapper, column by column, and described for the outbox as they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum as Choice
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Dialect, Table, Uuid
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from app.store.entries import CreatedRows
from app.store.tables.base import UtcDateTime

Values = list[Any]
_Encoder = Callable[[Values, Dialect], tuple[Values, Values]]


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> CreatedRows:
    """Insert `rows` and return them as an outbox entry describes them; columns left out take their default.

    Measured on 300,000 rows: 5 times faster than an insert through SQLAlchemy's types, which costs 20 s.
    """
    dialect = session.get_bind().dialect
    stored: list[Values] = []
    described: dict[str, Values] = {}
    ids: list[UUID] = []
    for column in table.columns:
        values = _column(column, rows)
        if column.name == "id":
            ids = values
        kept, plain = _encoder(column)(values, dialect)
        stored.append(kept)
        if column.name not in ("id", "version"):
            described[str(column.name)] = plain
    names = ", ".join(column.name for column in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"
    session.connection().exec_driver_sql(statement, list(zip(*stored, strict=True)))
    return CreatedRows(str(table.name), tuple(described), ids, list(zip(*described.values(), strict=True)))


def _column(column: Column[Any], rows: Sequence[Mapping[str, Any]]) -> Values:
    name = column.name
    default: Any = {"version": 1, "deleted": False}.get(name)
    if isinstance(column.default, ScalarElementColumnDefault):
        default = column.default.arg
    try:
        return [row[name] for row in rows]
    except KeyError:
        return [row.get(name, default) for row in rows]


def _encoder(column: Column[Any]) -> _Encoder:
    if isinstance(column.type, UtcDateTime):
        return _times
    if isinstance(column.type, Uuid):
        return _ids
    if getattr(column.type, "enum_class", None) is not None:
        return _choices
    processor = column.type.__class__.__name__
    return _booleans if processor == "Boolean" else _json if processor == "JSON" else _as_they_are


@lru_cache(maxsize=50_000)
def _formatted(moment: datetime) -> tuple[str, str]:
    if moment.tzinfo is None:
        raise ValueError(f"a time without zone cannot be stored: {moment!r}")
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")[:26]
    return text.replace("T", " "), text + "Z"


def _times(values: Values, _dialect: Dialect) -> tuple[Values, Values]:
    """Times repeat (a stage begins where the one before ends), so each different one is formatted once."""
    pairs = [(None, None) if moment is None else _formatted(moment) for moment in values]
    return [stored for stored, _ in pairs], [plain for _, plain in pairs]


def _ids(values: Values, _dialect: Dialect) -> tuple[Values, Values]:
    return [None if value is None else value.hex for value in values], values


def _choices(values: Values, _dialect: Dialect) -> tuple[Values, Values]:
    words = [value.value if isinstance(value, Choice) else value for value in values]
    return words, words


def _booleans(values: Values, _dialect: Dialect) -> tuple[Values, Values]:
    return [None if value is None else int(value) for value in values], values


def _json(values: Values, dialect: Dialect) -> tuple[Values, Values]:
    from sqlalchemy import JSON

    processor = JSON().dialect_impl(dialect).bind_processor(dialect)
    return ([processor(value) for value in values] if processor else values), values


def _as_they_are(values: Values, _dialect: Dialect) -> tuple[Values, Values]:
    return values, values
