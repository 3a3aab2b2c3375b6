"""Draws one machine as a tile: state, health, why, and up to four signals with bar, curve, value and age."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen

from app.domain.equipment import EquipmentState
from ui.bridge.machines import MachineNow, SignalNow
from ui.bridge.rings import SPAN, Floats
from ui.models.machine_words import (
    STATE_GLYPHS,
    age_words,
    bar_limits,
    bar_range,
    is_number,
    key_signals,
    normal_band,
    short_name,
    value_words,
    why,
)
from ui.theme import Density, Theme, current_theme
from ui.widgets.analog_bar import paint_analog_bar
from ui.widgets.glyphs import paint_state
from ui.widgets.sparkline import paint_sparkline
from ui.widgets.themed import LEFT, RIGHT, draw_focus_ring, draw_text

Curve = Callable[[str], tuple[Floats, Floats]]

PAD = 12
_GLYPH = 26
_SHORTEST = 60.0  # s
_ALARMING = {EquipmentState.CRITICAL: 1, EquipmentState.WARNING: 2}


def row_height(theme: Theme) -> int:
    """Height of one signal's line."""
    return max(26, QFontMetrics(theme.font("body")).height() + 8)


def tile_size(theme: Theme) -> tuple[int, int]:
    """Smallest width and the height of a tile, px."""
    head = 2 * QFontMetrics(theme.font("body")).height() + 14
    width = {Density.DESK: 344, Density.TOUCH: 400, Density.WALL: 560}[theme.density]
    return width, head + 4 * row_height(theme) + 2 * PAD


def paint_tile(
    painter: QPainter,
    box: QRectF,
    machine: MachineNow,
    curve: Curve,
    state: str,
    *,
    selected: bool,
    focused: bool,
    mark: str = "",
) -> None:
    """`state` is how the machine is and since when, in words; `mark` tells of a change on its way."""
    theme = current_theme()
    _paint_ground(painter, box, machine, theme, selected)
    inner = box.adjusted(PAD, PAD, -PAD, -PAD)
    top = _paint_head(painter, inner, machine, state, mark, theme)
    line = row_height(theme)
    for index, signal in enumerate(key_signals(machine)):
        _paint_signal(painter, QRectF(inner.left(), top + index * line, inner.width(), line), signal, curve)
    if focused:
        draw_focus_ring(painter, box, theme.tokens)


def _paint_ground(painter: QPainter, box: QRectF, machine: MachineNow, theme: Theme, selected: bool) -> None:
    t = theme.tokens
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(t.selection if selected else t.panel if machine.heard else t.canvas)
    pen = QPen(t.divider, 1)
    if not machine.heard and machine.state is not EquipmentState.MAINTENANCE:
        pen = QPen(t.border, 1.2)
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    priority = _ALARMING.get(machine.state)
    if priority is not None:
        painter.fillRect(QRectF(box.left() + 1, box.top() + 4, 4, box.height() - 8), t.alarm(priority).fill)


def _paint_head(
    painter: QPainter, inner: QRectF, machine: MachineNow, state: str, mark: str, theme: Theme
) -> float:
    """State, name, health; below it the state in words and why. Returns where the signals begin."""
    t = theme.tokens
    line = QFontMetrics(theme.font("body")).height() + 3
    paint_state(
        painter, QRectF(inner.left(), inner.top() + 2, _GLYPH, _GLYPH), STATE_GLYPHS[machine.state], tokens=t
    )
    left = inner.left() + _GLYPH + 10
    score = "health ?" if machine.health.score is None else f"health {machine.health.score}"
    score = f"{mark}  {score}" if mark else score
    width = QFontMetrics(theme.font("strong")).horizontalAdvance(score) + 4
    head = QRectF(left, inner.top(), inner.right() - left - width - 8, line)
    draw_text(painter, head, machine.equipment.name, theme.font("strong"), t.text, LEFT)
    right = QRectF(inner.right() - width, inner.top(), width, line)
    draw_text(painter, right, score, theme.font("strong"), t.text if machine.heard else t.text2, RIGHT)
    below = QRectF(left, inner.top() + line, inner.right() - left, line)
    words = f"{state} · {why(machine)}"
    draw_text(painter, below, words, theme.font("meta"), t.text2, LEFT)
    return inner.top() + 2 * line + 8


