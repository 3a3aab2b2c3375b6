"""The grey line over the work while the server is out of reach: since when, what still works, what waits."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge.desk import Desk
from ui.bridge.sync_status import go_online
from ui.models.sharing_words import banner
from ui.widgets.states import Banner

_GO_ONLINE = "Go online"


class SharingBanner(Banner):
    """Shows itself while nothing can be sent and goes by itself; `place_requested` leads to the whole story."""

    place_requested = Signal(str, object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self.setObjectName("sharingBanner")
        self._desk = desk
        self.action_requested.connect(self._act)
        desk.sharing.changed.connect(self.tell)
        self.tell()

    def tell(self, _sharing: object = None) -> None:
        """Say how it goes now."""
        words = banner(self._desk.sharing.now, self._desk.house.door.clock())
        if words != self.text():
            self.show_text(words, self._way(words))
            self.setAccessibleName(words)

    def _way(self, words: str) -> str:
        return "" if not words else _GO_ONLINE if self._desk.sharing.now.paused else "Details"

    def _act(self) -> None:
        if self._desk.sharing.now.paused:
            self._desk.sharing.ask(go_online)
        else:
            self.place_requested.emit("sharing", None)
