"""The status in the bottom line of a window: named segments, and the faults of the outside world in plain sentences."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.widgets.glyphs import paint_priority
from ui.widgets.themed import LEFT, ThemedWidget, draw_focus_ring, draw_text

Tone = Literal["normal", "attention", "fault"]
_PRIORITY = {"attention": 3, "fault": 2}
_READABLE = 160  # px of a long sentence that are shown at least; its tooltip has all of it


class _Segment(ThemedWidget):
    clicked = Signal(str)

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self.text, self.tone = "", "normal"
        self.first = True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)

    def show_text(self, text: str, tone: Tone, tooltip: str) -> None:
        if (text, tone, tooltip) == (self.text, self.tone, self.toolTip()):
            return
        self.text, self.tone = text, tone
        self.setToolTip(tooltip)
        self.setAccessibleName(text if tone == "normal" else f"{tone}: {text}")
        self.updateGeometry()
        self.update()

    def show_first(self, first: bool) -> None:
        """The first one has no line before it."""
        if first != self.first:
            self.first = first
            self.update()

    def sizeHint(self) -> QSize:
        glyph = 0 if self.tone == "normal" else 26
        # Measured with the font that paints: features such as tabular digits make words a little wider.
        width = QFontMetrics(self.font()).horizontalAdvance(self.text) + 30 + glyph
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
            if self.tone != "normal":
                glyph = QRectF(box.left() - 4, 0, 20, self.height())
                paint_priority(painter, glyph, _PRIORITY[self.tone], False, text="!")
                box.setLeft(box.left() + 22)
            ink = t.text2 if self.tone == "normal" else t.text
            draw_text(painter, box, self.text, self.font(), ink, LEFT)
            if not self.first:
                painter.fillRect(0, 6, 1, self.height() - 12, t.divider)
            if self.hasFocus():
                draw_focus_ring(painter, QRectF(self.rect()), t)
        finally:
            painter.end()


class StatusStrip(ThemedWidget):
    """Segments in the order in which they were first set; faults come first and list their sentences.

    Where `set_room` leaves too little for all of them, those that tell of nothing unusual are left out, the last first.
    """

    segment_clicked = Signal(str)
    FAULTS = "faults"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusStrip")
        self._segments: dict[str, _Segment] = {}
        self._faults: dict[str, str] = {}
        self._room: int | None = None
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)

    def set_segment(self, key: str, text: str, tone: Tone = "normal", tooltip: str = "") -> None:
        """Create or change the segment `key`; an empty text hides it."""
        segment = self._segments.get(key) or self._add_segment(key)
        segment.show_text(text, tone, tooltip)
        self._arrange()

    def set_room(self, width: int) -> None:
        """How many px there are for all segments together."""
        if width != self._room:
            self._room = width
            self._arrange()

    def least_width(self) -> int:
        """Px without which something unusual could not be read."""
        unusual = (one for one in self._segments.values() if one.text and one.tone != "normal")
        return sum(min(_READABLE, one.sizeHint().width()) for one in unusual)

    def _arrange(self) -> None:
        order = sorted(self._segments.values(), key=_unusual_first)
        left = self._room
        fitting = set()
        for segment in order:
            wanted = segment.sizeHint().width()
            if not segment.text or (left is not None and segment.tone == "normal" and wanted > left):
                continue
            fitting.add(segment.key)
            left = None if left is None else max(0, left - wanted)
        first = True
        for key in sorted(self._segments, key=self._place_of):
            segment = self._segments[key]
            segment.setVisible(key in fitting)
            segment.show_first(first)
            first = first and key not in fitting

    def _place_of(self, key: str) -> int:
        return self._layout.indexOf(self._segments[key])

    def segment_text(self, key: str) -> str:
        """Text of a segment; a KeyError when it was never set."""
        return self._segments[key].text

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
        self._layout.insertWidget(0 if key == self.FAULTS else self._layout.count(), segment)
        return segment


def _unusual_first(segment: _Segment) -> bool:
    return segment.tone == "normal"
