"""What lies over the curves of a trend chart: crosshair, cursors, pins, stale edge, labels at line ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import Tokens
from ui.widgets.glyphs import paint_priority
from ui.widgets.themed import CENTRE, LEFT, ThemedWidget, draw_text

LABEL_WIDTH = 148


@dataclass(frozen=True)
class EventPin:
    """A mark at a moment (epoch seconds), such as a tool change; `priority` makes it an alarm shape."""

    t: float
    text: str
    priority: int | None = None


@dataclass(frozen=True)
class LimitLine:
    """A dotted line at a value with a short name such as "HI"."""

    value: float
    text: str = ""


@dataclass
class PlotFrame:
    """Where the plot is on the overlay and which times and values it spans."""

    box: QRectF = field(default_factory=QRectF)
    t0: float = 0.0
    t1: float = 1.0
    y0: float = 0.0
    y1: float = 1.0

    def x(self, t: float) -> float:
        return self.box.left() + (t - self.t0) / max(self.t1 - self.t0, 1e-9) * self.box.width()

    def y(self, value: float) -> float:
        return self.box.bottom() - (value - self.y0) / max(self.y1 - self.y0, 1e-12) * self.box.height()

    def moment(self, x: float) -> float:
        return self.t0 + (x - self.box.left()) / max(self.box.width(), 1.0) * (self.t1 - self.t0)


class ChartOverlay(ThemedWidget):
    """Transparent for the mouse; the chart sets its attributes and calls update()."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.frame = PlotFrame()
        self.pins: list[EventPin] = []
        self.limits: list[LimitLine] = []
        self.stale_from: float | None = None
        self.crosshair: float | None = None
        self.cursors: dict[str, float] = {}

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.frame.box.isEmpty():
            return
        painter = QPainter(self)
        try:
            t = self.tokens
            painter.setClipRect(self.frame.box.adjusted(0, -1, 1, 1))
            self._paint_stale(painter, t)
            self._paint_limits(painter, t)
            self._paint_pins(painter, t)
            for name, moment in self.cursors.items():
                self._upright(painter, moment, QPen(t.accent, 1), name, t)
            if self.crosshair is not None:
                self._upright(painter, self.crosshair, QPen(t.text2, 1), "", t)
        finally:
            painter.end()

    def _paint_stale(self, painter: QPainter, t: Tokens) -> None:
        if self.stale_from is None or self.stale_from >= self.frame.t1:
            return
        box = QRectF(self.frame.box)
        box.setLeft(max(box.left(), self.frame.x(self.stale_from)))
        painter.fillRect(box, QBrush(t.divider, Qt.BrushStyle.BDiagPattern))
        painter.setPen(QPen(t.text2, 1))
        painter.drawLine(box.topLeft(), box.bottomLeft())

    def _paint_limits(self, painter: QPainter, t: Tokens) -> None:
        font = self.theme.font("meta")
        line = QFontMetrics(font).height()
        for limit in self.limits:
            y = self.frame.y(limit.value)
            painter.setPen(QPen(t.text2, 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(self.frame.box.left(), y), QPointF(self.frame.box.right(), y))
            label = QRectF(self.frame.box.left() + 4, y - line - 1, 120, line)
            draw_text(painter, label, limit.text, font, t.text2, LEFT)

    def _paint_pins(self, painter: QPainter, t: Tokens) -> None:
        font = self.theme.font("meta")
        taken = -1e9
        for pin in sorted(self.pins, key=_moment):
            x = self.frame.x(pin.t)
            if not self.frame.box.left() <= x <= self.frame.box.right():
                continue
            painter.setPen(QPen(t.divider, 1))
            painter.drawLine(QPointF(x, self.frame.box.top() + 20), QPointF(x, self.frame.box.bottom()))
            if pin.priority is not None:
                paint_priority(painter, QRectF(x - 10, self.frame.box.top(), 20, 20), pin.priority, False)
            else:
                self._flag(painter, x, t)
            metrics = QFontMetrics(font)
            width = metrics.horizontalAdvance(pin.text)
            if x + 12 > taken:  # a text that would lie over its neighbour's is left to the tooltip
                words = QRectF(x + 13, self.frame.box.top() + 2, width + 4, metrics.height())
                if words.right() > self.frame.box.right():
                    words.moveRight(x - 13)
                draw_text(painter, words, pin.text, font, t.text2, LEFT)
                taken = words.right()

    def _flag(self, painter: QPainter, x: float, t: Tokens) -> None:
        top = self.frame.box.top() + 3
        painter.setPen(QPen(t.text2, 1.5))
        painter.drawLine(QPointF(x, top), QPointF(x, top + 17))
        painter.setBrush(t.text2)
        painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x + 9, top + 4), QPointF(x, top + 8)]))

    def _upright(self, painter: QPainter, moment: float, pen: QPen, name: str, t: Tokens) -> None:
        x = round(self.frame.x(moment)) + 0.5
        painter.setPen(pen)
        painter.drawLine(QPointF(x, self.frame.box.top()), QPointF(x, self.frame.box.bottom()))
        if name:
            tag = QRectF(x - 9, self.frame.box.bottom() - 20, 18, 18)
            painter.fillRect(tag, t.accent)
            draw_text(painter, tag, name, self.theme.font("strong"), t.on_accent, CENTRE)


@dataclass(frozen=True)
class EndLabel:
    """Name and value at the end of a line, in the colour of the line; `y` on the overlay, None without data."""

    text: str
    value: str
    colour_index: int
    y: float | None


class EndLabels(ThemedWidget):
    """Labels in a strip of fixed width, so that a new label cannot jerk the plot; they make room for each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels: list[EndLabel] = []
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.restyle()

    def sizeHint(self) -> QSize:
        return QSize(self.width(), 60)

    def restyle(self) -> None:
        self.setFixedWidth(round(LABEL_WIDTH * self.theme.density.type_scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            t, meta, strong = self.tokens, self.theme.font("meta"), self.theme.font("strong")
            painter.fillRect(self.rect(), t.base)
            line = QFontMetrics(meta).height()
            height = line + QFontMetrics(strong).height() + 4
            for label, top in zip(self._ordered(), self._tops(height), strict=True):
                painter.fillRect(QRectF(4, top + line / 2 - 1, 12, 3), t.series[label.colour_index])
                name = QRectF(22, top, self.width() - 26, line)
                draw_text(painter, name, label.text, meta, t.text2, LEFT)
                value = QRectF(22, top + line, self.width() - 26, height - line - 4)
                draw_text(painter, value, label.value, strong, t.text, LEFT)
        finally:
            painter.end()

    def _ordered(self) -> list[EndLabel]:
        return sorted(self.labels, key=_height)

    def _tops(self, height: int) -> list[float]:
        """Tops near the wished places, pushed down where they would overlap, then up to stay in view."""
        tops: list[float] = []
        for label in self._ordered():
            wish = (label.y if label.y is not None else self.height()) - height / 2
            tops.append(max(wish, tops[-1] + height if tops else 0.0))
        floor = float(self.height())
        for index in range(len(tops) - 1, -1, -1):
            tops[index] = max(0.0, min(tops[index], floor - height))
            floor = tops[index]
        return tops


def _moment(pin: EventPin) -> float:
    return pin.t


def _height(label: EndLabel) -> float:
    return 1e9 if label.y is None else label.y
