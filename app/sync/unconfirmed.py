"""Own changes that the server's feed has not brought back yet, found by the rows that they touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection

from app.domain.decoding import json_decoder
from app.domain.merging import OwnPatch
from app.store.entries import CREATED, CREATED_MANY
from app.sync.shared_rows import Key, key_of


class _Row(msgspec.Struct):
    e: str
    k: str
    id: str = ""
    v: int = 1
    set: dict[str, tuple[Any, Any]] = msgspec.field(default_factory=dict)
    columns: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


class _Body(msgspec.Struct):
    rows: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """One entry of the outbox; `touched` maps the rows of it to where their patches stand in `rows`."""

    change_id: str
    rows: tuple[_Row, ...]
    touched: dict[Key, tuple[tuple[int, int], ...]]

    def patches(self, key: Key) -> Iterator[OwnPatch]:
        """What the entry does to one row, in order: a row that it made in bulk may change again in it."""
        for index, place in self.touched.get(key, ()):
            row = self.rows[index]
            if row.k == CREATED_MANY:
                values = zip(row.columns, row.rows[place], strict=True)
                yield OwnPatch(True, {name: (None, value) for name, value in values})
            else:
                yield OwnPatch(row.k == CREATED, row.set, row.v)


_reader = json_decoder(_Body)


def read_entry(change_id: str, body: str) -> OwnEntry:
    """The rows of an outbox body."""
    rows = _reader.decode(body).rows
    touched: dict[Key, tuple[tuple[int, int], ...]] = {}
    for index, row in enumerate(rows):
        for place, row_id in enumerate(row.ids or (row.id,)):
            key = key_of(row.e, row_id)
            touched[key] = (*touched.get(key, ()), (index, place))
    return OwnEntry(change_id, rows, touched)


@dataclass
class Unconfirmed:
    """Kept between transactions, because an entry never changes; `look` brings it up to the transaction's state."""

    _entries: dict[str, OwnEntry] = field(default_factory=dict)
    _by_row: defaultdict[Key, list[OwnEntry]] = field(default_factory=lambda: defaultdict(list))
    _order: list[str] = field(default_factory=list)

    def look(self, connection: Connection) -> None:
        """Read which entries are unconfirmed now."""
        order = [
            str(change_id)
            for (change_id,) in connection.exec_driver_sql(
                "SELECT change_id FROM outbox WHERE state IN ('pending','acknowledged') ORDER BY position"
            )
        ]
        if order == self._order:
            return
        new = [change_id for change_id in order if change_id not in self._entries]
        bodies = {change_id: self._body(connection, change_id) for change_id in new}
        self._entries = {
            change_id: self._entries.get(change_id) or read_entry(change_id, bodies[change_id])
            for change_id in order
        }
        self._order = order
        self._by_row.clear()
        for entry in self._entries.values():
            for key in entry.touched:
                self._by_row[key].append(entry)

    @staticmethod
    def _body(connection: Connection, change_id: str) -> str:
        found = connection.exec_driver_sql("SELECT body FROM outbox WHERE change_id=?", (change_id,))
        return str(found.scalar_one())

    def patches(self, key: Key) -> list[OwnPatch]:
        """What unconfirmed changes do to a row, oldest first."""
        return [patch for entry in self._by_row.get(key, ()) for patch in entry.patches(key)]

    def entries(self) -> list[OwnEntry]:
        """All of them, oldest first."""
        return [self._entries[change_id] for change_id in self._order]

    def keys(self) -> Collection[Key]:
        """All rows that an unconfirmed change touches."""
        return self._by_row.keys()
