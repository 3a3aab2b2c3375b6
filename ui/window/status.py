"""Fills the bottom line of a window: the store, the collector, what waits to be sent, faults of the world."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.store.queries.station import pending_changes
from ui.bridge.desk import Desk
from ui.bridge.live import CollectorState, LiveDesk
from ui.widgets.status_strip import StatusStrip
from ui.window.top_strip import age_text

_SOON_MS = 300


class StatusFeed(QObject):
    """Keeps one status strip current; `on_pending` hears how many changes wait for a server."""

    def __init__(
        self, strip: StatusStrip, desk: Desk, live: LiveDesk, on_pending: Callable[[int], None]
    ) -> None:
        super().__init__(strip)
        self._strip, self._desk, self._live = strip, desk, live
        self._on_pending = on_pending
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.count)
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self._show_age)
        self._second.start()
        desk.changed.connect(self._on_changed)
        desk.fault.connect(strip.set_fault)
        live.collector_changed.connect(self._on_collector)
        strip.set_segment("store", "Everything is saved on this computer", tooltip=str(desk.house.folder))
        self._on_collector(live.collector_state)
        self.count()

    def count(self) -> None:
        self._desk.read(
            pending_changes, self._take_count, owner=self, key="pending", failed=self._not_counted
        )

    def _take_count(self, pending: int) -> None:
        words = "Nothing to send"
        if pending:
            words = (
                "1 change waits for a server" if pending == 1 else f"{pending:,} changes wait for a server"
            )
        self._strip.set_segment("queue", words, tooltip="No server is set up yet: everything is kept here.")
        self._on_pending(pending)

    def _not_counted(self, error: BaseException) -> None:
        self._desk.fault.emit("store", getattr(error, "sentence", str(error)))

    def _on_changed(self, _entities: object) -> None:
        self._soon.start()

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
        self._strip.set_segment("age", words, "attention" if lost[0] else "normal", words)
