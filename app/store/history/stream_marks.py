"""Who a history file is to the shared server, and how far its samples have been offered and taken there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.store.history import chunks
from app.store.history.damage import Damaged

# `first_n` of a chunk is its smallest n, so that samples are found by their number; null where it is not known yet.
# The stream is this very file: a copy that was put back, or that another computer goes on with, becomes another one,
# and `last_n` says where the one before it ended.
FROM_2 = """
ALTER TABLE chunk ADD COLUMN first_n INTEGER;
CREATE INDEX chunk_by_n ON chunk (epoch, n, first_n);
CREATE INDEX chunk_unnumbered ON chunk (tag) WHERE first_n IS NULL AND bytes > 0;
CREATE INDEX sample_by_n ON sample (epoch, n);
CREATE TABLE stream (
  id TEXT PRIMARY KEY, first_n INTEGER NOT NULL, last_n INTEGER, offered INTEGER NOT NULL, forwarded INTEGER NOT NULL,
  given_up INTEGER NOT NULL
);
"""
_COLUMNS = "id, first_n, last_n, offered, forwarded, given_up"


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream begins with sample `first_n` of this file, and ended with `last_n` where another one follows it.

    Nothing beyond `offered` was ever offered to a server, and all up to there is in this file; `forwarded` is what the
    server said last that it has. `given_up` samples had to be dropped, for want of room, before they were forwarded.
    """

    id: UUID
    first_n: int = 1
    last_n: int | None = None
    offered: int = 0
    forwarded: int = 0
    given_up: int = 0


def read_streams(db: sqlite3.Connection) -> list[StreamState]:
    """The streams that this file was and is, the present one last; none as long as it was never shared."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM stream ORDER BY last_n IS NULL, first_n")
    return [StreamState(UUID(id), *rest) for id, *rest in rows]


def write_streams(db: sqlite3.Connection, streams: Sequence[StreamState]) -> None:
    """Remember the streams, inside the transaction of the caller."""
    db.execute("DELETE FROM stream")
    db.executemany(
        f"INSERT INTO stream ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
        [(str(s.id), s.first_n, s.last_n, s.offered, s.forwarded, s.given_up) for s in streams],
    )


def mark(db: sqlite3.Connection, offered: int, forwarded: int) -> None:
    """Move both marks of the present stream, inside the transaction of the caller."""
    db.execute("UPDATE stream SET offered = ?, forwarded = ? WHERE last_n IS NULL", (offered, forwarded))


def note_given_up(db: sqlite3.Connection, samples: int) -> None:
    """Count samples that are dropped without having been forwarded, inside the transaction of the caller."""
    db.execute("UPDATE stream SET given_up = given_up + ? WHERE last_n IS NULL", (samples,))


def newest_n(db: sqlite3.Connection, epoch: int) -> int:
    """The number of the newest sample of `epoch`, 0 before the first."""
    row = db.execute("SELECT value FROM mark WHERE name = ?", (f"n/{epoch}",)).fetchone()
    return int(row[0]) if row else 0


def unnumbered(db: sqlite3.Connection, limit: int) -> list[tuple[int, int, int]]:
    """Id, tag and first time of sealed chunks of an older Lineside that do not tell their smallest number yet."""
    return db.execute(
        "SELECT id, tag, t0 FROM chunk WHERE first_n IS NULL AND bytes > 0 LIMIT ?", (limit,)
    ).fetchall()


def number_chunks(db: sqlite3.Connection, limit: int) -> bool:
    """Look into some chunks that do not tell their smallest number; whether more of them are left."""
    from app.store.history.codec import decode

    found = unnumbered(db, limit)
    for id, tag, t0 in found:
        try:
            smallest = int(decode(chunks.bodies(db, [id])[id]).n.min())
        except Damaged:  # whoever reads it tells; it may hold any number
            smallest = 0
        db.execute("UPDATE chunk SET first_n = ? WHERE tag = ? AND t0 = ?", (smallest, tag, t0))
    return len(found) == limit
