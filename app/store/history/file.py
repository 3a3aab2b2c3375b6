"""One history file opened for reading, when it is there."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
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
        with self._lock, told(self.path):
            if self._db is None:
                if not self.path.exists():
                    return []
                db = open_to_read(self.path)
                if not db.execute("PRAGMA user_version").fetchone()[0]:
                    db.close()
                    return []
                self._db = db
            return self._db.execute(sql, values).fetchall()

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
