"""The list engine: orders and filters in SQL, counts, and pages by key, so that a million rows open at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, not_, or_, select, true, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from app.domain.errors import Refused
from app.domain.filters import Condition, Filter, ValueKind, parse_filter, parse_value

MANY = 20_000
"""From here on a page is found faster along the sorted column's index than by collecting and sorting all matches."""


@dataclass(frozen=True)
class Column:
    """One column of a list. `keyed` columns are never null and can be paged by key; derived ones have no expression.

    `filtered_by` is what a filter compares when that is not the expression: a derived column, or a rule of its own.
    """

    key: str
    title: str
    kind: ValueKind
    expression: ColumnElement[Any] | None = None
    choices: type[StrEnum] | None = None
    keyed: bool = False
    shown: bool = True
    filtered_by: ColumnElement[Any] | None = None

    @property
    def compared(self) -> ColumnElement[Any] | None:
        """What a filter compares, None for a column that cannot be filtered."""
        return self.filtered_by if self.filtered_by is not None else self.expression

    @property
    def sortable(self) -> bool:
        return self.expression is not None


def contains(expression: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """Whether a text has `word` in it, whatever the case of its letters."""
    pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return expression.ilike(pattern, escape="\\")


def _untouched(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value, but SQLite looks for no index for it (sqlite.org/optoverview.html, section 2)."""
    return UnaryExpression(expression, operator=custom_op("+"), type_=expression.type)


Derive = Callable[[Session, Sequence[dict[str, Any]], datetime], None]


def _derive_nothing(_session: Session, _rows: Sequence[dict[str, Any]], _now: datetime) -> None:
    return None


@dataclass(frozen=True)
class TextIndex:
    """How the free text of a list is searched: `found` through an index, `scanned` row by row with the same meaning.

    `probe` selects the matches of a word in the index alone, to see cheaply whether there are many.
    """

    found: Callable[[str], ColumnElement[bool]]
    scanned: Callable[[str], ColumnElement[bool]]
    probe: Callable[[str], Select[Any] | None]

    def __call__(self, word: str) -> ColumnElement[bool]:
        return self.found(word)


@dataclass(frozen=True)
class Listing:
    """A list that screens, exports and the command line share; `derive` adds computed values to the rows of a page.

    `aliases` are other names that a filter may use for a column (`due` for `planned_end`).
    """

    entity: str
    title: str
    source: FromClause
    id: ColumnElement[Any]
    columns: tuple[Column, ...]
    sort: str
    descending: bool = False
    alive: ColumnElement[bool] = field(default_factory=true)
    text: TextIndex | None = None
    derive: Derive = _derive_nothing
    aliases: Mapping[str, str] = field(default_factory=dict)

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
    _probed: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

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

    def where(self, *, along: bool = False, scanned: frozenset[str] = frozenset()) -> ColumnElement[bool]:
        """What the filter line means. `along` keeps the conditions away from indexes, so that the order's own is used;
        `scanned` are words that are compared row by row instead of through the text index."""
        listing = self.listing
        parsed = self._parsed()
        clauses = [listing.alive, *(self._condition(condition, along) for condition in parsed.conditions)]
        for word in parsed.words:
            if listing.text is None:
                clauses.append(self._like(word))
            else:
                clauses.append(listing.text.scanned(word) if word in scanned else listing.text.found(word))
        return and_(*clauses)

    def _parsed(self) -> Filter:
        filterable = [column.key for column in self.listing.columns if column.compared is not None]
        return parse_filter(self.request.filter, [*filterable, *self.listing.aliases])

    def _like(self, word: str) -> ColumnElement[bool]:
        texts = [c.expression for c in self.listing.columns if c.kind == "text" and c.expression is not None]
        return or_(*(contains(expression, word) for expression in texts))

    def _condition(self, condition: Condition, along: bool) -> ColumnElement[bool]:
        column = self.listing.column(self.listing.aliases.get(condition.field, condition.field))
        choices = {choice.value: choice for choice in column.choices} if column.choices else {}
        value = parse_value(condition, column.kind, choices, self.now, self.zone)
        expression = column.compared
        if expression is None:
            raise Refused(f"{column.title} is computed and cannot be filtered.", field="filter")
        if column.kind == "flag":
            wanted = value == (condition.comparison == "=")
            return expression if wanted else not_(expression)
        if column.kind == "text" and condition.comparison in ("=", "!="):
            matches = func.lower(expression) == str(value).lower()
            return matches if condition.comparison == "=" else ~matches
        if along:
            expression = _untouched(expression)
        compare: dict[str, Callable[[], ColumnElement[bool]]] = {
            "=": lambda: expression == value,
            "!=": lambda: expression != value,
            "<": lambda: expression < value,
            "<=": lambda: expression <= value,
            ">": lambda: expression > value,
            ">=": lambda: expression >= value,
        }
        return compare[condition.comparison]()

    def _common_words(self, session: Session) -> frozenset[str]:
        """The words that so many rows contain that reading along the order finds a page sooner than the index."""
        text = self.listing.text
        if text is None:
            return frozenset()
        for word in self._parsed().words:
            probe = text.probe(word) if word not in self._probed else None
            if probe is not None:
                limited = select(func.count()).select_from(probe.limit(MANY + 1).subquery())
                self._probed[word] = session.execute(limited).scalar_one() > MANY
        return frozenset(word for word, common in self._probed.items() if common)

    def count(self, session: Session, *, at_most: int | None = None) -> int:
        """How many rows the request finds; counting stops after `at_most`, which is fast however many there are."""
        if at_most is None:
            words = self._parsed().words
            where = self.where(scanned=self._common_words(session) if len(words) > 1 else frozenset())
            counting = select(func.count()).select_from(self.listing.source).where(where)
            return int(session.execute(counting).scalar_one())
        where = self.where(scanned=self._common_words(session))
        some = select(self.listing.id).select_from(self.listing.source).where(where).limit(at_most)
        return int(session.execute(select(func.count()).select_from(some.subquery())).scalar_one())

    def window(
        self,
        session: Session,
        first: int,
        length: int,
        total: int | None = None,
        anchors: Sequence[Anchor] = (),
        *,
        many: bool | None = None,
    ) -> list[ListRow]:
        """Rows `first` … `first + length - 1`, by key from the nearest known place (an anchor, start or end)."""
        if length <= 0 or (total is not None and first >= total):
            return []
        if total is not None:
            length = min(length, total - first)
        start, skip, backwards = self._nearest(first, length, total, anchors)
        if many is None:
            many = total is not None and total > MANY
        words = self._common_words(session)
        few = not many and bool(self.request.filter.strip())
        where = self.where(along=many and self._sort.keyed, scanned=words)
        statement = self._ordered(backwards, where, collect=few)
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

    def _ordered(self, backwards: bool, where: ColumnElement[bool], *, collect: bool) -> Select[Any]:
        """The rows in order. `collect` keeps the order's index out of it: few matches are found first, then sorted."""
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
        sorted_by = _untouched(key) if collect else key
        order = (sorted_by.desc(), listing.id.desc()) if downwards else (sorted_by.asc(), listing.id.asc())
        return statement.where(where).order_by(*order)

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
