"""Moving analog indicator: a value against its normal band and its limits, on one short bar."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import Tokens, current_theme, mix
from ui.widgets.themed import CENTRE, ThemedWidget, draw_text


@dataclass(frozen=True)
class Limits:
    """Alarm limits in the unit of the value; None where there is none."""

    lolo: float | None = None
    lo: float | None = None
    hi: float | None = None
    hihi: float | None = None

    def severity(self, value: float) -> int | None:
        """Priority of the segment with `value`: 1 beyond hihi/lolo, 2 beyond hi/lo, None when normal."""
        if (self.hihi is not None and value >= self.hihi) or (self.lolo is not None and value <= self.lolo):
            return 1
        if (self.hi is not None and value >= self.hi) or (self.lo is not None and value <= self.lo):
            return 2
        return None


NO_LIMITS = Limits()


def paint_analog_bar(
    painter: QPainter,
    rect: QRectF,
    value: float | None,
    lo: float,
    hi: float,
    limits: Limits = NO_LIMITS,
    stale: bool = False,
    *,
    tokens: Tokens | None = None,
) -> None:
    """Bar from `lo` to `hi` in `rect`, horizontal; colour appears only in a segment that is violated.

    No value: dashed outline and a dash. Stale: hollow dashed pointer, no colour.
    """
    t = tokens or current_theme().tokens
    track = rect.adjusted(6, 0, -6, 0)
    track.setTop(rect.center().y() - min(6.0, rect.height() * 0.22))
    track.setHeight(min(12.0, rect.height() * 0.44))
    painter.save()
    try:
        if value is None or hi <= lo:
            _paint_unknown(painter, rect, track, t)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        severity = None if stale else limits.severity(value)
        _paint_track(painter, track, lo, hi, limits, t)
        if severity is not None:
            _paint_violation(painter, track, lo, hi, limits, value, t.alarm(severity).fill)
        painter.setPen(QPen(t.border, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(track)
        _paint_pointer(painter, track, rect, _x(track, lo, hi, value), stale, t)
    finally:
        painter.restore()


def _x(track: QRectF, lo: float, hi: float, value: float) -> float:
    share = (min(max(value, lo), hi) - lo) / (hi - lo)
    return track.left() + share * track.width()


def _paint_unknown(painter: QPainter, rect: QRectF, track: QRectF, t: Tokens) -> None:
    pen = QPen(t.text2, 1)
    pen.setDashPattern([3, 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(track)
    label = QRectF(0, 0, 22, 18)
    label.moveCenter(rect.center())
    painter.fillRect(label, t.panel)
    draw_text(painter, label, "–", current_theme().font("meta"), t.text2, CENTRE)


def _paint_track(painter: QPainter, track: QRectF, lo: float, hi: float, limits: Limits, t: Tokens) -> None:
    """Darker outwards: normal band lightest, then hi/lo, then hihi/lolo."""
    shades = (mix(t.base, t.text2, 0.42), mix(t.base, t.text2, 0.26), mix(t.base, t.text2, 0.08))
    painter.fillRect(track, shades[0])
    for shade, low, high in ((shades[1], limits.lolo, limits.hihi), (shades[2], limits.lo, limits.hi)):
        outer_low = lo if low is None else low
        outer_high = hi if high is None else high
        if shade is shades[2]:
            outer_low = max(outer_low, lo if limits.lolo is None else limits.lolo)
            outer_high = min(outer_high, hi if limits.hihi is None else limits.hihi)
        left, right = _x(track, lo, hi, outer_low), _x(track, lo, hi, outer_high)
        painter.fillRect(QRectF(left, track.top(), max(0.0, right - left), track.height()), shade)


def _paint_violation(
    painter: QPainter, track: QRectF, lo: float, hi: float, limits: Limits, value: float, colour: QColor
) -> None:
    """Fill the one segment between limits that the value is in."""
    edges = sorted({lo, hi, *(v for v in (limits.lolo, limits.lo, limits.hi, limits.hihi) if v is not None)})
    inside = min(max(value, lo), hi)
    upper = limits.hi if limits.hi is not None else limits.hihi
    if upper is not None and value >= upper:
        start = max((e for e in edges[:-1] if e <= inside), default=lo)
        end = min((e for e in edges if e > start), default=hi)
    else:
        end = min((e for e in edges[1:] if e >= inside), default=hi)
        start = max((e for e in edges if e < end), default=lo)
    left, right = _x(track, lo, hi, start), _x(track, lo, hi, end)
    painter.fillRect(QRectF(left, track.top(), right - left, track.height()), colour)


def _paint_pointer(painter: QPainter, track: QRectF, rect: QRectF, x: float, stale: bool, t: Tokens) -> None:
    """A line through the bar with a triangle above it."""
    head = QPainterPath(QPointF(x, track.top() + 3))
    height = min(9.0, track.top() - rect.top() + 2)
    head.lineTo(x - 5, track.top() + 3 - height)
    head.lineTo(x + 5, track.top() + 3 - height)
    head.closeSubpath()
    if stale:
        pen = QPen(t.text2, 1.2)
        pen.setDashPattern([2, 2])
        painter.setPen(pen)
        painter.setBrush(t.panel)
    else:
        painter.setPen(QPen(t.base, 1))
        painter.setBrush(t.text)
        painter.fillRect(QRectF(x - 2, track.top() - 1, 4, track.height() + 3), t.base)
        painter.fillRect(QRectF(x - 1, track.top() - 1, 2, track.height() + 3), t.text)
    painter.drawPath(head)


class AnalogBar(ThemedWidget):
    """The moving analog indicator as a widget."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value: float | None = None
        self._lo, self._hi = 0.0, 100.0
        self._limits = NO_LIMITS
        self._stale = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(140, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 24)

    def set_range(self, lo: float, hi: float, limits: Limits = NO_LIMITS) -> None:
        """Ends of the bar and the limits on it, in the unit of the value."""
        self._lo, self._hi, self._limits = lo, hi, limits
        self.update()

    def set_value(self, value: float | None, stale: bool = False) -> None:
        if (value, stale) != (self._value, self._stale):
            self._value, self._stale = value, stale
            self._describe()
            self.update()

    def _describe(self) -> None:
        words = "no value" if self._value is None else f"{self._value:g}"
        self.setAccessibleDescription(f"{words}, stale" if self._stale else words)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            paint_analog_bar(
                painter, QRectF(self.rect()), self._value, self._lo, self._hi, self._limits, self._stale
            )
        finally:
            painter.end()
