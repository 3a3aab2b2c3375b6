"""The list engine: orders and filters in SQL, counts, and pages by key, so that a million rows open at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.filters import Condition, ValueKind, parse_filter, parse_value


@dataclass(frozen=True)
class Column:
    """One column of a list. `keyed` columns are never null and can be paged by key; derived ones have no expression."""

    key: str
    title: str
    kind: ValueKind
    expression: ColumnElement[Any] | None = None
    choices: type[StrEnum] | None = None
    keyed: bool = False
    shown: bool = True

    @property
    def sortable(self) -> bool:
        return self.expression is not None


Derive = Callable[[Session, Sequence[dict[str, Any]], datetime], None]


def _derive_nothing(_session: Session, _rows: Sequence[dict[str, Any]], _now: datetime) -> None:
    return None


@dataclass(frozen=True)
class Listing:
    """A list that screens, exports and the command line share; `derive` adds computed values to the rows of a page."""

    entity: str
    title: str
    source: FromClause
    id: ColumnElement[Any]
    columns: tuple[Column, ...]
    sort: str
    descending: bool = False
    alive: ColumnElement[bool] = field(default_factory=true)
    text: Callable[[str], ColumnElement[bool]] | None = None
    derive: Derive = _derive_nothing

    def column(self, key: str) -> Column:
        """Raises `Refused` with the known columns when there is none of that name."""
        for column in self.columns:
            if column.key == key:
                return column
        known = ", ".join(column.key for column in self.columns)
        raise Refused(f"{self.title} have no column {key}; there are {known}.", field="sort")


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What of a list is wanted: a filter line, and the column to sort by (the list's own when empty)."""

    filter: str = ""
    sort: str = ""
    descending: bool | None = None


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row: its id, its values by column key, and the sort value that pages go on from."""

    id: UUID
    values: Mapping[str, Any]
    sort_value: Any


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row whose place in the list is known, from which a page can be reached by key."""

    index: int
    sort_value: Any
    id: UUID


@dataclass(frozen=True)
class ListReader:
    """Reads one listing under one request; `zone` is what days in the filter mean (None: the system's)."""

    listing: Listing
    request: ListRequest
    now: datetime
    zone: tzinfo | None = None

    @property
    def _sort(self) -> Column:
        column = self.listing.column(self.request.sort or self.listing.sort)
        if not column.sortable:
            raise Refused(f"{self.listing.title} cannot be sorted by {column.title}.", field="sort")
        return column

    @property
    def _descending(self) -> bool:
        if self.request.descending is None:
            return self.listing.descending if not self.request.sort else False
        return self.request.descending

    def _where(self) -> ColumnElement[bool]:
        listing = self.listing
        fields = [column.key for column in listing.columns if column.expression is not None]
        parsed = parse_filter(self.request.filter, fields)
        clauses = [listing.alive, *(self._condition(condition) for condition in parsed.conditions)]
        for word in parsed.words:
            clauses.append(listing.text(word) if listing.text else self._like(word))
        return and_(*clauses)

    def _like(self, word: str) -> ColumnElement[bool]:
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        texts = [c.expression for c in self.listing.columns if c.kind == "text" and c.expression is not None]
        return or_(*(expression.ilike(pattern, escape="\\") for expression in texts))

    def _condition(self, condition: Condition) -> ColumnElement[bool]:
        column = self.listing.column(condition.field)
        choices = {choice.value: choice for choice in column.choices} if column.choices else {}
        value = parse_value(condition, column.kind, choices, self.now, self.zone)
        expression = column.expression
        if expression is None:
            raise Refused(f"{column.title} is computed and cannot be filtered.", field="filter")
        if column.kind == "text" and condition.comparison in ("=", "!="):
            matches = func.lower(expression) == str(value).lower()
            return matches if condition.comparison == "=" else ~matches
        compare: dict[str, Callable[[], ColumnElement[bool]]] = {
            "=": lambda: expression == value,
            "!=": lambda: expression != value,
            "<": lambda: expression < value,
            "<=": lambda: expression <= value,
            ">": lambda: expression > value,
            ">=": lambda: expression >= value,
        }
        return compare[condition.comparison]()

    def count(self, session: Session) -> int:
        """How many rows the request finds."""
        counting = select(func.count()).select_from(self.listing.source).where(self._where())
        return int(session.execute(counting).scalar_one())

    def window(
        self,
        session: Session,
        first: int,
        length: int,
        total: int | None = None,
        anchors: Sequence[Anchor] = (),
    ) -> list[ListRow]:
        """Rows `first` … `first + length - 1`, by key from the nearest known place (an anchor, start or end)."""
        if length <= 0 or (total is not None and first >= total):
            return []
        if total is not None:
            length = min(length, total - first)
        start, skip, backwards = self._nearest(first, length, total, anchors)
        statement = self._ordered(backwards)
        if start is not None:
            statement = statement.where(self._beyond(start, backwards))
        rows = session.execute(statement.offset(skip).limit(length)).all()
        return self._rows(session, list(reversed(rows)) if backwards else rows)

    def _nearest(
        self, first: int, length: int, total: int | None, anchors: Sequence[Anchor]
    ) -> tuple[Anchor | None, int, bool]:
        """Where to start from, how many rows to skip from there, and whether to go backwards."""
        ways: list[tuple[int, Anchor | None, bool]] = [(first, None, False)]
        if total is not None:
            ways.append((total - first - length, None, True))
        if self._sort.keyed:
            for anchor in anchors:
                if anchor.index < first:
                    ways.append((first - anchor.index - 1, anchor, False))
                elif anchor.index >= first + length:
                    ways.append((anchor.index - first - length, anchor, True))
        skip, start, backwards = min(ways, key=lambda way: way[0])
        return start, max(skip, 0), backwards

    def _ordered(self, backwards: bool) -> Select[Any]:
        listing, sort = self.listing, self._sort
        shown = [
            column.expression.label(f"c_{column.key}")
            for column in listing.columns
            if column.expression is not None
        ]
        key = sort.expression
        assert key is not None
        statement = select(listing.id.label("row_id"), key.label("sort_value"), *shown).select_from(
            listing.source
        )
        downwards = self._descending != backwards
        order = (key.desc(), listing.id.desc()) if downwards else (key.asc(), listing.id.asc())
        return statement.where(self._where()).order_by(*order)

    def _beyond(self, anchor: Anchor, backwards: bool) -> ColumnElement[bool]:
        key = self._sort.expression
        assert key is not None
        place = tuple_(key, self.listing.id)
        known = tuple_(anchor.sort_value, anchor.id, types=[key.type, self.listing.id.type])
        return place < known if self._descending != backwards else place > known

    def _rows(self, session: Session, found: Sequence[Any]) -> list[ListRow]:
        keys = [column.key for column in self.listing.columns if column.expression is not None]
        values = [dict(zip(keys, row[2:], strict=True)) | {"id": row.row_id} for row in found]
        self.listing.derive(session, values, self.now)
        return [ListRow(row.row_id, value, row.sort_value) for row, value in zip(found, values, strict=True)]
