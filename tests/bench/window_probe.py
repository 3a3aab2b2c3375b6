"""The window as a process of its own that says when what was painted; `bare` is an empty window for comparison.

`python -m tests.bench.window_probe FOLDER` prints one JSON line for each moment, in seconds of the monotonic clock
that all processes share, and ends when its standard input closes.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from app.operations.login import Login
    from ui.bridge.live import CollectorState, LiveDesk
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
        self._listener: Listener | None = None
        self._desktop: Desktop | None = None
        self._input: QSocketNotifier | None = None

    def begin(self, desktop: Desktop) -> None:
        from app.operations.login import log_in

        tell("opened")
        self._desktop = desktop
        desktop.ready.connect(self._on_ready)
        self._input = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, desktop)
        self._input.activated.connect(self._end)
        check = partial(log_in, desktop.inside.desk.house.door, NAME, PASSWORD)
        desktop.tasks.run(check, self._enter, owner=desktop)

    def _enter(self, login: Login) -> None:
        assert self._desktop is not None
        tell("checked")
        self._desktop.enter(login.actor)

    def _on_ready(self, window: MainWindow) -> None:
        tell("shown")
        assert self._desktop is not None
        self._paints.append(FirstPaint("main", window))
        self._listener = Listener(self._desktop.inside.live)

    def _end(self) -> None:
        assert self._desktop is not None
        assert self._input is not None
        self._input.setEnabled(False)
        if self._listener is not None:
            self._listener.report()
        self._desktop.quit()


MOST_AGES = 50_000


class Listener(QObject):
    """Measures how old values are when the window's tick names them, and how evenly its frames come."""

    FRAME_MS = 33

    def __init__(self, live: LiveDesk) -> None:
        super().__init__()
        self._live = live
        self._ages: list[tuple[float, float]] = []
        self._seen, self._chance = 0, Random(1)
        self._ticks: list[float] = []
        self._frames: list[float] = []
        self._frame = QTimer(self, interval=self.FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self._frame.timeout.connect(self._on_frame)
        self._frame.start()
        live.ticked.connect(self._on_tick)
        live.collector_changed.connect(self._on_collector)
        if live.collector_state.live:
            self._on_collector(live.collector_state)

    def _on_collector(self, state: CollectorState) -> None:
        if state.live:
            tell("live", listening=True)

    def _on_frame(self) -> None:
        if self._ages:
            self._frames.append(time.monotonic())

    def _on_tick(self, tags: frozenset[str]) -> None:
        now = time.time()
        for tag in tags:
            sample = self._live.latest(tag)
            if sample is not None and sample.value:
                source = sample.source_time.timestamp()
                self._keep((now - source, sample.receive_time.timestamp() - source))
        if tags:
            self._ticks.append(time.monotonic())

    def _keep(self, age: tuple[float, float]) -> None:
        """A fair choice of all ages: keeping each of them would look like a leak of the window in a long run."""
        self._seen += 1
        if len(self._ages) < MOST_AGES:
            self._ages.append(age)
        elif (place := self._chance.randrange(self._seen)) < MOST_AGES:
            self._ages[place] = age

    def report(self) -> None:
        """Percentiles in seconds; ages of stored values from before are no delays and left out."""
        ages = [(seen, got) for seen, got in self._ages if seen < 5.0]
        tell(
            "listened",
            ticks=_rate(self._ticks),
            median=_percentile([seen for seen, _got in ages], 50),
            p95=_percentile([seen for seen, _got in ages], 95),
            collector=_percentile([got for _seen, got in ages], 95),
            frame=_percentile([b - a for a, b in pairwise(self._frames)], 95),
        )


def _rate(moments: list[float]) -> float:
    """Events a second while they come without a break."""
    gaps = [b - a for a, b in pairwise(moments) if b - a < 0.5]
    return len(gaps) / sum(gaps) if gaps else 0.0


def _percentile(values: list[float], percent: int) -> float:
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else float("nan")


def run_bare() -> int:
    """An empty window: what no Qt program in Python can undercut."""
    app = QApplication(sys.argv[:1])
    window: QWidget = QWidget()
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
