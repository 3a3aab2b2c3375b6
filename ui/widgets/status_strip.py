"""The bottom line of the window: named segments, and the faults of the outside world in plain sentences."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.widgets.glyphs import paint_priority
from ui.widgets.themed import LEFT, ThemedWidget, draw_focus_ring, draw_text

Tone = Literal["normal", "attention", "fault"]
_PRIORITY = {"attention": 3, "fault": 2}


class _Segment(ThemedWidget):
    clicked = Signal(str)

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self._text, self._tone = "", "normal"
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)

    def show_text(self, text: str, tone: Tone, tooltip: str) -> None:
        if (text, tone, tooltip) == (self._text, self._tone, self.toolTip()):
            return
        self._text, self._tone = text, tone
        self.setToolTip(tooltip)
        self.setAccessibleName(text if tone == "normal" else f"{tone}: {text}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        glyph = 0 if self._tone == "normal" else 26
        # Measured with the font that paints: features such as tabular digits make words a little wider.
        width = QFontMetrics(self.font()).horizontalAdvance(self._text) + 30 + glyph
        return QSize(width, max(24, self.fontMetrics().height() + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(60, self.sizeHint().width()), self.sizeHint().height())

    def restyle(self) -> None:
        self.setFont(self.theme.font("meta"))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit(self.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit(self.key)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            t = self.tokens
            box = QRectF(self.rect()).adjusted(12, 0, -12, 0)
            if self._tone != "normal":
                glyph = QRectF(box.left() - 4, 0, 20, self.height())
                paint_priority(painter, glyph, _PRIORITY[self._tone], False, text="!")
                box.setLeft(box.left() + 22)
            ink = t.text2 if self._tone == "normal" else t.text
            draw_text(painter, box, self._text, self.font(), ink, LEFT)
            painter.fillRect(self.width() - 1, 6, 1, self.height() - 12, t.divider)
            if self.hasFocus():
                draw_focus_ring(painter, QRectF(self.rect()), t)
        finally:
            painter.end()


class StatusStrip(ThemedWidget):
    """Segments in the order in which they were first set; faults come first and list their sentences."""

    segment_clicked = Signal(str)
    FAULTS = "faults"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusStrip")
        self._segments: dict[str, _Segment] = {}
        self._faults: dict[str, str] = {}
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 1, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_segment(self, key: str, text: str, tone: Tone = "normal", tooltip: str = "") -> None:
        """Create or change the segment `key`; an empty text hides it."""
        segment = self._segments.get(key) or self._add_segment(key)
        segment.show_text(text, tone, tooltip)
        segment.setVisible(bool(text))

    def segment_text(self, key: str) -> str:
        """Text of a segment; a KeyError when it was never set."""
        return self._segments[key]._text

    def set_fault(self, key: str, sentence: str | None) -> None:
        """Show a fault of the outside world under its own key; None when it is over."""
        if sentence is None:
            self._faults.pop(key, None)
        else:
            self._faults[key] = sentence
        sentences = list(self._faults.values())
        more = f" (+{len(sentences) - 1} more)" if len(sentences) > 1 else ""
        text = sentences[0] + more if sentences else ""
        self.set_segment(self.FAULTS, text, "fault", "\n".join(sentences))

    def faults(self) -> list[str]:
        """The sentences of all present faults, oldest first."""
        return list(self._faults.values())

    def _add_segment(self, key: str) -> _Segment:
        segment = _Segment(key, self)
        segment.setObjectName(f"status_{key}")
        segment.restyle()
        segment.clicked.connect(self.segment_clicked)
        self._segments[key] = segment
        self._layout.insertWidget(0 if key == self.FAULTS else self._layout.count() - 1, segment)
        return segment

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.panel)
            painter.fillRect(0, 0, self.width(), 1, self.tokens.divider)
        finally:
            painter.end()
