"""The alarm line at the top of every window: how many of each priority, and the newest in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.widgets.glyphs import paint_priority
from ui.widgets.themed import LEFT, ThemedWidget, draw_focus_ring, draw_text

BLINK_MS = 500
_GLYPH = 22


@dataclass(frozen=True)
class AlarmCount:
    """Active alarms of one priority, and how many of them nobody has acknowledged."""

    active: int = 0
    unacked: int = 0


NONE = AlarmCount()


class AlarmStrip(ThemedWidget):
    """Shape + digit + count for priorities 1 to 4, then the newest alarm with its age; blinks icons only."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("alarmStrip")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._counts: dict[int, AlarmCount] = {}
        self._newest, self._age, self._priority = "", "", 0
        self._quiet = "No active alarms"
        self._lit = True
        self._blink = QTimer(self, interval=BLINK_MS)
        self._blink.timeout.connect(self._flip)
        self._describe()

    def set_counts(self, counts: Mapping[int, AlarmCount]) -> None:
        """Counts by priority; missing priorities have none."""
        self._counts = dict(counts)
        unacked = any(count.unacked for count in self._counts.values())
        if unacked and not self._blink.isActive():
            self._blink.start()
        elif not unacked:
            self._blink.stop()
            self._lit = True
        self._describe()
        self.update()

    def set_newest(self, text: str, age: str = "", priority: int = 0) -> None:
        """Newest alarm ("Oven 2 temp HIHI 231 > 225") and its age ("42 s"); announces a new P1 or P2."""
        new = bool(text) and text != self._newest
        self._newest, self._age, self._priority = text, age, priority
        self._describe()
        self.update()
        if new and priority in (1, 2):
            event = QAccessibleAnnouncementEvent(self, f"Priority {priority} alarm: {text}")
            QAccessible.updateAccessibility(event)

    def set_quiet_text(self, text: str) -> None:
        """What stands there without alarms: silence has to prove that the link lives."""
        self._quiet = text
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, self.theme.density.control_height)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.theme.density.control_height)

    def _describe(self) -> None:
        parts = [
            f"{count.active} of priority {p} ({count.unacked} not acknowledged)"
            for p, count in sorted(self._counts.items())
            if count.active
        ]
        newest = f"; newest: {self._newest} {self._age}" if self._newest else ""
        self.setAccessibleName(", ".join(parts) + newest if parts else self._quiet)
        self.setToolTip(f"{self._newest} · {self._age}" if self._newest else self._quiet)

    def _flip(self) -> None:
        self._lit = not self._lit
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.panel)
            left = self._paint_counts(painter, 8)
            self._paint_newest(painter, left)
            if self.hasFocus():
                draw_focus_ring(painter, QRectF(self.rect()), self.tokens)
        finally:
            painter.end()

    def _paint_counts(self, painter: QPainter, left: int) -> int:
        font = self.theme.font("strong")
        for priority in (1, 2, 3, 4):
            count = self._counts.get(priority, NONE)
            box = QRectF(left, (self.height() - _GLYPH) / 2, _GLYPH, _GLYPH)
            if count.active:
                # Off phase = outline: the shape never vanishes, so a glance always finds it.
                paint_priority(painter, box, priority, not (count.unacked and self._lit))
                colour = self.tokens.text
            else:
                painter.setOpacity(0.35)
                paint_priority(painter, box, priority, True)
                painter.setOpacity(1.0)
                colour = self.tokens.text2
            left += _GLYPH + 4
            number = QRectF(left, 0, 60, self.height())
            width = draw_text(painter, number, str(count.active), font, colour, LEFT)
            left += max(width, 10) + 12
        return left

    def _paint_newest(self, painter: QPainter, left: int) -> None:
        theme, t = self.theme, self.tokens
        painter.fillRect(left - 2, 6, 1, self.height() - 12, t.divider)
        box = QRectF(left + 8, 0, max(0, self.width() - left - 16), self.height())
        if not self._newest:
            draw_text(painter, box, self._quiet, theme.font("body"), t.text2, LEFT)
            return
        age_width = 0
        if self._age:
            age_width = painter.fontMetrics().horizontalAdvance(self._age) + 20
        words = QRectF(box.left(), 0, max(0.0, box.width() - age_width), box.height())
        used = draw_text(painter, words, self._newest, theme.font("strong"), t.text, LEFT)
        age = QRectF(box.left() + used + 10, 0, age_width, box.height())
        draw_text(painter, age, self._age, theme.font("meta"), t.text2, LEFT)
