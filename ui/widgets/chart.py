"""Live trend chart: min/max buckets of several tags over time, zoomed while they stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QGraphicsRectItem, QGraphicsView, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.theme import mix
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.chart_data import Floats, Series
from ui.widgets.chart_overlay import ChartOverlay, EndLabel, EndLabels, EventPin, LimitLine, PlotFrame
from ui.widgets.chart_readout import differences, short, values_at
from ui.widgets.themed import ElidedLabel, RoleLabel, ThemedWidget, draw_focus_ring

__all__ = ["EventPin", "LimitLine", "TrendChart"]

_AXIS_WIDTH = 64
_ZOOM = 1.6
_KEPT_VIEWS = 200


class TrendChart(ThemedWidget):
    """Curves by key; times are epoch seconds (UTC), shown in local time, 24 h.

    `view_changed(t0, t1, by_user)` asks whoever owns the data for buckets of that window.
    Any zoom or pan freezes the view until `follow_live(True)`; data keeps coming in meanwhile.
    """

    view_changed = Signal(float, float, bool)
    follow_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None, *, span: float = 600.0) -> None:
        super().__init__(parent)
        self._series: dict[str, Series] = {}
        self._curves: dict[str, Any] = {}
        self._band: tuple[float, float] | None = None
        self._span = span
        self._now = time.time()
        self._following = True
        self._frozen_at = 0.0
        self._views: list[tuple[float, float]] = []
        self._shown = (self._now - span, self._now)
        self._since_zoom = QElapsedTimer()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._build_plot()
        self._build_bar()
        self._lay_out()
        self.restyle()
        self._show_live()

    # -- construction --------------------------------------------------------------------------------

    def _build_plot(self) -> None:
        import pyqtgraph as pg  # 0.3 to 1 s: only whoever shows a chart pays

        self._pg: Any = pg
        axis = pg.DateAxisItem(orientation="bottom")
        plot = pg.PlotWidget(parent=self, axisItems={"bottom": axis}, antialias=False)
        self._plot: Any = plot
        view: QGraphicsView = plot
        view.setFrameShape(QGraphicsView.Shape.NoFrame)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setMenuEnabled(False)
        # The library's own menu is never shown, but without a parent it would outlive the chart as a hidden window.
        menu = plot.getPlotItem().ctrlMenu
        menu.setParent(self, menu.windowFlags())
        # On the plot, not on the curves: adding a curve gives it the plot's settings.
        plot.setDownsampling(auto=True, mode="peak")
        plot.setClipToView(True)
        plot.hideButtons()
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        plot.getAxis("left").enableAutoSIPrefix(False)
        self._box: Any = plot.getViewBox()
        self._box.setMouseEnabled(x=True, y=False)
        self._box.disableAutoRange()
        self._box.setDefaultPadding(0.0)
        # Band under grid under curves: the band belongs to the plot item, not to the view box.
        self._region = QGraphicsRectItem(plot.getPlotItem())
        self._region.setZValue(-2000)
        self._region.setPen(QPen(Qt.PenStyle.NoPen))
        self._box.sigRangeChangedManually.connect(self._moved_by_hand)
        self._box.sigResized.connect(self._refresh_overlay)
        plot.scene().sigMouseMoved.connect(self._hovered)
        viewport = view.viewport()
        viewport.installEventFilter(self)
        self._overlay = ChartOverlay(viewport)
        self._labels = EndLabels()

    def _build_bar(self) -> None:
        self._readout = ElidedLabel("meta")
        self._state = RoleLabel("", "meta", "text2")
        self._zone = RoleLabel(datetime.now().astimezone().tzname() or "", "meta", "text2")
        self._jump = ActionButton("Jump to live")
        self._out = IconButton("minus", "Show a longer time", shortcut="−")
        self._in = IconButton("plus", "Show a shorter time", shortcut="+")
        self._jump.clicked.connect(self.go_live)
        for button in (self._out, self._in):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # + and − do it on the chart itself
        self._out.clicked.connect(self.zoom_out)
        self._in.clicked.connect(self.zoom_in)

    def _lay_out(self) -> None:
        """One thin line of words above the plot; labels and buttons in the strip beside it, which never moves."""
        words = QHBoxLayout()
        words.setContentsMargins(8, 2, 8, 0)
        words.addWidget(self._readout, 1)
        words.addWidget(self._state)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(0, 0, 8, 0)
        buttons.setSpacing(4)
        buttons.addWidget(self._out)
        buttons.addWidget(self._in)
        buttons.addStretch(1)
        buttons.addWidget(self._zone)
        side = QVBoxLayout()
        side.setSpacing(4)
        side.addWidget(self._labels, 1)
        side.addWidget(self._jump)
        side.addLayout(buttons)
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self._plot, 1)
        body.addLayout(side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(0)
        layout.addLayout(words)
        layout.addLayout(body, 1)

    # -- data ----------------------------------------------------------------------------------------

    def set_series(self, key: str, label: str, unit: str = "", *, max_gap: float | None = None) -> None:
        """Add or rename a curve. It keeps its colour for life; `max_gap` seconds without data break it."""
        known = self._series.get(key)
        if known is not None:
            known.label, known.unit, known.max_gap = label, unit, max_gap
        else:
            used = {series.colour_index for series in self._series.values()}
            count = len(self.tokens.series)
            free = next((i for i in range(count) if i not in used), len(self._series) % count)
            self._series[key] = Series(key, label, unit, free, max_gap)
            curve = self._pg.PlotDataItem(pen=self._pen(free), antialias=False)
            self._plot.addItem(curve, ignoreBounds=True)
            self._curves[key] = curve
        self._refresh_overlay()

    def remove_series(self, key: str) -> None:
        """Take a curve away; an unknown key is a KeyError."""
        del self._series[key]
        self._plot.removeItem(self._curves.pop(key))
        self._refresh_overlay()

    def series_keys(self) -> list[str]:
        return list(self._series)

    def set_data(self, key: str, t: Floats, lo: Floats, hi: Floats, mean: Floats | None = None) -> None:
        """Replace a curve's buckets: epoch seconds ascending, lowest and highest value, NaN for a gap.

        Arrays of equal length, float64. For plain samples give the same array as `lo` and `hi`.
        """
        series = self._series[key]
        series.t, series.lo, series.hi, series.mean = t, lo, hi, mean
        x, y = series.line()
        finite = bool(np.isfinite(y).all())
        self._curves[key].setData(x, y, connect="all" if finite else "finite", skipFiniteCheck=finite)
        if len(t):
            self._now = max(self._now, float(t[-1]))
        self._settle()

    def set_now(self, now: float) -> None:
        """Right edge of the live view, epoch seconds; call it with each tick so that time goes on without data."""
        self._now = now
        self._settle()

    def _settle(self) -> None:
        if self._following:
            self._apply_view(self._now - self._span, self._now)
        else:
            self._show_live()
            self._fit_values()

    # -- marks ---------------------------------------------------------------------------------------

    def set_limits(self, lines: Sequence[LimitLine] = (), band: tuple[float, float] | None = None) -> None:
        """Dotted limit lines and the normal band (low, high) behind the curves."""
        self._overlay.limits = list(lines)
        self._band = band
        self._fit_values()

    def set_events(self, pins: Sequence[EventPin]) -> None:
        """Marks at moments: tool changes, alarms, notes."""
        self._overlay.pins = list(pins)
        self._overlay.update()

    def set_stale(self, since: float | None) -> None:
        """Hatch everything after `since` (epoch seconds): the source does not answer. None: it does."""
        self._overlay.stale_from = since
        self._overlay.update()

    # -- view ----------------------------------------------------------------------------------------

    def view(self) -> tuple[float, float]:
        """First and last moment on show, epoch seconds."""
        start, end = self._box.viewRange()[0]
        return float(start), float(end)

    def set_view(self, t0: float, t1: float) -> None:
        """Show a window and freeze there; for linked charts and saved views."""
        self._freeze()
        self._apply_view(t0, t1)

    def set_span(self, seconds: float) -> None:
        """Length of the live view."""
        self._span = seconds
        self._settle()

    @property
    def following(self) -> bool:
        return self._following

    def follow_live(self, follow: bool) -> None:
        """Run with the newest data, or freeze where it is."""
        if not follow:
            self._freeze()
        elif not self._following:
            self._following = True
            self.follow_changed.emit(True)
            self._settle()
        self._show_live()

    def go_live(self) -> None:
        self._views.clear()
        self.follow_live(True)

    def zoom_in(self) -> None:
        self._zoom(1 / _ZOOM)

    def zoom_out(self) -> None:
        self._zoom(_ZOOM)

    def undo_zoom(self) -> None:
        """Back to the view before the last zoom or pan; after the first one, back to live."""
        if self._views:
            self._apply_view(*self._views.pop(), by_user=True)
        else:
            self.follow_live(True)

    def _zoom(self, factor: float) -> None:
        """Around the newest moment while live, around the middle when frozen."""
        start, end = self.view()
        if self._following:
            self._span *= factor
            self._settle()
            self.view_changed.emit(*self.view(), True)
            return
        self._remember()
        middle, half = (start + end) / 2, (end - start) / 2 * factor
        self._apply_view(middle - half, middle + half, by_user=True)

    def _apply_view(self, t0: float, t1: float, by_user: bool = False) -> None:
        if t1 - t0 < 1e-3:
            t1 = t0 + 1e-3
        changed = self.view() != (t0, t1)
        self._box.setXRange(t0, t1, padding=0)
        self._shown = (t0, t1)
        self._fit_values()
        if changed:
            self.view_changed.emit(t0, t1, by_user)

    def _moved_by_hand(self, _axes: object) -> None:
        self._remember()
        self._freeze()
        self._shown = self.view()
        self._fit_values()
        self.view_changed.emit(*self._shown, True)

    def _remember(self) -> None:
        """Keep the view from before this gesture; one burst of the wheel is one step."""
        fresh = not self._since_zoom.isValid() or self._since_zoom.elapsed() > 400
        self._since_zoom.start()
        if fresh and not self._following:
            self._views = [*self._views[-_KEPT_VIEWS:], self._shown]

    def _freeze(self) -> None:
        if self._following:
            self._following = False
            self._frozen_at = self._now
            self.follow_changed.emit(False)
        self._show_live()

    def _show_live(self) -> None:
        self._jump.setVisible(not self._following)
        behind = max(0.0, self._now - self._frozen_at)
        self._state.setText("" if self._following else f"frozen · live +{behind:,.0f} s")

    def _fit_values(self) -> None:
        """Value axis over what is in view, with the band; limits join when the curve comes near."""
        start, end = self.view()
        spans = [s for series in self._series.values() if (s := series.extent(start, end)) is not None]
        if self._band is not None:
            spans.append(self._band)
        low = min((s[0] for s in spans), default=0.0)
        high = max((s[1] for s in spans), default=1.0)
        room = (high - low) * 0.35
        near = [line.value for line in self._overlay.limits if low - room <= line.value <= high + room]
        low, high = min([low, *near]), max([high, *near])
        margin = (high - low) * 0.08 or max(abs(high) * 0.05, 0.5)
        # The name of the topmost limit stands above its line.
        label = (QFontMetrics(self.theme.font("meta")).height() + 2) / max(self._box.height(), 60.0)
        above = max(margin, (high - low) * label / (1.0 - label)) if high in near else margin
        self._box.setYRange(low - margin, high + above, padding=0)
        self._refresh_overlay()

    # -- overlay, crosshair, keys --------------------------------------------------------------------

    def _refresh_overlay(self) -> None:
        view: QGraphicsView = self._plot
        box: QRectF = self._box.sceneBoundingRect()
        corners = QRectF(view.mapFromScene(box.topLeft()), view.mapFromScene(box.bottomRight()))
        (t0, t1), (y0, y1) = self._box.viewRange()
        self._overlay.frame = PlotFrame(corners, t0, t1, y0, y1)
        self._place_band(box, y0, y1)
        self._overlay.setGeometry(view.viewport().rect())
        self._overlay.update()
        self._labels.labels = [self._end_label(series, t1) for series in self._series.values()]
        self._labels.update()
        self._tell()

    def _place_band(self, box: QRectF, y0: float, y1: float) -> None:
        self._region.setVisible(self._band is not None)
        if self._band is not None:
            scale = box.height() / max(y1 - y0, 1e-12)
            top = box.bottom() - (min(self._band[1], y1) - y0) * scale
            bottom = box.bottom() - (max(self._band[0], y0) - y0) * scale
            place = QRectF(box.left(), top, box.width(), max(0.0, bottom - top))
            self._region.setRect(self._region.mapRectFromScene(place))

    def _end_label(self, series: Series, end: float) -> EndLabel:
        last = series.last(end)
        if last is None:
            return EndLabel(series.label, "no data", series.colour_index, None)
        frame = self._overlay.frame
        y = min(max(frame.y(last[1]), frame.box.top()), frame.box.bottom())
        value = f"{short(last[1])} {series.unit}".strip()
        return EndLabel(series.label, value, series.colour_index, y)

    def _hovered(self, at: QPointF) -> None:
        inside: bool = self._box.sceneBoundingRect().contains(at)
        self.set_crosshair(float(self._box.mapSceneToView(at).x()) if inside else None)

    def set_crosshair(self, moment: float | None) -> None:
        """Put the crosshair at a moment (linked charts do), or take it away."""
        self._overlay.crosshair = moment
        self._overlay.update()
        self._tell()

    def readout(self) -> str:
        """What the crosshair or the two cursors say, as shown."""
        return self._readout.text()

    def _tell(self) -> None:
        shown, cursors = list(self._series.values()), self._overlay.cursors
        if len(cursors) == 2:
            self._readout.set_text(differences(shown, cursors["A"], cursors["B"]))
        elif self._overlay.crosshair is not None:
            self._readout.set_text(values_at(shown, self._overlay.crosshair))
        else:
            self._readout.set_text("")

    def set_cursor(self, name: str, moment: float | None) -> None:
        """Place measuring cursor "A" or "B"; None takes it away."""
        if moment is None:
            self._overlay.cursors.pop(name, None)
        else:
            self._overlay.cursors[name] = moment
        self._overlay.update()
        self._tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, crosshair = event.key(), self._overlay.crosshair
        if key == Qt.Key.Key_Z and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.undo_zoom()
        elif key == Qt.Key.Key_Space:
            self.follow_live(not self._following)
        elif key in (Qt.Key.Key_L, Qt.Key.Key_0):
            self.go_live()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif key == Qt.Key.Key_Minus:
            self.zoom_out()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._pan(-0.2 if key == Qt.Key.Key_Left else 0.2)
        elif key in (Qt.Key.Key_A, Qt.Key.Key_B):
            self.set_cursor("A" if key == Qt.Key.Key_A else "B", crosshair)
        else:
            super().keyPressEvent(event)

    def _pan(self, share: float) -> None:
        start, end = self.view()
        self._remember()
        self._freeze()
        self._apply_view(start + (end - start) * share, end + (end - start) * share, by_user=True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.set_crosshair(None)
        elif event.type() == QEvent.Type.MouseButtonPress:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        elif event.type() == QEvent.Type.Resize:
            self._refresh_overlay()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh_overlay()

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

    # -- look and picture ----------------------------------------------------------------------------

    def _pen(self, colour_index: int) -> QPen:
        pen = QPen(self.tokens.series[colour_index], 1)
        pen.setCosmetic(True)  # one pixel of the screen, not one second of the curve
        return pen

    def restyle(self) -> None:
        t = self.tokens
        self._plot.setBackground(t.base)
        grid = mix(t.base, t.divider, 0.6)
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(QPen(t.border, 1))
            axis.setTickPen(QPen(grid, 1))
            axis.setTextPen(QPen(t.text2, 1))
            axis.setTickFont(self.theme.font("meta"))
            axis.setGrid(255)
            axis.setZValue(-1000)
        self._region.setBrush(mix(t.base, t.text2, 0.08))
        for key, curve in self._curves.items():
            curve.setPen(self._pen(self._series[key].colour_index))

    def picture(self) -> QPixmap:
        """The chart with its labels as it stands on the screen."""
        return self.grab()

    def copy_picture(self) -> None:
        QGuiApplication.clipboard().setPixmap(self.picture())

    def export_picture(self, path: Path) -> None:
        """Write the chart as PNG; OSError when the file cannot be written."""
        if not self.picture().save(str(path), "PNG"):
            raise OSError(f"The picture could not be written to {path}.")
