"""A tile with one number that matters: title, value, unit, how it stands, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import Density
from ui.widgets.analog_bar import NO_LIMITS, Limits, paint_analog_bar
from ui.widgets.glyphs import paint_priority, paint_state
from ui.widgets.sparkline import EMPTY, Floats, paint_sparkline
from ui.widgets.themed import LEFT, RIGHT, ThemedWidget, draw_focus_ring, draw_text

_PAD = 12


@dataclass(frozen=True)
class KpiBar:
    """A moving analog bar under the number."""

    value: float | None
    lo: float
    hi: float
    limits: Limits = NO_LIMITS


@dataclass(frozen=True)
class KpiLine:
    """A sparkline under the number: seconds, values with NaN gaps, normal band."""

    t: Floats = field(default_factory=lambda: EMPTY)
    y: Floats = field(default_factory=lambda: EMPTY)
    band: tuple[float, float] | None = None


class KpiTile(ThemedWidget):
    """Clickable tile; Enter and Space click it too."""

    clicked = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._value, self._unit, self._age, self._note = "–", "", "", ""
        self._stale = False
        self._priority: int | None = None
        self._bar: KpiBar | None = None
        self._line: KpiLine | None = None
        self._hover = False
        self._age_room = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._describe()

    def set_value(
        self,
        value: str,
        unit: str = "",
        *,
        age: str = "",
        note: str = "",
        stale: bool = False,
        priority: int | None = None,
    ) -> None:
        """The number as text ("–" for none), its unit and age; `priority` marks it as an exception."""
        told = (value, unit, age, note, stale, priority)
        if told == (self._value, self._unit, self._age, self._note, self._stale, self._priority):
            return
        if bool(note) != bool(self._note):
            self.updateGeometry()
        self._value, self._unit, self._age, self._note = value, unit, age, note
        self._stale, self._priority = stale, priority
        self._describe()
        self.update()

    def set_bar(self, bar: KpiBar | None) -> None:
        self._bar = bar
        self.updateGeometry()
        self.update()

    def set_line(self, line: KpiLine | None) -> None:
        self._line = line
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        extra = (32 if self._bar else 0) + (36 if self._line else 0)
        scale = self.theme.density.type_scale
        foot = 20 if self._note else 0
        return QSize(round(200 * scale), round((74 + foot) * scale) + extra)

    def minimumSizeHint(self) -> QSize:
        return QSize(round(132 * self.theme.density.type_scale), self.sizeHint().height())

    def _describe(self) -> None:
        parts = [self._title, f"{self._value} {self._unit}".strip(), self._note]
        parts += [f"age {self._age}" if self._age else "", "stale" if self._stale else ""]
        self.setAccessibleName(", ".join(part for part in parts if part))
        self.setToolTip(self.accessibleName())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            self._paint_frame(painter)
            top = self._paint_head(painter)
            top = self._paint_number(painter, top)
            self._paint_body(painter, top)
            if self.hasFocus():
                draw_focus_ring(painter, QRectF(self.rect()), self.tokens)
        finally:
            painter.end()

    def _paint_frame(self, painter: QPainter) -> None:
        t = self.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(t.text2 if self._stale else t.divider, 1)
        if self._stale:
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(t.row_tint(self._priority) if self._priority and not self._stale else t.base)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _paint_head(self, painter: QPainter) -> float:
        height = QFontMetrics(self.theme.font("meta")).height() + 4
        box = QRectF(_PAD, 8, self.width() - 2 * _PAD, height)
        mark = QRectF(box.right() - 20, box.center().y() - 11, 22, 22)
        if self._stale:
            paint_state(painter, mark, "stale")
            box.setRight(mark.left() - 4)
        elif self._priority:
            paint_priority(painter, mark, self._priority, False)
            box.setRight(mark.left() - 4)
        draw_text(painter, box, self._title, self.theme.font("meta"), self.tokens.text2, LEFT)
        return box.bottom()

    def _paint_number(self, painter: QPainter, top: float) -> float:
        theme, t = self.theme, self.tokens
        font = theme.font("wall" if theme.density is Density.WALL else "kpi")
        if self._stale:
            font = theme.font("kpi")
            font = type(font)(font)
            font.setItalic(True)
        height = QFontMetrics(font).height()
        box = QRectF(_PAD, top, self.width() - 2 * _PAD, height)
        if QFontMetrics(font).horizontalAdvance(self._value) > box.width():
            font = theme.font("section")  # a cut number would be a wrong number
        used = draw_text(painter, box, self._value, font, t.text2 if self._stale else t.text, LEFT)
        unit = QRectF(box.left() + used + 6, top + height * 0.12, max(0.0, box.width() - used - 6), height)
        used += draw_text(painter, unit, self._unit, theme.font("body"), t.text2, LEFT) + 6
        self._age_room = box.width() - used - 8
        return box.bottom()

    def _paint_body(self, painter: QPainter, top: float) -> None:
        t, meta = self.tokens, self.theme.font("meta")
        line = QFontMetrics(meta).height()
        foot = QRectF(_PAD, self.height() - line - 7, self.width() - 2 * _PAD, line)
        age_width = QFontMetrics(meta).horizontalAdvance(self._age) + 2
        age = foot if self._note else foot.adjusted(foot.width() - self._age_room, 0, 0, 0)
        draw_text(painter, age, self._age, meta, t.text2, RIGHT)
        draw_text(painter, foot.adjusted(0, 0, -age_width - 8, 0), self._note, meta, t.text2, LEFT)
        box = QRectF(_PAD, top + 2, self.width() - 2 * _PAD, 28)
        if self._bar is not None:
            bar = self._bar
            paint_analog_bar(painter, box, bar.value, bar.lo, bar.hi, bar.limits, self._stale)
            box.translate(0, 32)
        if self._line is not None:
            box.setBottom(foot.top() - 4)
            paint_sparkline(painter, box, self._line.t, self._line.y, self._line.band, stale=self._stale)
