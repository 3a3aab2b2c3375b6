"""Keeps a collector running beside the window: finds a running one or starts it, restarts it, ends it gently."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.live.attaching import end_orphan
from app.live.stream import FILE_NAME
from ui.bridge.child_keeper import FIRST_PAUSE_MS, ChildKeeper
from ui.bridge.live import CollectorState, LiveDesk

LOOK_MS = 1500  # how long an answer of a collector that seems to run is waited for
FAULT = "collector"


def collector_command(folder: Path, *, with_us: bool = False) -> list[str]:
    """How this installation runs the headless collector for a data folder, for this window.

    `with_us`: it ends when this window is no more, however that ended; the demo leaves nothing behind.
    """
    words = ["--parent", str(os.getpid()), *(["--with-parent"] if with_us else [])]
    if getattr(sys, "frozen", False):
        return [sys.executable, "collect", *words]
    return [sys.executable, "-m", "app", "--data-dir", str(folder), *words]


class CollectorKeeper(ChildKeeper):
    """It ends with the window only a collector that it started itself, or one that a window started which is no
    more: nobody else would. `describe` says in words what runs.
    """

    def __init__(
        self,
        live: LiveDesk,
        folder: Path,
        parent: QObject | None = None,
        *,
        command: Sequence[str] | None = None,
        first_pause_ms: int = FIRST_PAUSE_MS,
        with_us: bool = False,
    ) -> None:
        words = list(command or collector_command(folder, with_us=with_us))
        super().__init__("collector", folder, words, first_pause_ms, parent)
        self._live = live
        live.collector_changed.connect(self._on_collector)

    def start(self, after_ms: int = 0) -> None:
        """See to it that a collector runs from now on."""
        seems_to_run = (self.folder / FILE_NAME).exists()
        super().start(max(after_ms, LOOK_MS) if seems_to_run else after_ms)

    def is_served(self) -> bool:
        return self._live.collector_state.live

    def tell(self, sentence: str | None) -> None:
        self._live.desk.fault.emit(FAULT, sentence)

    def nobody_started(self) -> None:
        if self._live.collector_state.live:
            end_orphan(self.folder)

    def describe(self) -> str:
        """One sentence for the system page."""
        if self.pid is not None:
            return f"The collector runs beside this window (process {self.pid})."
        if self._live.collector_state.live:
            return "This window listens to a collector that was already running."
        return "No collector is running."

    @Slot(object)
    def _on_collector(self, _state: CollectorState) -> None:
        self.look_again()
