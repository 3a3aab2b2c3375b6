"""The charts as a picture: title, range of time, curves with their names at the ends; sharp at any scale."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from ui.theme import current_theme
from ui.widgets.chart import TrendChart
from ui.widgets.themed import LEFT, draw_text

_MARGIN = 12


def charts_picture(charts: Sequence[TrendChart], title: str, about: str, scale: int = 1) -> QImage:
    """All charts under each other, also those scrolled out of view; `scale` pixels for each of the screen's."""
    theme, tokens = current_theme(), current_theme().tokens
    title_font, meta = theme.font("section"), theme.font("meta")
    title_height = QFontMetrics(title_font).height()
    head = title_height + QFontMetrics(meta).height() + 10
    width = max((chart.width() for chart in charts), default=320) + 2 * _MARGIN
    height = head + sum(chart.height() + 6 for chart in charts) + 2 * _MARGIN
    image = QImage(width * scale, height * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(tokens.base)
    painter = QPainter(image)
    try:
        draw_text(
            painter, QRectF(_MARGIN, _MARGIN, width - 24, title_height), title, title_font, tokens.text, LEFT
        )
        below = QRectF(_MARGIN, _MARGIN + title_height, width - 24, head - title_height - 8)
        draw_text(painter, below, about, meta, tokens.text2, LEFT)
        painter.translate(_MARGIN, _MARGIN + head)
        for chart in charts:
            chart.paint_sharp(painter)
            painter.translate(0, chart.height() + 6)
    finally:
        painter.end()
    return image
