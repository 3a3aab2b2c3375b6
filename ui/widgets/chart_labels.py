"""The strip at the right of a chart: name, value and share of good data of each curve, at the height of its end."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.widgets.themed import LEFT, RIGHT, ThemedWidget, draw_text

LABEL_WIDTH = 172


@dataclass(frozen=True)
class EndLabel:
    """Name, value, unit and remark of a curve, in its colour; `y` on the strip, None without data."""

    text: str
    value: str
    unit: str
    remark: str
    colour_index: int
    y: float | None


class EndLabels(ThemedWidget):
    """Labels in a strip of fixed width, so that a new label cannot jerk the plot; they make room for each other.

    Numbers stand right-aligned under each other, units behind them.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels: list[EndLabel] = []
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.restyle()

    def set_labels(self, labels: list[EndLabel]) -> None:
        if labels != self.labels:
            self.labels = labels
            self.setToolTip("\n".join(f"{one.text}: {one.value} {one.unit}, {one.remark}" for one in labels))
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.width(), 60)

    def restyle(self) -> None:
        self.setFixedWidth(round(LABEL_WIDTH * self.theme.density.type_scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.base)
            self.paint_labels(painter)
        finally:
            painter.end()

    def paint_labels(self, painter: QPainter) -> None:
        """Paint the labels, for a picture of another resolution too."""
        t, meta, strong = self.tokens, self.theme.font("meta"), self.theme.font("strong")
        line, value_line = QFontMetrics(meta).height(), QFontMetrics(strong).height()
        roomy = len(self.labels) * (2 * line + value_line + 6) <= self.height()
        height = value_line + 6 + line * (2 if roomy else 1)
        number_end = round(self.width() * 0.47)
        for label, top in zip(self._ordered(), self._tops(height), strict=True):
            painter.fillRect(QRectF(4, top + line / 2 - 1, 12, 3), t.series[label.colour_index])
            draw_text(painter, QRectF(22, top, self.width() - 26, line), label.text, meta, t.text2, LEFT)
            if label.unit:
                number = QRectF(6, top + line, number_end - 6, value_line)
                draw_text(painter, number, label.value, strong, t.text, RIGHT)
                unit = QRectF(number_end + 5, top + line, self.width() - number_end - 9, value_line)
                draw_text(painter, unit, label.unit, meta, t.text2, LEFT)
            else:
                words = QRectF(22, top + line, self.width() - 26, value_line)
                draw_text(painter, words, label.value, strong, t.text, LEFT)
            if roomy:
                below = QRectF(22, top + line + value_line, self.width() - 26, line)
                draw_text(painter, below, label.remark, meta, t.text2, LEFT)

    def _ordered(self) -> list[EndLabel]:
        return sorted(self.labels, key=_height)

    def _tops(self, height: int) -> list[float]:
        """Tops near the wished places, pushed down where they would overlap, then up to stay in view."""
        tops: list[float] = []
        for label in self._ordered():
            wish = (label.y if label.y is not None else self.height()) - height / 2
            tops.append(max(wish, tops[-1] + height if tops else 0.0))
        floor = float(self.height())
        for index in range(len(tops) - 1, -1, -1):
            tops[index] = max(0.0, min(tops[index], floor - height))
            floor = tops[index]
        return tops


def _height(label: EndLabel) -> float:
    return 1e9 if label.y is None else label.y
