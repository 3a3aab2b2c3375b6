"""From a double click to a window at work, and back: what starts, in which order, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from qasync import QEventLoop

from app.domain.errors import LinesideError
from ui.screens.login import LoginScreen
from ui.tasks import Tasks
from ui.theme import install_theme
from ui.window.crash import CrashCards, CrashReports
from ui.window.garbage import GarbageRounds

if TYPE_CHECKING:
    # Loaded by the worker thread that opens the data, while the login window is already on the screen.
    from app.domain.people import Actor
    from ui.bridge.desk import Desk
    from ui.window.main_window import MainWindow
    from ui.window.open_desk import OpenDesk
    from ui.window.opening import Opened


class DemoTour(Protocol):
    """Something that drives the window by itself once the data is open; it may call `Desktop.quit` at the end."""

    def begin(self, desktop: Desktop) -> None: ...


class Desktop(QObject):
    """Everything between the process and its windows. `opened` comes when the data is open, `ready` with each first
    main window after a login.
    """

    opened = Signal()
    ready = Signal(object)

    def __init__(
        self,
        folder: Path,
        loop: asyncio.AbstractEventLoop | None,
        *,
        demo: DemoTour | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.folder = folder
        self._loop = loop
        self._demo = demo
        self.tasks = Tasks(self)
        self.reports = CrashReports(folder, self)
        self.tasks.unhandled.connect(self.reports.report)
        self.cards = CrashCards(self.reports, self._front_window)
        self.login = LoginScreen()
        self.login.setWindowTitle("Lineside")
        self.login.resize(720, 560)
        self.login.painted.connect(self.open_data)
        self.login.retry_requested.connect(self.open_data)
        self.login.folder_requested.connect(self._choose_folder)
        self.login.quit_requested.connect(self.quit)
        self.windows: list[MainWindow] = []
        self._inside: OpenDesk | None = None
        self._garbage: GarbageRounds | None = None
        self._closed = False

    # -- opening

    def start(self) -> None:
        """Paint the login window; the rest begins after its first frame."""
        self.login.show()

    def open_data(self) -> None:
        """Open the folder on a worker thread."""
        from ui.window.opening import open_data

        self.login.show_opening()
        self.tasks.run(
            partial(open_data, self.folder),
            self._take_opened,
            owner=self,
            key="open",
            failed=self._not_opened,
        )

    def _not_opened(self, error: BaseException) -> None:
        if isinstance(error, LinesideError):
            self.login.show_fault(error.sentence)
        else:
            self.login.show_fault(f"{self.folder} could not be opened because of a mistake in Lineside.")
            self.reports.report(error)

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self.login, "Choose the data folder", str(self.folder.parent))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._take_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _take_folder(self, chosen: str) -> None:
        self.folder = Path(chosen)
        self.reports.move_to(self.folder)
        self.open_data()

    def _take_opened(self, opened: Opened) -> None:
        from ui.window.open_desk import furnish
        from ui.window.opening import load_window

        self._inside = inside = furnish(
            opened.house,
            self.folder,
            self.tasks,
            self._loop,
            self,
            leave_nothing=self._demo is not None,
        )
        self.reports.expected.connect(inside.desk.refused)
        inside.sessions.bind(self.login)
        inside.sessions.entered.connect(self._on_entered)
        inside.sessions.left.connect(self._on_left)
        self.tasks.run(load_window, _loaded, owner=self, failed=self.reports.report)
        if opened.has_users:
            self.login.show_login()
        else:
            self.login.show_first_admin()
        self.opened.emit()
        if self._demo is not None:
            self._demo.begin(self)

    # -- people and windows

    @property
    def inside(self) -> OpenDesk:
        """What is open; a RuntimeError before `opened`."""
        if self._inside is None:
            raise RuntimeError("the data is not open yet")
        return self._inside

    @property
    def desk(self) -> Desk:
        """The desk of the open house; a RuntimeError before `opened`."""
        return self.inside.desk

    def enter(self, actor: Actor) -> None:
        """Put somebody at the desk whose identity is known (the demonstration)."""
        self.inside.sessions.enter(actor)

    def _on_entered(self, _actor: object) -> None:
        self.inside.idle.start()
        if not self.windows:
            window = self.open_window()
            self.login.hide()
            self.ready.emit(window)

    def _on_left(self, _name: str) -> None:
        self.inside.idle.stop()

    def open_window(self) -> MainWindow:
        """One more window at the same desk."""
        from ui.window.main_window import MainWindow

        inside = self.inside
        window = MainWindow(
            inside.desk, inside.live, inside.sessions, inside.undo, inside.memory, inside.sound
        )
        window.window_requested.connect(self._second_window)
        window.screen_failed.connect(self.reports.report)
        window.closed.connect(self._on_window_closed)
        window.departure.ends_program = self._is_last
        window.departure.goes_on = self._sends_without_window
        self.windows.append(window)
        window.begin()
        window.show()
        inside.idle.watch(window.windowHandle())
        return window

    def _second_window(self) -> None:
        self.open_window()

    def _is_last(self) -> bool:
        return not self._closed and len(self.windows) == 1

    def _sends_without_window(self) -> bool:
        """Whether a sync process runs that is not this window's child."""
        sync = self.inside.sync
        return sync is not None and sync.pid is None and self.desk.sharing.now.heard is not None

    def _on_window_closed(self, window: MainWindow) -> None:
        self.windows.remove(window)
        window.deleteLater()
        if not self.windows:
            self.quit()

    def _front_window(self) -> QWidget | None:
        active = QApplication.activeWindow()
        if active is not None and active in self.windows:
            return active
        return self.windows[-1] if self.windows else self.login

    def collect_garbage(self, _window: object) -> None:
        """Everything is loaded: from now on look for garbage, on this thread."""
        if self._garbage is None:
            self._garbage = GarbageRounds(self)

    # -- ending

    def quit(self) -> None:
        """End the program; windows close with it."""
        QApplication.quit()

    def close(self) -> None:
        """Let go of everything, in the order that loses nothing; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.reports.uninstall()
        for window in self.windows[:]:
            window.close()
        self.login.close()
        if self._inside is not None:
            self._inside.close()
        self.tasks.close()
        if self._inside is not None:
            self._inside.close_store()


def _loaded(_nothing: None) -> None:
    """The modules are there; opening the window finds them."""


def run_desktop(folder: Path, *, demo: DemoTour | None = None) -> int:
    """Open the window on `folder` and stay until it is closed; returns the exit code."""
    gc.disable()  # modules that load make a million objects and no garbage: looking for it costs a tenth of the start
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("Lineside")
    app.setQuitOnLastWindowClosed(True)
    install_theme(app)
    collected_by_itself = gc.isenabled()
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    desktop = Desktop(folder, loop, demo=demo)
    desktop.reports.install()
    desktop.ready.connect(desktop.collect_garbage)
    loop.set_exception_handler(desktop.reports.from_loop)
    desktop.start()
    try:
        with loop:
            loop.run_forever()
            desktop.close()
            loop.run_until_complete(_end_tasks())
    finally:
        asyncio.set_event_loop(None)
        if collected_by_itself:
            gc.enable()
    return 0


async def _end_tasks() -> None:
    """Cancel what still talks on the loop, and wait until it has stopped."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
