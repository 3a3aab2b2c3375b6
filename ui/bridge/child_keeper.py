"""Keeps a process of Lineside running beside the window: starts it, restarts it with patience, ends it gently."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from PySide6.QtCore import QElapsedTimer, QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from app.settings import DATA_DIR_VARIABLE

log = structlog.get_logger(__name__)

FIRST_PAUSE_MS = 1000
LONGEST_PAUSE_MS = 30_000
STEADY_MS = 30_000  # a process that ran this long was not the one that keeps falling over
GENTLE_MS = 5000


class ChildKeeper(QObject):
    """One process for each window process; `name` is what logs and people call it.

    `changed` tells that it was started, found or lost. Subclasses say whether another one does the work already
    (`is_served`) and tell people what is wrong (`tell`, None when it is over).
    """

    changed = Signal()

    def __init__(
        self, name: str, folder: Path, command: Sequence[str], first_pause_ms: int, parent: QObject | None
    ) -> None:
        super().__init__(parent)
        self.name, self.folder = name, folder
        self._command = list(command)
        self.first_pause = first_pause_ms
        self._process: QProcess | None = None
        self._running = QElapsedTimer()
        self._failures = 0
        self._wanted = False
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._consider)

    # -- what a kind of process answers --------------------------------------------------------------

    def is_served(self) -> bool:
        """Whether some process does the work, this one or another."""
        raise NotImplementedError

    def tell(self, sentence: str | None) -> None:
        """Say what is wrong; None when it is over."""
        raise NotImplementedError

    def nobody_started(self) -> None:
        """The window ends and had started none."""

    # -- what the window does ------------------------------------------------------------------------

    def start(self, after_ms: int = 0) -> None:
        """See to it that one runs from now on, looked after first in `after_ms`."""
        self._wanted = True
        self._again.start(after_ms)

    def stop(self) -> None:
        """End the process that was started here: asked first, killed after five seconds."""
        self._wanted = False
        self._again.stop()
        process, self._process = self._process, None
        if process is None:
            self.nobody_started()
            return
        process.finished.disconnect(self._on_finished)
        process.errorOccurred.disconnect(self._on_error)
        process.terminate()
        if not process.waitForFinished(GENTLE_MS):
            log.warning("did not end when asked", which=self.name, pid=process.processId())
            process.kill()
            process.waitForFinished(GENTLE_MS)
        process.deleteLater()

    @property
    def pid(self) -> int | None:
        """The process that was started here; None when there is none or another one is used."""
        process = self._process
        return int(process.processId()) if process is not None and process.processId() else None

    # -- its life ------------------------------------------------------------------------------------

    def look_again(self) -> None:
        """What is served may have changed."""
        if self.is_served():
            self._again.stop()
            self.tell(None)
        elif self._wanted and self._process is None and not self._again.isActive():
            self._again.start(self.first_pause)
        self.changed.emit()

    @Slot()
    def _consider(self) -> None:
        if self._wanted and self._process is None and not self.is_served():
            self._launch()

    def _launch(self) -> None:
        self._errors().parent.mkdir(parents=True, exist_ok=True)
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert(DATA_DIR_VARIABLE, str(self.folder))
        process.setProcessEnvironment(environment)
        process.setProgram(self._command[0])
        process.setArguments(self._command[1:])
        if not getattr(sys, "frozen", False):
            process.setWorkingDirectory(str(Path(__file__).resolve().parents[2]))
        # A file and no pipe: the process may outlive a crash of the window and must still be able to write.
        process.setStandardErrorFile(str(self._errors()))
        process.setStandardOutputFile(os.devnull)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        self._running.start()
        process.start()
        log.info("started", which=self.name, command=self._command)
        self.changed.emit()

    def _errors(self) -> Path:
        return self.folder / "logs" / f"{self.name.replace(' ', '-')}-last-words.txt"

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
        pause = min(LONGEST_PAUSE_MS, self.first_pause * 2 ** min(self._failures, 8))
        words = self._last_words() or f"The {self.name} has stopped ({how})."
        log.warning("ended", which=self.name, how=how, words=words, again_in_ms=pause)
        if not self.is_served():
            self.tell(f"{words} It is started again by itself.")
        self._again.start(pause)
        self.changed.emit()

    def _last_words(self) -> str:
        """The one sentence that a process leaves when it refuses to run."""
        try:
            lines = self._errors().read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[0] if len(lines) == 1 else ""
