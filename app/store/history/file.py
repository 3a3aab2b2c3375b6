"""One history file opened for reading, when it is there."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.store.history.schema import open_to_read, told


class HistoryFile:
    """Opens the history when first asked; as long as there is no file, everything is empty. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def ask(self, sql: str, values: Sequence[object] | dict[str, object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query; no rows while the file or its tables do not exist yet."""
        with self.snapshot() as db:
            return [] if db is None else db.execute(sql, values).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection | None]:
        """The file as it is at one moment, for several queries; None while there is nothing in it yet."""
        with self._lock, told(self.path):
            db = self._opened()
            if db is None:
                yield None
                return
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def _opened(self) -> sqlite3.Connection | None:
        if self._db is None:
            if not self.path.exists():
                return None
            db = open_to_read(self.path)
            if not db.execute("PRAGMA user_version").fetchone()[0]:
                db.close()
                return None
            self._db = db
        return self._db

    def close(self) -> None:
        """Close the file; a later question opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.close()
