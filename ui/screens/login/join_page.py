"""The page on which a new station joins a server: one line to paste, then how far the first fetching is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.widgets.form import Form
from ui.widgets.states import LoadingBar
from ui.widgets.themed import RoleLabel, ThemedWidget

_WHERE_FROM = (
    "On the computer of whoever runs the database: lineside server add-station NAME. It prints one line; paste it "
    "here. The line holds a password: do not leave it lying about."
)


class JoinPage(ThemedWidget):
    """`join_requested` carries what was pasted; `stop_requested` comes while joining, `back_requested` otherwise."""

    join_requested = Signal(str)
    stop_requested = Signal()
    back_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("joinPage")
        self.form = Form("Join", "Back")
        self.form.setObjectName("joinForm")
        self.form.add_long_text("line", "Join line", hint="lineside-join:…", rows=5)
        self.form.field("line").installEventFilter(self)
        self.form.submitted.connect(self._submit)
        self.form.cancelled.connect(self.back_requested)
        self._bar = LoadingBar(cancellable=True)
        self._bar.setObjectName("joinProgress")
        self._bar.setContentsMargins(16, 0, 16, 8)
        self._bar.cancelled.connect(self.stop_requested)
        words = RoleLabel(_WHERE_FROM, "body", "text2")
        words.setWordWrap(True)
        words.setContentsMargins(16, 0, 16, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 8)
        layout.setSpacing(4)
        layout.addWidget(words)
        layout.addWidget(self.form)
        layout.addWidget(self._bar)

    def clear(self) -> None:
        self.form.set_values({"line": ""})
        self.form.clear_errors()
        self.set_busy(False)
        self.form.focus_first()

    def set_busy(self, busy: bool) -> None:
        """While joining nothing can be sent twice, and the way back is Cancel."""
        self.form.submit_button.setEnabled(not busy)
        self.form.cancel_button.setEnabled(not busy)
        self.form.field("line").setEnabled(not busy)
        if busy:
            self._bar.start("Asking the server…")
        else:
            self._bar.finish()

    def show_progress(self, what: str, done: int, total: int) -> None:
        """How far it is; `total` 0 when nobody knows."""
        if total > 0:
            self._bar.set_progress(done / total, f"{what}: {done:,} of {total:,}")
        else:
            self._bar.start(what)

    def progress_words(self) -> str:
        return self._bar.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """It is one line, however it wraps: Enter sends it."""
        pressed = (
            event.key() if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress else None
        )
        if pressed in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.form.submit()
            return True
        return False

    def _submit(self) -> None:
        self.set_busy(True)
        self.join_requested.emit(str(self.form.values()["line"]))
