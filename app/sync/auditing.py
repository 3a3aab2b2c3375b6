"""Proves the shared history: the server checks its chain, this station compares what it saw with what stands there."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.domain.errors import Refused
from app.domain.people import THE_PLANT
from app.store.journal import AuditLine, append_audit
from app.store.sessions import Store
from app.store.tables import Audit
from app.sync.membership import server_url, station_address
from app.sync.place import read_place

if TYPE_CHECKING:
    from app.sync.station import Station
    from app.sync.wire import ServerConnection

OTHER_HISTORY = "follow_history"
"""The operation of audit lines that say which history this station saw before the server had another."""


_PAGE = 500
# The record of an import is not read as a whole: what the digest stands among is short, and its quotes are bare.
_DIGESTS = r"""
SELECT seq, CASE WHEN octet_length(body) < 1000000 THEN body::jsonb->>'digest'
                 ELSE substring(left(body, 20000) FROM '"digest": "([0-9a-f]{64})"') END
FROM sync.log WHERE seq = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class SharedHistory:
    """A history that holds: `entries` on the server, of which this station saw those up to `seen`.

    `own` are those made here whose signed text, kept here, has the digest that stands in the history. `others` is how
    often the server had another history than this station had seen before: it was restored, or written anew.
    """

    entries: int
    seen: int
    own: int
    others: int = 0


def note_other_history(station: Station, server: ServerConnection) -> None:
    """Keep in the audit trail up to where this station saw a history that the server does not have any more.

    From then on the station follows what the server has, so nothing else would remember. Raises `WorldFault`.
    """
    place = station.read(read_place)
    if place.baseline or not place.cursor or server.hash_at(place.cursor) == place.hash:
        return  # told before, nothing was seen yet, or it is the same history after all
    sentence = (
        f"The server was restored, or its history was written anew: it is not what this station saw up to entry "
        f"{place.cursor}, which had the hash {place.hash}"
    )
    line = AuditLine(station.clock(), THE_PLANT, OTHER_HISTORY, "refused", sentence)
    station.store.submit(lambda session: append_audit(session, line)).result()


def verify_shared(folder: Path, store: Store) -> SharedHistory:
    """Have the server recompute its chain, and hold the newest entry that was applied here against it.

    Raises `Refused` that names the first broken entry or the one that contradicts this station, `WorldFault` when
    the server cannot be reached.
    """
    from app.sync.wire import ServerConnection

    with store.reader() as session:
        place = read_place(session.connection())
        told = select(func.count()).select_from(Audit).where(Audit.operation == OTHER_HISTORY)
        others = session.execute(told).scalar_one()
    with ServerConnection.open(server_url(folder, station_address(folder))) as server:
        broken = server.verify()
        if broken is not None:
            raise Refused(f"The history on the server is broken from entry {broken} on.")
        _compare(server, place.cursor, place.hash)
        own = _compare_own(store, server, place.cursor)
        head = server.hello().head_seq
    return SharedHistory(head, place.cursor, own, others)


def _compare_own(store: Store, server: ServerConnection, cursor: int) -> int:
    """Hold what was signed here against what the history says was signed; returns how many entries were compared."""
    from app.sync.server.sentences import plain_errors

    compared, after = 0, 0
    while True:
        with store.reader() as session:
            page = (
                session.connection()
                .exec_driver_sql(
                    "SELECT position, seq, body FROM outbox WHERE position > ? AND seq <= ? ORDER BY position LIMIT ?",
                    (after, cursor, _PAGE),
                )
                .all()
            )
        if not page:
            return compared
        after = page[-1].position
        with plain_errors():
            there = dict(server.session.execute(_DIGESTS, ([row.seq for row in page],)).fetchall())
        for row in page:
            digest = there.get(row.seq)
            if digest is None:  # of a server from before it kept them
                continue
            if digest != sha256(row.body.encode()).hexdigest():
                raise Refused(f"Entry {row.seq} on the server is not what was signed on this station.")
            compared += 1


def _compare(server: ServerConnection, cursor: int, chained: str) -> None:
    """The chain holds; whether it is the one that this station followed is told by its own last entry."""
    if not cursor:
        return
    found = server.feed(cursor, 1)
    if not found or found[0].seq != cursor:
        raise Refused(
            f"The history on the server ends before entry {cursor}, which this station has seen: the server was put "
            "back to an earlier state, or entries were taken out."
        )
    if found[0].hash != chained:
        raise Refused(
            f"Entry {cursor} on the server is not the one that this station has seen: the history was written anew."
        )
