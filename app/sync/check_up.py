"""How sharing goes on this computer, as findings for `lineside doctor`: the server, what waits, clocks, the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import LinesideError
from app.domain.finding import Finding
from app.store.entries import SHARED_SCHEMA
from app.store.queries.conflicts import open_conflicts
from app.store.queries.unsent import unconfirmed
from app.store.read_only import ReadOnlyStore
from app.store.sharing import joined_station
from app.sync.alive import is_alive
from app.sync.membership import server_url, station_address
from app.sync.server.address import ServerAddress
from app.sync.status import PAUSED, read_status

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection

_LONG_UNSENT = timedelta(days=1)
_FAR_OFF_SECONDS = 60.0


def check_up(folder: Path) -> list[Finding]:
    """Look at a joined folder and ask its server, for some seconds; changes nothing. Empty where nothing is shared."""
    with closing(ReadOnlyStore(folder)) as store, store.reader() as session:
        station = joined_station(session)
        if station is None:
            return []
        waiting, conflicts = unconfirmed(session), open_conflicts(session)
    now = datetime.now(UTC)
    return [*_server(folder, station), _unsent(*waiting, now), _conflicts(conflicts), _process(folder, now)]


def _server(folder: Path, station: str) -> Iterator[Finding]:
    from app.sync.wire import ServerConnection

    try:
        url = server_url(folder, station_address(folder))
        with ServerConnection.open(url) as server:
            yield from _reached(server, station, near=ServerAddress(url).is_near)
    except LinesideError as error:
        advice = "What is done here is kept and sent later; ask whoever looks after the server if this lasts."
        yield Finding("Server", False, error.sentence, advice)


def _reached(server: ServerConnection, station: str, *, near: bool) -> Iterator[Finding]:
    from app.sync.clock_offset import clock_of, measured_offset
    from app.sync.round import Skew

    hello = server.hello()
    skew = Skew.between(SHARED_SCHEMA, hello).sentence
    yield Finding("Server", not skew, f"answers station {station}, {hello.head_seq:,} entries", skew)
    safe = server.tls == "verified" or near
    advice = "Join again with a line that holds the certificate of the server."
    yield Finding("Encryption", safe, server.tls_sentence, "" if safe else advice)
    offset = measured_offset(clock_of(server), lambda: datetime.now(UTC))
    right = abs(offset) < _FAR_OFF_SECONDS
    advice = "Set the clock of this computer, or have it follow a time server."
    yield Finding("Clock", right, f"{offset:+,.1f} s against the server's", "" if right else advice)


def _unsent(count: int, oldest: datetime | None, now: datetime) -> Finding:
    if not count or oldest is None:
        return Finding("Unsent", True, "nothing")
    late = now - oldest > _LONG_UNSENT
    seen = f"{count:,} changes, the oldest of {oldest.astimezone():%Y-%m-%d %H:%M}"
    advice = "Bring this computer to the server, or take a backup: they are nowhere else."
    return Finding("Unsent", not late, seen, advice if late else "")


def _conflicts(count: int) -> Finding:
    if not count:
        return Finding("Conflicts", True, "none")
    return Finding("Conflicts", False, f"{count:,} are open", "Settle them in “Sharing”.")


def _process(folder: Path, now: datetime) -> Finding:
    told = read_status(folder)
    if told is not None and is_alive(told, now):
        why = f": {told.last_error}" if told.last_error else ""
        return Finding("Sync process", True, f"runs, {told.state}{why}")
    if told is not None and told.state == PAUSED:
        return Finding("Sync process", True, "does not run; somebody chose to work offline")
    advice = "Open Lineside, or keep its collector or `lineside sync` running."
    return Finding("Sync process", False, "does not run", advice)
