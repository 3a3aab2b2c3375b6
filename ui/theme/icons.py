"""Outline icons drawn from a font in the colour that the theme has at the moment of painting."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

ColourOf = Callable[[QIcon.Mode], QColor]


@cache
def _outlines() -> tuple[QFont, dict[str, str]]:
    """The Phosphor font that comes with qtawesome, and the code points of its names.

    Read without importing the library: that would load Qt once more and eleven other fonts, a third of a second.
    """
    library = find_spec("qtawesome")
    if library is None or library.origin is None:
        raise ModuleNotFoundError("qtawesome, which brings the icons, is not installed")
    folder = Path(library.origin).parent / "fonts"
    (font_file,) = folder.glob("phosphor-*.ttf")
    (names_file,) = folder.glob("phosphor-charmap-*.json")
    number = QFontDatabase.addApplicationFontFromData(font_file.read_bytes())
    return QFont(QFontDatabase.applicationFontFamilies(number)), json.loads(names_file.read_text("utf-8"))


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
    """An icon by its name among the Phosphor outlines, such as "play".

    An unknown name raises: it is a mistake in the program.
    """
    font, code_points = _outlines()
    return QIcon(GlyphIconEngine(font, chr(int(code_points[name], 16)), colour_of))
