"""One record of the server's log as the feed tells it; what a later version adds to it is passed over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.domain.decoding import json_decoder
from app.domain.merging import BrokenHistoryError, ServerPatch
from app.store.entries import CREATED, CREATED_MANY
from app.sync.shared_rows import Key, key_of

APPLIED, PARKED, SYSTEM = "applied", "parked", "system"


class LogRow(msgspec.Struct):
    """What happened to one row, or (kind `m`) many new ones as a table."""

    e: str
    k: str
    id: str = ""
    v: int = 1
    set: dict[str, Any] = msgspec.field(default_factory=dict)
    columns: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    def patches(self) -> Iterator[tuple[Key, ServerPatch]]:
        if self.k == CREATED_MANY:
            for row_id, values in zip(self.ids, self.rows, strict=True):
                fields = dict(zip(self.columns, values, strict=True))
                yield key_of(self.e, row_id), ServerPatch(True, 1, fields)
        else:
            yield key_of(self.e, self.id), ServerPatch(self.k == CREATED, self.v, self.set)


class Record(msgspec.Struct):
    """One record; `src` and `n` name the entry that it answers, `entry` or `raw` is a parked one as it was offered.

    What is `Any` here may be anything in a parked entry; `change_id` and its like are None where it makes no sense.
    """

    seq: int
    k: str
    at: datetime
    src: str = ""
    n: int = 0
    change: Any = None
    station: str = ""
    actor_id: Any = None
    actor: str = ""
    operation: str = ""
    label: str = ""
    said_at: Any = None
    undoes: Any = None
    resolves: tuple[tuple[str, int], ...] = ()
    rows: tuple[LogRow, ...] = ()
    merged: list[dict[str, Any]] | None = None
    verdict: str = ""
    reason: dict[str, Any] = msgspec.field(default_factory=dict)
    entry: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b""))
    raw: str = ""

    @property
    def change_id(self) -> UUID | None:
        return as_id(self.change)

    @property
    def parked_body(self) -> str:
        """The entry that was not applied, as text."""
        return self.raw or bytes(self.entry).decode()

    def patches(self) -> Iterator[tuple[Key, ServerPatch]]:
        for row in self.rows:
            yield from row.patches()


def as_id(told: object) -> UUID | None:
    """An id as an entry gives it, None for anything else."""
    try:
        return UUID(told) if isinstance(told, str) else None
    except ValueError:
        return None


def as_time(told: object) -> datetime | None:
    """An aware time as an entry gives it, None for anything else."""
    try:
        said = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return said if said is not None and said.tzinfo is not None else None


def chained(previous: str, body: str) -> str:
    """The hash (hex) of a record after one with the hash `previous`."""
    return hashlib.sha256(bytes.fromhex(previous) + body.encode()).hexdigest()


_reader = json_decoder(Record)


def read_record(body: str) -> Record:
    """A record from the text that was hashed; raises `BrokenHistoryError` for what no server of ours writes."""
    try:
        return _reader.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BrokenHistoryError(f"a record of the log cannot be read: {error}") from error
