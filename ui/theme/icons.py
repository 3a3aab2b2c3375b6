"""Outline icons drawn from a font in the colour that the theme has at the moment of painting."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QIconEngine, QPainter, QPixmap

ColourOf = Callable[[QIcon.Mode], QColor]


def _font_library() -> Any:
    # 0.15 s to import and 50 ms for its first font: the login window must not pay for it.
    return import_module("qtawesome")


class GlyphIconEngine(QIconEngine):
    """Paints one character of an icon font; asks for its colour on every paint, so it follows the theme."""

    def __init__(self, font: QFont, character: str, colour_of: ColourOf) -> None:
        super().__init__()
        self._font = font
        self._character = character
        self._colour_of = colour_of

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        painter.save()
        try:
            font = QFont(self._font)
            font.setPixelSize(max(1, round(rect.height() * 0.92)))
            painter.setFont(font)
            painter.setPen(self._colour_of(mode))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._character)
        finally:
            painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        try:
            self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        finally:
            painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return GlyphIconEngine(self._font, self._character, self._colour_of)


def glyph_icon(name: str, colour_of: ColourOf) -> QIcon:
    """An icon by name: plain names are Phosphor outlines ("play"), "mdi6.factory" picks another set.

    An unknown name raises: it is a mistake in the program.
    """
    library = _font_library()
    prefix, _, plain = name.rpartition(".")
    prefix = prefix or "ph"
    character = str(library.charmap(f"{prefix}.{plain}"))
    font: QFont = library.font(prefix, 16)
    return QIcon(GlyphIconEngine(font, character, colour_of))
