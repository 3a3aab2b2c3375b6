"""What a test must not leave behind: threads, tasks, timers, windows, processes, stores, sockets, error lines.

Each check costs microseconds while nothing is wrong. What looks left behind gets a grace period, because threads and
processes may take a moment to end after they were told to.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE_SECONDS = float(os.environ.get("LINESIDE_TEST_GRACE", "3"))
PAUSE_SECONDS = 0.01
# The standard library keeps these for the life of the process.
HELPER_PROCESSES = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
# Libraries that report every lost connection as an error of their own; what matters of it, our code logs itself.
CHATTY_LOGGERS = ("asyncua", "pymodbus")
WINDOWS_OF_QT = ("QTipLabel", "QShapedPixmapWindow")


class Surroundings:
    """What was there before a test, to be compared with what is there after it."""

    def __init__(self) -> None:
        self._checks: dict[str, Callable[[], dict[int, str]]] = {
            "thread": threads,
            "child process": child_processes,
            "open store file": open_stores,
            "open socket": open_sockets,
            "window": windows,
            "running timer": running_timers,
            "busy thread of Qt's pool": busy_pool,
        }
        self._before = {kind: set(look()) for kind, look in self._checks.items()}
        TASKS_CUT_SHORT.clear()

    def left_behind(self) -> list[str]:
        """One line for each thing that was not there before; waits a moment for what is just ending."""
        found = self._differences()
        if found:
            gc.collect()
            found = self._after_grace()
        return found + [f"task that was cut short: {task}" for task in TASKS_CUT_SHORT]

    def _after_grace(self) -> list[str]:
        """What is still there after the grace period.

        It begins when the collection is over, which takes seconds late in a long run, and is counted in looks, each
        with a pause for the others: on a machine that is too busy to let an ending thread run, it is longer.
        """
        for _ in range(max(1, round(GRACE_SECONDS / PAUSE_SECONDS))):
            self._pause()
            finish_deferred_deletes()
            found = self._differences()
            if not found:
                break
        return found

    def _pause(self) -> None:
        """A moment for the others; if one of them is a new thread, no longer than until it ends."""
        new = threads().keys() - self._before["thread"]
        for thread in threading.enumerate():
            if id(thread) in new:
                thread.join(PAUSE_SECONDS)
                return
        time.sleep(PAUSE_SECONDS)

    def _differences(self) -> list[str]:
        return [
            f"{kind}: {what}"
            for kind, look in self._checks.items()
            for key, what in look().items()
            if key not in self._before[kind]
        ]

    def end_new_processes(self) -> None:
        """Ends children that this test started and left, so that they do not disturb the next one."""
        for pid in child_processes().keys() - self._before["child process"]:
            with contextlib.suppress(psutil.Error):
                child = psutil.Process(pid)
                child.kill()
                child.wait(GRACE_SECONDS)


def threads() -> dict[int, str]:
    # Qt's own threads that ran Python code once stay listed as dummies for ever; the pool check covers them.
    dummy = threading._DummyThread
    return {id(t): t.name for t in threading.enumerate() if not isinstance(t, dummy)}


def child_processes() -> dict[int, str]:
    found = {}
    for pid in _child_ids():
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                command = " ".join(psutil.Process(pid).cmdline()) or "(ended, but nobody waited for it)"
            except psutil.ZombieProcess:
                command = "(ended, but nobody waited for it)"
            if not any(helper in command for helper in HELPER_PROCESSES):
                found[pid] = command
    return found


def _child_ids() -> list[int]:
    """The direct children. Linux tells them in one small file a thread; elsewhere every process must be looked at."""
    tasks = Path("/proc/self/task")
    try:
        return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
    except OSError:
        return [child.pid for child in psutil.Process().children()]


def open_stores() -> dict[int, str]:
    return {hash(opened): opened[1] for opened in open_descriptors() if ".sqlite" in opened[1]}


def open_sockets() -> dict[int, str]:
    """Network connections and listeners. Found here, they count against this test and not against a later one."""
    return {
        hash(opened): address
        for opened in open_descriptors()
        if opened[1].startswith("socket:") and (address := _network_address(opened[0]))
    }


def open_descriptors() -> Iterator[tuple[int, str]]:
    """Every open file descriptor with what it leads to; none where the system does not tell."""
    folder = "/proc/self/fd"
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208  (three times as fast, and runs often)
            with contextlib.suppress(OSError):
                yield int(name), os.readlink(f"{folder}/{name}")  # noqa: PTH115


def _network_address(descriptor: int) -> str:
    """Its own address, for a TCP or UDP socket; empty for those that Qt or asyncio use inside this machine."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as duplicate:
        if duplicate.family in (socket.AF_INET, socket.AF_INET6):
            return str(duplicate.getsockname())
    return ""


# ── asyncio ──────────────────────────────────────────────────────────────────────────────────────────────────

TASKS_CUT_SHORT: list[str] = []


def watch_tasks() -> None:
    """Notes the tasks that are still pending when a loop is closed; asyncio would cancel them without a word."""
    runners: Any = asyncio.runners
    cancel_all = runners._cancel_all_tasks

    def noting(loop: asyncio.AbstractEventLoop) -> None:
        TASKS_CUT_SHORT.extend(f"{task.get_name()} {task.get_coro()!r}" for task in asyncio.all_tasks(loop))
        cancel_all(loop)

    runners._cancel_all_tasks = noting


# ── Qt, only where a test loaded it ──────────────────────────────────────────────────────────────────────────

_started_timers: weakref.WeakSet[Any] = weakref.WeakSet()


def watch_timers() -> None:
    """Remembers every QTimer that Python code starts; Qt offers no list of them."""
    from PySide6.QtCore import QTimer

    start = QTimer.start

    def remembering(timer: QTimer, *arguments: Any) -> None:
        _started_timers.add(timer)
        start(timer, *arguments)

    setattr(QTimer, "start", remembering)  # noqa: B010  (the type checker rightly refuses the plain assignment)


def running_timers() -> dict[int, str]:
    if not _started_timers:
        return {}
    import shiboken6

    return {
        id(timer): f"{timer.objectName() or 'QTimer'} of {timer.parent()!r}, every {timer.interval()} ms"
        for timer in list(_started_timers)
        if shiboken6.isValid(timer) and timer.isActive()
    }


def _application() -> Any:
    widgets = sys.modules.get("PySide6.QtWidgets")
    return widgets.QApplication.instance() if widgets else None


def windows() -> dict[int, str]:
    application = _application()
    if application is None or not hasattr(application, "topLevelWidgets"):
        return {}
    return {
        id(widget): f"{type(widget).__name__} {widget.objectName()!r} {widget.windowTitle()!r}"
        for widget in application.topLevelWidgets()
        if widget.parentWidget() is None and widget.metaObject().className() not in WINDOWS_OF_QT
    }


def busy_pool() -> dict[int, str]:
    if _application() is None:
        return {}
    from PySide6.QtCore import QThreadPool

    busy = QThreadPool.globalInstance().activeThreadCount()
    return dict.fromkeys(range(busy), "QThreadPool.globalInstance()")


def finish_deferred_deletes() -> None:
    if _application() is not None:
        from PySide6.QtCore import QCoreApplication, QEvent

        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


# ── log lines ────────────────────────────────────────────────────────────────────────────────────────────────


class ErrorLines(logging.Handler):
    """Collects what was logged as an error or worse."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] not in CHATTY_LOGGERS:
            self.records.append(record)
