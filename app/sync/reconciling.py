"""Compares the counters of both sides before anything is offered: either may have been restored from a backup."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from sqlalchemy import Connection

from app.store.journal import PENDING
from app.sync.failpoints import Failpoint
from app.sync.place import read_place, set_source, want_baseline
from app.sync.station import Station

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection

log = structlog.get_logger(__name__)


def reconcile(station: Station, server: ServerConnection) -> None:
    """Offer again what a restored server lost, and take a new identity where this file is an old copy.

    Both leave the wish for a baseline in the store. The new identity comes after every old one was compared: what is
    confirmed there stays under the old name, so that it can be offered again.
    """
    sources = station.read(_sources)
    if not sources:
        return
    known = {source: server.open_source(source) for source in sources}
    station.reach(Failpoint.RECONCILE_ASKED)
    if station.write(partial(_compare, station, known)):
        fork(station, server)


def _sources(connection: Connection) -> list[UUID]:
    """Every identity under which this file ever offered something, the current one last."""
    rows = connection.exec_driver_sql("SELECT source FROM outbox GROUP BY source ORDER BY max(position)")
    found = [UUID(source) for (source,) in rows]
    current = read_place(connection).source
    return [source for source in found if source != current] + ([current] if current is not None else [])


def _compare(station: Station, known: Mapping[UUID, int], connection: Connection) -> bool:
    """Whether this file was rolled back behind what the server has from it."""
    place = read_place(connection)
    for source, last in known.items():
        lost = connection.exec_driver_sql(
            "UPDATE outbox SET state=?, seq=NULL, verdict='' WHERE source=? AND n>? AND state<>?",
            (PENDING, source.hex, last, PENDING),
        ).rowcount
        if lost:
            log.warning("the server lost entries; they are offered again", source=str(source), entries=lost)
            want_baseline(connection, "the server was restored from a backup")
    station.reach(Failpoint.RECONCILE_BEFORE_COMMIT)
    return place.source is not None and known.get(place.source, 0) > place.last_n


def fork(station: Station, server: ServerConnection, forked: UUID | None = None) -> None:
    """Go on under a new identity: what is pending under the current (or the `forked`) one gets new numbers."""
    source = station.write(partial(_take_identity, station, forked))
    station.reach(Failpoint.FORK_AFTER_COMMIT)
    server.open_source(source)


def _take_identity(station: Station, forked: UUID | None, connection: Connection) -> UUID:
    old = read_place(connection).source
    new = station.new_id()
    moving = {source.hex for source in (old, forked) if source is not None}
    marks = ",".join("?" * len(moving))
    pending = connection.exec_driver_sql(
        f"SELECT change_id FROM outbox WHERE state=? AND source IN ({marks}) ORDER BY position",
        (PENDING, *moving),
    ).all()
    for n, (change_id,) in enumerate(pending, start=1):
        connection.exec_driver_sql(
            "UPDATE outbox SET source=?, n=? WHERE change_id=?", (new.hex, n, change_id)
        )
    set_source(connection, new, len(pending))
    want_baseline(connection, "this data folder is an older copy of itself")
    log.warning("this file goes on under a new identity", old=str(old), new=str(new), pending=len(pending))
    station.reach(Failpoint.FORK_BEFORE_COMMIT)
    return new
