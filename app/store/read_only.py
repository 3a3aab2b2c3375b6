"""A light look into the main store for a process that never writes there: no migration, no writer thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.domain.errors import Refused, WorldFault
from app.store.filelock import PresenceLock
from app.store.sessions import PRESENCE_NAME, STORE_NAME, DataVersion, read_only_url


class ReadOnlyStore:
    """`lineside.sqlite` for reading; any thread may ask, one at a time."""

    def __init__(self, data_dir: Path) -> None:
        """Raises `Refused` when there is no store yet, `WorldFault` when it cannot be read."""
        self.path = data_dir / STORE_NAME
        if not self.path.exists():
            raise Refused(
                f"There is no Lineside data in {data_dir} yet; open the window once or apply a plant file first."
            )
        self._engine = create_engine(
            read_only_url(self.path),
            poolclass=NullPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
        event.listen(self._engine, "connect", _only_look)
        try:
            self._presence = PresenceLock(data_dir / PRESENCE_NAME)
        except OSError as error:
            raise WorldFault(
                f"The data folder {data_dir} cannot be written ({error.strerror}); check its permissions."
            ) from error
        try:
            self._presence.share()
            self._version = DataVersion(self.path)
            self._version()
        except BaseException as error:
            self._presence.close()
            if isinstance(error, sqlite3.Error):
                raise WorldFault(f"The data file {self.path} cannot be read: {error}.") from error
            raise

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """A session that cannot write."""
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                yield session
        except DatabaseError as error:
            raise WorldFault(f"The data file {self.path} cannot be read now: {error.orig}.") from error

    def version(self) -> int:
        """A number that changes when anyone has committed."""
        try:
            return self._version()
        except sqlite3.Error as error:
            raise WorldFault(f"The data file {self.path} cannot be read now: {error}.") from error

    def close(self) -> None:
        """Let go of the file."""
        self._version.close()
        self._engine.dispose()
        self._presence.close()


def _only_look(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("query_only=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")