def _paint_signal(painter: QPainter, row: QRectF, signal: SignalNow, curve: Curve) -> None:
    """Name, value with unit, bar, curve, age; what is not known for sure is grey, slanted and without colour."""
    theme = current_theme()
    t = theme.tokens
    name_width, value_width, age_width = row.width() * 0.235, row.width() * 0.25, row.width() * 0.12
    left = row.left()
    name = QRectF(left, row.top(), name_width - 4, row.height())
    draw_text(painter, name, short_name(signal.tag), theme.font("meta"), t.text2, LEFT)
    left += name_width
    sample = signal.usable
    _paint_value(painter, QRectF(left, row.top(), value_width - 8, row.height()), signal, theme)
    left += value_width
    x, y = curve(signal.tag.name)
    room = row.right() - age_width - left
    if signal.tag.limits:
        seen = y[np.isfinite(y)]
        low, high = bar_range(signal.tag, (float(seen.min()), float(seen.max())) if len(seen) else ())
        number = float(sample.value) if sample is not None and is_number(sample.value) else None  # type: ignore[arg-type]  # is_number says so
        bar = QRectF(left, row.top() + 3, room * 0.48, row.height() - 6)
        paint_analog_bar(
            painter, bar, number, low, high, bar_limits(signal.tag.limits), signal.stale, tokens=t
        )
    if sample is None or is_number(sample.value):
        line = QRectF(left + room * 0.52, row.top() + 3, room * 0.48 - 4, row.height() - 6)
        now = time.time()
        band = normal_band(signal.tag.limits)
        x, y = _held_until(x, y, now if not signal.stale else None)
        paint_sparkline(
            painter, line, x, y, band, t_range=(_begin(x, now), now), stale=signal.stale, tokens=t
        )
    age = QRectF(row.right() - age_width, row.top(), age_width, row.height())
    draw_text(painter, age, age_words(signal.age), theme.font("meta"), t.text2, RIGHT)


def _begin(x: Floats, now: float) -> float:
    """Left end of a curve: a quarter of an hour ago, later while there is not that much yet."""
    first = float(x[0]) if len(x) else now
    return max(now - SPAN, min(first, now - _SHORTEST))


def _held_until(x: Floats, y: Floats, now: float | None) -> tuple[Floats, Floats]:
    """A value that did not change holds: lead the curve on to now. Cut to the span that is drawn."""
    if not len(x):
        return x, y
    end = float(x[-1]) if now is None else now
    first = int(np.searchsorted(x, end - SPAN))
    if first == len(x):
        first -= 1
    x, y = x[first:], y[first:]
    x = np.maximum(x, end - SPAN)
    return (x, y) if now is None else (np.append(x, max(now, float(x[-1]))), np.append(y, y[-1]))


def _paint_value(painter: QPainter, box: QRectF, signal: SignalNow, theme: Theme) -> None:
    t = theme.tokens
    font = QFont(theme.font("strong"))
    if signal.stale:
        font = QFont(theme.font("body"))
        font.setItalic(True)
    ink = t.text2 if signal.stale else t.text
    unit_width = 0
    if signal.tag.unit:
        unit_width = QFontMetrics(theme.font("meta")).horizontalAdvance(signal.tag.unit) + 4
    value = None if signal.sample is None else signal.sample.value
    words = "?" if value is None else value_words(value)
    draw_text(painter, box.adjusted(0, 0, -unit_width, 0), words, font, ink, RIGHT)
    unit = QRectF(box.right() - unit_width, box.top(), unit_width, box.height())
    draw_text(painter, unit, signal.tag.unit, theme.font("meta"), t.text2, RIGHT)
    painter.setBrush(Qt.BrushStyle.NoBrush)
