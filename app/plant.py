"""Builds everything that works without a window from one data folder, and takes it down again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from app.domain.errors import WorldFault
from app.domain.identity import uuid7
from app.operations.change import Door
from app.settings import Settings, load_settings
from app.store.sessions import Store


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> UUID:
    return uuid7(utc_now())


@dataclass(frozen=True)
class House:
    """One opened data folder: its settings, its store and the door to change it."""

    folder: Path
    settings: Settings
    store: Store
    door: Door

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
    return House(folder, settings, store, Door(store, utc_now, new_id, settings.station))


@contextmanager
def opened_house(folder: Path) -> Iterator[House]:
    """`open_house` for the length of a block."""
    house = open_house(folder)
    try:
        yield house
    finally:
        house.close()
