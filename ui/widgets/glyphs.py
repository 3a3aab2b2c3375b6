"""Shapes for alarm priorities and machine states that can be told apart without colour."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from ui.theme import Tokens, current_theme
from ui.widgets.themed import ThemedWidget

MIN_SIZE = 20
STATES = ("running", "stopped", "idle", "maintenance", "unknown", "stale", "warning", "critical")
_PRIORITY_WORDS = {1: "critical", 2: "high", 3: "medium", 4: "diagnostic"}


def _square(rect: QRectF) -> QRectF:
    side = max(float(MIN_SIZE), min(rect.width(), rect.height()))
    square = QRectF(0, 0, side, side)
    square.moveCenter(rect.center())
    return square.adjusted(1, 1, -1, -1)


def _polygon(points: list[tuple[float, float]], box: QRectF) -> QPainterPath:
    path = QPainterPath()
    corners = [QPointF(box.x() + x * box.width(), box.y() + y * box.height()) for x, y in points]
    path.addPolygon(QPolygonF(corners))
    path.closeSubpath()
    return path


def _octagon() -> list[tuple[float, float]]:
    turn = math.pi / 8
    return [
        (0.5 + 0.54 * math.cos(turn + k * math.pi / 4), 0.5 + 0.54 * math.sin(turn + k * math.pi / 4))
        for k in range(8)
    ]


_SHAPES: dict[int, list[tuple[float, float]]] = {
    1: _octagon(),
    2: [(0.5, 0.0), (1.04, 0.96), (-0.04, 0.96)],
    3: [(0.5, -0.04), (1.04, 0.5), (0.5, 1.04), (-0.04, 0.5)],
    4: [(-0.04, 0.04), (1.04, 0.04), (0.5, 1.0)],
}
# Where the digit's centre sits, so that it stays inside the triangle.
_DIGIT_SHIFT = {1: 0.0, 2: 0.14, 3: 0.0, 4: -0.14}
_DIGIT_SIZE = {1: 0.66, 2: 0.56, 3: 0.60, 4: 0.56}


def paint_priority(
    painter: QPainter,
    rect: QRectF,
    priority: int,
    acked: bool,
    *,
    tokens: Tokens | None = None,
    text: str | None = None,
) -> None:
    """Alarm shape of priority 1 to 4 with its digit: solid when unacknowledged, outline when acknowledged.

    Drawn at 20 px or more, centred in `rect`; `text` replaces the digit.
    """
    t = tokens or current_theme().tokens
    colour = t.alarm(priority)
    box = _square(rect)
    shape = _polygon(_SHAPES[priority], box)
    painter.save()
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if acked:
            _outline_shape(painter, shape, colour.fill, t)
        else:
            painter.fillPath(shape, colour.fill)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(t.shape_outline, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawPath(shape)
        ink = t.text if acked else colour.glyph
        _centred(
            painter,
            box.translated(0, _DIGIT_SHIFT[priority] * box.height()),
            text or str(priority),
            ink,
            _DIGIT_SIZE[priority] * box.height(),
        )
    finally:
        painter.restore()


def _outline_shape(painter: QPainter, shape: QPainterPath, colour: QColor, t: Tokens) -> None:
    """Thick coloured edge between two thin lines, so that a light colour has an edge on a light panel."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if not t.dark:
        painter.setPen(QPen(t.shape_outline, 3.6))
        painter.drawPath(shape)
    painter.setPen(QPen(colour, 2.0))
    painter.drawPath(shape)


def _centred(painter: QPainter, box: QRectF, text: str, ink: QColor, pixels: float) -> None:
    font = QFont(current_theme().font("strong"))
    font.setPixelSize(max(12, round(pixels)))
    font.setWeight(QFont.Weight.Bold)
    painter.setFont(font)
    painter.setPen(ink)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_state(painter: QPainter, rect: QRectF, state: str, *, tokens: Tokens | None = None) -> None:
    """Shape of a machine state, one of STATES; grey except warning and critical, unknown dashed."""
    if state not in STATES:
        raise ValueError(f"no glyph for the state {state!r}")
    if state in ("warning", "critical"):
        paint_priority(painter, rect, 2 if state == "warning" else 1, False, tokens=tokens, text="!")
        return
    t = tokens or current_theme().tokens
    box = _square(rect)
    painter.save()
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _STATE_PAINTERS[state](painter, box, t)
    finally:
        painter.restore()


