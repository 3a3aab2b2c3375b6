"""What stands open between the moment the data is open and the end: one desk and everything that serves it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QSettings

from app.plant import House
from ui.bridge.annunciator import Annunciator
from ui.bridge.collector import CollectorKeeper
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.bridge.speaker import Silence, Speaker
from ui.bridge.sync_keeper import SyncKeeper
from ui.tasks import Tasks
from ui.window.account_watch import AccountWatch
from ui.window.idle_lock import IdleLock
from ui.window.layout_memory import LayoutMemory
from ui.window.look_memory import LookMemory
from ui.window.sessions import Sessions
from ui.window.undoing import UndoHistory


@dataclass(frozen=True)
class OpenDesk:
    """The shared half of all windows of a process."""

    desk: Desk
    live: LiveDesk
    sessions: Sessions
    undo: UndoHistory
    memory: LayoutMemory
    idle: IdleLock
    collector: CollectorKeeper | None
    sync: SyncKeeper | None
    sound: Annunciator

    def close(self) -> None:
        """Let go of everything; the tasks must have ended before."""
        self.idle.stop()
        self.sound.stop()
        self.live.close()
        if self.collector is not None:
            self.collector.stop()
        if self.sync is not None:
            self.sync.stop()

    def close_store(self) -> None:
        self.desk.close()
        self.desk.house.close()


def furnish(
    house: House,
    folder: Path,
    tasks: Tasks,
    loop: asyncio.AbstractEventLoop | None,
    parent: QObject,
    *,
    leave_nothing: bool = False,
) -> OpenDesk:
    """Put a desk into an open house. Without a loop nothing is heard of the collector, and none is started.

    `leave_nothing`: a collector that is started here ends with this process, however that ends.
    """
    settings = house.settings
    desk = Desk(house, tasks, parent)
    live = LiveDesk(desk, parent)
    sessions = Sessions(desk, parent)
    AccountWatch(desk, sessions, parent)
    idle = IdleLock(settings.idle_lock_minutes * 60, parent)
    idle.idle.connect(partial(sessions.lock, idle=True))
    collector: CollectorKeeper | None = None
    sync: SyncKeeper | None = None
    if loop is not None:
        live.start(loop)
        sync = SyncKeeper(desk, folder, parent)
        sync.start()
        if settings.collect_here:
            collector = CollectorKeeper(live, folder, parent, with_us=leave_nothing)
            collector.start()
    kept = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    LookMemory(kept, settings.theme, settings.density, parent)
    memory = LayoutMemory(kept)
    sound = Annunciator(live, Speaker() if settings.alarm_sound else Silence(), parent)
    sound.failed.connect(partial(_tell_of_sound, desk))
    return OpenDesk(desk, live, sessions, UndoHistory(desk, parent), memory, idle, collector, sync, sound)


def _tell_of_sound(desk: Desk, sentence: str) -> None:
    """A station that cannot be heard says so in the status strip."""
    desk.fault.emit("sound", sentence or None)
