"""Rows of the shared tables as JSON values, read from the local store and written there past the object mapper."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Table
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from app.domain.merging import VERSION, Row
from app.store.entries import plain, typed
from app.store.tables import Record
from app.store.tables.base import GHOST, UtcDateTime

Key: TypeAlias = tuple[str, str]
"""Table and id of a row; the id in hex without dashes, as the local store keeps it."""

_LOOKUP = 500


def key_of(entity: str, row_id: str) -> Key:
    return entity, row_id.replace("-", "")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a column's values are told (JSON of the server → JSON as our entries write it) and kept (→ SQLite →)."""

    heard: Callable[[Any], Any]
    kept: Callable[[Any], Any]
    told: Callable[[Any], Any]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _as_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=50_000)
def _heard_time(text: str) -> str:
    told: str = plain(datetime.fromisoformat(text))
    return told


@cache
def _time() -> Kind:
    return Kind(
        _heard_time, lambda told: f"{told[:10]} {told[11:26]}", lambda kept: f"{kept[:10]}T{kept[11:]}Z"
    )


def dashed(kept: str) -> str:
    """An id as entries write it."""
    return f"{kept[:8]}-{kept[8:12]}-{kept[12:16]}-{kept[16:20]}-{kept[20:]}"


def _kind(column: Column[Any]) -> Kind:
    if isinstance(column.type, UtcDateTime):
        return _time()
    match column.type.__visit_name__:
        case "uuid":
            return Kind(_as_is, lambda told: told.replace("-", ""), dashed)
        case "boolean":
            return Kind(bool, int, bool)
        case "float" | "double":
            return Kind(float, _as_is, _as_is)
        case "JSON":
            return Kind(_as_is, lambda told: json.dumps(told, ensure_ascii=False), parsed)
    return Kind(_as_is, _as_is, _as_is)


def parsed(stored: object) -> object:
    """What a JSON column holds: SQLite makes numbers of texts that look like one."""
    return json.loads(stored) if isinstance(stored, str) else stored


