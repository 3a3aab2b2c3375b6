"""Proves the shared history: the server checks its chain, this station compares what it saw with what stands there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import Refused
from app.store.sessions import Store
from app.sync.membership import server_url, station_address

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection


@dataclass(frozen=True, slots=True)
class SharedHistory:
    """A history that holds: `entries` on the server, of which this station saw those up to `seen`."""

    entries: int
    seen: int


def verify_shared(folder: Path, store: Store) -> SharedHistory:
    """Have the server recompute its chain, and hold the newest entry that was applied here against it.

    Raises `Refused` that names the first broken entry or the one that contradicts this station, `WorldFault` when
    the server cannot be reached.
    """
    from app.sync.place import read_place
    from app.sync.wire import ServerConnection

    with store.reader() as session:
        place = read_place(session.connection())
    with ServerConnection.open(server_url(folder, station_address(folder))) as server:
        broken = server.verify()
        if broken is not None:
            raise Refused(f"The history on the server is broken from entry {broken} on.")
        _compare(server, place.cursor, place.hash)
        head = server.hello().head_seq
    return SharedHistory(head, place.cursor)


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
