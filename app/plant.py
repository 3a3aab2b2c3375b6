"""Builds everything that works without a window from one data folder, and takes it down again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from app.domain.errors import WorldFault
from app.domain.identity import uuid7
from app.domain.people import Actor
from app.operations.change import Outcome
from app.operations.door import Door
from app.operations.login import Login, log_in, note_logout
from app.settings import Settings, load_settings
from app.store.sessions import Store
from app.store.sharing import joined_station
from app.sync.signing import SigningBook

if TYPE_CHECKING:
    from app.sync.join import Cancelled, Joined, Progress


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> UUID:
    return uuid7(utc_now())


@dataclass(frozen=True)
class House:
    """One opened data folder: its settings, its store and the door to change it.

    `signing` holds what the people who logged in here sign with, on a station that shares a server.
    """

    folder: Path
    settings: Settings
    store: Store
    door: Door
    signing: SigningBook

    @property
    def station(self) -> str | None:
        """Which station of a shared server this folder is; None when it shares nothing."""
        with self.store.reader() as session:
            return joined_station(session)

    def join(self, line: str, progress: Progress, cancelled: Cancelled) -> Joined:
        """Become a station of the server of a pasted line; minutes on a worker thread, for much data.

        Raises `Refused` or `WorldFault` with one sentence; the folder is then what it was before.
        """
        from app.sync.join import Joining

        return Joining(self.folder, self.door, progress, cancelled).run(line)

    def log_in(self, name: str, password: str) -> Login:
        """Check a name and password, with the server where one is shared; up to a few seconds on a worker thread.

        Raises `Refused` with one sentence, audited.
        """
        if self.station is None:
            return log_in(self.door, name, password)
        from app.sync.login import StationLogin
        from app.sync.membership import station_address

        return StationLogin(self.folder, station_address(self.folder), self.door, self.signing).log_in(
            name, password
        )

    def renew_login(self, actor: Actor) -> None:
        """For somebody who stays logged in for long: see `app.sync.renewing`; to be called every few hours.

        Raises `Refused` when they have to log in again within days.
        """
        if self.station is None:
            return
        from app.sync.renewing import renew_login

        renew_login(self.folder, self.door, self.signing, actor)

    def log_out(self, actor: Actor, *, idle: bool = False) -> Future[Outcome[None]]:
        """Note that `actor` left; what they did before is signed, after that nothing is until they come back."""
        future = self.door.submit(note_logout(idle=idle), actor)
        if actor.user_id is not None:
            future.add_done_callback(partial(self._lock, actor.user_id))
        return future

    def _lock(self, user_id: UUID, _done: object) -> None:
        self.signing.lock(user_id)

    def close(self) -> None:
        """Finish what is being written and let go of the files."""
        self.store.close()


def open_house(folder: Path) -> House:
    """Open or create the store in `folder`. Raises `Refused` or `WorldFault` with one plain sentence."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WorldFault(
            f"The data folder {folder} cannot be made ({error.strerror}); choose another folder."
        ) from error
    settings = load_settings(folder)
    store = Store(folder)
    signing = SigningBook(folder)
    door = Door(store, utc_now, new_id, settings.station, signing.sign)
    return House(folder, settings, store, door, signing)


@contextmanager
def opened_house(folder: Path) -> Iterator[House]:
    """`open_house` for the length of a block."""
    house = open_house(folder)
    try:
        yield house
    finally:
        house.close()
