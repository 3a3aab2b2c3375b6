"""Writes what the tables declare (`Record.sharing`) and the roles may into the server's rule tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.people import PERMISSIONS, Permission
from app.domain.sharing import Allowed, Sharing
from app.store.entries import SHARED_SCHEMA
from app.store.tables import Record

if TYPE_CHECKING:
    import psycopg

CREATE = "+"
NOBODY = ""
"""A permission that no role has: for columns which can never change."""
_SETTLING = (Permission.SETTLE_CONFLICTS,)
"""A conflict is settled by whoever made the entry, and by those who may settle those of others."""
_TABLES = (
    (
        "entity parent taken role_permission rule move together actor_column server_field"  # all made from declarations
    ).split()
)
_COLUMN_WORDS = {"name_key": "name"}
_TAKEN = {
    "ux_route_stage_place": "Somebody else set the route of this product meanwhile; look at it, then set it again.",
}
"""What is said where “another one already has this …” would not help."""


def shared_classes() -> list[type[Record]]:
    """Every class whose rows stations share, by the name of its table."""
    found = [mapper.class_ for mapper in Record.registry.mappers if issubclass(mapper.class_, Record)]
    return sorted(found, key=lambda shared: shared.__tablename__)


def write_rules(connection: psycopg.Connection[Any]) -> None:
    """Replace all rules by those of this program; the caller has an open transaction as the owner of the schema."""
    rows: dict[str, set[tuple[str, ...]]] = {table: set() for table in _TABLES}
    for shared in shared_classes():
        _declare(rows, shared.__tablename__, shared.sharing)
        _describe(rows, shared)
    rows["role_permission"] = {(r.value, p.name) for p, roles in PERMISSIONS.items() for r in roles}
    rows["rule"] |= {("conflict", "settled", permission.name, "") for permission in _SETTLING}
    with connection.cursor() as cursor:
        for table, wanted in rows.items():
            cursor.execute(f"DELETE FROM sync.{table}")
            width = len(next(iter(wanted), ()))
            if wanted:
                places = ", ".join(["%s"] * width)
                cursor.executemany(f"INSERT INTO sync.{table} VALUES ({places})", sorted(wanted))
        cursor.execute("UPDATE sync.server SET schema = greatest(schema, %s)", (SHARED_SCHEMA,))


def _declare(rows: dict[str, set[tuple[str, ...]]], entity: str, sharing: Sharing) -> None:
    for field, ways in {CREATE: sharing.create, **sharing.change}.items():
        rows["rule"] |= {(entity, field, *way) for way in _ways(ways)}
    for number, group in enumerate(sharing.together):
        rows["together"] |= {(entity, field, str(number)) for field in group}
    for field, moves in sharing.moves.items():
        for (before, after), needed in moves.items():
            names = [permission.name for permission in needed] or [NOBODY]
            rows["move"] |= {(entity, field, before, after, name) for name in names}
    rows["actor_column"] |= {(entity, field, "id") for field in sharing.actor_ids}
    rows["actor_column"] |= {(entity, field, "name") for field in sharing.actor_names}
    rows["server_field"] |= {(entity, field) for field in sharing.by_server}


def _ways(ways: tuple[Allowed, ...]) -> set[tuple[str, str]]:
    return {(way.permission.name, way.own) for way in ways} or {(NOBODY, "")}


def _describe(rows: dict[str, set[tuple[str, ...]]], shared: type[Record]) -> None:
    """What the table itself says: that it is shared, what its rows are part of, which names are given once."""
    table = Record.metadata.tables[shared.__tablename__]
    rows["entity"].add((table.name,))
    for column, parents in shared.parts().items():
        outlives = str(column in shared.sharing.outlives).lower()
        rows["parent"] |= {(table.name, column, parent, outlives) for parent in parents}
    for index in table.indexes:
        if index.unique and index.name:
            last = [column.name for column in index.columns][-1]
            word = _COLUMN_WORDS.get(last, last)
            sentence = f"Another {table.name.replace('_', ' ')} already has this {word.replace('_', ' ')}."
            rows["taken"].add((str(index.name), _TAKEN.get(str(index.name), sentence)))
