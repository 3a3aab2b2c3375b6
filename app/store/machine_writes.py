"""What became of values sent to machines: noted in the history before anything is sent, so that it happens once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.domain.samples import Value
from app.store.history.schema import micros, moment, told

# `ok` is NULL from the moment before the value is sent until the answer is known.
_TABLE = """
CREATE TABLE IF NOT EXISTS write_result (
  id TEXT PRIMARY KEY, number INTEGER NOT NULL, tag TEXT NOT NULL, ok INTEGER, sentence TEXT NOT NULL DEFAULT '',
  at INTEGER NOT NULL, read_back TEXT NOT NULL DEFAULT 'null'
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The answer to one write; `id` is that of its row in the main store, `read_back` is in the tag's unit."""

    id: str
    tag: str
    ok: bool
    sentence: str
    at: datetime
    read_back: Value = None


class WriteResults:
    """Kept by the collector. Methods block on the disk: call them on the thread of the history, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with told(path):
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_TABLE)

    def known(self) -> set[str]:
        """The ids of all writes that were ever taken up."""
        with told(self._path):
            return {id for (id,) in self._db.execute("SELECT id FROM write_result")}

    def last_number(self) -> int:
        """The number of the newest write that was ever taken up."""
        with told(self._path):
            return int(self._db.execute("SELECT coalesce(max(number), 0) FROM write_result").fetchone()[0])

    def begin(self, id: str, number: int, tag: str, at: datetime) -> bool:
        """Note that a write is taken up; False when it was before and must not be carried out again."""
        with told(self._path):
            row = (id, number, tag, micros(at))
            done = self._db.execute(
                "INSERT OR IGNORE INTO write_result (id, number, tag, at) VALUES (?, ?, ?, ?)", row
            )
            return done.rowcount == 1

    def finish(self, result: WriteResult) -> None:
        """Note the answer."""
        with told(self._path):
            self._db.execute(
                "UPDATE write_result SET ok = ?, sentence = ?, at = ?, read_back = ? WHERE id = ?",
                (result.ok, result.sentence, micros(result.at), json.dumps(result.read_back), result.id),
            )

    def unfinished(self) -> list[tuple[str, str]]:
        """Id and tag of every write that was taken up and never answered."""
        with told(self._path):
            return list(self._db.execute("SELECT id, tag FROM write_result WHERE ok IS NULL"))

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._db.close()


def read_write_results(path: Path, ids: Sequence[str]) -> dict[str, WriteResult]:
    """The answers there are to these writes."""
    if not ids or not path.exists():
        return {}
    with told(path), _reading(path) as db:
        known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'write_result'").fetchone()
        if known is None:
            return {}
        marks = ", ".join("?" * len(ids))
        rows = db.execute(
            "SELECT id, tag, ok, sentence, at, read_back FROM write_result "
            f"WHERE ok IS NOT NULL AND id IN ({marks})",
            list(ids),
        )
        return {
            id: WriteResult(id, tag, bool(ok), sentence, moment(at), json.loads(read_back))
            for id, tag, ok, sentence, at, read_back in rows
        }


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        yield db
    finally:
        db.close()
