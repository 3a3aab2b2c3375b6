"""Base for widgets that look again when the theme changes, and the text drawing they share."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ui.theme import Theme, Tokens, current_theme

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter
_LEAST_WORDS = 140  # px of a shortened line that still say what it is about


class ThemedWidget(QWidget):
    """A QWidget that calls `restyle` once after construction is due and on every theme change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        current_theme().changed.connect(self._theme_changed)

    @property
    def theme(self) -> Theme:
        return current_theme()

    @property
    def tokens(self) -> Tokens:
        return current_theme().tokens

    def restyle(self) -> None:
        """Take sizes, fonts and palettes from the theme; subclasses extend it."""

    def _theme_changed(self) -> None:
        self.restyle()
        self.updateGeometry()
        self.update()


class RoleLabel(QLabel):
    """A label in one of the theme's type roles and one of its text colours."""

    def __init__(
        self, text: str = "", role: str = "body", colour: str = "text", parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._role = role
        self._colour = colour
        self.setTextFormat(Qt.TextFormat.PlainText)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def set_colour(self, colour: str) -> None:
        """Name of a text token: text, text2, accent."""
        if colour != self._colour:
            self._colour = colour
            self._restyle()

    def _restyle(self) -> None:
        theme = current_theme()
        self.setFont(theme.font(self._role))
        palette = self.palette()
        palette.setColor(self.foregroundRole(), getattr(theme.tokens, self._colour))
        self.setPalette(palette)


class ElidedLabel(ThemedWidget):
    """One line of text that shortens itself and keeps the whole of it as tooltip.

    With `fit` it asks for as much room as its words take and never for more; otherwise it takes what there is.
    """

    def __init__(
        self, role: str = "body", colour: str = "text", parent: QWidget | None = None, *, fit: bool = False
    ) -> None:
        super().__init__(parent)
        self._role, self._colour, self._text, self._fit = role, colour, "", fit
        across = QSizePolicy.Policy.Maximum if fit else QSizePolicy.Policy.Expanding
        self.setSizePolicy(across, QSizePolicy.Policy.Preferred)

    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            if self._fit:
                self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font(self._role))
        return QSize(metrics.horizontalAdvance(self._text) + 2 if self._fit else 80, metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        least = _LEAST_WORDS if self._fit else 80
        return QSize(min(least, self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            ink: QColor = getattr(self.tokens, self._colour)
            draw_text(painter, self.rect(), self._text, self.theme.font(self._role), ink)
        finally:
            painter.end()


def draw_text(
    painter: QPainter,
    rect: QRect | QRectF,
    text: str,
    font: QFont,
    colour: QColor,
    flags: Qt.AlignmentFlag = LEFT,
) -> int:
    """Draw one line of text, elided at the right when it does not fit; returns the width used in px."""
    box = rect.toRect() if isinstance(rect, QRectF) else rect
    metrics = QFontMetrics(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(box, int(flags), shown)
    return metrics.horizontalAdvance(shown)


def draw_focus_ring(painter: QPainter, rect: QRectF, tokens: Tokens, radius: float = 4.0) -> None:
    """2 px ring in the focus colour just inside `rect`."""
    painter.save()
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tokens.focus, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)
    finally:
        painter.restore()
