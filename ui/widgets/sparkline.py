"""A curve without axes, over its normal band; a gap in the data is a gap in the line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import Tokens, current_theme, mix
from ui.widgets.themed import CENTRE, ThemedWidget, draw_text

Floats = NDArray[np.float64]
EMPTY: Floats = np.empty(0, dtype=np.float64)
_BUSY = 0.6
"""Share of its height that a line may travel up and down in each pixel before it is drawn as a spread."""
_STEP = 4.0  # px that one piece of a spread covers


def paint_sparkline(
    painter: QPainter,
    rect: QRectF,
    t: Floats,
    y: Floats,
    band: tuple[float, float] | None = None,
    *,
    t_range: tuple[float, float] | None = None,
    stale: bool = False,
    tokens: Tokens | None = None,
) -> None:
    """Line of `y` over `t` (equal lengths, ascending seconds, NaN = gap) scaled to fill `rect`.

    `band` is the normal range (low, high), drawn behind and always in view. More points than
    pixels are reduced to the lowest and highest of each column, so that no spike is lost.
    """
    colours = tokens or current_theme().tokens
    known = np.isfinite(y)
    if not known.any():
        draw_text(painter, rect, "no data", current_theme().font("meta"), colours.text2, CENTRE)
        return
    low, high = float(np.min(y[known])), float(np.max(y[known]))
    if band is not None:
        low, high = min(low, band[0]), max(high, band[1])
    if high <= low:
        low, high = low - 1.0, high + 1.0
    start, end = t_range or (float(t[0]), float(t[-1]))
    inner = rect.adjusted(1, 2, -1, -2)
    scale = inner.height() / (high - low)
    painter.save()
    try:
        if band is not None:
            top = inner.bottom() - (band[1] - low) * scale
            painter.fillRect(
                QRectF(rect.left(), top, rect.width(), (band[1] - band[0]) * scale),
                mix(colours.base, colours.text2, 0.22),
            )
        x = inner.left() + (t - start) / max(end - start, 1e-9) * inner.width()
        ink = colours.text2 if stale else colours.series[0]
        painter.setPen(QPen(ink, 1))
        _draw_runs(painter, x, inner.bottom() - (y - low) * scale, inner, mix(colours.base, ink, 0.35))
    finally:
        painter.restore()


def _draw_runs(painter: QPainter, x: Floats, y: Floats, box: QRectF, fill: QColor) -> None:
    """Draw each run between NaNs as one polyline; a lone point as a dot; a run too busy for lines as its spread."""
    width = round(box.width())
    edges = np.flatnonzero(np.diff(np.concatenate(([False], np.isfinite(y), [False])).astype(np.int8)))
    for first, after in edges.reshape(-1, 2):
        run_x, run_y = _thin(x[first:after], y[first:after], width)
        if len(run_x) == 1:
            painter.drawPoint(QPointF(float(run_x[0]), float(run_y[0])))
            continue
        if _is_busy(run_x, run_y, box.height()):
            _draw_spread(painter, x[first:after], y[first:after], fill)
            continue
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(run_x, run_y, strict=True)]))


def _is_busy(x: list[float], y: list[float], height: float) -> bool:
    """Whether a line would go up and down so often that only a black block is seen."""
    travel = float(np.abs(np.diff(y)).sum())
    return x[-1] - x[0] >= 8 and travel > _BUSY * height * (x[-1] - x[0])


def _draw_spread(painter: QPainter, x: Floats, y: Floats, fill: QColor) -> None:
    """Lowest to highest of each few pixels as a pale band, and the mean of the values as a line over it."""
    starts = np.unique(np.searchsorted(x, np.arange(x[0], x[-1] + _STEP, _STEP)))
    starts = starts[starts < len(x)]
    lows, highs = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    counts = np.diff(np.append(starts, len(x)))
    means = np.add.reduceat(y, starts) / counts
    rights = np.append(x[starts][1:], x[-1])
    for left, right, low, high in zip(x[starts], rights, lows, highs, strict=True):
        painter.fillRect(QRectF(left, low, right - left, max(1.0, high - low)), fill)
    painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x[starts], means, strict=True)]))


def _thin(x: Floats, y: Floats, width: int) -> tuple[list[float], list[float]]:
    if len(x) <= 2 * max(width, 1):
        return x.tolist(), y.tolist()
    starts = np.unique(np.searchsorted(x, np.arange(np.floor(x[0]), x[-1] + 1.0)))
    starts = starts[starts < len(x)]
    lows, highs = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    columns = np.repeat(x[starts], 2)
    return columns.tolist(), np.column_stack((lows, highs)).ravel().tolist()


class Sparkline(ThemedWidget):
    """A sparkline as a widget."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._t: Floats = EMPTY
        self._y: Floats = EMPTY
        self._band: tuple[float, float] | None = None
        self._t_range: tuple[float, float] | None = None
        self._stale = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        return QSize(140, 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, 20)

    def set_points(
        self,
        t: Floats,
        y: Floats,
        band: tuple[float, float] | None = None,
        *,
        t_range: tuple[float, float] | None = None,
        stale: bool = False,
    ) -> None:
        """Times in seconds ascending and values with NaN for gaps, equal lengths."""
        self._t, self._y, self._band, self._t_range, self._stale = t, y, band, t_range, stale
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            paint_sparkline(
                painter,
                QRectF(self.rect()),
                self._t,
                self._y,
                self._band,
                t_range=self._t_range,
                stale=self._stale,
            )
        finally:
            painter.end()
