"""Paints curves: lines through lowest and highest of each pixel, steps, texts, and what is bad or doubtful in them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPen, QPolygonF
from shiboken6 import VoidPtr

from ui.theme import Tokens, current_theme, mix
from ui.widgets.chart_frame import PlotFrame
from ui.widgets.chart_series import Series, TextRun
from ui.widgets.chart_trace import BAD, CORRECTED, LOST, UNCERTAIN, Columns, Floats
from ui.widgets.themed import CENTRE, LEFT, draw_text

STRIP = 7  # px; height of the strip in which a curve among others shows what is bad
LANE = 26  # px; height of one curve of texts


def polygon(x: Floats, y: Floats) -> QPolygonF:
    """Points as one polygon, written straight into its memory."""
    shape = QPolygonF()
    shape.resize(len(x))
    memory: Any = VoidPtr(shape.data(), len(x) * 16, True)  # type: ignore[call-arg, arg-type]  # the stub knows addresses
    points: Floats = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)
    points[:, 0], points[:, 1] = x, y
    return shape


def paint_curve(painter: QPainter, frame: PlotFrame, series: Series, tokens: Tokens) -> None:
    """The curve, with what it is compared with behind it; doubtful stretches are lighter."""
    colour = tokens.series[series.colour_index]
    pale = mix(tokens.base, colour, 0.45)
    if series.compared_seen is not None:
        _paint_line(painter, frame, series, series.compared_seen, pale)
    columns = series.seen
    if columns is None:
        return
    _paint_line(painter, frame, series, columns, colour)
    doubtful = (columns.flags & UNCERTAIN) != 0
    if doubtful.any():
        _paint_line(painter, frame, series, _only(columns, doubtful), pale)


def _only(columns: Columns, wanted: NDArray[np.bool_]) -> Columns:
    """The wanted columns and the one after each; the rest is no data."""
    shown = wanted.copy()
    shown[1:] |= wanted[:-1]
    lo, hi, last = (np.where(shown, part, np.nan) for part in (columns.lo, columns.hi, columns.last))
    return Columns(columns.t, lo, hi, last, columns.flags, columns.single)


def _paint_line(
    painter: QPainter,
    frame: PlotFrame,
    series: Series,
    columns: Columns,
    colour: QColor,
) -> None:
    t, y = stairs(columns) if series.kind == "steps" else zigzag(columns)
    t, y = _held(t, y, series.trace.max_gap)
    t, y = _broken(t, y, series.trace.max_gap, (frame.t1 - frame.t0) / max(frame.box.width(), 1.0))
    x, y = frame.xs(t), frame.ys(y)
    pen = QPen(colour, 1)
    pen.setCosmetic(True)
    painter.setPen(pen)
    known = np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    for first, after in edges.reshape(-1, 2):
        if after - first == 1:
            painter.fillRect(QRectF(x[first] - 1, y[first] - 1, 3, 3), colour)
        else:
            painter.drawPolyline(polygon(x[first:after], y[first:after]))


def zigzag(columns: Columns) -> tuple[Floats, Floats]:
    """Through low and high of each column; neighbours meet on the same side and no false flank is drawn."""
    if columns.single:
        return columns.t, columns.lo
    y = np.column_stack((columns.lo, columns.hi))
    y[1::2] = y[1::2, ::-1]
    return np.repeat(columns.t, 2), y.ravel()


def stairs(columns: Columns) -> tuple[Floats, Floats]:
    """Each value is held until the next one; a column of several values shows their spread first."""
    count = len(columns.t)
    if count == 0:
        return columns.t, columns.lo
    times, values = np.repeat(columns.t, 4), np.empty(count * 4)
    values[0::4], values[1::4], values[2::4], values[3::4] = (
        columns.lo, columns.hi, columns.last, columns.last,
    )  # fmt: skip
    times[3:-1:4] = columns.t[1:]
    return times, values


def _held(t: Floats, y: Floats, max_gap: float | None) -> tuple[Floats, Floats]:
    """The last value before a loss holds until the loss: the line goes on to it."""
    known = np.isfinite(y)
    lost = np.flatnonzero(known[:-1] & ~known[1:]) + 1 if len(y) > 1 else np.empty(0, np.intp)
    if max_gap is not None:
        lost = lost[t[lost] - t[lost - 1] <= max_gap]
    return (np.insert(t, lost, t[lost]), np.insert(y, lost, y[lost - 1])) if len(lost) else (t, y)


def _broken(t: Floats, y: Floats, max_gap: float | None, pixel: float) -> tuple[Floats, Floats]:
    """No line across more time than `max_gap` seconds without a point."""
    if max_gap is None or len(t) < 2:
        return t, y
    after = np.flatnonzero(np.diff(t) > max(max_gap, 1.5 * pixel)) + 1
    return (np.insert(t, after, t[after - 1]), np.insert(y, after, np.nan)) if len(after) else (t, y)


def paint_quality(painter: QPainter, frame: PlotFrame, shown: list[Series], tokens: Tokens) -> None:
    """Bad stretches hatched, over the whole height for a lone curve, in a strip at the foot for each of several.

    Doubtful stretches are dotted in that strip, corrected ones underlined; a notch says that samples were lost.
    """
    curves = [series for series in shown if series.kind != "texts"]
    for number, series in enumerate(reversed(curves)):
        columns = series.seen
        if columns is None or not len(columns) or not columns.flags.any():
            continue
        colour = tokens.series[series.colour_index]
        bottom = frame.box.bottom() - number * (STRIP + 1)
        top = frame.box.top() if len(curves) == 1 else bottom - STRIP
        strip = QRectF(frame.box.left(), top, frame.box.width(), bottom - top)
        hatch = QBrush(mix(tokens.base, colour, 0.3 if len(curves) == 1 else 0.7), Qt.BrushStyle.BDiagPattern)
        for left, right in _runs(columns, BAD, frame):
            painter.fillRect(QRectF(left, strip.top(), max(right - left, 1.0), strip.height()), hatch)
        dots = QBrush(colour, Qt.BrushStyle.Dense6Pattern)
        for left, right in _runs(columns, UNCERTAIN, frame):
            painter.fillRect(QRectF(left, bottom - STRIP, max(right - left, 1.0), STRIP), dots)
        for left, right in _runs(columns, CORRECTED, frame):
            painter.fillRect(QRectF(left, bottom - 3, max(right - left, 3.0), 3), tokens.accent)
        for left, _right in _runs(columns, LOST, frame):
            _paint_lost(painter, left, frame.box, colour, tokens)


def _runs(columns: Columns, flag: int, frame: PlotFrame) -> list[tuple[float, float]]:
    """Left and right pixels of the stretches that carry a flag; each lasts until the next column without it."""
    carries = (columns.flags & flag) != 0
    if flag == BAD:
        carries &= ~np.isfinite(columns.last)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], carries, [False])).astype(np.int8)))
    found = []
    for first, after in edges.reshape(-1, 2):
        end = columns.t[after] if after < len(columns) else min(frame.t1, time.time())
        found.append((frame.x(float(columns.t[first])), min(frame.x(float(end)), frame.box.right())))
    return found


def _paint_lost(painter: QPainter, x: float, box: QRectF, colour: QColor, tokens: Tokens) -> None:
    """A notch at the foot of the plot: samples were lost just before."""
    painter.setPen(QPen(tokens.text2, 1))
    painter.setBrush(colour)
    y = box.bottom()
    painter.drawPolygon(QPolygonF([QPointF(x - 4, y), QPointF(x, y - 8), QPointF(x + 4, y)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_texts(painter: QPainter, frame: PlotFrame, series: Series, lane: int, tokens: Tokens) -> None:
    """Texts as a band of boxes, each as long as its text held; equal texts look alike."""
    font = current_theme().font("meta")
    top = frame.box.top() + 4 + lane * (LANE + 4)
    metrics = QFontMetrics(font)
    kinds = {text: number for number, text in enumerate(sorted({run.text for run in series.texts}))}
    for run in series.texts:
        left, right = max(frame.x(run.start), frame.box.left()), min(frame.x(run.end), frame.box.right())
        if right <= left:
            continue
        box = QRectF(left, top, right - left, LANE)
        _paint_run(painter, box, run, kinds[run.text], tokens)
        if box.width() > metrics.averageCharWidth() * 3 and run.text:
            fits = metrics.horizontalAdvance(run.text) < box.width() - 8
            draw_text(
                painter, box.adjusted(4, 0, -4, 0), run.text, font, tokens.text, CENTRE if fits else LEFT
            )


def _paint_run(painter: QPainter, box: QRectF, run: TextRun, kind: int, tokens: Tokens) -> None:
    if not run.text:
        painter.fillRect(box, QBrush(tokens.divider, Qt.BrushStyle.BDiagPattern))
        return
    painter.fillRect(box, mix(tokens.base, tokens.text2, 0.12 + 0.1 * (kind % 4)))
    painter.fillRect(QRectF(box.left(), box.top(), 1, box.height()), tokens.border)
