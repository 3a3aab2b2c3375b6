"""One picture to look at closely: the wheel and keys enlarge it, dragging moves it, a double click fits it again."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from ui.widgets.themed import CENTRE, ThemedWidget, draw_text

_MOST = 8.0
_STEP = 1.25
_PAN = 60


class PictureView(ThemedWidget):
    """Shows `picture`, or a sentence where there is none; `zoom_changed` carries screen px per picture px."""

    zoom_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("picture-view")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 220)
        self._picture, self._words = QPixmap(), ""
        self._zoom: float | None = None  # None: as large as it fits
        self._centre = QPointF()  # the point of the picture in the middle of the widget
        self._held: QPoint | None = None

    def show_picture(self, picture: QPixmap) -> None:
        """Show a picture, as large as it fits."""
        larger = self._picture.width() * self._picture.height() < picture.width() * picture.height()
        self._picture, self._words = picture, ""
        if larger:
            self.fit()
        self.update()

    def show_words(self, words: str, behind: QPixmap | None = None) -> None:
        """Say why there is no picture (yet), over a small one if there is."""
        self._words, self._picture = words, behind or QPixmap()
        self.fit()

    @property
    def words(self) -> str:
        return self._words

    @property
    def has_picture(self) -> bool:
        return not self._picture.isNull() and not self._words

    @property
    def zoom(self) -> float:
        return self._fitting() if self._zoom is None else self._zoom

    def fit(self) -> None:
        """As large as it fits, never larger than it is."""
        self._zoom = None
        self._centre = QRectF(self._picture.rect()).center()
        self._moved()

    def zoom_in(self) -> None:
        self._set_zoom(self.zoom * _STEP, QPointF(self.rect().center()))

    def zoom_out(self) -> None:
        self._set_zoom(self.zoom / _STEP, QPointF(self.rect().center()))

    def _fitting(self) -> float:
        if self._picture.isNull():
            return 1.0
        size: QSize = self._picture.size()
        return min(1.0, self.width() / size.width(), self.height() / size.height())

    def _set_zoom(self, zoom: float, about: QPointF) -> None:
        """Enlarge so that what lies under `about` stays there."""
        if not self.has_picture:
            return
        before, least = self.zoom, min(self._fitting(), 1.0)
        zoom = min(_MOST, max(least, zoom))
        if zoom == least:
            self.fit()
            return
        away = about - QPointF(self.rect().center())
        self._centre += away / before - away / zoom
        self._zoom = zoom
        self._moved()

    def _moved(self) -> None:
        """Keep the picture in the window, and tell."""
        half = QPointF(self.width() / 2, self.height() / 2) / self.zoom
        size = self._picture.size()
        self._centre = QPointF(
            _between(self._centre.x(), half.x(), size.width()),
            _between(self._centre.y(), half.y(), size.height()),
        )
        self.zoom_changed.emit(self.zoom)
        self.update()

    def _pan(self, x: float, y: float) -> None:
        self._centre += QPointF(x, y) / self.zoom
        self._moved()

    # -- hands

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if steps:
            self._set_zoom(self.zoom * _STEP**steps, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = event.position().toPoint()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            now = event.position().toPoint()
            self._pan(self._held.x() - now.x(), self._held.y() - now.y())
            self._held = now

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._zoom is None:
            self._set_zoom(max(1.0, self.zoom * 2), event.position())
        else:
            self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (-_PAN, 0),
            Qt.Key.Key_Right: (_PAN, 0),
            Qt.Key.Key_Up: (0, -_PAN),
            Qt.Key.Key_Down: (0, _PAN),
        }
        if event.key() in moves:
            self._pan(*moves[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_out()
        elif event.key() == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._moved()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.canvas)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 3)
            if not self._picture.isNull():
                size = QPointF(self._picture.width(), self._picture.height()) * self.zoom
                corner = QPointF(self.rect().center()) - self._centre * self.zoom
                painter.drawPixmap(QRectF(corner, corner + size), self._picture, QRectF(self._picture.rect()))
            if self._words:
                line = self.rect().adjusted(0, self.height() - 36, 0, 0)
                painter.fillRect(line, self.tokens.panel)
                draw_text(painter, line, self._words, self.theme.font("body"), self.tokens.text, CENTRE)
        finally:
            painter.end()


def _between(centre: float, half: float, size: float) -> float:
    return size / 2 if 2 * half >= size else min(max(centre, half), size - half)
