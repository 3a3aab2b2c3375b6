"""A board of columns with cards that can be moved by mouse, by key and by menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QToolTip, QWidget

from ui.theme import current_theme
from ui.widgets.board_items import BoardCard, BoardColumn
from ui.widgets.board_layout import GAP, BoardLayout, BoardMetrics
from ui.widgets.board_paint import BoardPainter, board_metrics, drag_rect

__all__ = ["BoardCard", "BoardColumn", "BoardView"]

CanDrop = Callable[[str, str], str | None]
_EDGE = 36


def _anything_goes(_card: str, _column: str) -> str | None:
    return None


@dataclass
class _Drag:
    """A card that the mouse has pressed on and perhaps lifted."""

    card: str
    pressed: QPointF
    grip: QPointF
    pointer: QPointF
    lifted: bool = False
    answers: dict[str, str | None] = field(default_factory=dict)


class BoardView(QAbstractScrollArea):
    """Custom-painted board; only visible cards cost anything. One card is current, kept by key."""

    card_dropped = Signal(str, str)
    move_requested = Signal(str)
    card_activated = Signal(str)
    card_peeked = Signal(str)
    current_changed = Signal(str)
    context_requested = Signal(str, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Board")
        self._layout = BoardLayout([], board_metrics(current_theme()))
        self._current = ""
        self._drag: _Drag | None = None
        self._can_drop: CanDrop = _anything_goes
        self._edge_timer = QTimer(self, interval=30)
        self._edge_timer.timeout.connect(self._scroll_at_edge)
        self.horizontalScrollBar().valueChanged.connect(self._scrolled_sideways)
        current_theme().changed.connect(self._restyle)

    # -- content -------------------------------------------------------------------------------------

    def set_columns(self, columns: list[BoardColumn]) -> None:
        """Show these columns; current card and scroll positions stay where their keys still exist."""
        place = self._layout.where.get(self._current)
        scrolled = self._layout.scrolled
        self._layout = BoardLayout(columns, self._metrics(len(columns)))
        self._layout.scrolled = {key: value for key, value in scrolled.items() if key in self._layout.keys}
        if self._drag is not None and self._drag.card not in self._layout.where:
            self._end_drag()
        self._fit()
        if self._current not in self._layout.where:
            self._set_current(self._neighbour(place))
        self.setAccessibleDescription(
            f"{len(columns)} columns, {sum(len(column.cards) for column in columns)} cards"
        )
        self.viewport().update()

    def columns(self) -> list[BoardColumn]:
        return [layout.column for layout in self._layout.columns]

    def set_can_drop(self, can_drop: CanDrop) -> None:
        """`can_drop(card key, column key)` gives the reason why not, or None when the move is allowed."""
        self._can_drop = can_drop

    def current_card(self) -> str:
        """Key of the current card, empty when there is none."""
        return self._current

    def set_current_card(self, key: str) -> None:
        """Make a card current and scroll to it; an unknown key is a KeyError."""
        c, i = self._layout.where[key]
        self._layout.reveal(c, i)
        self._reveal_column(c)
        self._set_current(key)

    def column_of(self, card: str) -> str:
        """Key of the column that a card is in; an unknown key is a KeyError."""
        return self._layout.columns[self._layout.where[card][0]].column.key

    def card_rect(self, key: str) -> QRect:
        """Place of a card in viewport coordinates, for menus beside it."""
        return self._layout.card_rect(*self._layout.where[key]).toRect()

    def column_rect(self, key: str) -> QRect:
        """Place of a column in viewport coordinates."""
        return self._layout.column_rect(self._layout.keys[key]).toRect()

    def sizeHint(self) -> QSize:
        return QSize(max(400, self._layout.content_width), 480)

    # -- current card --------------------------------------------------------------------------------

    def _set_current(self, key: str) -> None:
        if key == self._current:
            return
        self._current = key
        if key and self.hasFocus():
            c, i = self._layout.where[key]
            words = f"{self._layout.card(c, i).described()}, in {self._layout.columns[c].column.title}"
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))
        self.current_changed.emit(key)
        self.viewport().update()

    def _neighbour(self, place: tuple[int, int] | None) -> str:
        """Card nearest to where a vanished one was."""
        if place is None or place[0] >= len(self._layout.columns):
            return ""
        cards = self._layout.columns[place[0]].column.cards
        return cards[min(place[1], len(cards) - 1)].key if cards else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier):
            super().keyPressEvent(event)
            return
        key = event.key()
        sideways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        along = {
            Qt.Key.Key_Up: -1, Qt.Key.Key_K: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_J: 1,
            Qt.Key.Key_PageUp: -5, Qt.Key.Key_PageDown: 5, Qt.Key.Key_Home: -1_000_000, Qt.Key.Key_End: 1_000_000,
        }  # fmt: skip
        acts = {
            Qt.Key.Key_M: self.move_requested,
            Qt.Key.Key_Return: self.card_activated,
            Qt.Key.Key_Enter: self.card_activated,
            Qt.Key.Key_Space: self.card_peeked,
        }
        if key == Qt.Key.Key_Escape and self._drag is not None and self._drag.lifted:
            self._end_drag()
        elif key in sideways:
            self._go_sideways(sideways[Qt.Key(key)])
        elif key in along:
            self._go_along(along[Qt.Key(key)])
        elif key in acts and self._current:
            acts[Qt.Key(key)].emit(self._current)
        else:
            super().keyPressEvent(event)

    def _go_along(self, by: int) -> None:
        place = self._layout.where.get(self._current)
        if place is None:
            self._go_first()
            return
        cards = self._layout.columns[place[0]].column.cards
        self.set_current_card(cards[min(max(place[1] + by, 0), len(cards) - 1)].key)

    def _go_sideways(self, by: int) -> None:
        """To the card at about the same height in the next column that has any."""
        place = self._layout.where.get(self._current)
        if place is None:
            self._go_first()
            return
        height = self._layout.card_rect(*place).center().y()
        c = place[0] + by
        while 0 <= c < len(self._layout.columns):
            layout = self._layout.columns[c]
            if layout.column.cards:
                y = height - self._layout.body_rect(c).top() + self._layout.offset(c)
                near = min(range(len(layout.tops)), key=lambda i: abs(layout.tops[i] + GAP - y))
                self.set_current_card(layout.column.cards[near].key)
                return
            c += by

    def _go_first(self) -> None:
        for column in self.columns():
            if column.cards:
                self.set_current_card(column.cards[0].key)
                return

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self._current and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._go_first()
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    # -- mouse ---------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._layout.card_at(event.position())
        if place is None:
            return
        key = self._layout.card(*place).key
        self._set_current(key)
        if event.button() == Qt.MouseButton.LeftButton:
            grip = event.position() - self._layout.card_rect(*place).topLeft()
            self._drag = _Drag(key, event.position(), grip, event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        drag = self._drag
        if drag is None:
            return
        drag.pointer = event.position()
        distance = (drag.pointer - drag.pressed).manhattanLength()
        if not drag.lifted and distance >= QApplication.startDragDistance():
            drag.lifted = True
            self._edge_timer.start()
        if drag.lifted:
            refused = self._refusal_here() is not None
            shape = Qt.CursorShape.ForbiddenCursor if refused else Qt.CursorShape.ClosedHandCursor
            self.viewport().setCursor(shape)
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag = self._drag
        if drag is None or event.button() != Qt.MouseButton.LeftButton:
            return
        drag.pointer = event.position()
        target = self._target()
        allowed = drag.lifted and self._refusal_here() is None
        self._end_drag()
        if allowed and target is not None:
            self.card_dropped.emit(drag.card, target)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._layout.card_at(event.position()) is not None and self._current:
            self.card_activated.emit(self._current)

    def _end_drag(self) -> None:
        self._drag = None
        self._edge_timer.stop()
        self.viewport().unsetCursor()
        self.viewport().update()

    def _target(self) -> str | None:
        """Column under a lifted card, unless it is the one it came from."""
        if self._drag is None or not self._drag.lifted:
            return None
        c = self._layout.column_at(self._drag.pointer.x())
        if c is None or c == self._layout.where[self._drag.card][0]:
            return None
        return self._layout.columns[c].column.key

    def _refusal_here(self) -> str | None:
        """Why the lifted card may not be dropped here; asked once per column and drag."""
        drag, target = self._drag, self._target()
        if drag is None or target is None:
            return None
        if target not in drag.answers:
            card = self._layout.card(*self._layout.where[drag.card])
            drag.answers[target] = card.disabled_reason or self._can_drop(drag.card, target)
        return drag.answers[target]

    def _scroll_at_edge(self) -> None:
        if self._drag is None:
            return
        at, view = self._drag.pointer, self.viewport().rect()
        bar = self.horizontalScrollBar()
        if at.x() < _EDGE or at.x() > view.width() - _EDGE:
            bar.setValue(bar.value() + (-20 if at.x() < _EDGE else 20))
        c = self._layout.column_at(at.x())
        if c is not None and (at.y() < self._layout.body_top + _EDGE or at.y() > view.height() - _EDGE):
            step = -16 if at.y() < self._layout.body_top + _EDGE else 16
            if self._layout.scroll(c, self._layout.offset(c) + step):
                self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        if abs(delta.x()) > abs(delta.y()) or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - (delta.x() or delta.y()))
        else:
            c = self._layout.column_at(event.position().x())
            if c is not None and self._layout.scroll(c, self._layout.offset(c) - delta.y()):
                self.viewport().update()
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            if self._current:
                at = self.viewport().mapToGlobal(self.card_rect(self._current).bottomLeft())
                self.context_requested.emit(self._current, at)
            return
        place = self._layout.card_at(QPointF(event.pos()))
        if place is not None:
            self.context_requested.emit(self._layout.card(*place).key, event.globalPos())

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            place = self._layout.card_at(QPointF(event.pos()))
            words = self._layout.card(*place).described() if place is not None else ""
            QToolTip.showText(event.globalPos(), words, self.viewport())
            return True
        return super().viewportEvent(event)

    # -- geometry and painting -----------------------------------------------------------------------

    def _metrics(self, columns: int) -> BoardMetrics:
        return board_metrics(current_theme(), self.viewport().width(), columns)

    def _fit(self) -> None:
        self._layout.height = self.viewport().height()
        bar = self.horizontalScrollBar()
        bar.setPageStep(self.viewport().width())
        bar.setSingleStep(self._layout.metrics.column_width // 4)
        bar.setRange(0, max(0, self._layout.content_width - self.viewport().width()))
        self._layout.left = bar.value()
        for c in range(len(self._layout.columns)):
            self._layout.scroll(c, self._layout.offset(c))

    def _reveal_column(self, c: int) -> None:
        rect, bar = self._layout.column_rect(c), self.horizontalScrollBar()
        if rect.left() < 0:
            bar.setValue(round(bar.value() + rect.left() - GAP))
        elif rect.right() > self.viewport().width():
            bar.setValue(round(bar.value() + rect.right() + GAP - self.viewport().width()))

    def _scrolled_sideways(self, value: int) -> None:
        self._layout.left = value
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._metrics(len(self._layout.columns)) != self._layout.metrics:
            self.set_columns(self.columns())
        self._fit()

    def _restyle(self) -> None:
        self.set_columns(self.columns())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        try:
            theme = current_theme()
            painter.fillRect(event.rect(), theme.tokens.canvas)
            parts = BoardPainter(painter, theme, narrow=self._layout.metrics.narrow)
            seen = QRectF(event.rect())
            for c in range(len(self._layout.columns)):
                if self._layout.column_rect(c).intersects(seen):
                    self._paint_column(painter, parts, c)
            drag = self._drag
            if drag is not None and drag.lifted:
                c, i = self._layout.where[drag.card]
                place = drag_rect(drag.pointer, drag.grip, self._layout.card_rect(c, i))
                bounds = QRectF(self.viewport().rect())
                parts.dragged(self._layout.card(c, i), place, self._refusal_here(), bounds)
        finally:
            painter.end()

    def _paint_column(self, painter: QPainter, parts: BoardPainter, c: int) -> None:
        layout = self._layout
        column = layout.columns[c].column
        over = self._refusal_here() is not None if self._target() == column.key else None
        parts.column(column, layout.column_rect(c), layout.metrics.header_height, over)
        body = layout.body_rect(c).adjusted(0, 0, 0, -2)
        painter.save()
        try:
            painter.setClipRect(body)
            if not column.cards:
                parts.drop_hint(body)
            held = self._drag.card if self._drag is not None and self._drag.lifted else ""
            for card, rect in layout.visible(c):
                current = card.key == self._current
                focused = current and self.hasFocus()
                parts.card(card, rect, current=current, focused=focused, held=card.key == held)
            if layout.max_offset(c) > 0:
                parts.scroll_thumb(body, layout.offset(c), layout.columns[c].height)
        finally:
            painter.restore()
