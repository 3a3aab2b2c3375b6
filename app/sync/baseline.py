"""Fetches all rows anew where the log cannot be followed: first start, restored server, new program, far behind."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.store.journal import DONE, PARKED, PENDING
from app.sync.failpoints import Failpoint
from app.sync.mirror import conflict_of, forget_heads, keep_conflicts, note_conflict, note_heads
from app.sync.place import baseline_taken, read_place, set_cursor
from app.sync.rebasing import Rebasing
from app.sync.records import APPLIED
from app.sync.shared_rows import Key, shared_tables
from app.sync.snapshot import Snapshot, fetch
from app.sync.staging import Staging
from app.sync.station import Station

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection

log = structlog.get_logger(__name__)


def take_baseline(station: Station, server: ServerConnection, reason: str) -> None:
    """Make the rows here those of the server, own unconfirmed changes on top.

    The fetching goes into a file of its own; what differs is written in one local transaction, which is as long as
    the differences are many.
    """
    log.info("fetching everything from the server", reason=reason)
    with Staging(station.store.path) as staging:
        snapshot = fetch(station, server, staging, station.read(read_place))
        station.progress("Comparing", 0, 0)
        staging.compare()
        station.reach(Failpoint.BASELINE_FETCHED)
        station.check_cancelled()
        station.progress("Saving", 0, 0)
        station.write(partial(_apply, station, staging, snapshot))
    station.reach(Failpoint.BASELINE_AFTER_COMMIT)


def _apply(station: Station, staging: Staging, snapshot: Snapshot, connection: Connection) -> None:
    _confirm(connection, snapshot)
    rebasing = Rebasing(connection, station.unconfirmed)
    apart = _apart(station, staging, connection)
    for entity, row_id in apart:
        rebasing.server_row((entity, row_id), staging.row(shared_tables()[entity], row_id))
    rebasing.learn(apart)
    try:
        with connection.begin_nested():
            _write(connection, staging, apart)
        rebasing.draw()
    except IntegrityError:  # an own row stands where one of the server has to go
        for entity, table in shared_tables().items():
            table.set_apart(connection, [row_id for name, row_id in apart if name == entity])
        _write(connection, staging, apart)
        rebasing.draw_one_by_one()
    _mirror(connection, snapshot)
    set_cursor(connection, snapshot.seq, snapshot.hash)
    baseline_taken(connection, station.schema)
    station.reach(Failpoint.BASELINE_BEFORE_COMMIT)


def _confirm(connection: Connection, snapshot: Snapshot) -> None:
    """What the server holds is told by its numbers; a remembered place in its log may belong to a history that is gone.

    Pending entries stay pending: the server will answer them again, and only then it is certain that it has the same.
    """
    for (source,) in connection.exec_driver_sql("SELECT DISTINCT source FROM outbox").all():
        last = snapshot.have.get(UUID(source), 0)
        connection.exec_driver_sql(
            "UPDATE outbox SET state=?, seq=NULL, verdict='' WHERE source=? AND n>? AND state<>?",
            (PENDING, source, last, PENDING),
        )
        connection.exec_driver_sql(
            "UPDATE outbox SET state=?, seq=NULL, verdict=? WHERE source=? AND n<=? AND state<>?",
            (DONE, APPLIED, source, last, PENDING),
        )
    for record, _ in snapshot.parked:
        if record.change_id is not None:
            connection.exec_driver_sql(
                "UPDATE outbox SET state=?, verdict=? WHERE change_id=? AND state=?",
                (PARKED, record.verdict, record.change_id.hex, DONE),
            )


def _apart(station: Station, staging: Staging, connection: Connection) -> set[Key]:
    """Rows that are not simply the server's: own changes lie on top, or they hold what is not understood here."""
    shadows = connection.exec_driver_sql("SELECT entity, row_id FROM shadow").all()
    unclear = [
        (e, row_id) for e, table in shared_tables().items() for row_id in staging.not_understood(table)
    ]
    keys = {*station.unconfirmed.keys(), *((entity, row_id) for entity, row_id in shadows), *unclear}
    return {key for key in keys if key[0] in shared_tables()}


def _write(connection: Connection, staging: Staging, apart: set[Key]) -> None:
    for entity, table in shared_tables().items():
        table.to_ghosts(connection, _others(entity, staging.vanished(entity), apart))
        table.set_apart(connection, _others(entity, staging.shown_differently(entity), apart))
    for entity, table in shared_tables().items():
        for page in staging.differing(table):
            table.insert(connection, [row for row in page if (entity, row[0]) not in apart])


def _others(entity: str, ids: Iterable[str], apart: set[Key]) -> list[str]:
    return [row_id for row_id in ids if (entity, row_id) not in apart]


def _mirror(connection: Connection, snapshot: Snapshot) -> None:
    """Conflicts as the server has them, and the newest lines of its history."""
    if not snapshot.continues:
        forget_heads(connection)
    note_heads(connection, snapshot.heads)
    keep_conflicts(connection, [(UUID(record.src), record.n) for record, _ in snapshot.parked])
    for record, settled in snapshot.parked:
        facts = conflict_of(record)
        if settled is not None:
            facts |= {
                "settled_seq": settled.seq, "settled_by": settled.by, "settled_at": settled.at, "settling": None
            }  # fmt: skip
        else:
            facts |= {"settled_seq": None, "settled_by": "", "settled_at": None}
        note_conflict(connection, facts)
