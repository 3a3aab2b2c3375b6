"""Clears away what stands for rows that no server has, once nothing refers to it any more."""

from __future__ import annotations

from functools import cache

import structlog
from sqlalchemy import Connection

from app.store.tables import Record
from app.store.tables.base import GHOST
from app.sync.shared_rows import shared_tables
from app.sync.station import Station

log = structlog.get_logger(__name__)

MOST = 500
"""Rows of a table that go at a time: for each of them SQLite looks through what may refer to it."""


def clear_ghosts(station: Station) -> None:
    """To be called when nothing waits for an answer: what waits may be about a row for which a ghost stands."""
    if station.read(_any):
        station.write(_clear)


def _any(connection: Connection) -> bool:
    return any(
        connection.exec_driver_sql(f'SELECT 1 FROM "{entity}" WHERE version={GHOST} LIMIT 1').first()
        for entity in shared_tables()
    )


def _clear(connection: Connection) -> None:
    """What stands for a row that this program does not understand has a shadow, and stays."""
    gone = 0
    for entity in reversed(list(shared_tables())):  # what refers before what is referred to
        held = "".join(
            f' AND id NOT IN (SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL)'
            for table, column in _referring(entity)
        )
        gone += connection.exec_driver_sql(
            f'DELETE FROM "{entity}" WHERE id IN (SELECT id FROM "{entity}" WHERE version={GHOST} AND deleted'
            f" AND id NOT IN (SELECT row_id FROM shadow WHERE entity=?){held} LIMIT {MOST})",
            (entity,),
        ).rowcount
    if gone:
        log.info("rows that no server has were cleared away", rows=gone)


@cache
def _referring(entity: str) -> list[tuple[str, str]]:
    """The tables and columns that refer to rows of a table."""
    return [
        (table.name, key.parent.name)
        for table in Record.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == entity
    ]
