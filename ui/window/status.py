"""Fills the bottom line of a window: the store, the collector, the server, faults of the world."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from ui.bridge.desk import Desk
from ui.bridge.live import CollectorState, LiveDesk
from ui.models.sharing_words import headline, tls_warning, trouble
from ui.widgets.status_strip import StatusStrip, Tone
from ui.window.top_strip import age_text


class StatusFeed(QObject):
    """Keeps one status strip current."""

    def __init__(self, strip: StatusStrip, desk: Desk, live: LiveDesk) -> None:
        super().__init__(strip)
        self._strip, self._desk, self._live = strip, desk, live
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self._show_age)
        self._second.start()
        desk.sharing.changed.connect(self._show_sharing)
        desk.fault.connect(strip.set_fault)
        live.collector_changed.connect(self._on_collector)
        strip.set_segment("store", "Everything is saved on this computer", tooltip=str(desk.house.folder))
        self._on_collector(live.collector_state)
        self._show_sharing()

    def _show_sharing(self, _sharing: object = None) -> None:
        """How it goes with the server; a station that shares nothing says nothing of it."""
        sharing, now = self._desk.sharing.now, self._desk.house.door.clock()
        line, warning = headline(sharing, now), tls_warning(sharing)
        # While the server is out of reach the banner beside says so, and more.
        words = f"Server: {line.text}" if sharing.joined and not line.away else ""
        tone: Tone = "attention" if line.act or warning else "normal"
        more = [trouble(sharing), warning] if sharing.joined else []
        self._strip.set_segment("queue", words, tone, "\n".join(word for word in (words, *more) if word))

    def _on_collector(self, state: CollectorState) -> None:
        words = "Collector: live" if state.live else f"Collector: {state.sentence}"
        if state.kind in ("live", "connecting"):
            self._strip.set_segment("collector", words, "normal", state.sentence)
        else:
            self._strip.set_segment("collector", words, "attention", state.sentence)
        self._show_age()

    def _show_age(self) -> None:
        lost = self._live.links_lost
        words = f"Values: {age_text(self._live.data_age, lost)[2:]}"
        self._strip.set_segment("age", words, "attention" if lost.lost else "normal", words)
