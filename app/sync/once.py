"""One round of sharing in this process, for whoever asks for it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.store.entries import SHARED_SCHEMA
from app.store.sessions import Store
from app.sync.membership import server_url, station_address


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: entries answered, records fetched, whether all rows came anew; `note` is a word of caution."""

    answered: int
    pulled: int
    baseline: bool
    note: str = ""


def sync_once(folder: Path, store: Store) -> Done:
    """Send all that waits, fetch all that is new. Raises `WorldFault` or `Refused` with one sentence."""
    from app.sync.passwords import push_password_notes
    from app.sync.round import Skew, run_round
    from app.sync.station import Station
    from app.sync.wire import ServerConnection

    with ServerConnection.open(server_url(folder, station_address(folder))) as server:
        hello = server.hello()
        done = run_round(Station(store), server, hello)
        push_password_notes(store, server)
    note = Skew.between(SHARED_SCHEMA, hello).sentence
    return Done(done.answered, done.pulled, done.baseline, note)
