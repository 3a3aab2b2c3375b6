"""Notices that nobody touches the window any more."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QWindow

_LOOK_MS = 1000
_INPUT = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
        QEvent.Type.TabletPress,
        QEvent.Type.TabletMove,
    }
)


class IdleLock(QObject):
    """`idle` comes once after `seconds` without input in any window of the program.

    It listens at the native windows, where each input arrives once; a filter on the whole application would see
    every paint and timer as well. `clock` gives seconds that never go back.
    """

    idle = Signal()

    def __init__(
        self, seconds: float, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._seconds = seconds
        self._clock = clock
        self._touched = clock()
        self._watching = False
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self.check)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.focusWindowChanged.connect(self.watch)

    def watch(self, window: QWindow | None) -> None:
        """Listen to this window too; every window that gets the focus is added by itself."""
        if window is not None:
            window.removeEventFilter(self)
            window.installEventFilter(self)

    def start(self) -> None:
        """Somebody came: count from now."""
        self.touch()
        self._watching = True
        self._look.start()

    def stop(self) -> None:
        self._watching = False
        self._look.stop()

    def touch(self) -> None:
        self._touched = self._clock()

    def check(self) -> None:
        """Compare with the clock now; the timer does so each second."""
        if self._watching and self._clock() - self._touched >= self._seconds:
            self.stop()
            self.idle.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT:
            self.touch()
        return False
