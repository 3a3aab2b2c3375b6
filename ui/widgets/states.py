"""What a pane shows when it is empty, loading, failed or offline."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.widgets.buttons import ActionButton
from ui.widgets.themed import RoleLabel, ThemedWidget

LOADING_DELAY_MS = 500
_BROKEN = 1.15  # lines that break between words are not filled to the end


class EmptyState(ThemedWidget):
    """One line that says why there is nothing, and one button that does something about it."""

    action_requested = Signal()

    def __init__(self, text: str = "", button_text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = RoleLabel(text, "body", "text2")
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setWordWrap(True)
        self._button = ActionButton(button_text)
        self._button.clicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(12)
        layout.addStretch(1)
        layout.addWidget(self._label)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self._button.setVisible(bool(button_text))

    def set_text(self, text: str, button_text: str = "") -> None:
        self._label.setText(text)
        self._button.setText(button_text)
        self._button.setVisible(bool(button_text))

    def text(self) -> str:
        return self._label.text()

    def _clicked(self) -> None:
        self.action_requested.emit()


class Banner(ThemedWidget):
    """A grey line across a pane, such as "Offline since 13:52 · editing works · 3 to send"."""

    action_requested = Signal()

    def __init__(self, text: str = "", action_text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = RoleLabel(text)
        self._label.setWordWrap(True)
        self._button = ActionButton(action_text)
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys where they are
        self._button.clicked.connect(self._clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.setSpacing(12)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._button)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.show_text(text, action_text)

    def show_text(self, text: str, action_text: str = "") -> None:
        """Show a sentence with an optional action; an empty sentence hides the banner."""
        self._label.setText(text)
        self._button.setText(action_text)
        self._button.setVisible(bool(action_text))
        self.setVisible(bool(text))

    def text(self) -> str:
        return self._label.text()

    def width_for(self, lines: int) -> int:
        """Px in which the sentence needs no more than so many lines."""
        words = self._label.fontMetrics().horizontalAdvance(self._label.text()) + 2
        if lines > 1:
            words = round(words / lines * _BROKEN)
        button = 0 if self._button.isHidden() else 12 + self._button.sizeHint().width()
        return 12 + words + button + 8

    def _clicked(self) -> None:
        self.action_requested.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.divider)
            painter.fillRect(0, 0, 4, self.height(), self.tokens.text2)
        finally:
            painter.end()


class LoadingBar(ThemedWidget):
    """A thin bar with an optional Cancel that shows itself when work takes longer than half a second.

    The place stays reserved while hidden, so that nothing below jumps.
    """

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None, *, cancellable: bool = False) -> None:
        super().__init__(parent)
        self._text = RoleLabel("", "meta", "text2")
        self._cancel = ActionButton("Cancel")
        self._cancel.clicked.connect(self._clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._cancel)
        self._cancel.setVisible(cancellable)
        self._text.setVisible(cancellable)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        policy.setVerticalPolicy(QSizePolicy.Policy.Maximum)
        self.setSizePolicy(policy)
        if not cancellable:
            self.setMinimumHeight(4)
        self._fraction: float | None = None
        self._clock = QElapsedTimer()
        self._delay = QTimer(self, singleShot=True, interval=LOADING_DELAY_MS)
        self._delay.timeout.connect(self._appear)
        self._tick = QTimer(self, interval=50)
        self._tick.timeout.connect(self.update)
        self.hide()

    def start(self, text: str = "") -> None:
        """Work has begun; the bar appears after half a second."""
        self._text.setText(text)
        self._fraction = None
        if not self._delay.isActive() and not self.isVisible():
            self._delay.start()

    def set_progress(self, fraction: float, text: str = "") -> None:
        """Share done, 0 to 1, with words such as "1,200 of 12,380 rows"."""
        self._fraction = min(max(fraction, 0.0), 1.0)
        self._text.setText(text)
        self.update()

    def text(self) -> str:
        """The words beside the bar."""
        return self._text.text()

    def finish(self) -> None:
        self._delay.stop()
        self._tick.stop()
        self.hide()

    def _appear(self) -> None:
        self._clock.start()
        self._tick.start()
        self.show()

    def _clicked(self) -> None:
        self.finish()
        self.cancelled.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            width = self.width()
            painter.fillRect(0, 0, width, 4, self.tokens.divider)
            if self._fraction is not None:
                painter.fillRect(0, 0, round(width * self._fraction), 4, self.tokens.accent)
            else:
                elapsed = self._clock.elapsed() if self._clock.isValid() else 0
                left = round((elapsed % 1200) / 1200 * width * 1.3 - width * 0.3)
                painter.fillRect(left, 0, round(width * 0.3), 4, self.tokens.accent)
        finally:
            painter.end()


class ErrorState(ThemedWidget):
    """What failed, what still works, Retry, and Copy details for the one who can repair it."""

    retry_requested = Signal()

    def __init__(
        self, failed: str = "", still_works: str = "", details: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._failed = RoleLabel("", "section")
        self._works = RoleLabel("", "body", "text2")
        self._retry = ActionButton("Retry", primary=True)
        self._copy = ActionButton("Copy details")
        self._details = ""
        for label in (self._failed, self._works):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._retry.clicked.connect(self._retried)
        self._copy.clicked.connect(self._copied)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self._retry)
        buttons.addWidget(self._copy)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(12)
        layout.addStretch(1)
        layout.addWidget(self._failed)
        layout.addWidget(self._works)
        layout.addLayout(buttons)
        layout.addStretch(1)
        self.show_error(failed, still_works, details)

    def show_error(self, failed: str, still_works: str, details: str) -> None:
        self._failed.setText(failed)
        self._works.setText(still_works)
        self._details = details
        self._copy.setText("Copy details")

    def _retried(self) -> None:
        self.retry_requested.emit()

    def _copied(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._failed.text()}\n{self._works.text()}\n\n{self._details}")
        self._copy.setText("Copied")
