"""A SQLite file beside the store that holds the server's rows while they come in, and finds what differs here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.domain.errors import WorldFault
from app.store.private_file import write_private
from app.store.schema import read_uri
from app.store.tables.base import GHOST
from app.sync.shared_rows import SharedTable, parsed, shared_tables

FILE_NAME = "sync-staging.sqlite"
_CHUNK = 5000


def _same_json(one: object, other: object) -> bool:
    """PostgreSQL orders keys its own way."""
    return one == other or (one is not None and other is not None and parsed(one) == parsed(other))


class Staging:
    """Lives for one baseline; rows are kept exactly as the store keeps them, id first."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(FILE_NAME)
        self._store = store
        try:
            self._remove()
            write_private(self._path, "")  # SQLite would let everybody on this computer read it
            self._connection = sqlite3.connect(
                self._path, isolation_level=None, uri=True, check_same_thread=False
            )
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise self._no_room(error) from error

    def _prepare(self) -> None:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.create_function("same_json", 2, _same_json, deterministic=True)
        for table in shared_tables().values():
            names = ", ".join(f'"{name}"' for name in table.columns)
            self._connection.execute(
                f'CREATE TABLE "{table.entity}" (id TEXT PRIMARY KEY, {names}) WITHOUT ROWID'
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._remove()
        if isinstance(error, sqlite3.Error):
            raise self._no_room(error) from error

    def _no_room(self, error: Exception) -> WorldFault:
        return WorldFault(
            f"What comes from the server cannot be kept in {self._path} ({error}); check the disk."
        )

    def _remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def add(self, table: SharedTable, rows: list[tuple[Any, ...]]) -> None:
        """Keep one page of the server's rows."""
        marks = ", ".join("?" * (len(table.columns) + 1))
        self._connection.execute("BEGIN")
        self._connection.executemany(f'INSERT INTO "{table.entity}" VALUES ({marks})', rows)
        self._connection.execute("COMMIT")

    def compare(self) -> None:
        """Note which rows differ from those of the store, and which the server does not have."""
        self._connection.execute("ATTACH DATABASE ? AS shown", (read_uri(self._store),))
        try:
            self._connection.execute(
                "CREATE TABLE differs (entity TEXT, id TEXT, present, PRIMARY KEY (entity, id))"
            )
            self._connection.execute("CREATE TABLE vanished (entity TEXT, id TEXT)")
            for table in shared_tables().values():
                self._compare(table)
        finally:
            self._connection.execute("DETACH DATABASE shown")

    def _compare(self, table: SharedTable) -> None:
        entity = table.entity
        same = " AND ".join(
            f'same_json(s."{n}", m."{n}")' if n in table.json_columns else f's."{n}" IS m."{n}"'
            for n in table.columns
        )
        self._connection.execute(
            f'INSERT INTO differs SELECT ?, s.id, m.id IS NOT NULL FROM main."{entity}" s '
            f'LEFT JOIN shown."{entity}" m ON m.id = s.id WHERE m.id IS NULL OR NOT ({same})',
            (entity,),
        )
        self._connection.execute(
            f'INSERT INTO vanished SELECT ?, m.id FROM shown."{entity}" m WHERE m.version > {GHOST} '
            f'AND NOT EXISTS (SELECT 1 FROM main."{entity}" s WHERE s.id = m.id)',
            (entity,),
        )

    def vanished(self, entity: str) -> Iterator[str]:
        """Ids of rows that are shown here and that the server does not have."""
        for (row_id,) in self._connection.execute("SELECT id FROM vanished WHERE entity=?", (entity,)):
            yield row_id

    def shown_differently(self, entity: str) -> Iterator[str]:
        """Ids of rows that are here already, with other values."""
        found = self._connection.execute("SELECT id FROM differs WHERE entity=? AND present", (entity,))
        for (row_id,) in found:
            yield row_id

    def differing(self, table: SharedTable) -> Iterator[list[tuple[Any, ...]]]:
        """The rows to be written, in pages."""
        cursor = self._connection.execute(
            f'SELECT s.* FROM differs d JOIN "{table.entity}" s ON s.id = d.id WHERE d.entity=?',
            (table.entity,),
        )
        while page := cursor.fetchmany(_CHUNK):
            yield page

    def row(self, table: SharedTable, row_id: str) -> dict[str, Any] | None:
        """One row of the server as JSON values."""
        found = self._connection.execute(f'SELECT * FROM "{table.entity}" WHERE id=?', (row_id,)).fetchone()
        return None if found is None else table.told(found[1:])

    def not_understood(self, table: SharedTable) -> Iterator[str]:
        """Ids of rows that hold a choice which this program does not know."""
        for name, known in table.choices.items():
            marks = ",".join("?" * len(known))
            found = self._connection.execute(
                f'SELECT id FROM "{table.entity}" WHERE "{name}" NOT IN ({marks})', tuple(known)
            )
            for (row_id,) in found:
                yield row_id
