"""One round of sharing in this process, for whoever asks for it by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.store.entries import SHARED_SCHEMA
from app.store.queries.unsent import unconfirmed
from app.store.sessions import Store
from app.sync.membership import server_url, station_address
from app.sync.sole import EngineElsewhere, sole_engine

_WAIT_SECONDS, _POLL_SECONDS = 30.0, 0.1


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
    from app.sync.control import SyncControl

    def waiting() -> int:
        with store.reader() as session:
            return unconfirmed(session)[0]

    before = waiting()
    SyncControl(folder).sync_now()
    deadline = time.monotonic() + _WAIT_SECONDS
    while waiting() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return Done(before - waiting(), 0, False, "The sync process of this folder runs and did it.")
