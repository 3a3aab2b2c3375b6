"""New rows of a table in the order in which they came into this file, whatever becomes of the file's row numbers."""

from __future__ import annotations

from collections.abc import Container
from functools import reduce
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Label, String, cast, func, literal, literal_column, select
from sqlalchemy.orm import Session

from app.store.tables import Record

RowT = TypeVar("RowT", bound=Record)
_AT_ONCE = 500


def row_number(table: type[Record]) -> Label[int]:
    """SQLite's own number of a row: it follows the order in which rows were put here, whatever the clocks said."""
    return literal_column(f"{table.__tablename__}.rowid", Integer).label("number")


def _weight(table: type[Record]) -> ColumnElement[int]:
    """A number that follows from an id: its last characters, which are random in every one."""
    id = cast(table.id, String)
    return reduce(
        lambda total, place: total * 61 + func.unicode(func.substr(id, -place, 1)), range(1, 6), literal(0)
    )


class Arrivals(Generic[RowT]):
    """Hands out every row once. Rows come late from other stations, a whole table may be fetched anew.

    The number of the last row is only a shortcut: a file that was filled anew numbers its rows otherwise, and the
    number of a row that was taken away is given to the next. So a check sum over ids and numbers of the rows up to it
    is kept; where it does not fit any more, all ids are compared.
    """

    def __init__(self, table: type[RowT]) -> None:
        self._table, self._number = table, row_number(table)
        self._told: set[UUID] = set()
        self._until = self._sum = 0

    def news(self, session: Session, known: Container[str]) -> list[tuple[int, RowT]]:
        """Rows that were not handed out yet and whose ids (as text) are not `known`, with their numbers."""
        if self._until and self._check_sum(session) != self._sum:
            self._until = 0
        found = select(self._number, self._table.id).where(self._number > self._until).order_by(self._number)
        places: list[tuple[int, UUID]] = [(int(n), id) for n, id in session.execute(found)]
        if not places:
            return []
        self._until = places[-1][0]
        self._sum = self._check_sum(session)
        wanted = [(n, id) for n, id in places if id not in self._told and str(id) not in known]
        self._told.update(id for _, id in wanted)
        return self._rows(session, wanted)

    def _check_sum(self, session: Session) -> int:
        """Of ids and numbers up to the last one that was told."""
        found = select(func.total(self._number * _weight(self._table))).where(self._number <= self._until)
        return int(session.execute(found).scalar() or 0)

    def _rows(self, session: Session, wanted: list[tuple[int, UUID]]) -> list[tuple[int, RowT]]:
        rows: dict[UUID, RowT] = {}
        for begin in range(0, len(wanted), _AT_ONCE):
            some = [id for _, id in wanted[begin : begin + _AT_ONCE]]
            found: Any = select(self._table).where(self._table.id.in_(some), ~self._table.deleted)
            rows.update((row.id, row) for row in session.execute(found).scalars())
        return [(n, rows[id]) for n, id in wanted if id in rows]


def ids_until(session: Session, table: type[Record], number: int) -> list[str]:
    """The ids of the rows with a number up to `number`."""
    found = select(table.id).where(row_number(table) <= number)
    return [str(id) for id in session.execute(found).scalars()]
