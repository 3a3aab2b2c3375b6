"""Keeps a sync process running beside a program without a window, as long as the data folder shares a server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from app.domain.errors import LinesideError
from app.sync.membership import address_of
from app.sync.sole import sole_engine
from app.sync.waking import USUAL, Pauses, Tries

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 2.0
_STEADY_SECONDS = 30.0  # a process that ran this long was not the one that keeps falling over
_GENTLE_SECONDS = 5.0


def sync_command(folder: Path) -> list[str]:
    """How this installation runs the sync process of a data folder, for as long as this process lives."""
    words = ["--parent", str(os.getpid())]
    if getattr(sys, "frozen", False):
        return [sys.executable, "--data-dir", str(folder), "sync", *words]
    return [sys.executable, "-m", "app.sync", "--data-dir", str(folder), *words]


class SyncChild:
    """`start` and `stop`; in between a thread starts the process, and again with patience whenever it ended.

    Another process that syncs the folder already is left to it; when that one ends, this one takes over.
    """

    def __init__(
        self,
        folder: Path,
        *,
        command: Sequence[str] | None = None,
        pauses: Pauses = USUAL,
        look: float = _LOOK_SECONDS,
    ) -> None:
        self._folder, self._look = folder, look
        self._command = list(command or sync_command(folder))
        self._tries = Tries(pauses)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="sync-child", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._since = self._not_before = 0.0

    def start(self) -> None:
        """Look after it from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End the process that was started here: asked first, killed after five seconds."""
        self._ends.set()
        if self._thread.ident is not None:
            self._thread.join()
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_GENTLE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int | None:
        """The process that runs; None when none was started here."""
        process = self._process
        return None if process is None else process.pid

    def _keep(self) -> None:
        while not self._ends.is_set():
            try:
                self._consider()
            except (LinesideError, OSError) as error:
                log.warning("the sync process cannot be started", reason=str(error))
                self._later()
            self._ends.wait(self._look)

    def _consider(self) -> None:
        process, now = self._process, time.monotonic()
        if process is not None and process.poll() is not None:
            log.warning("the sync process ended", code=process.returncode)
            self._process = None
            if now - self._since > _STEADY_SECONDS:
                self._tries.failed = 0
            self._later()
        elif process is None and now >= self._not_before and self._is_wanted():
            self._since = now
            self._process = self._launch()
            log.info("the sync process was started", pid=self._process.pid)

    def _later(self) -> None:
        self._not_before = time.monotonic() + self._tries.pause(patient=False)

    def _is_wanted(self) -> bool:
        if address_of(self._folder) is None:
            return False
        try:
            with sole_engine(self._folder):
                return True
        except LinesideError:  # another one does it
            return False

    def _launch(self) -> subprocess.Popen[bytes]:
        errors = self._folder / "logs" / "sync-process-last-words.txt"
        errors.parent.mkdir(parents=True, exist_ok=True)
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows: no console of its own
        with errors.open("wb") as file:
            return subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file, creationflags=hidden,
                cwd=None if getattr(sys, "frozen", False) else Path(__file__).resolve().parents[2],
            )  # fmt: skip