def _fills(t: Tokens) -> tuple[QColor, QColor]:
    """Light and dark fill of the scheme; the outline is always the text colour."""
    return (t.text, t.canvas) if t.dark else (t.base, t.text)


def _paint_running(painter: QPainter, box: QRectF, t: Tokens) -> None:
    pen = QPen(t.text, 1.5)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(_fills(t)[0])
    painter.drawPath(_polygon([(0.2, 0.08), (0.92, 0.5), (0.2, 0.92)], box))


def _paint_stopped(painter: QPainter, box: QRectF, t: Tokens) -> None:
    painter.setPen(QPen(t.text, 1.5))
    painter.setBrush(_fills(t)[1])
    inset = box.width() * 0.15
    painter.drawRect(box.adjusted(inset, inset, -inset, -inset))


def _paint_idle(painter: QPainter, box: QRectF, t: Tokens) -> None:
    painter.setPen(QPen(t.text2, 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = box.width() * 0.16
    painter.drawEllipse(box.adjusted(inset, inset, -inset, -inset))


def _paint_maintenance(painter: QPainter, box: QRectF, t: Tokens) -> None:
    """A cog: eight teeth around a ring."""
    centre, outer = box.center(), box.width() * 0.46
    painter.setPen(QPen(t.text, box.width() * 0.17, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    for tooth in range(8):
        angle = tooth * math.pi / 4
        way = QPointF(math.cos(angle), math.sin(angle))
        painter.drawLine(centre + way * (outer * 0.6), centre + way * outer)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(t.text, box.width() * 0.15))
    painter.drawEllipse(centre, outer * 0.55, outer * 0.55)


def _paint_unknown(painter: QPainter, box: QRectF, t: Tokens) -> None:
    pen = QPen(t.text2, 1.5)
    pen.setDashPattern([2.2, 1.8])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    _centred(painter, box, "?", t.text2, box.height() * 0.66)


def _paint_stale(painter: QPainter, box: QRectF, t: Tokens) -> None:
    """A clock face: the value is from an earlier time."""
    inset = box.width() * 0.08
    face = box.adjusted(inset, inset, -inset, -inset)
    painter.setPen(QPen(t.text2, 1.5))
    painter.setBrush(QBrush(t.band))
    painter.drawEllipse(face)
    painter.setPen(QPen(t.text2, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(face.center(), face.center() - QPointF(0, face.height() * 0.32))
    painter.drawLine(face.center(), face.center() + QPointF(face.width() * 0.24, face.height() * 0.1))


_STATE_PAINTERS = {
    "running": _paint_running,
    "stopped": _paint_stopped,
    "idle": _paint_idle,
    "maintenance": _paint_maintenance,
    "unknown": _paint_unknown,
    "stale": _paint_stale,
}


class _Glyph(ThemedWidget):
    def __init__(self, size: int, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._size = max(MIN_SIZE, size)
        self.setFixedSize(self._size, self._size)

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def _paint(self, painter: QPainter) -> None:
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            self._paint(painter)
        finally:
            painter.end()


class PriorityGlyph(_Glyph):
    """Alarm priority shape as a widget."""

    def __init__(
        self, priority: int = 4, acked: bool = False, size: int = 24, parent: QWidget | None = None
    ) -> None:
        super().__init__(size, parent)
        self.set_priority(priority, acked)

    def set_priority(self, priority: int, acked: bool) -> None:
        self._priority, self._acked = priority, acked
        words = f"{_PRIORITY_WORDS[priority]} alarm, {'acknowledged' if acked else 'not acknowledged'}"
        self.setAccessibleName(words)
        self.setToolTip(f"Priority {priority}: {words}")
        self.update()

    def _paint(self, painter: QPainter) -> None:
        paint_priority(painter, QRectF(self.rect()), self._priority, self._acked)


class StateGlyph(_Glyph):
    """Machine state shape as a widget."""

    def __init__(self, state: str = "unknown", size: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(size, parent)
        self.set_state(state)

    def set_state(self, state: str) -> None:
        self._state = state
        self.setAccessibleName(state)
        self.setToolTip(state.capitalize())
        self.update()

    def _paint(self, painter: QPainter) -> None:
        paint_state(painter, QRectF(self.rect()), self._state)
