"""The axes of a chart and their grid: values at the left in a fixed width, local time below, states by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetrics, QPainter

from ui.theme import Tokens, current_theme, mix
from ui.widgets.chart_frame import PlotFrame
from ui.widgets.chart_series import Series
from ui.widgets.chart_ticks import time_ticks, value_ticks, zone_words
from ui.widgets.themed import CENTRE, RIGHT, draw_text

AXIS_WIDTH = 64


def axis_width() -> int:
    """Width of the strip of values, the same whatever stands in it."""
    return round(AXIS_WIDTH * current_theme().density.type_scale)


def axis_height(*, days: bool = True) -> int:
    """Height of the strip of times: the clock, and the day where there is room for it."""
    return QFontMetrics(current_theme().font("meta")).height() * (2 if days else 1) + 6


def paint_axes(
    painter: QPainter,
    frame: PlotFrame,
    shown: Sequence[Series],
    unit: str,
    tokens: Tokens,
    zone: tzinfo | None,
    *,
    days: bool = True,
) -> None:
    """Grid, marks and their words around the plot; without `days` only clocks stand below it."""
    _paint_values(painter, frame, shown, unit, tokens)
    _paint_times(painter, frame, tokens, zone, days)


def _paint_values(
    painter: QPainter, frame: PlotFrame, shown: Sequence[Series], unit: str, tokens: Tokens
) -> None:
    font, box = current_theme().font("meta"), frame.box
    height = QFontMetrics(font).height()
    grid = mix(tokens.base, tokens.divider, 0.6)
    for value, text in named_ticks(frame, shown, max(2, int(box.height() / (height * 2.4)))):
        y = round(frame.y(value))
        if not box.top() - 1 <= y <= box.bottom() + 1:
            continue
        painter.fillRect(QRectF(box.left(), y, box.width(), 1), grid)
        words = QRectF(2, y - height / 2, box.left() - 10, height)
        draw_text(painter, words, text, font, tokens.text2, RIGHT)
    if unit:
        draw_text(painter, QRectF(6, 2, box.left() - 10, height), unit, font, tokens.text2, RIGHT)
    painter.fillRect(QRectF(box.left() - 1, box.top(), 1, box.height() + 1), tokens.border)


def named_ticks(frame: PlotFrame, shown: Sequence[Series], most: int) -> list[tuple[float, str]]:
    """Round values; the names of the states where all curves know the same ones."""
    states = shown[0].states if shown else {}
    if all(series.kind == "texts" for series in shown):
        return []
    if not states or any(series.states != states for series in shown):
        return value_ticks(frame.y0, frame.y1, most)
    seen = [(float(number), text) for number, text in states.items() if frame.y0 <= number <= frame.y1]
    return seen[:: max(1, -(-len(seen) // max(most * 2, 1)))]


def _paint_times(
    painter: QPainter, frame: PlotFrame, tokens: Tokens, zone: tzinfo | None, days: bool
) -> None:
    font, box = current_theme().font("meta"), frame.box
    metrics = QFontMetrics(font)
    height = metrics.height()
    grid = mix(tokens.base, tokens.divider, 0.6)
    wide = metrics.horizontalAdvance("00:00:00 CEST")
    zone_text = zone_words(frame.t0, frame.t1, zone)
    zone_width = metrics.horizontalAdvance(zone_text) + 8
    for tick in time_ticks(frame.t0, frame.t1, max(2, int(box.width() / (wide * 1.3))), zone):
        x = round(frame.x(tick.t))
        painter.fillRect(QRectF(x, box.top(), 1, box.height()), grid)
        painter.fillRect(QRectF(x, box.bottom(), 1, 4), tokens.border)
        centre = min(x, box.right() - metrics.horizontalAdvance(tick.text) / 2)  # the last one is not cut
        at = QRectF(centre - wide / 2, box.bottom() + 4, wide, height)
        draw_text(painter, at, tick.text, font, tokens.text2, CENTRE)
        if days and tick.day and x + wide / 2 < box.right() - zone_width + wide / 4:
            draw_text(painter, at.translated(0, height - 1), tick.day, font, tokens.text2, CENTRE)
    painter.fillRect(QRectF(box.left(), box.bottom(), box.width(), 1), tokens.border)
    if not days:
        return
    corner = QRectF(box.right() - zone_width, box.bottom() + 3 + height, zone_width, height)
    draw_text(painter, corner, zone_text, font, tokens.text2, RIGHT)
