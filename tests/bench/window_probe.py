"""The window as a process of its own that says when what was painted; `bare` is an empty window for comparison.

`python -m tests.bench.window_probe FOLDER` prints one JSON line for each moment, in seconds of the monotonic clock
that all processes share, and ends when its standard input closes.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSocketNotifier
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from app.operations.login import Login
    from ui.window.desktop import Desktop
    from ui.window.main_window import MainWindow

NAME, PASSWORD = "Bench", "a start in two seconds"


def tell(moment: str, **more: object) -> None:
    """One line to whoever measures."""
    sys.stdout.write(json.dumps({"moment": moment, "at": time.monotonic(), **more}) + "\n")
    sys.stdout.flush()


class FirstPaint(QObject):
    """Tells once that a window was painted; without a widget the first window that paints."""

    def __init__(self, moment: str, watched: QObject) -> None:
        super().__init__()
        self._moment = moment
        self._watched = watched
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            tell(self._moment)
            self._watched.removeEventFilter(self)
        return False


class Visit:
    """Comes in as soon as the data is open, as a person with a password would, and tells what they see."""

    def __init__(self) -> None:
        self._paints: list[FirstPaint] = []
        self._desktop: Desktop | None = None
        self._input: QSocketNotifier | None = None

    def begin(self, desktop: Desktop) -> None:
        from app.operations.login import log_in

        tell("opened")
        self._desktop = desktop
        desktop.ready.connect(self._on_ready)
        self._input = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, desktop)
        self._input.activated.connect(desktop.quit)
        check = partial(log_in, desktop.inside.desk.house.door, NAME, PASSWORD)
        desktop.tasks.run(check, self._enter, owner=desktop)

    def _enter(self, login: Login) -> None:
        assert self._desktop is not None
        tell("checked")
        self._desktop.enter(login.actor)

    def _on_ready(self, window: MainWindow) -> None:
        tell("shown")
        self._paints.append(FirstPaint("main", window))


def run_bare() -> int:
    """An empty window: what no Qt program in Python can undercut."""
    app = QApplication(sys.argv[:1])
    window = QWidget()
    paint = FirstPaint("bare", window)
    window.show()
    ended = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, window)
    ended.activated.connect(app.quit)
    code = app.exec()
    paint.deleteLater()
    return code


def run_window(folder: Path) -> int:
    """The window as `lineside` opens it."""
    import ui.cli.root  # noqa: F401  (what the command costs before it opens a window)
    from ui.window.desktop import run_desktop

    app = QApplication(sys.argv[:1])
    paint = FirstPaint("login", app)
    code = run_desktop(folder, demo=Visit())
    paint.deleteLater()
    return code


if __name__ == "__main__":
    sys.exit(run_bare() if sys.argv[1] == "bare" else run_window(Path(sys.argv[1])))
