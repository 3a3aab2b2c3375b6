"""Where everything on a board is: pure arithmetic over columns, cards and scroll positions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from ui.widgets.board_items import BoardCard, BoardColumn

GAP = 8


@dataclass(frozen=True)
class BoardMetrics:
    """Sizes in px, derived from the fonts of the density."""

    column_width: int
    header_height: int
    card_height: int
    line_extra: int
    narrow: bool = False
    """In narrow columns the owner has a line of its own."""

    def height_of(self, card: BoardCard) -> int:
        lines = bool(card.blocked_reason) + (self.narrow and bool(card.owner))
        return self.card_height + lines * self.line_extra


class ColumnLayout:
    """Cumulative tops of the cards of one column, so that the visible ones are found by bisection."""

    def __init__(self, column: BoardColumn, metrics: BoardMetrics) -> None:
        self.column = column
        self.tops: list[int] = []
        at = GAP
        for card in column.cards:
            self.tops.append(at)
            at += metrics.height_of(card) + GAP
        self.height = at

    def index_at(self, y: float) -> int | None:
        """Card at `y` px below the column's unscrolled start, or None in a gap or below the last."""
        index = bisect_right(self.tops, y) - 1
        if index < 0:
            return None
        bottom = self.tops[index + 1] if index + 1 < len(self.tops) else self.height
        return index if y < bottom - GAP else None

    def between(self, top: float, bottom: float) -> range:
        """Cards that touch the stretch from `top` to `bottom`."""
        return range(max(0, bisect_right(self.tops, top) - 1), bisect_right(self.tops, bottom))


class BoardLayout:
    """Geometry of the whole board in viewport coordinates."""

    def __init__(self, columns: Sequence[BoardColumn], metrics: BoardMetrics) -> None:
        self.metrics = metrics
        self.columns = [ColumnLayout(column, metrics) for column in columns]
        self.where = {
            card.key: (c, i) for c, column in enumerate(columns) for i, card in enumerate(column.cards)
        }
        self.keys = {column.key: c for c, column in enumerate(columns)}
        self.scrolled: dict[str, int] = {}
        self.left = 0
        self.height = 0

    @property
    def content_width(self) -> int:
        return GAP + len(self.columns) * (self.metrics.column_width + GAP)

    @property
    def body_top(self) -> int:
        return GAP + self.metrics.header_height

    @property
    def body_height(self) -> int:
        return max(0, self.height - self.body_top - GAP)

    def column_rect(self, c: int) -> QRectF:
        """Whole column with its header."""
        x = GAP + c * (self.metrics.column_width + GAP) - self.left
        return QRectF(x, GAP, self.metrics.column_width, max(0, self.height - 2 * GAP))

    def body_rect(self, c: int) -> QRectF:
        """Part of the column in which cards scroll."""
        return self.column_rect(c).adjusted(0, self.metrics.header_height, 0, 0)

    def card(self, c: int, i: int) -> BoardCard:
        return self.columns[c].column.cards[i]

    def card_rect(self, c: int, i: int) -> QRectF:
        column = self.columns[c]
        body = self.body_rect(c)
        top = body.top() + column.tops[i] - self.offset(c)
        height = self.metrics.height_of(column.column.cards[i])
        return QRectF(body.left() + GAP, top, body.width() - 2 * GAP, height)

    def offset(self, c: int) -> int:
        return self.scrolled.get(self.columns[c].column.key, 0)

    def max_offset(self, c: int) -> int:
        return max(0, self.columns[c].height - self.body_height)

    def scroll(self, c: int, offset: int) -> bool:
        """Scroll a column to `offset`, kept inside its content; True when it moved."""
        wanted = min(max(0, offset), self.max_offset(c))
        moved = wanted != self.offset(c)
        self.scrolled[self.columns[c].column.key] = wanted
        return moved

    def reveal(self, c: int, i: int) -> None:
        """Scroll column `c` just far enough that card `i` is wholly seen."""
        top = self.columns[c].tops[i]
        bottom = top + self.metrics.height_of(self.card(c, i))
        offset = self.offset(c)
        if top - GAP < offset:
            self.scroll(c, top - GAP)
        elif bottom + GAP > offset + self.body_height:
            self.scroll(c, bottom + GAP - self.body_height)

    def column_at(self, x: float) -> int | None:
        pitch = self.metrics.column_width + GAP
        c = int((x + self.left - GAP) // pitch)
        inside = 0 <= c < len(self.columns) and (x + self.left - GAP) % pitch < self.metrics.column_width
        return c if inside else None

    def card_at(self, at: QPointF) -> tuple[int, int] | None:
        c = self.column_at(at.x())
        if c is None or not self.body_rect(c).contains(at):
            return None
        i = self.columns[c].index_at(at.y() - self.body_rect(c).top() + self.offset(c))
        return None if i is None else (c, i)

    def visible(self, c: int) -> Iterator[tuple[BoardCard, QRectF]]:
        """Cards of a column that can be seen, with their places."""
        for i in self.columns[c].between(self.offset(c), self.offset(c) + self.body_height):
            yield self.card(c, i), self.card_rect(c, i)
