"""How columns and cards of a board look."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from ui.theme import Theme, mix
from ui.widgets.board_items import BoardCard, BoardColumn
from ui.widgets.board_layout import GAP, BoardMetrics
from ui.widgets.glyphs import paint_priority
from ui.widgets.themed import CENTRE, LEFT, RIGHT, draw_focus_ring, draw_text

_PAD = 8


_WIDTHS = (172, 236, 330)  # px at 100 %: least, least for all on four lines, most


def board_metrics(theme: Theme, room: int = 0, columns: int = 0) -> BoardMetrics:
    """Card and column sizes for the theme's fonts and density; the columns share `room` px where they can."""
    line = QFontMetrics(theme.font("body")).height()
    small = QFontMetrics(theme.font("meta")).height()
    scale = theme.density.type_scale
    least, roomy, most = (round(width * scale) for width in _WIDTHS)
    share = (room - GAP) // columns - GAP if columns else 0
    width = max(least, min(share, most)) if columns else roomy
    return BoardMetrics(
        column_width=width,
        header_height=max(32, theme.density.row_height),
        card_height=2 * _PAD + 2 * line + 2 * small + 3 * 4,
        line_extra=small + 4,
        narrow=width < roomy,
    )


class BoardPainter:
    """Paints parts of a board with one theme; cheap to make for each frame."""

    def __init__(self, painter: QPainter, theme: Theme, *, narrow: bool = False) -> None:
        self._p = painter
        self._narrow = narrow
        self._theme = theme
        self._t = theme.tokens
        self._line = QFontMetrics(theme.font("body")).height()
        self._small = QFontMetrics(theme.font("meta")).height()

    def column(self, column: BoardColumn, rect: QRectF, header_height: int, refused: bool | None) -> None:
        """Background, header and count; `refused` is None unless a card is held over the column."""
        p, t = self._p, self._t
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(t.divider, 1)
        if refused is not None:
            edge = QPen(t.text2 if refused else t.focus, 2, Qt.PenStyle.DashLine)
        elif column.over_limit:
            edge = QPen(t.text2, 2)
        p.setPen(edge)
        p.setBrush(mix(t.panel, t.selection, 0.5) if refused is False else t.panel)
        p.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
        head = QRectF(rect.left() + 12, rect.top() + 2, rect.width() - 24, header_height)
        count = column.count_text()
        font = self._theme.font("strong" if column.over_limit else "body")
        width = QFontMetrics(font).horizontalAdvance(count) + 4
        draw_text(p, head, count, font, t.text if column.over_limit else t.text2, RIGHT)
        title = head.adjusted(0, 0, -width - 8, 0)
        draw_text(p, title, column.title, self._theme.font("strong"), t.text, LEFT)

    def drop_hint(self, body: QRectF) -> None:
        box = QRectF(body.left() + _PAD, body.top() + _PAD, body.width() - 2 * _PAD, 48)
        self._p.setPen(QPen(self._t.border, 1, Qt.PenStyle.DashLine))
        self._p.setBrush(Qt.BrushStyle.NoBrush)
        self._p.drawRoundedRect(box, 4, 4)
        draw_text(self._p, box, "Drop cards here", self._theme.font("meta"), self._t.text2, CENTRE)

    def scroll_thumb(self, body: QRectF, offset: int, content: int) -> None:
        share = body.height() / content
        height = max(24.0, body.height() * share)
        top = body.top() + (body.height() - height) * offset / max(1.0, content - body.height())
        self._p.setPen(Qt.PenStyle.NoPen)
        self._p.setBrush(self._t.border)
        self._p.drawRoundedRect(QRectF(body.right() - 5, top, 4, height), 2, 2)

    def card(self, card: BoardCard, rect: QRectF, *, current: bool, focused: bool, held: bool) -> None:
        """One card; `held` is the place that a dragged card came from."""
        p, t = self._p, self._t
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = t.selection if current else (t.row_tint(card.priority) if card.priority else t.base)
        edge = QPen(t.border if not held else t.divider, 1)
        if held:
            edge.setStyle(Qt.PenStyle.DashLine)
        p.setPen(edge)
        p.setBrush(t.panel if held or (card.disabled_reason and not current) else fill)
        p.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if focused and not held:
            draw_focus_ring(p, rect, t)
        if not held:
            self._content(card, rect.adjusted(_PAD + 2, _PAD, -_PAD, -_PAD))

    def _content(self, card: BoardCard, box: QRectF) -> None:
        theme, t = self._theme, self._t
        body, meta = theme.font("body"), theme.font("meta")
        top = box.top()
        self._title_line(card, QRectF(box.left(), top, box.width(), self._line))
        top += self._line + 4
        draw_text(
            self._p, QRectF(box.left(), top, box.width(), self._line), card.subtitle, body, t.text2, LEFT
        )
        top += self._line + 4
        self._progress_line(card, QRectF(box.left(), top, box.width(), self._small))
        top += self._small + 4
        self._due_line(card, QRectF(box.left(), top, box.width(), self._small))
        if self._narrow and card.owner:
            top += self._small + 4
            draw_text(
                self._p, QRectF(box.left(), top, box.width(), self._small), card.owner, meta, t.text2, LEFT
            )
        if card.blocked_reason:
            line = QRectF(box.left(), top + self._small + 4, box.width(), self._small)
            draw_text(self._p, line, f"⊘ {card.blocked_reason}", meta, t.text, LEFT)

    def _title_line(self, card: BoardCard, box: QRectF) -> None:
        if card.priority:
            place = QRectF(box.right() - 20, box.center().y() - 10, 20, 20)
            paint_priority(self._p, place, card.priority, False, tokens=self._t)
            box = box.adjusted(0, 0, -26, 0)
        meta = self._theme.font("meta")
        name = QFontMetrics(self._theme.font("strong")).horizontalAdvance(card.title) + 4
        for badge in reversed(card.badges):
            width = QFontMetrics(meta).horizontalAdvance(badge) + 12
            if width + 4 > box.width() - name:
                break  # a badge is told by the tooltip too; an order without its number is nothing
            chip = QRectF(box.right() - width, box.top(), width, box.height())
            self._p.setPen(QPen(self._t.divider, 1))
            self._p.setBrush(self._t.band)
            self._p.drawRoundedRect(chip, 4, 4)
            draw_text(self._p, chip, badge, meta, self._t.text2, CENTRE)
            box = box.adjusted(0, 0, -width - 4, 0)
        ink = self._t.text2 if card.disabled_reason else self._t.text
        draw_text(self._p, box, card.title, self._theme.font("strong"), ink, LEFT)

    def _progress_line(self, card: BoardCard, box: QRectF) -> None:
        t, meta = self._t, self._theme.font("meta")
        if card.progress is not None:
            done, total = card.progress
            track = QRectF(box.left(), box.center().y() - 4, 40 if self._narrow else 64, 8)
            self._p.setPen(QPen(t.border, 1))
            self._p.setBrush(t.band)
            self._p.drawRect(track.adjusted(0.5, 0.5, -0.5, -0.5))
            share = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
            self._p.fillRect(track.adjusted(1, 1, -1 - (track.width() - 2) * (1 - share), -1), t.text2)
            numbers = box.adjusted(track.width() + 8, 0, 0, 0)
            draw_text(self._p, numbers, f"{done:g}/{total:g}", meta, t.text, LEFT)
        draw_text(self._p, box, card.time_in_stage, meta, t.text2, RIGHT)

    def _due_line(self, card: BoardCard, box: QRectF) -> None:
        t, meta = self._t, self._theme.font("meta")
        room = box
        if not self._narrow:
            owner = QFontMetrics(meta).horizontalAdvance(card.owner)
            draw_text(self._p, box, card.owner, meta, t.text2, RIGHT)
            room = box.adjusted(0, 0, -min(owner + 8, box.width() * 0.4), 0)
        used = draw_text(self._p, room, card.due_text, meta, t.text if card.late else t.text2, LEFT)
        if card.slip_text:
            slip = self._theme.font("meta")
            if card.late:
                slip = type(slip)(slip)
                slip.setBold(True)
            words = f"⚠ {card.slip_text}" if card.late else card.slip_text
            rest = room.adjusted(used + 8, 0, 0, 0)
            side = RIGHT if self._narrow else LEFT
            draw_text(self._p, rest, words, slip, t.text if card.late else t.text2, side)

    def dragged(self, card: BoardCard, rect: QRectF, reason: str | None, bounds: QRectF) -> None:
        """The card under the pointer, and why it may not be dropped here."""
        self.card(card, rect, current=True, focused=reason is None, held=False)
        if reason is not None:
            self._refusal(rect, reason, bounds)

    def _refusal(self, rect: QRectF, reason: str, bounds: QRectF) -> None:
        t, font = self._t, self._theme.font("strong")
        words = f"✖ {reason}"
        width = min(bounds.width() - 16.0, QFontMetrics(font).horizontalAdvance(words) + 30.0)
        tag = QRectF(rect.left(), rect.bottom() + 4, width, self._line + 12)
        tag.moveLeft(min(max(8.0, tag.left()), bounds.width() - width - 8))
        if tag.bottom() > bounds.bottom():
            tag.moveBottom(rect.top() - 4)
        self._p.setPen(QPen(t.text, 1.5))
        self._p.setBrush(t.base)
        self._p.drawRoundedRect(tag, 4, 4)
        draw_text(self._p, tag.adjusted(12, 0, -12, 0), words, font, t.text, LEFT)


def drag_rect(pointer: QPointF, grip: QPointF, size: QRectF) -> QRectF:
    """Place of a dragged card whose point `grip` (from its corner) is held by the pointer."""
    return QRectF(pointer.x() - grip.x(), pointer.y() - grip.y(), size.width(), size.height())
