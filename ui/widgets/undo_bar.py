"""The line that says what was just done and offers to undo it for ten seconds."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.theme import mix
from ui.widgets.buttons import ActionButton
from ui.widgets.themed import ElidedLabel, RoleLabel, ThemedWidget

UNDO_SECONDS = 10


class UndoBar(ThemedWidget):
    """Shows the newest change; `undo_requested` carries its id. Ctrl+Z itself is an action of the window."""

    undo_requested = Signal(str)
    expired = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, seconds: float = UNDO_SECONDS) -> None:
        super().__init__(parent)
        self.setObjectName("undoBar")
        self._span_ms = round(seconds * 1000)
        self._change_id = ""
        self._label = ElidedLabel(fit=True)
        self._left = RoleLabel("", "meta", "text2")
        self._button = ActionButton("Undo  Ctrl+Z", icon="arrow-counter-clockwise")
        self._button.setAccessibleName("Undo the last change")
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys where they are
        self._button.clicked.connect(self.undo)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 12, 4)
        layout.setSpacing(12)
        layout.addWidget(self._label)
        layout.addWidget(self._button)
        layout.addWidget(self._left)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)
        self._clock = QElapsedTimer()
        self._tick = QTimer(self, interval=200)
        self._tick.timeout.connect(self._count_down)
        self.hide()

    @property
    def change_id(self) -> str:
        """Change that a click would undo; empty when none is offered."""
        return self._change_id

    def offer(self, change_id: str, label: str) -> None:
        """Show `label` ("Moved WO-1042 to Paint") and start the countdown; replaces an older offer."""
        self._change_id = change_id
        self._label.set_text(label)
        self._clock.start()
        self._tick.start()
        self._count_down()
        self.show()

    def undo(self) -> None:
        """Ask for the undo of the change on show, if any."""
        change_id = self._close()
        if change_id:
            self.undo_requested.emit(change_id)

    def seconds_left(self) -> int:
        if not self._change_id:
            return 0
        return max(0, -(-(self._span_ms - self._clock.elapsed()) // 1000))

    def _count_down(self) -> None:
        if self._clock.elapsed() >= self._span_ms:
            self.expired.emit(self._close())
            return
        self._left.setText(f"{self.seconds_left()} s")
        self.update()

    def _close(self) -> str:
        change_id, self._change_id = self._change_id, ""
        self._tick.stop()
        self.hide()
        return change_id

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            t = self.tokens
            painter.fillRect(self.rect(), mix(t.panel, t.selection, 0.6))
            share = 1 - self._clock.elapsed() / self._span_ms if self._change_id else 0.0
            painter.fillRect(0, self.height() - 2, round(self.width() * share), 2, t.accent)
        finally:
            painter.end()
