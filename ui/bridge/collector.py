"""Keeps a collector running beside the window: finds a running one or starts it, restarts it, ends it gently."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from PySide6.QtCore import QElapsedTimer, QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from app.live.attaching import end_orphan
from app.live.stream import FILE_NAME
from app.settings import DATA_DIR_VARIABLE
from ui.bridge.live import CollectorState, LiveDesk

log = structlog.get_logger(__name__)

LOOK_MS = 1500  # how long an answer of a collector that seems to run is waited for
FIRST_PAUSE_MS = 1000
LONGEST_PAUSE_MS = 30_000
STEADY_MS = 30_000  # a collector that ran this long was not the one that keeps falling over
GENTLE_MS = 5000
FAULT = "collector"


def collector_command(folder: Path, *, with_us: bool = False) -> list[str]:
    """How this installation runs the headless collector for a data folder, for this window.

    `with_us`: it ends when this window is no more, however that ended; the demo leaves nothing behind.
    """
    words = ["--parent", str(os.getpid()), *(["--with-parent"] if with_us else [])]
    if getattr(sys, "frozen", False):
        return [sys.executable, "collect", *words]
    return [sys.executable, "-m", "app", "--data-dir", str(folder), *words]


class CollectorKeeper(QObject):
    """One for each window process. It ends with the window only a collector that it started itself, or one that
    a window started which is no more: nobody else would.

    `changed` tells that a collector was started, found or lost; `describe` says it in words.
    """

    changed = Signal()

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
        super().__init__(parent)
        self._live, self._folder = live, folder
        self._command = list(command or collector_command(folder, with_us=with_us))
        self._first_pause = first_pause_ms
        self._process: QProcess | None = None
        self._running = QElapsedTimer()
        self._failures = 0
        self._wanted = False
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._consider)
        live.collector_changed.connect(self._on_collector)

    # -- what the window does ------------------------------------------------------------------------

    def start(self) -> None:
        """See to it that a collector runs from now on."""
        self._wanted = True
        seems_to_run = (self._folder / FILE_NAME).exists()
        self._again.start(LOOK_MS if seems_to_run else 0)

    def stop(self) -> None:
        """End the collector that was started here: asked first, killed after five seconds."""
        self._wanted = False
        self._again.stop()
        process, self._process = self._process, None
        if process is None:
            if self._live.collector_state.live:
                end_orphan(self._folder)
            return
        process.finished.disconnect(self._on_finished)
        process.errorOccurred.disconnect(self._on_error)
        process.terminate()
        if not process.waitForFinished(GENTLE_MS):
            log.warning("collector did not end when asked", pid=process.processId())
            process.kill()
            process.waitForFinished(GENTLE_MS)
        process.deleteLater()

    @property
    def pid(self) -> int | None:
        """The process that was started here; None when there is none or another collector is used."""
        process = self._process
        return int(process.processId()) if process is not None and process.processId() else None

    def describe(self) -> str:
        """One sentence for the system page."""
        if self._process is not None:
            return f"The collector runs beside this window (process {self.pid})."
        if self._live.collector_state.live:
            return "This window listens to a collector that was already running."
        return "No collector is running."

    # -- its life ------------------------------------------------------------------------------------

    @Slot()
    def _consider(self) -> None:
        if self._wanted and self._process is None and not self._live.collector_state.live:
            self._launch()

    def _launch(self) -> None:
        self._errors().parent.mkdir(parents=True, exist_ok=True)
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert(DATA_DIR_VARIABLE, str(self._folder))
        process.setProcessEnvironment(environment)
        process.setProgram(self._command[0])
        process.setArguments(self._command[1:])
        if not getattr(sys, "frozen", False):
            process.setWorkingDirectory(str(Path(__file__).resolve().parents[2]))
        # A file and no pipe: the collector outlives a crash of the window and must still be able to write.
        process.setStandardErrorFile(str(self._errors()))
        process.setStandardOutputFile(os.devnull)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        self._running.start()
        process.start()
        log.info("collector started", command=self._command)
        self.changed.emit()

    def _errors(self) -> Path:
        return self._folder / "logs" / "collector-last-words.txt"

    @Slot(int, QProcess.ExitStatus)
    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._gone(f"exit code {code}" if status == QProcess.ExitStatus.NormalExit else "it crashed")

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._gone("it could not be started")

    def _gone(self, how: str) -> None:
        """Say so, and start it again: soon at first, then more and more patiently."""
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        if not self._wanted:
            return
        self._failures = 0 if self._running.elapsed() > STEADY_MS else self._failures + 1
        pause = min(LONGEST_PAUSE_MS, self._first_pause * 2 ** min(self._failures, 8))
        words = self._last_words() or f"The collector has stopped ({how})."
        log.warning("collector ended", how=how, words=words, again_in_ms=pause)
        if not self._live.collector_state.live:
            self._live.desk.fault.emit(FAULT, f"{words} It is started again by itself.")
        self._again.start(pause)
        self.changed.emit()

    def _last_words(self) -> str:
        """The one sentence that a collector leaves when it refuses to run."""
        try:
            lines = self._errors().read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[0] if len(lines) == 1 else ""

    @Slot(object)
    def _on_collector(self, state: CollectorState) -> None:
        if state.live:
            self._again.stop()
            self._live.desk.fault.emit(FAULT, None)
        elif self._wanted and self._process is None and not self._again.isActive():
            self._again.start(self._first_pause)
        self.changed.emit()
