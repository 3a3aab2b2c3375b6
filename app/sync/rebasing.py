"""Draws rows anew when the server or the outbox changed: the server's row, own unconfirmed changes on top.

One `Rebasing` lives for one local transaction. It first learns what the server's rows were, is told what changed, and
writes what is shown in the end.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.domain.merging import Row, ServerPatch, advance, drawn, fold, unwind
from app.sync.shared_rows import Key, shared_tables
from app.sync.unconfirmed import Unconfirmed

log = structlog.get_logger(__name__)

_LOOKUP = 400


class Rebasing:
    """Rows of one transaction: as they were shown, as the server has them, and as they are shown in the end."""

    def __init__(self, connection: Connection, unconfirmed: Unconfirmed) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        self._connection = connection
        self._unconfirmed = unconfirmed
        unconfirmed.look(connection)
        self._shown: dict[Key, dict[str, Any] | None] = {}
        self._server: dict[Key, Row | None] = {}
        self._shadowed: set[Key] = set()

    # ── what is known ────────────────────────────────────────────────────────────────────────────────────────

    def learn(self, keys: Iterable[Key]) -> None:
        """Read these rows: as they are shown, and from that or from their shadow the server's."""
        by_table: defaultdict[str, list[str]] = defaultdict(list)
        for key in keys:
            if key not in self._shown and key[0] in shared_tables():
                by_table[key[0]].append(key[1])
                self._shown[key] = None
        for entity, ids in by_table.items():
            for row_id, row in shared_tables()[entity].read(self._connection, ids):
                self._shown[entity, row_id] = row
            shadows = dict(self._shadows(entity, ids))
            for row_id in ids:
                key = (entity, row_id)
                if row_id in shadows:
                    self._shadowed.add(key)
                    self._server.setdefault(key, shadows[row_id])
                elif key not in self._server:
                    self._server[key] = unwind(self._shown[key], self._unconfirmed.patches(key))

    def _shadows(self, entity: str, ids: list[str]) -> Iterator[tuple[str, Row | None]]:
        for begin in range(0, len(ids), _LOOKUP):
            some = ids[begin : begin + _LOOKUP]
            marks = ",".join("?" * len(some))
            found = self._connection.exec_driver_sql(
                f'SELECT row_id, "row" FROM shadow WHERE entity=? AND row_id IN ({marks})', (entity, *some)
            )
            for row_id, text in found:
                yield row_id, None if text is None else json.loads(text)

    def server_row(self, key: Key, row: Row | None) -> None:
        """The server's row is this, whatever was known of it; to be told before `learn`."""
        self._server[key] = row

    def advance(self, key: Key, patch: ServerPatch) -> None:
        """One more entry of the log changed the row; raises `BrokenHistoryError` where one before it is missing."""
        heard = shared_tables()[key[0]].heard(patch.fields)
        self._server[key] = advance(self._server[key], ServerPatch(patch.creates, patch.version, heard))

    # ── what is shown in the end ─────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        """Write all rows that were learnt, with the changes on top that are unconfirmed now."""
        self._unconfirmed.look(self._connection)
        shown: dict[Key, dict[str, Any] | None] = {}
        shadows: dict[Key, Row | None] = {}
        for key in self._shown:
            patches = self._unconfirmed.patches(key)
            drawing = drawn(self._visible(key), patches)
            shown[key] = drawing.shown
            if drawing.shadow or self._visible(key) is not self._server[key]:
                shadows[key] = self._server[key]
        try:
            with self._connection.begin_nested():
                self._write(shown, self._shown)
                self._stand_in(shown)
        except IntegrityError:
            self.draw_one_by_one()
            return
        self._keep(shadows)

    def _visible(self, key: Key) -> Row | None:
        """The server's row, or the last one that this program understood: it may hold choices of a later version."""
        row = self._server[key]
        if row is None or shared_tables()[key[0]].understood(row):
            return row
        return unwind(self._shown[key], self._unconfirmed.patches(key))

    def _write(self, rows: Mapping[Key, Row | None], before: Mapping[Key, Row | None]) -> None:
        by_table: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        gone: defaultdict[str, list[str]] = defaultdict(list)
        for (entity, row_id), row in rows.items():
            if row is not None:
                by_table[entity][row_id] = row
            elif before.get((entity, row_id)) is not None:
                gone[entity].append(row_id)
        for entity, table in shared_tables().items():
            table.to_ghosts(self._connection, gone[entity])
            if by_table[entity]:
                old = {row_id: before.get((entity, row_id)) for row_id in by_table[entity]}
                table.write(self._connection, by_table[entity], old)

    def _stand_in(self, rows: Mapping[Key, Row | None]) -> None:
        """A row that was never understood here is not shown, but what refers to it has to find something."""
        for key, row in rows.items():
            server = self._server[key]
            if row is None and server is not None:
                shared_tables()[key[0]].insert_ghost(self._connection, key[1], server)

    def _keep(self, shadows: Mapping[Key, Row | None]) -> None:
        gone = [key for key in self._shadowed if key not in shadows]
        if gone:
            self._connection.exec_driver_sql("DELETE FROM shadow WHERE entity=? AND row_id=?", gone)
        if shadows:
            self._connection.exec_driver_sql(
                'INSERT INTO shadow (entity, row_id, "row") VALUES (?,?,?) '
                'ON CONFLICT(entity, row_id) DO UPDATE SET "row"=excluded."row"',
                [(*key, None if row is None else json.dumps(dict(row))) for key, row in shadows.items()],
            )

    # ── when two rows want the same number ───────────────────────────────────────────────────────────────────

    def draw_one_by_one(self) -> None:
        """Put the server's rows first, then each own change that still fits beside them.

        A change that does not fit stays in the outbox without being shown; the server will say what becomes of it.
        """
        self.learn(list(self._unconfirmed.keys()))
        kept: dict[Key, Row | None] = {
            key: None if row is None else {**row, "deleted": True} for key, row in self._shown.items()
        }
        for entity, table in shared_tables().items():
            table.set_apart(self._connection, [row_id for name, row_id in kept if name == entity])
        for key in list(kept):
            self._place({key: self._visible(key)}, kept)
        for entry in self._unconfirmed.entries():
            later = {key: fold(kept[key], entry.patches(key)) for key in entry.touched if key in kept}
            if not self._place(later, kept):
                log.info("a change waits for its verdict without being shown", change=entry.change_id)
        self._stand_in(kept)
        self._keep(
            {
                key: self._server[key]
                for key, row in kept.items()
                if unwind(row, self._unconfirmed.patches(key)) != self._server[key]
            }
        )

    def _place(self, rows: Mapping[Key, Row | None], kept: dict[Key, Row | None]) -> bool:
        """Write `rows` all or not at all, and note in `kept` what is there now; whether they fit."""
        try:
            with self._connection.begin_nested():
                self._write(rows, kept)
        except IntegrityError:
            return False
        kept.update(rows)
        return True
