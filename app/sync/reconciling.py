"""Compares the counters of both sides before anything is offered: either may have been restored from a backup."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from sqlalchemy import Connection

from app.store.journal import PENDING
from app.sync.auditing import note_other_history
from app.sync.failpoints import Failpoint
from app.sync.place import read_place, set_source, want_baseline
from app.sync.station import Station

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection

log = structlog.get_logger(__name__)

_MOST = 200
"""Entries that are compared at a time where the newest one is not the same."""


def reconcile(station: Station, server: ServerConnection) -> None:
    """Offer again what a restored server lost, and take a new identity where this file is an old copy.

    Both leave the wish for a baseline in the store. The new identity comes after every old one was compared: what is
    confirmed there stays under the old name, so that it can be offered again. A number alone says nothing: a restored
    server may meanwhile have got another entry under it, from a copy of this file.
    """
    place = station.read(read_place)
    if place.cursor and not place.baseline and server.hash_at(place.cursor) != place.hash:
        # Before anything is offered: a place in another history does not tell what the rows here hold already.
        note_other_history(station, server)
        station.write(partial(want_baseline, reason="the server's history is not the one known here"))
    sources = station.read(_sources)
    if not sources:
        return
    known = {source: server.open_source(source) for source in sources}
    shared = {source: _last_shared(station, server, source, last) for source, last in known.items()}
    station.reach(Failpoint.RECONCILE_ASKED)
    lost = {source: last for source, (last, _) in shared.items()}
    forked = [source for source, (_, differs) in shared.items() if differs]
    if station.write(partial(_compare, station, lost, known)) or forked:
        fork(station, server, forked)


def _last_shared(station: Station, server: ServerConnection, source: UUID, last: int) -> tuple[int, bool]:
    """The newest number up to `last` under which both sides have the same entry, and whether others differ.

    What stands before it is the same too: the entries of a source follow each other in the file that made them, and a
    copy of it offers nothing before it compared.
    """
    differs, most = False, 1
    while numbers := station.read(partial(_newest_first, source, last, most)):
        theirs = server.digests_of(source, list(numbers))
        for n, body in numbers.items():
            if theirs.get(n) == hashlib.sha256(body.encode()).digest():
                return n if differs else last, differs
        differs, last, most = True, min(numbers) - 1, _MOST
    return last, differs


def _newest_first(source: UUID, last: int, most: int, connection: Connection) -> dict[int, str]:
    rows = connection.exec_driver_sql(
        "SELECT n, body FROM outbox WHERE source=? AND n<=? ORDER BY n DESC LIMIT ?", (source.hex, last, most)
    )
    return {int(n): str(body) for n, body in rows}


def _sources(connection: Connection) -> list[UUID]:
    """Every identity under which this file ever offered something, the current one last."""
    rows = connection.exec_driver_sql("SELECT source FROM outbox GROUP BY source ORDER BY max(position)")
    found = [UUID(source) for (source,) in rows]
    current = read_place(connection).source
    return [source for source in found if source != current] + ([current] if current is not None else [])


def _compare(
    station: Station, shared: Mapping[UUID, int], known: Mapping[UUID, int], connection: Connection
) -> bool:
    """Have what the server does not have offered again; whether this file was rolled back behind what it has."""
    place = read_place(connection)
    for source, last in shared.items():
        lost = connection.exec_driver_sql(
            "UPDATE outbox SET state=?, seq=NULL, verdict='' WHERE source=? AND n>? AND state<>?",
            (PENDING, source.hex, last, PENDING),
        ).rowcount
        if lost:
            log.warning("the server lost entries; they are offered again", source=str(source), entries=lost)
            want_baseline(connection, "the server was restored from a backup")
    station.reach(Failpoint.RECONCILE_BEFORE_COMMIT)
    return place.source is not None and known.get(place.source, 0) > place.last_n


def fork(station: Station, server: ServerConnection, forked: Collection[UUID] = ()) -> None:
    """Go on under a new identity: what is pending under the current one and the `forked` ones gets new numbers."""
    source = station.write(partial(_take_identity, station, forked))
    station.reach(Failpoint.FORK_AFTER_COMMIT)
    server.open_source(source)


def _take_identity(station: Station, forked: Collection[UUID], connection: Connection) -> UUID:
    old = read_place(connection).source
    new = station.new_id()
    moving = {source.hex for source in (old, *forked) if source is not None}
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
