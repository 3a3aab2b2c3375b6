"""Marks over the curves of a chart: limits, pins, cursors, the crosshair, the edge after which nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetrics, QIcon, QPainter, QPen

from ui.theme import Tokens, current_theme, mix
from ui.widgets.chart_frame import PlotFrame
from ui.widgets.glyphs import paint_priority
from ui.widgets.themed import CENTRE, LEFT, draw_text

PIN_ROOM = 24  # px above the plot that belong to the pins
_NEAR = 22.0  # px; closer pins become one with a count
_ICONS = {
    "stage": "flag",
    "passed": "check",
    "failed": "x",
    "issue": "warning",
    "note": "note-pencil",
    "maintenance": "wrench",
    "write": "arrow-right",
    "correction": "pencil-simple",
    "event": "flag",
}


@dataclass(frozen=True)
class EventPin:
    """A mark at a moment (epoch seconds), such as a tool change; `priority` makes it an alarm shape.

    `over` draws the shape as an outline: the alarm was over then. `key` is what the owner knows it by.
    """

    t: float
    text: str
    priority: int | None = None
    kind: str = "event"
    over: bool = False
    key: str = ""


@dataclass(frozen=True)
class LimitLine:
    """A dotted line at a value with a short name such as "HI"."""

    value: float
    text: str = ""


@dataclass(frozen=True)
class PinSpot:
    """Where one pin, or several that would overlap, stand on the widget."""

    box: QRectF
    pins: tuple[EventPin, ...]

    @property
    def words(self) -> str:
        """What a pointer that rests on it is told, at most twelve lines."""
        lines = [pin.text for pin in self.pins[:12]]
        more = len(self.pins) - len(lines)
        return "\n".join([*lines, f"and {more:,} more"] if more else lines)


def place_pins(frame: PlotFrame, pins: Sequence[EventPin]) -> list[PinSpot]:
    """The pins in view from left to right; those that would overlap stand together."""
    inside = sorted(
        (frame.x(pin.t), pin.t, number) for number, pin in enumerate(pins) if frame.t0 <= pin.t <= frame.t1
    )
    spots: list[PinSpot] = []
    group: list[tuple[float, EventPin]] = []
    for x, _t, number in inside:
        if group and x - group[0][0] > _NEAR:
            spots.append(_spot(frame, group))
            group = []
        group.append((x, pins[number]))
    return [*spots, _spot(frame, group)] if group else spots


def _spot(frame: PlotFrame, group: list[tuple[float, EventPin]]) -> PinSpot:
    x = group[0][0]
    return PinSpot(QRectF(x - 10, frame.box.top() - PIN_ROOM + 2, 20, 20), tuple(pin for _, pin in group))


def paint_pins(
    painter: QPainter, frame: PlotFrame, spots: Sequence[PinSpot], chosen: EventPin | None, t: Tokens
) -> None:
    """Shapes above the plot, with a fine line down at each; words where there is room."""
    font = current_theme().font("meta")
    metrics = QFontMetrics(font)
    for number, spot in enumerate(spots):
        x = round(spot.box.center().x())
        painter.fillRect(QRectF(x, frame.box.top(), 1, frame.box.height()), mix(t.base, t.divider, 0.9))
        _paint_spot(painter, spot, t)
        if chosen is not None and chosen in spot.pins:
            painter.setPen(QPen(t.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(spot.box.adjusted(-1, -1, 1, 1))
        room = spots[number + 1].box.left() if number + 1 < len(spots) else frame.box.right()
        words = f"× {len(spot.pins)}" if len(spot.pins) > 1 else spot.pins[0].text
        width = metrics.horizontalAdvance(words)
        if x + 14 + width < room:
            place = QRectF(x + 13, spot.box.top(), width + 4, spot.box.height())
            draw_text(painter, place, words, font, t.text2, LEFT)


def _paint_spot(painter: QPainter, spot: PinSpot, t: Tokens) -> None:
    """The most urgent alarm of a group stands for it, else the kind of its first pin."""
    alarms = [pin for pin in spot.pins if pin.priority is not None]
    if alarms:
        worst = min(alarms, key=_urgency)
        paint_priority(painter, spot.box, worst.priority or 4, worst.over)
        return
    kinds = {pin.kind for pin in spot.pins}
    name = _ICONS.get(spot.pins[0].kind, "flag") if len(kinds) == 1 else "dots-three"
    icon: QIcon = current_theme().icon(name)
    icon.paint(painter, QRect(spot.box.toRect().adjusted(2, 2, -2, -2)))


def _urgency(pin: EventPin) -> tuple[int, bool]:
    return (pin.priority or 9, pin.over)


def paint_limits(painter: QPainter, frame: PlotFrame, limits: Sequence[LimitLine], t: Tokens) -> None:
    """Dotted lines with their names above them."""
    font = current_theme().font("meta")
    line = QFontMetrics(font).height()
    above = -1e9
    for limit in sorted(limits, key=_value, reverse=True):
        y = frame.y(limit.value)
        if not frame.box.top() <= y <= frame.box.bottom():
            continue
        painter.setPen(QPen(t.text2, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(frame.box.left(), y), QPointF(frame.box.right(), y))
        aside = 44 if y - above < line else 0  # its name would stand on the one above
        label = QRectF(frame.box.left() + 4 + aside, y - line - 1, 120, line)
        draw_text(painter, label, limit.text, font, t.text2, LEFT)
        above = y if not aside else -1e9


def _value(limit: LimitLine) -> float:
    return limit.value


def paint_band(painter: QPainter, frame: PlotFrame, band: tuple[float, float], t: Tokens) -> None:
    """The normal band behind everything."""
    top = max(frame.y(band[1]), frame.box.top())
    bottom = min(frame.y(band[0]), frame.box.bottom())
    if bottom > top:
        painter.fillRect(
            QRectF(frame.box.left(), top, frame.box.width(), bottom - top), mix(t.base, t.text2, 0.08)
        )


def paint_stale(painter: QPainter, frame: PlotFrame, since: float, t: Tokens) -> None:
    """Hatched from the moment on after which nothing is known."""
    if since >= frame.t1:
        return
    box = QRectF(frame.box)
    box.setLeft(max(box.left(), frame.x(since)))
    painter.fillRect(box, QBrush(t.divider, Qt.BrushStyle.BDiagPattern))
    painter.setPen(QPen(t.text2, 1))
    painter.drawLine(box.topLeft(), box.bottomLeft())


def paint_cursors(painter: QPainter, frame: PlotFrame, cursors: Mapping[str, float], t: Tokens) -> None:
    """Upright lines with their letters at the foot."""
    for name, moment in cursors.items():
        x = _upright(painter, frame, moment, QPen(t.accent, 1))
        if x is None:
            continue
        tag = QRectF(x - 9, frame.box.bottom() - 20, 18, 18)
        painter.fillRect(tag, t.accent)
        draw_text(painter, tag, name, current_theme().font("strong"), t.on_accent, CENTRE)


def paint_crosshair(painter: QPainter, frame: PlotFrame, moment: float, words: str, t: Tokens) -> None:
    """An upright line with its time in the strip of times."""
    x = _upright(painter, frame, moment, QPen(t.text2, 1))
    if x is None:
        return
    font = current_theme().font("meta")
    metrics = QFontMetrics(font)
    width = metrics.horizontalAdvance(words) + 10
    left = min(max(x - width / 2, frame.box.left()), frame.box.right() - width)
    tag = QRectF(left, frame.box.bottom() + 3, width, metrics.height() + 2)
    painter.fillRect(tag, t.text2)
    draw_text(painter, tag, words, font, t.base, CENTRE)


def paint_selection(painter: QPainter, frame: PlotFrame, start: float, end: float, t: Tokens) -> None:
    """The stretch that a pointer is about to zoom into."""
    left, right = sorted((frame.x(start), frame.x(end)))
    box = QRectF(left, frame.box.top(), right - left, frame.box.height())
    painter.setPen(QPen(t.accent, 1))
    painter.setBrush(QBrush(t.selection, Qt.BrushStyle.Dense5Pattern))
    painter.drawRect(box.intersected(frame.box))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _upright(painter: QPainter, frame: PlotFrame, moment: float, pen: QPen) -> float | None:
    x = round(frame.x(moment)) + 0.5
    if not frame.box.left() <= x <= frame.box.right() + 1:
        return None
    painter.setPen(pen)
    painter.drawLine(QPointF(x, frame.box.top()), QPointF(x, frame.box.bottom()))
    return x
