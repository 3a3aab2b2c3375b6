"""The plot of a trend chart: axes, curves and marks on one surface, moved by wheel and drag."""

from __future__ import annotations

from datetime import tzinfo

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.widgets import chart_marks as marks
from ui.widgets.chart_axes import axis_height, axis_width, paint_axes
from ui.widgets.chart_curves import LANE, paint_curve, paint_quality, paint_texts
from ui.widgets.chart_fit import fitted
from ui.widgets.chart_frame import PlotFrame
from ui.widgets.chart_marks import PIN_ROOM, EventPin, LimitLine, PinSpot
from ui.widgets.chart_series import Series
from ui.widgets.chart_ticks import local
from ui.widgets.chart_time import TimeWindow
from ui.widgets.themed import ThemedWidget

_WHEEL = 1.25  # zoom of one notch of the wheel
_ROOMY = 160  # px of height from which on the days stand below the clocks
_GRIP = 5  # px around a cursor within which it can be dragged


class ChartPlot(ThemedWidget):
    """Paints what its owner sets; curves are painted once and kept until something changes.

    Wheel zooms around the pointer, with Shift it moves; a drag moves, with Shift it marks a stretch to zoom into; a
    drag on a cursor moves that. `pins_clicked` carries the pins that stand under a click.
    """

    pins_clicked = Signal(object, QPoint)
    looked_anew = Signal()

    def __init__(self, window: TimeWindow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.window_of_time = window
        self.series: list[Series] = []
        self.unit = ""
        self.limits: list[LimitLine] = []
        self.band: tuple[float, float] | None = None
        self.pins: list[EventPin] = []
        self.chosen_pin: EventPin | None = None
        self.stale_from: float | None = None
        self.fixed_values: tuple[float, float] | None = None
        self.zone: tzinfo | None = None
        self.frame = PlotFrame()
        self.spots: list[PinSpot] = []
        self.painted = 0
        self._kept: tuple[float, float] | None = None
        self._picture: QPixmap | None = None
        self._dirty, self._keep_axis = True, False
        self._dragged: str | None = None
        self._pressed = QPointF()
        self._grabbed = (0.0, 1.0)
        self._selection: tuple[float, float] | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 90)

    # -- what is shown -------------------------------------------------------------------------------

    def refresh(self, *, keep_axis: bool = False) -> None:
        """Curves or range are others: look at them anew at the next paint, once for whatever changed until then.

        `keep_axis` leaves the axis of values where it is as long as everything fits.
        """
        self._keep_axis = keep_axis and (self._keep_axis or not self._dirty)
        self._dirty = True
        self.update()

    def settle(self) -> None:
        """Look at the curves now, if anything changed."""
        if not self._dirty:
            return
        self._dirty = False
        self._measure()
        width = max(round(self.frame.box.width()), 1)
        for series in self.series:
            series.look(self.frame.t0, self.frame.t1, width)
        self._fit(self._keep_axis)
        self._picture = None
        self.looked_anew.emit()

    def _measure(self) -> None:
        left, foot = axis_width(), axis_height(days=self._roomy())
        lanes = sum(series.kind == "texts" for series in self.series)
        box = QRectF(
            left, PIN_ROOM, max(self.width() - left - 8, 10), max(self.height() - PIN_ROOM - foot, 10)
        )
        t0, t1 = self.window_of_time.range()
        self.frame = PlotFrame(box, t0, t1, self.frame.y0, self.frame.y1)
        if lanes:
            self.setMinimumHeight(PIN_ROOM + foot + lanes * (LANE + 4) + 8)

    def _roomy(self) -> bool:
        return self.height() >= _ROOMY

    def _fit(self, keep_axis: bool) -> None:
        if self.fixed_values is not None:
            self.frame.y0, self.frame.y1 = self.fixed_values
            return
        label = (QFontMetrics(self.theme.font("meta")).height() + 2) / max(self.frame.box.height(), 60.0)
        kept = self._kept if keep_axis else None
        self._kept = fitted(self.series, self.band, self.limits, min(label, 0.4), kept)
        self.frame.y0, self.frame.y1 = self._kept

    def marks_moved(self) -> None:
        """Cursors, pins or the stale edge are others; the curves are not."""
        self.update()

    # -- painting ------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        self.settle()
        painter = QPainter(self)
        try:
            painter.drawPixmap(0, 0, self._kept_picture())
            self._paint_marks(painter)
            self.painted += 1
        finally:
            painter.end()

    def render_sharp(self, painter: QPainter) -> None:
        """Paint everything at the resolution of another device, its origin where the painter's is."""
        self.settle()
        self._paint_curves(painter)
        self._paint_marks(painter)

    def _kept_picture(self) -> QPixmap:
        if self._picture is None:
            ratio = self.devicePixelRatioF()
            picture = QPixmap(self.size() * ratio)
            picture.setDevicePixelRatio(ratio)
            painter = QPainter(picture)
            try:
                self._paint_curves(painter)
            finally:
                painter.end()
            self._picture = picture
        return self._picture

    def _paint_curves(self, painter: QPainter) -> None:
        t, frame = self.tokens, self.frame
        painter.fillRect(self.rect(), t.base)
        painter.save()
        painter.setClipRect(frame.box)
        if self.band is not None:
            marks.paint_band(painter, frame, self.band, t)
        painter.restore()
        paint_axes(painter, frame, self.series, self.unit, t, self.zone, days=self._roomy())
        painter.save()
        painter.setClipRect(frame.box.adjusted(0, 0, 0, 1))
        paint_quality(painter, frame, self.series, t)
        lane = 0
        for series in self.series:
            if series.kind == "texts":
                paint_texts(painter, frame, series, lane, t)
                lane += 1
            else:
                paint_curve(painter, frame, series, t)
        marks.paint_limits(painter, frame, self.limits, t)
        painter.restore()

    def _paint_marks(self, painter: QPainter) -> None:
        t, frame, window = self.tokens, self.frame, self.window_of_time
        painter.save()
        painter.setClipRect(frame.box.adjusted(-11, -PIN_ROOM, 11, 1))
        if self.stale_from is not None:
            marks.paint_stale(painter, frame, self.stale_from, t)
        self.spots = marks.place_pins(frame, self.pins)
        marks.paint_pins(painter, frame, self.spots, self.chosen_pin, t)
        marks.paint_cursors(painter, frame, window.cursors, t)
        if window.crosshair is not None:
            painter.setClipping(False)
            words = local(window.crosshair, self.zone).strftime("%H:%M:%S")
            marks.paint_crosshair(painter, frame, window.crosshair, words, t)
            painter.setClipRect(frame.box)
        if self._selection is not None:
            marks.paint_selection(painter, frame, *self._selection, t)
        painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()

    def restyle(self) -> None:
        self.refresh()

    # -- pointer -------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        step = event.angleDelta()
        sideways = step.x() if abs(step.x()) > abs(step.y()) else 0
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            sideways = sideways or step.y()
        length = self.frame.t1 - self.frame.t0
        if sideways:
            self.window_of_time.pan(-sideways / 120 * 0.1 * length)
        elif step.y():
            around = self.frame.moment(event.position().x())
            self.window_of_time.zoom(_WHEEL ** (-step.y() / 120), around)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        self._pressed, self._grabbed = event.position(), (self.frame.t0, self.frame.t1)
        x = event.position().x()
        near = [n for n, t in self.window_of_time.cursors.items() if abs(self.frame.x(t) - x) <= _GRIP]
        if near:
            self._dragged = near[-1]
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._dragged = "zoom"
        else:
            self._dragged = "pan"
        # The focus goes to the chart around this plot.
        event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        inside = self.frame.box.left() <= at.x() <= self.frame.box.right()
        self.window_of_time.set_crosshair(self.frame.moment(at.x()) if inside else None)
        if not event.buttons() & Qt.MouseButton.LeftButton or self._dragged is None:
            self._point(at)
        elif self._dragged == "zoom":
            self._selection = self._grabbed_moment(self._pressed.x()), self._grabbed_moment(at.x())
            self.update()
        elif self._dragged == "pan":
            if (
                abs(at.x() - self._pressed.x()) >= 2
                or self.cursor().shape() == Qt.CursorShape.ClosedHandCursor
            ):
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                moved = self._grabbed_moment(self._pressed.x()) - self._grabbed_moment(at.x())
                start, end = self._grabbed
                self.window_of_time.show(start + moved, end + moved, by_user=True)
        else:
            self.window_of_time.set_cursor(self._dragged, self.frame.moment(at.x()))

    def _grabbed_moment(self, x: float) -> float:
        """The moment under `x` as it was when the button went down."""
        start, end = self._grabbed
        return start + (x - self.frame.box.left()) / max(self.frame.box.width(), 1.0) * (end - start)

    def _point(self, at: QPointF) -> None:
        cursors = self.window_of_time.cursors.values()
        gripping = any(abs(self.frame.x(t) - at.x()) <= _GRIP for t in cursors)
        if gripping:
            self.setCursor(Qt.CursorShape.SplitHCursor)
        elif self.spot_at(at) is not None:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        dragged, self._dragged = self._dragged, None
        selection, self._selection = self._selection, None
        self.unsetCursor()
        self.window_of_time.end_gesture()
        still = (event.position() - self._pressed).manhattanLength() < 4
        spot = self.spot_at(event.position())
        if dragged == "zoom" and selection is not None and selection[0] != selection[1]:
            self.window_of_time.show(min(selection), max(selection), by_user=True)
        elif dragged == "pan" and still and spot is not None:
            self.pins_clicked.emit(spot.pins, event.globalPosition().toPoint())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.window_of_time.set_crosshair(None)

    def spot_at(self, at: QPointF) -> PinSpot | None:
        """The pins under a point of the widget."""
        return next((spot for spot in self.spots if spot.box.contains(at)), None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            spot = self.spot_at(QPointF(event.pos()))
            if spot is not None:
                QToolTip.showText(event.globalPos(), spot.words, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)
