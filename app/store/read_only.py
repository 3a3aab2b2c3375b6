"""A light look into the main store for a process that never writes there: no migration, no lock, no writer thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.domain.errors import Refused, WorldFault
from app.store.sessions import STORE_NAME, DataVersion


class ReadOnlyStore:
    """`lineside.sqlite` for reading; any thread may ask, one at a time."""

    def __init__(self, data_dir: Path) -> None:
        """Raises `Refused` when there is no store yet, `WorldFault` when it cannot be read."""
        self.path = data_dir / STORE_NAME
        if not self.path.exists():
            raise Refused(
                f"There is no Lineside data in {data_dir} yet; open the window once or apply a plant file first."
            )
        uri = f"sqlite:///file:{quote(str(self.path))}?mode=ro&uri=true"
        self._engine = create_engine(uri, poolclass=NullPool, connect_args={"check_same_thread": False})
        event.listen(self._engine, "connect", _only_look)
        try:
            self._version = DataVersion(self.path)
            self._version()
        except sqlite3.Error as error:
            raise WorldFault(f"The data file {self.path} cannot be read: {error}.") from error

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


def _only_look(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("query_only=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")
