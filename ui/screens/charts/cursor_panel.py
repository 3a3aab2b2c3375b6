"""The table under the charts while cursors stand in them: values, differences and figures in aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.models.curve_figures import HEADINGS, FigureLine
from ui.widgets.chart_readout import clock, span_words
from ui.widgets.themed import LEFT, RIGHT, ThemedWidget, draw_text

_MOST_LINES = 8


class CursorPanel(ThemedWidget):
    """Shows what it is given; hidden without a cursor."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cursor-panel")
        self.lines: list[FigureLine] = []
        self._heading = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_figures(self, cursors: dict[str, float], lines: Sequence[FigureLine]) -> None:
        """The lines of the curves; without a cursor the panel goes away."""
        self.lines = list(lines)
        parts = [f"{name} {clock(cursors[name])}" for name in sorted(cursors)]
        if len(cursors) == 2:
            parts.append(f"Δt {span_words(abs(cursors['B'] - cursors['A']))}")
        else:
            parts.append(f"{'B' if 'A' in cursors else 'A'} sets the other cursor")
        self._heading = "  ·  ".join(parts)
        self.setVisible(bool(cursors) and bool(lines))
        words = "; ".join(
            f"{line.name}: " + ", ".join(f"{h} {c}" for h, c in zip(HEADINGS, line.cells, strict=True))
            for line in self.lines
        )
        self.setAccessibleName(f"{self._heading}. {words}")
        self.setToolTip("" if len(self.lines) <= _MOST_LINES else words.replace("; ", "\n"))
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """Heading and lines as on the screen, columns apart by tabs."""
        head = "\t".join((self._heading, *HEADINGS))
        return "\n".join([head, *("\t".join((line.name, *line.cells)) for line in self.lines)])

    def _line_height(self) -> int:
        return QFontMetrics(self.theme.font("body")).height() + 4

    def sizeHint(self) -> QSize:
        return QSize(600, (min(len(self.lines), _MOST_LINES) + 2) * self._line_height() + 10)

    def minimumSizeHint(self) -> QSize:
        return QSize(300, self.sizeHint().height())

    def _lefts(self) -> list[float]:
        """Where each column begins, and the end of the last; a rate carries its unit and is wider."""
        weights = [1.6 if heading == "Rate" else 1.0 for heading in HEADINGS]
        width = min(104.0, (self.width() - 236) / sum(weights))
        return [self.width() - 12 - width * sum(weights[column:]) for column in range(len(weights) + 1)]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            t, height = self.tokens, self._line_height()
            meta, body = self.theme.font("meta"), self.theme.font("body")
            painter.fillRect(self.rect(), t.base)
            lefts = self._lefts()
            draw_text(painter, QRectF(10, 4, self.width() - 20, height), self._heading, body, t.text, LEFT)
            for left, right, heading in zip(lefts, lefts[1:], HEADINGS, strict=False):
                draw_text(
                    painter, QRectF(left, 4 + height, right - left, height), heading, meta, t.text2, RIGHT
                )
            for number, line in enumerate(self.lines[:_MOST_LINES]):
                top = 4 + (number + 2) * height
                painter.fillRect(QRectF(10, top + height / 2 - 1, 12, 3), t.series[line.colour_index])
                draw_text(painter, QRectF(28, top, lefts[0] - 34, height), line.name, body, t.text, LEFT)
                for left, right, cell in zip(lefts, lefts[1:], line.cells, strict=False):
                    draw_text(
                        painter, QRectF(left + 4, top, right - left - 4, height), cell, body, t.text, RIGHT
                    )
        finally:
            painter.end()
