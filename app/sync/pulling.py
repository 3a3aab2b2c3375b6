"""Brings the server's log here, page by page: rows, conflicts and cursor in one local transaction each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection

from app.domain.errors import Refused
from app.domain.merging import BrokenHistoryError
from app.store.journal import ACKNOWLEDGED, DONE, PARKED, PENDING
from app.sync.failpoints import Failpoint
from app.sync.mirror import note_records
from app.sync.place import read_place, set_cursor
from app.sync.rebasing import Rebasing
from app.sync.records import APPLIED, SYSTEM, Record, chained, read_record
from app.sync.shared_rows import shared_tables
from app.sync.station import Station
from app.sync.unconfirmed import read_entry

if TYPE_CHECKING:
    from app.sync.wire import FeedLine, ServerConnection

PAGE = 500


@dataclass(frozen=True, slots=True)
class _Page:
    """Records that follow from what is here; `cursor` and `hash` are those of the last one."""

    records: list[Record]
    cursor: int
    hash: str


def pull_all(station: Station, server: ServerConnection, *, page: int = PAGE) -> int:
    """Apply everything that is new; returns how many records that were.

    Raises `BrokenHistoryError` when the server's history is not the one that is known here.
    """
    pulled = 0
    while True:
        station.check_cancelled()
        place = station.read(read_place)
        lines = server.feed(max(place.cursor, 1), page)
        station.reach(Failpoint.PULL_AFTER_FETCH)
        found = _verified(lines, place.cursor, place.hash)
        if not found.records:
            return pulled
        try:
            station.write(partial(_apply, station, found))
        except Refused as error:
            raise BrokenHistoryError(f"a page of the log does not fit: {error.sentence}") from error
        station.reach(Failpoint.PULL_AFTER_COMMIT)
        pulled += len(found.records)
        if len(found.records) >= page - 1:
            station.progress("Fetching what others did", pulled, 0)


def _verified(lines: Sequence[FeedLine], cursor: int, known: str) -> _Page:
    """The records after `cursor`; the first line must be that of the cursor itself, and the chain must hold."""
    if cursor:
        if not lines or (lines[0].seq, lines[0].hash) != (cursor, known):
            raise BrokenHistoryError("the server does not know what this station saw last")
        lines = lines[1:]
    found: list[Record] = []
    for line in lines:
        if line.seq != cursor + 1 or chained(known, line.body) != line.hash:
            raise BrokenHistoryError(f"the log does not hold together at {line.seq}")
        found.append(read_record(line.body))
        cursor, known = line.seq, line.hash
    return _Page(found, cursor, known)


def _apply(station: Station, page: _Page, connection: Connection) -> None:
    rebasing = Rebasing(connection, station.unconfirmed)
    patches = [
        (key, patch)
        for record in page.records
        for key, patch in record.patches()
        if key[0] in shared_tables()  # a table of a later version: fetched with it
    ]
    answered = list(_answered(connection, page))
    rebasing.learn(key for key, _ in patches)
    for change_id, _, _, body in answered:
        rebasing.learn(read_entry(change_id, body).touched)
    for key, patch in patches:
        rebasing.advance(key, patch)
    station.reach(Failpoint.PULL_MID_APPLY)
    for change_id, verdict, seq, _ in answered:
        connection.exec_driver_sql(
            "UPDATE outbox SET state=?, verdict=?, seq=? WHERE change_id=?",
            (DONE if verdict == APPLIED else PARKED, verdict, seq, change_id),
        )
    rebasing.draw()
    note_records(connection, page.records)
    set_cursor(connection, page.cursor, page.hash)
    station.reach(Failpoint.PULL_BEFORE_COMMIT)


def _answered(connection: Connection, page: _Page) -> Iterator[tuple[str, str, int, str]]:
    """Own entries that this page confirms: change, verdict, seq and body."""
    own = {str(source) for (source,) in connection.exec_driver_sql("SELECT DISTINCT source FROM outbox")}
    seen: set[str] = set()
    for record in page.records:
        if record.change_id is None or record.k == SYSTEM or UUID(record.src).hex not in own:
            continue
        found = connection.exec_driver_sql(
            "SELECT change_id, body FROM outbox WHERE source=? AND n=? AND change_id=? AND state IN (?,?)",
            (UUID(record.src).hex, record.n, record.change_id.hex, PENDING, ACKNOWLEDGED),
        ).one_or_none()
        if found is not None:
            seen.add(found[0])
            yield found[0], record.verdict or APPLIED, record.seq, found[1]
    # The server had these under another identity of this file: its log tells of them only once.
    for change_id, verdict, seq, body in connection.exec_driver_sql(
        "SELECT change_id, verdict, seq, body FROM outbox WHERE state=? AND seq<=?",
        (ACKNOWLEDGED, page.cursor),
    ).all():
        if change_id not in seen:
            yield change_id, verdict, seq, body
