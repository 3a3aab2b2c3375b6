"""Compares all rows here with those of the server: an empty queue alone proves nothing."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import structlog
from sqlalchemy import Connection

from app.store.tables.base import GHOST
from app.sync.failpoints import Failpoint
from app.sync.ghosts import clear_ghosts
from app.sync.place import read_place, want_baseline
from app.sync.shared_rows import dashed, shared_tables
from app.sync.station import Station

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection

log = structlog.get_logger(__name__)

Sums: TypeAlias = dict[str, tuple[int, int]]
"""By table: number of living rows, and the sum over their `_weight`."""


def compare(station: Station, server: ServerConnection) -> bool:
    """Whether the rows here are those of the server; wishes for a baseline where they are not, and tidies up where so.

    True also where it cannot be told: something waits to be sent, or the server went on meanwhile.
    """
    here = station.read(_sums_here)
    if here is None:
        return True
    cursor, ours = here
    theirs = server.digests()
    station.reach(Failpoint.COMPARED)
    if theirs.seq != cursor:
        return True
    differing = sorted(entity for entity, sums in theirs.tables.items() if ours.get(entity, sums) != sums)
    if not differing:
        clear_ghosts(station)
        return True
    log.warning("rows differ from the server's; everything is fetched anew", tables=differing)
    station.write(partial(want_baseline, reason=f"rows differed: {', '.join(differing)}"))
    return False


def _weight(row_id: str, version: int) -> int:
    """What a row adds to the sum of its table, computed by the server too (`sync.digests`)."""
    told = f"{dashed(row_id)}:{version}".encode()
    return int(hashlib.md5(told, usedforsecurity=False).hexdigest()[:15], 16)


def _sums_here(connection: Connection) -> tuple[int, Sums] | None:
    """Cursor and sums; None while own changes lie on top of the server's rows."""
    unconfirmed = "SELECT 1 FROM outbox WHERE state IN ('pending','acknowledged') LIMIT 1"
    place = read_place(connection)
    if connection.exec_driver_sql(unconfirmed).first() is not None or place.baseline:
        return None
    real = _not_shown(connection)
    sums: Sums = {}
    for entity in shared_tables():
        rows = connection.exec_driver_sql(
            f'SELECT id, version FROM "{entity}" WHERE version > {GHOST} AND NOT deleted'
        )
        weights = [_weight(row_id, version) for row_id, version in rows if row_id not in real[entity]]
        weights += [_weight(row_id, version) for row_id, version in real[entity].items() if version]
        sums[entity] = (len(weights), sum(weights))
    return place.cursor, sums


def _not_shown(connection: Connection) -> defaultdict[str, dict[str, int]]:
    """Rows that are shown as an older version, as this program does not understand them: their real version, or 0."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for entity, row_id, text in connection.exec_driver_sql('SELECT entity, row_id, "row" FROM shadow').all():
        row = None if text is None else msgspec.json.decode(text)
        found[entity][row_id] = 0 if row is None or row["deleted"] else int(row["version"])
    return found
