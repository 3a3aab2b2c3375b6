"""One round of sharing in this process, for whoever asks for it by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.domain.errors import LinesideError, Refused, WorldFault
from app.store.entries import SHARED_SCHEMA
from app.store.queries.unsent import unconfirmed
from app.store.sessions import Store
from app.sync.membership import server_url, station_address
from app.sync.sole import EngineElsewhere, sole_engine
from app.sync.status import ONLINE, PAUSED, read_status

_WAIT_SECONDS, _AWAY_SECONDS, _POLL_SECONDS = 30.0, 8.0, 0.1


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: entries answered, records fetched, whether all rows came anew; `note` is a word of caution."""

    answered: int
    pulled: int
    baseline: bool
    note: str = ""


def sync_once(folder: Path, store: Store) -> Done:
    """Send all that waits, fetch all that is new. Raises `WorldFault` or `Refused` with one sentence.

    Where the sync process of this folder runs, that one is told to hurry, and what waits is waited for.
    """
    from app.sync.ended_logins import end_outdated_logins
    from app.sync.passwords import push_password_notes
    from app.sync.round import Skew, run_round
    from app.sync.station import Station
    from app.sync.wire import ServerConnection

    try:
        with (
            sole_engine(folder),
            ServerConnection.open(server_url(folder, station_address(folder))) as server,
        ):
            hello = server.hello()
            done = run_round(Station(store), server, hello)
            push_password_notes(store, server)
            end_outdated_logins(store, server, datetime.now(UTC))
    except EngineElsewhere:
        return _hurry(folder, store)
    note = Skew.between(SHARED_SCHEMA, hello).sentence
    return Done(done.answered, done.pulled, done.baseline, note)


def _hurry(folder: Path, store: Store) -> Done:
    """Have the sync process do it, and wait for its next whole round; says why when there is none."""
    from app.sync.control import SyncControl

    def waiting() -> int:
        with store.reader() as session:
            return unconfirmed(session)[0]

    before, asked = waiting(), datetime.now(UTC)
    SyncControl(folder).sync_now()
    began = time.monotonic()
    while not (_has_finished(folder, asked) and not waiting()):
        if time.monotonic() - began > _patience(folder):
            raise _in_vain(folder, waiting())
        time.sleep(_POLL_SECONDS)
    return Done(before, 0, False, "The sync process of this folder runs and did it.")


def _patience(folder: Path) -> float:
    """Seconds: a round takes its time, a server that is away or refuses is not waited for."""
    told = read_status(folder)
    if told is not None and told.state == PAUSED:
        return 0.0
    return _WAIT_SECONDS if told is not None and told.state == ONLINE else _AWAY_SECONDS


def _has_finished(folder: Path, asked: datetime) -> bool:
    told = read_status(folder)
    return told is not None and told.checked_at is not None and told.checked_at >= asked


def _in_vain(folder: Path, waiting: int) -> LinesideError:
    told = read_status(folder)
    rest = f" {waiting:,} changes wait." if waiting > 1 else " 1 change waits." if waiting else ""
    if told is not None and told.state == PAUSED:
        return Refused(f"Somebody has this station work offline; “Go online” in Sharing ends that.{rest}")
    why = (told.last_error if told is not None else "") or "The sync process is not done yet."
    return WorldFault(why + rest)
