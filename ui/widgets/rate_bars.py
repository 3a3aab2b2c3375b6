"""Counts of equal stretches of time as thin bars under a target line; made for a week of ten-minute windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.widgets.themed import LEFT, RIGHT, ThemedWidget, draw_text

_AXIS = 44
_FOOT = 22
_HEAD = 8


class RateBars(ThemedWidget):
    """Each pixel column shows the highest count that falls on it, so that a short peak is never averaged away."""

    def __init__(self, noun: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._noun = noun
        self._counts: Sequence[int] = ()
        self._start: datetime | None = None
        self._step = timedelta(minutes=10)
        self._target = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_counts(self, counts: Sequence[int], start: datetime, step: timedelta, target: float) -> None:
        """`counts` of stretches of `step` from `start` on; a dotted line marks the `target`."""
        self._counts, self._start, self._step, self._target = counts, start, step, target
        peak = max(counts, default=0)
        self.setAccessibleName(f"{self._noun} over time, highest {peak}, target {target:g}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, 140)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 96)

    def _plot(self) -> QRectF:
        return QRectF(_AXIS, _HEAD, max(1, self.width() - _AXIS - 4), max(1, self.height() - _HEAD - _FOOT))

    def _top(self) -> float:
        """The number at the top of the axis."""
        peak = max(max(self._counts, default=0), self._target, 1)
        for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000):
            if peak <= step * 4:
                return float(-(-peak // step) * step)
        return float(peak)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            plot, top = self._plot(), self._top()
            self._paint_axis(painter, plot, top)
            self._paint_bars(painter, plot, top)
            if self._target:
                y = plot.bottom() - plot.height() * self._target / top
                painter.setPen(QPen(self.tokens.text2, 1, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            self._paint_times(painter, plot)
        finally:
            painter.end()

    def _paint_axis(self, painter: QPainter, plot: QRectF, top: float) -> None:
        meta = self.theme.font("meta")
        line = QFontMetrics(meta).height()
        for share in (0.0, 0.5, 1.0):
            y = plot.bottom() - plot.height() * share
            painter.setPen(QPen(self.tokens.divider, 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            box = QRectF(0, y - line / 2, _AXIS - 8, line)
            if share != 0.5 or top >= 2:
                draw_text(painter, box, f"{top * share:g}", meta, self.tokens.text2, RIGHT)

    def _paint_bars(self, painter: QPainter, plot: QRectF, top: float) -> None:
        if not self._counts:
            return
        wide = plot.width() / len(self._counts)
        columns: dict[int, int] = {}
        for number, count in enumerate(self._counts):
            if count:
                column = int(plot.left() + number * wide)
                columns[column] = max(columns.get(column, 0), count)
        width = max(1.0, wide - (1.0 if wide > 3 else 0.0))
        for column, count in columns.items():
            height = max(1.0, plot.height() * count / top)
            painter.fillRect(QRectF(column, plot.bottom() - height, width, height), self.tokens.text2)

    def _paint_times(self, painter: QPainter, plot: QRectF) -> None:
        if self._start is None or not self._counts:
            return
        meta = self.theme.font("meta")
        box = QRectF(plot.left(), plot.bottom() + 3, plot.width(), _FOOT - 4)
        end = self._start + self._step * len(self._counts)
        draw_text(painter, box, f"{self._start.astimezone():%a %d %b %H:%M}", meta, self.tokens.text2, LEFT)
        draw_text(painter, box, f"{end.astimezone():%a %d %b %H:%M}", meta, self.tokens.text2, RIGHT)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._words_at(event.pos().x()), self)
            return True
        return super().event(event)

    def _words_at(self, x: int) -> str:
        plot = self._plot()
        if self._start is None or not self._counts or not plot.left() <= x <= plot.right():
            return ""
        number = min(len(self._counts) - 1, int((x - plot.left()) / plot.width() * len(self._counts)))
        at = (self._start + number * self._step).astimezone()
        return f"{at:%a %d %b %H:%M}: {self._counts[number]:,} {self._noun}"