class SharedTable:
    """One table that stations share; `columns` are all but the id."""

    def __init__(self, table: Table) -> None:
        self.entity = str(table.name)
        self.columns = tuple(str(column.name) for column in table.columns if column.name != "id")
        self._table = table
        self._kinds = {name: _kind(table.c[name]) for name in self.columns}
        self.json_columns = frozenset(n for n in self.columns if table.c[n].type.__visit_name__ == "JSON")
        self.choices = {
            name: frozenset(choice.value for choice in choices)
            for name in self.columns
            if (choices := getattr(table.c[name].type, "enum_class", None)) is not None
        }

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """What a row that was made by an older program gets in columns that it did not know."""
        found: dict[str, Any] = {}
        for name in self.columns:
            column = self._table.c[name]
            if isinstance(column.default, ScalarElementColumnDefault):
                found[name] = plain(column.default.arg)
            elif column.default is not None and column.default.is_callable:
                found[name] = {}
            else:
                found[name] = None
        return found

    def heard(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The server's values as our own entries would write them; columns that are not known here are passed over."""
        kinds = self._kinds
        return {
            name: None if value is None else kinds[name].heard(value)
            for name, value in fields.items()
            if name in kinds
        }

    def understood(self, row: Row) -> bool:
        """Whether every choice in the row is one that this program knows."""
        return all(row.get(name) in known or row.get(name) is None for name, known in self.choices.items())

    def kept(self, name: str, value: Any) -> Any:
        """A value as SQLite keeps it."""
        if value is None:
            return "null" if name in self.json_columns and not self._table.c[name].nullable else None
        return self._kinds[name].kept(value)

    def told(self, values: Iterable[Any]) -> dict[str, Any]:
        """Values of all columns in the form of SQLite, as a row."""
        return {
            name: None if value is None else self._kinds[name].told(value)
            for name, value in zip(self.columns, values, strict=True)
        }

    def fetched(self, name: str) -> str:
        """SQL for PostgreSQL that gives a column as SQLite keeps it."""
        column = self._table.c[name]
        if isinstance(column.type, UtcDateTime):
            return f"to_char(\"{name}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        match column.type.__visit_name__:
            case "uuid":
                return f"replace(\"{name}\"::text, '-', '')"
            case "boolean":
                return f'"{name}"::integer'
            case "JSON":
                return f'"{name}"::text'
        return f'"{name}"'

    def default(self, name: str) -> str:
        """The same for a column that the server does not have yet: SQL of what a row without it gets."""
        value = self.kept(name, self._defaults[name])
        return "NULL" if value is None else str(value) if isinstance(value, (int, float)) else _literal(value)

    def typed(self, name: str, value: Any) -> Any:
        """A value as the object mapper gives it."""
        return typed(self._table.c[name].type, value)

    def read(self, connection: Connection, ids: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows with these ids that are there, ghosts excepted."""
        wanted = list(ids)
        names = _quoted(self.columns)
        for begin in range(0, len(wanted), _LOOKUP):
            some = wanted[begin : begin + _LOOKUP]
            marks = ",".join("?" * len(some))
            found = connection.exec_driver_sql(
                f'SELECT id, {names} FROM "{self.entity}" WHERE id IN ({marks}) AND version > {GHOST}',
                tuple(some),
            )
            for row_id, *values in found:
                yield row_id, self.told(values)

    def write(
        self, connection: Connection, rows: Mapping[str, Row], before: Mapping[str, Row | None]
    ) -> None:
        """Put `rows` there; of a row that was shown before, only what differs is written.

        Raises SQLAlchemy's `IntegrityError` where another living row has the same number or name.
        """
        fresh: list[tuple[str, Row]] = []
        changed: defaultdict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for row_id, row in rows.items():
            old = before.get(row_id)
            if old is None:
                fresh.append((row_id, row))
                continue
            names = tuple(name for name in self.columns if name in row and row[name] != old.get(name))
            if names:
                changed[names].append((*(self.kept(name, row[name]) for name in names), row_id))
        for names, values in changed.items():
            sets = ", ".join(f'"{name}"=?' for name in names)
            connection.exec_driver_sql(f'UPDATE "{self.entity}" SET {sets} WHERE id=?', values)
        self.insert(connection, [self._stored(row_id, row) for row_id, row in fresh])

    def _stored(self, row_id: str, row: Row) -> tuple[Any, ...]:
        return (row_id, *(self.kept(n, row[n] if n in row else self._defaults[n]) for n in self.columns))

    def insert_ghost(self, connection: Connection, row_id: str, row: Row) -> None:
        """Something for others to refer to in place of a row that this program does not understand."""
        choices = {
            name: min(known)
            for name, known in self.choices.items()
            if row.get(name) is not None and row[name] not in known
        }
        self.insert(connection, [self._stored(row_id, {**row, **choices, "deleted": True, VERSION: GHOST})])

    def insert(self, connection: Connection, stored: list[tuple[Any, ...]]) -> None:
        """Write whole rows in the form of SQLite (id first), over the ghost of the same id if there is one."""
        if not stored:
            return
        names = ("id", *self.columns)
        sets = ", ".join(f'"{name}"=excluded."{name}"' for name in self.columns)
        connection.exec_driver_sql(
            f'INSERT INTO "{self.entity}" ({_quoted(names)}) VALUES ({", ".join("?" * len(names))}) '
            f"ON CONFLICT(id) DO UPDATE SET {sets}",
            stored,
        )

    def to_ghosts(self, connection: Connection, ids: Iterable[str]) -> None:
        """Rows that no server has disappear from every list; what refers to them stays whole."""
        gone = [(row_id,) for row_id in ids]
        if gone:
            connection.exec_driver_sql(
                f'UPDATE "{self.entity}" SET deleted=1, version={GHOST} WHERE id=?', gone
            )

    def set_apart(self, connection: Connection, ids: Iterable[str]) -> None:
        """Take rows out of the way of others with the same number until they are written anew."""
        rows = [(row_id,) for row_id in ids]
        if rows:
            connection.exec_driver_sql(f'UPDATE "{self.entity}" SET deleted=1 WHERE id=?', rows)


@cache
def shared_tables() -> Mapping[str, SharedTable]:
    """All tables that stations share, parents before their children."""
    shared = {mapper.local_table for mapper in Record.registry.mappers if issubclass(mapper.class_, Record)}
    return {str(t.name): SharedTable(t) for t in Record.metadata.sorted_tables if t in shared}
