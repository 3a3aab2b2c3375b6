"""The grey words in the bottom line while the server is out of reach: since when, what still works, what waits."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.bridge.desk import Desk
from ui.bridge.sync_status import go_online
from ui.models.sharing_words import banner
from ui.widgets.buttons import ActionButton
from ui.widgets.themed import ElidedLabel, ThemedWidget

_GO_ONLINE = "Go online"


class SharingBanner(ThemedWidget):
    """Shows itself while nothing can be sent and goes by itself; `place_requested` leads to the whole story."""

    place_requested = Signal(str, object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sharingBanner")
        self._desk = desk
        self._words = ElidedLabel(fit=True)
        self.button = ActionButton("")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys where they are
        self.button.clicked.connect(self.act)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 4, 4, 4)
        layout.setSpacing(12)
        layout.addWidget(self._words)
        layout.addWidget(self.button)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)
        desk.sharing.changed.connect(self.tell)
        self.hide()
        self.tell()

    def text(self) -> str:
        return self._words.text()

    def tell(self, _sharing: object = None) -> None:
        """Say how it goes now."""
        words = banner(self._desk.sharing.now, self._desk.house.door.clock())
        if words != self.text():
            self._words.set_text(words)
            self.button.setText(_GO_ONLINE if self._desk.sharing.now.paused else "Details")
            self.button.setAccessibleName(f"{self.button.text()}: {words}")
            self.setAccessibleName(words)
            self.setVisible(bool(words))

    def act(self) -> None:
        """Go online where somebody chose not to be; else to the place that tells all of it."""
        if self._desk.sharing.now.paused:
            self._desk.sharing.ask(go_online)
        else:
            self.place_requested.emit("sharing", None)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.divider)
            painter.fillRect(0, 0, 4, self.height(), self.tokens.text2)
        finally:
            painter.end()
