"""Paints the cells of a list: text, number, glyph, error, unsent mark, row tint; keeps what repeats."""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
)

from ui.theme import Tokens, current_theme
from ui.widgets.glyphs import paint_priority, paint_state
from ui.widgets.roles import ErrorRole, GlyphRole, MutedRole, TintRole, UnsentRole

Index = QModelIndex | QPersistentModelIndex
_PAD = 8
_GLYPH = 20
_TRACK = 48
_ARROW = 18
_KEPT = 8_000
UNSENT = "⇅"
MARK_ROOM = 16
_DISPLAY = Qt.ItemDataRole.DisplayRole
_NUMBER = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_TEXT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


def _glyph_room(kind: str) -> int:
    return (_TRACK if kind == "progress" else _GLYPH) + 6


class RowDelegate(QStyledItemDelegate):
    """Delegate of ListView. Whole-row answers (muted, unsent, tint) are asked once per row and frame."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._elided: dict[tuple[str, int, bool], str] = {}
        self._rows: dict[int, tuple[bool, str, int | None]] = {}
        self._right: dict[int, bool] = {}
        self.restyle()

    def restyle(self) -> None:
        """Forget everything that depends on fonts and colours."""
        theme = current_theme()
        self._tokens = theme.tokens
        self._height = theme.density.row_height
        self._font = theme.font("body")
        self._italic = QFont(self._font)
        self._italic.setItalic(True)
        self._metrics = QFontMetrics(self._font)
        self._elided.clear()
        self.begin_frame()

    def begin_frame(self, mark_column: int = 0, ringed_row: int = -1) -> None:
        """Called before the view paints: answers of the model count for one frame only.

        `mark_column` is where the unsent mark of a row goes; `ringed_row` has the focus as a whole.
        """
        self._mark_column = mark_column
        self._ringed_row = ringed_row
        self._rows.clear()
        self._right.clear()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        text = index.data(_DISPLAY)
        width = self._metrics.horizontalAdvance(str(text)) if text is not None else 0
        return QSize(width + 2 * _PAD + (_GLYPH if index.data(GlyphRole) else 0), self._height)

    def needed(self, model: QAbstractItemModel, column: int, rows: int, *, marked: bool = False) -> int:
        """Width in px that the title and the first `rows` cells of a column need; `marked`: and signs of sharing."""
        across = Qt.Orientation.Horizontal
        title = str(model.headerData(column, across, _DISPLAY) or "")
        widest = QFontMetrics(current_theme().font("meta")).horizontalAdvance(title) + _ARROW
        for row in range(rows):
            index = model.index(row, column)
            text, glyph = index.data(_DISPLAY), index.data(GlyphRole)
            width = self._metrics.horizontalAdvance(str(text)) if text is not None else 0
            widest = max(widest, width + (_glyph_room(glyph[0]) if glyph else 0))
        return widest + 2 * _PAD + 2 + (MARK_ROOM if marked else 0)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        try:
            self._paint(painter, option, index)
        finally:
            painter.restore()

    def _paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        muted, mark, tint = self._row(index)
        t = self._tokens
        if selected:
            painter.fillRect(rect, t.selection)
        elif tint is not None:
            painter.fillRect(rect, t.row_tint(tint))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, t.divider)
        error = index.data(ErrorRole)
        box = QRect(rect.left() + _PAD, rect.top(), rect.width() - 2 * _PAD, rect.height() - 1)
        box = self._paint_glyph(painter, box, index.data(GlyphRole), t)
        if mark and index.column() == self._mark_column:
            ink = t.text2 if mark == UNSENT else t.accent
            painter.setFont(self._font)
            self._draw(painter, QRect(box.right() - 12, box.top(), 16, box.height()), mark, ink, False)
            box.setRight(box.right() - MARK_ROOM)
        text = index.data(_DISPLAY)
        if text is not None and box.width() > 4:
            painter.setFont(self._italic if muted else self._font)
            ink = t.text2 if muted else t.text
            self._draw(painter, box, str(text), ink, self._is_right(index))
        if error:
            painter.setPen(QPen(t.alarm(1).fill, 2))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        elif index.row() == self._ringed_row:
            self._paint_ring(painter, rect, index.column(), t)
        elif state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(t.focus, 2))
            painter.drawRect(rect.adjusted(1, 1, -1, -2))

    def _paint_ring(self, painter: QPainter, rect: QRect, column: int, t: Tokens) -> None:
        """This cell's part of a ring around the whole row."""
        header = cast(QTableView, self.parent()).horizontalHeader()
        visual = header.visualIndex(column)
        for top in (rect.top(), rect.bottom() - 2):
            painter.fillRect(rect.left(), top, rect.width(), 2, t.focus)
        if visual == 0:
            painter.fillRect(rect.left(), rect.top(), 2, rect.height() - 1, t.focus)
        if visual == header.count() - 1:
            painter.fillRect(rect.right() - 1, rect.top(), 2, rect.height() - 1, t.focus)

    def _row(self, index: Index) -> tuple[bool, str, int | None]:
        row = index.row()
        known = self._rows.get(row)
        if known is None:
            first = index.sibling(row, 0)
            mark = first.data(UnsentRole)
            sign = mark if isinstance(mark, str) else UNSENT if mark else ""
            known = (bool(first.data(MutedRole)), sign, first.data(TintRole))
            self._rows[row] = known
        return known

    def _is_right(self, index: Index) -> bool:
        column = index.column()
        known = self._right.get(column)
        if known is None:
            wish = index.model().headerData(
                column, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole
            )
            known = wish is not None and bool(int(wish) & int(Qt.AlignmentFlag.AlignRight))
            self._right[column] = known
        return known

    def _draw(self, painter: QPainter, box: QRect, text: str, ink: QColor, right: bool) -> None:
        key = (text, box.width(), right)
        shown = self._elided.get(key)
        if shown is None:
            if len(self._elided) > _KEPT:
                self._elided.clear()
            line = text.replace("\n", " ")
            shown = self._metrics.elidedText(line, Qt.TextElideMode.ElideRight, box.width())
            self._elided[key] = shown
        painter.setPen(ink)
        painter.drawText(box, _NUMBER if right else _TEXT, shown)

    def _paint_glyph(self, painter: QPainter, box: QRect, glyph: Any, t: Tokens) -> QRect:
        """Paint what GlyphRole asked for at the left; returns what is left of the box for the text."""
        if glyph is None:
            return box
        kind, value = glyph
        place = QRectF(box.left(), box.top() + (box.height() - _GLYPH) / 2, _GLYPH, _GLYPH)
        if kind == "priority":
            paint_priority(painter, place, value[0], value[1], tokens=t)
        elif kind == "state":
            paint_state(painter, place, value, tokens=t)
        elif kind == "progress":
            return self._paint_progress(painter, box, value, t)
        else:
            raise ValueError(f"no glyph of the kind {kind!r}")
        return box.adjusted(_GLYPH + 6, 0, 0, 0)

    def _paint_progress(self, painter: QPainter, box: QRect, value: tuple[float, float], t: Tokens) -> QRect:
        done, total = value
        width = min(_TRACK, box.width() // 2)
        track = QRect(box.right() - width, box.center().y() - 4, width, 8)
        painter.fillRect(track, t.band)
        share = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
        painter.fillRect(QRect(track.left(), track.top(), round(width * share), 8), t.text2)
        painter.setPen(QPen(t.border, 1))
        painter.drawRect(track.adjusted(0, 0, -1, -1))
        return box.adjusted(0, 0, -width - 6, 0)

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """Error sentence, the model's own tooltip, or the full text of a cell that is cut off."""
        if event.type() != QEvent.Type.ToolTip or not index.isValid():
            return super().helpEvent(event, view, option, index)
        words = index.data(ErrorRole) or index.data(Qt.ItemDataRole.ToolTipRole)
        if not words:
            text = str(index.data(_DISPLAY) or "")
            room = option.rect.width() - 2 * _PAD
            words = text if self._metrics.horizontalAdvance(text) > room else ""
        QToolTip.showText(event.globalPos(), words, view)
        return True

    def setModelData(self, editor: Any, model: QAbstractItemModel, index: Index) -> None:
        super().setModelData(editor, model, index)
        self.begin_frame()
