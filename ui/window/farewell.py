"""For whoever closes the last window while changes are on this computer alone: which, and what becomes of them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.screens.login.card import CARD_WIDTH, Card
from ui.widgets.buttons import ActionButton
from ui.widgets.themed import ElidedLabel, RoleLabel, ThemedWidget

MOST_LINES = 5
_BESIDE = 24


class FarewellPage(ThemedWidget):
    """A card in place of the work; Enter closes at once, Esc goes back to work."""

    leave_requested = Signal()
    stay_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("farewell")
        self.title, self.fate = RoleLabel("", "section"), RoleLabel("", "body")
        self.more, self.countdown = RoleLabel("", "meta", "text2"), RoleLabel("", "meta", "text2")
        for label in (self.title, self.fate):
            label.setWordWrap(True)
        self.lines = [ElidedLabel("body", "text2") for _ in range(MOST_LINES)]
        self.stay, self.leave = ActionButton("Keep working"), ActionButton("Close now", primary=True)
        self.stay.setToolTip("Keep working (Esc)")
        self.leave.setToolTip("Close now (Enter)")
        self.stay.clicked.connect(self.stay_requested)
        self.leave.clicked.connect(self.leave_requested)
        self._lay_out()

    def _lay_out(self) -> None:
        card = Card()
        card.setFixedWidth(CARD_WIDTH)
        card.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Maximum)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(_BESIDE, 20, _BESIDE, 20)
        inside.setSpacing(8)
        for widget in (self.title, self.fate, *self.lines, self.more):
            inside.addWidget(widget)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.countdown, 1)
        buttons.addWidget(self.stay)
        buttons.addWidget(self.leave)
        inside.addSpacing(8)
        inside.addLayout(buttons)
        outside = QVBoxLayout(self)
        outside.addStretch(2)
        outside.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        outside.addStretch(3)
        self.setFocusProxy(self.leave)

    def tell(self, title: str, fate: str, lines: list[str], more: str) -> None:
        """Say what waits and what becomes of it; `lines` name the oldest changes."""
        for label, words in ((self.title, title), (self.fate, fate)):
            label.setText(words)
            # A card that is no higher than it must be asks its labels for their height at another width.
            label.setMinimumHeight(label.heightForWidth(CARD_WIDTH - 2 * _BESIDE))
        self.setAccessibleName(f"{title} {fate}")
        for at, line in enumerate(self.lines):
            line.set_text(lines[at] if at < len(lines) else "")
            line.setVisible(at < len(lines))
        self.more.setText(more)
        self.more.setVisible(bool(more))

    def count_down(self, seconds: int) -> None:
        self.countdown.setText(f"Closes by itself in {seconds} s")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.stay_requested.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            (self.stay_requested if self.stay.hasFocus() else self.leave_requested).emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.canvas)
        finally:
            painter.end()
