"""Keeps the collector of this station running as a child process, and ends it with the window."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

_AGAIN_MS = (1_000, 3_000, 10_000)
_END_MS = 5_000


def collector_command(folder: Path) -> list[str]:
    """Program and arguments: this interpreter, or this executable again where Lineside is packaged."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--data-dir", str(folder), "collect"]
    return [sys.executable, "-m", "app", "--data-dir", str(folder)]


class CollectorChild(QObject):
    """`ended` carries the last line that the collector said when it went without being asked to.

    It is started again each time, later and later; where another collector holds the folder, the child says so and
    goes, and the next try takes over when the other one is gone.
    """

    ended = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._tries = 0
        self._wanted = False
        self._process = QProcess(self)
        self._process.setWorkingDirectory(str(Path(__file__).resolve().parents[2]))
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._process.started.connect(self._steady)
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._launch)
        self._settled = QTimer(self, singleShot=True, interval=30_000)
        self._settled.timeout.connect(self._forget_tries)

    def start(self) -> None:
        self._wanted = True
        self._launch()

    def close(self) -> None:
        """Ask it to end, wait a moment, then end it."""
        self._wanted = False
        self._again.stop()
        self._settled.stop()
        if self._process.state() is QProcess.ProcessState.NotRunning:
            return
        self._process.terminate()
        if not self._process.waitForFinished(_END_MS):
            self._process.kill()
            self._process.waitForFinished(_END_MS)

    @property
    def running(self) -> bool:
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def _launch(self) -> None:
        program, *arguments = collector_command(self._folder)
        self._process.start(program, arguments)

    def _steady(self) -> None:
        self._settled.start()

    def _forget_tries(self) -> None:
        self._tries = 0

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._on_finished()

    def _on_finished(self, _code: int = 0, _status: object = None) -> None:
        self._settled.stop()
        if not self._wanted:
            return
        said = bytes(self._process.readAll().data()).decode(errors="replace").strip().splitlines()
        self.ended.emit(said[-1] if said else "The collector has ended; it is started again.")
        self._again.start(_AGAIN_MS[min(self._tries, len(_AGAIN_MS) - 1)])
        self._tries += 1
