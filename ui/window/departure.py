"""Closing the last window of a station that shares: what waits is sent or told of first; nobody is held up."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from app.store.queries.unsent import LidClosed, left_behind
from ui.bridge.desk import Desk
from ui.models.left_behind import farewell_words, oldest_lines, waiting_words
from ui.window.farewell import MOST_LINES, FarewellPage

SECONDS = 10


class Departure(QObject):
    """Lets a window close at once while nothing waits; else `held` asks to show the page, and `leave` follows.

    `leave` comes when everything was sent, somebody wants it or after ten seconds; `stayed` when somebody goes back
    to work. A second wish to close is granted at once.
    """

    held = Signal()
    stayed = Signal()
    leave = Signal()

    def __init__(self, page: FarewellPage, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._page, self._desk = page, desk
        self.ends_program: Callable[[], bool] = _no
        self.goes_on: Callable[[], bool] = _no
        self._asked = self._shown = self._leaving = False
        self._clock = QElapsedTimer()
        self._second = QTimer(self, interval=250)
        self._second.timeout.connect(self._tick)
        page.leave_requested.connect(self._go)
        page.stay_requested.connect(self.stay)

    def may_close(self) -> bool:
        """Whether the window may go now; if not, it is told when."""
        sharing = self._desk.sharing.now
        if self._leaving or self._asked or not sharing.joined or not self.ends_program():
            return True
        program = QGuiApplication.instance()
        if isinstance(program, QGuiApplication) and program.isSavingSession():
            return True  # the person logs out of the computer; that is not held up
        if sharing.online and self.goes_on():
            return True
        self._asked = True
        self._look()
        return False

    def stay(self) -> None:
        """Somebody goes on working; nothing where nobody was about to close."""
        if not self._asked or self._leaving:
            return
        self._second.stop()
        self._asked = self._shown = False
        self.stayed.emit()

    def _look(self) -> None:
        self._desk.read(left_behind, self._take, owner=self, key="left", failed=self._not_read)

    def _not_read(self, _error: BaseException) -> None:
        """A store that cannot be read is told of elsewhere; it keeps nobody here."""
        self._go()

    def _take(self, behind: LidClosed) -> None:
        if not self._asked:
            return
        sharing = self._desk.sharing.now
        if not waiting_words(behind, sharing.samples_waiting):
            self._go()
            return
        now = self._desk.house.door.clock()
        lines, more = oldest_lines(behind, MOST_LINES, now) if self._desk.actor is not None else ([], "")
        self._page.tell(*farewell_words(sharing, behind, now, goes_on=self.goes_on()), lines, more)
        if not self._shown:
            self._shown = True
            self._clock.start()
            self._second.start()
            self._tick()
            self.held.emit()

    def _tick(self) -> None:
        left = SECONDS - self._clock.elapsed() // 1000
        if left <= 0:
            self._go()
        else:
            self._page.count_down(left)
            self._look()

    def _go(self) -> None:
        if self._leaving or not self._asked:
            return
        self._leaving = True
        self._second.stop()
        self.leave.emit()


def _no() -> bool:
    return False
