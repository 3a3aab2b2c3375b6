"""Live trend chart: curves of several tags over time, zoomed while they stream, linked with others by their window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.widgets.chart_bar import ChartBar
from ui.widgets.chart_labels import EndLabel, EndLabels
from ui.widgets.chart_marks import EventPin, LimitLine
from ui.widgets.chart_plot import ChartPlot
from ui.widgets.chart_readout import against, differences, values_at
from ui.widgets.chart_series import Kind, Series, TextRun
from ui.widgets.chart_time import TimeWindow
from ui.widgets.chart_trace import Floats, Trace
from ui.widgets.themed import ThemedWidget, draw_focus_ring

__all__ = ["EventPin", "LimitLine", "TextRun", "Trace", "TrendChart"]

ZOOM = 1.6
_PAN = 0.2


class TrendChart(ThemedWidget):
    """Curves by key; times are epoch seconds (UTC), shown in local time, 24 h.

    Charts with the same `window` show the same range and cursors; without one the chart has its own, and buttons for
    it. `view_changed(t0, t1, by_user)` asks whoever owns the data for that range. Any zoom or pan freezes the view
    until `follow_live(True)`; data keeps coming in meanwhile.
    """

    view_changed = Signal(float, float, bool)
    follow_changed = Signal(bool)
    pins_opened = Signal(object, QPoint)
    menu_wanted = Signal(QPoint)

    def __init__(
        self, parent: QWidget | None = None, *, span: float = 600.0, window: TimeWindow | None = None
    ) -> None:
        super().__init__(parent)
        self._series: dict[str, Series] = {}
        self.window_of_time = window if window is not None else TimeWindow(span, self)
        self.plot = ChartPlot(self.window_of_time)
        self._labels = EndLabels()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._lay_out(alone=window is None)
        self.window_of_time.changed.connect(self._on_range)
        self.window_of_time.follow_changed.connect(self.follow_changed)
        self.window_of_time.marked.connect(self._on_marks)
        self.plot.pins_clicked.connect(self.pins_opened)
        self.plot.looked_anew.connect(self._label)
        self.restyle()

    def _lay_out(self, *, alone: bool) -> None:
        side = QVBoxLayout()
        side.setSpacing(4)
        side.addWidget(self._labels, 1)
        if alone:
            side.addWidget(ChartBar(self.window_of_time, ZOOM))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addLayout(side)

    def sizeHint(self) -> QSize:
        return QSize(640, 260)

    # -- curves --------------------------------------------------------------------------------------

    def set_series(
        self,
        key: str,
        label: str,
        unit: str = "",
        *,
        max_gap: float | None = None,
        kind: Kind = "line",
        states: Mapping[int, str] | None = None,
    ) -> None:
        """Add or rename a curve. It keeps its colour for life; `max_gap` seconds without data break it.

        `kind` "steps" holds each value until the next, "texts" shows `set_texts` as a band; `states` names numbers.
        """
        known = self._series.get(key)
        if known is None:
            used = {series.colour_index for series in self._series.values()}
            count = len(self.tokens.series)
            free = next((i for i in range(count) if i not in used), len(self._series) % count)
            known = self._series[key] = Series(key, label, unit, free)
        known.label, known.unit, known.kind, known.states = label, unit, kind, dict(states or {})
        known.trace.max_gap = max_gap
        self._curves_changed()

    def remove_series(self, key: str) -> None:
        """Take a curve away; an unknown key is a KeyError."""
        del self._series[key]
        self._curves_changed()

    def _curves_changed(self) -> None:
        self.plot.series = list(self._series.values())
        units = {series.unit for series in self.plot.series if series.unit}
        self.plot.unit = units.pop() if len(units) == 1 else ""
        self.plot.refresh()

    def series_keys(self) -> list[str]:
        return list(self._series)

    @property
    def series(self) -> list[Series]:
        return list(self._series.values())

    def set_data(self, key: str, t: Floats, lo: Floats, hi: Floats, mean: Floats | None = None) -> None:
        """Replace a curve's points: epoch seconds ascending, lowest and highest value, NaN for a gap.

        Arrays of equal length, float64. For plain samples give the same array as `lo` and `hi`.
        """
        self.set_trace(key, Trace(t, lo, hi, mean))

    def set_trace(self, key: str, trace: Trace) -> None:
        """Replace a curve's points by a trace that may have been built on another thread."""
        series = self._series[key]
        if trace.max_gap is None:
            trace.max_gap = series.trace.max_gap
        series.trace = trace
        self._data_changed(trace)

    def extend(self, key: str, t: Floats, values: Floats) -> None:
        """Append newer samples to a curve."""
        series = self._series[key]
        series.trace.extend(t, values)
        self._data_changed(series.trace)

    def _data_changed(self, trace: Trace) -> None:
        window = self.window_of_time
        newest = float(trace.t[-1]) if len(trace) else window.now
        if newest > window.now:
            window.set_now(newest)
        if newest <= window.now or not window.following:
            self.plot.refresh(keep_axis=window.following)

    def set_texts(self, key: str, runs: Sequence[TextRun]) -> None:
        """Replace what a curve of texts said when."""
        self._series[key].texts = list(runs)
        self.plot.refresh()

    def set_compared(self, key: str, trace: Trace | None) -> None:
        """Points of another time, already moved onto the present axis; None takes them away."""
        self._series[key].compared = trace
        self.plot.refresh()

    def set_now(self, now: float) -> None:
        """Right edge of the live view, epoch seconds; call it with each tick so that time goes on without data."""
        self.window_of_time.set_now(now)

    # -- marks ---------------------------------------------------------------------------------------

    def set_limits(self, lines: Sequence[LimitLine] = (), band: tuple[float, float] | None = None) -> None:
        """Dotted limit lines and the normal band (low, high) behind the curves."""
        self.plot.limits, self.plot.band = list(lines), band
        self.plot.refresh()

    def set_events(self, pins: Sequence[EventPin]) -> None:
        """Marks at moments: tool changes, alarms, notes."""
        if list(pins) != self.plot.pins:
            self.plot.pins = list(pins)
            self.plot.marks_moved()

    def set_stale(self, since: float | None) -> None:
        """Hatch everything after `since` (epoch seconds): the source does not answer. None: it does."""
        if since != self.plot.stale_from:
            self.plot.stale_from = since
            self.plot.marks_moved()

    def set_value_range(self, low_high: tuple[float, float] | None) -> None:
        """Fix the axis of values; None lets it follow the curves."""
        self.plot.fixed_values = low_high
        self.plot.refresh()

    # -- view ----------------------------------------------------------------------------------------

    def view(self) -> tuple[float, float]:
        """First and last moment on show, epoch seconds."""
        return self.window_of_time.range()

    def set_view(self, t0: float, t1: float) -> None:
        """Show a range and freeze there; for saved views."""
        self.window_of_time.show(t0, t1)

    def set_span(self, seconds: float) -> None:
        """Length of the live view."""
        self.window_of_time.span = seconds
        self._on_range(False)

    @property
    def following(self) -> bool:
        return self.window_of_time.following

    def follow_live(self, follow: bool) -> None:
        """Run with the newest data, or freeze where it is."""
        if follow:
            self.go_live()
        else:
            self.window_of_time.freeze()

    def go_live(self) -> None:
        self.window_of_time.run()

    def zoom_in(self) -> None:
        self._step(1 / ZOOM)

    def zoom_out(self) -> None:
        self._step(ZOOM)

    def _step(self, factor: float) -> None:
        self.window_of_time.zoom(factor)
        self.window_of_time.end_gesture()

    def undo_zoom(self) -> None:
        """Back to the view before the last zoom or pan; after the first one, back to live."""
        self.window_of_time.back()

    def _on_range(self, by_user: bool) -> None:
        self.plot.refresh(keep_axis=self.following and not by_user)
        self.view_changed.emit(*self.view(), by_user)

    # -- words ---------------------------------------------------------------------------------------

    def _on_marks(self) -> None:
        self.plot.marks_moved()
        self._label()

    def _label(self) -> None:
        crosshair = self.window_of_time.crosshair
        start, end = self.view()
        self._labels.set_labels(
            [self._end_label(one, start, end, crosshair) for one in self._series.values()]
        )

    def _end_label(self, series: Series, start: float, end: float, crosshair: float | None) -> EndLabel:
        frame = self.plot.frame
        if series.kind == "texts":
            moment = crosshair if crosshair is not None else min(end, self.window_of_time.now) - 1e-3
            return EndLabel(
                series.label, series.text_at(moment) or "no data", "", "", series.colour_index, None
            )
        last = series.last(end)
        y = None if last is None else min(max(frame.y(last), frame.box.top()), frame.box.bottom())
        value, remark = last, f"{_percent(series.trace.good_share(start, end))} good"
        if crosshair is not None:
            reading = series.at(crosshair)
            value = None if reading is None else reading.mean
            remark = against(series, crosshair) or remark
        unit = series.unit if value is not None and not series.states else ""
        return EndLabel(series.label, series.words(value), unit, remark, series.colour_index, y)

    def readout(self) -> str:
        """What the crosshair or the two cursors say, in one line."""
        shown, window, zone = list(self._series.values()), self.window_of_time, self.plot.zone
        if len(window.cursors) == 2:
            return differences(shown, window.cursors["A"], window.cursors["B"], zone)
        return "" if window.crosshair is None else values_at(shown, window.crosshair, zone)

    def set_crosshair(self, moment: float | None) -> None:
        """Put the crosshair at a moment, or take it away."""
        self.window_of_time.set_crosshair(moment)

    def set_cursor(self, name: str, moment: float | None) -> None:
        """Place measuring cursor "A" or "B"; None takes it away."""
        self.window_of_time.set_cursor(name, moment)

    # -- keys and pointer ----------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Z
            and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        ):
            event.accept()  # in a chart, Ctrl+Z takes back a zoom, not a change of the data
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, window = event.key(), self.window_of_time
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key == Qt.Key.Key_Z and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.undo_zoom()
        elif key == Qt.Key.Key_Space:
            self.follow_live(not self.following)
        elif key in (Qt.Key.Key_L, Qt.Key.Key_0):
            self.go_live()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif key == Qt.Key.Key_Minus:
            self.zoom_out()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._sideways(-1 if key == Qt.Key.Key_Left else 1, crosshair=shift)
        elif key == Qt.Key.Key_End:
            start, end = self.view()
            window.show(window.now - (end - start), window.now, by_user=True)
        elif key in (Qt.Key.Key_A, Qt.Key.Key_B):
            window.set_cursor("A" if key == Qt.Key.Key_A else "B", self.pointed())
        else:
            super().keyPressEvent(event)

    def _sideways(self, direction: int, *, crosshair: bool) -> None:
        start, end = self.view()
        if crosshair:
            step = (end - start) / max(self.plot.frame.box.width(), 1.0) * 4
            self.window_of_time.set_crosshair(min(max(self.pointed() + direction * step, start), end))
        else:
            self.window_of_time.pan(direction * _PAN * (end - start))
            self.window_of_time.end_gesture()

    def pointed(self) -> float:
        """Where the crosshair is, the middle of the view when it is nowhere."""
        start, end = self.view()
        crosshair = self.window_of_time.crosshair
        return (start + end) / 2 if crosshair is None else crosshair

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.menu_wanted.emit(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(event.rect(), self.tokens.base)
            if self.hasFocus():
                draw_focus_ring(painter, QRectF(self.rect()), self.tokens)
        finally:
            painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    # -- picture -------------------------------------------------------------------------------------

    def paint_sharp(self, painter: QPainter) -> None:
        """Paint the plot and its labels without frame, at the resolution of the painter's device."""
        painter.fillRect(self.rect(), self.tokens.base)
        for part, paint in ((self.plot, self.plot.render_sharp), (self._labels, self._labels.paint_labels)):
            painter.save()
            painter.translate(part.pos())
            paint(painter)
            painter.restore()

    def picture(self) -> QPixmap:
        """The chart with its labels as it stands on the screen."""
        return self.grab()

    def copy_picture(self) -> None:
        QGuiApplication.clipboard().setPixmap(self.picture())

    def export_picture(self, path: Path) -> None:
        """Write the chart as PNG; OSError when the file cannot be written."""
        image: QImage = self.picture().toImage()
        if not image.save(str(path), "PNG"):  # type: ignore[call-overload]  # the stub asks for bytes, Qt takes str
            raise OSError(f"The picture could not be written to {path}.")


def _percent(share: float) -> str:
    """Whole percent; never 100 while anything is missing, nor 0 while anything is there."""
    percent = share * 100
    if 0 < percent < 1 or 99 < percent < 99.95:
        return f"{percent:.1f} %"
    return f"{np.floor(percent + 0.05):.0f} %"
