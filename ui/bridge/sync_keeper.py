"""Keeps the sync process running beside the window while this computer shares a server."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from ui.bridge.child_keeper import FIRST_PAUSE_MS, ChildKeeper
from ui.bridge.desk import Desk

LOOK_MS = 1500  # how long a sync process that seems to run is listened for
FAULT = "sync"


def sync_command(folder: Path) -> list[str]:
    """How this installation runs the sync process of a data folder, for as long as this window lives."""
    words = ["--parent", str(os.getpid())]
    if getattr(sys, "frozen", False):
        return [sys.executable, "sync", *words]
    return [sys.executable, "-m", "app.sync", "--data-dir", str(folder), *words]


class SyncKeeper(ChildKeeper):
    """Waits until a server is joined; another process that syncs the folder already is left to it."""

    def __init__(
        self,
        desk: Desk,
        folder: Path,
        parent: QObject | None = None,
        *,
        command: Sequence[str] | None = None,
        first_pause_ms: int = FIRST_PAUSE_MS,
    ) -> None:
        super().__init__("sync process", folder, command or sync_command(folder), first_pause_ms, parent)
        self._desk = desk
        desk.sharing.changed.connect(self._on_sharing)

    def start(self, after_ms: int = LOOK_MS) -> None:
        super().start(after_ms)

    def is_served(self) -> bool:
        sharing = self._desk.sharing.now
        return not sharing.joined or sharing.heard is not None

    def tell(self, sentence: str | None) -> None:
        self._desk.fault.emit(FAULT, sentence)

    @Slot(object)
    def _on_sharing(self, _sharing: object) -> None:
        self.look_again()
