"""What a collector depends on without holding it: its data folder and a service manager."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from app.domain.errors import Refused, WorldFault


class FolderWatch:
    """Notices that the file which a collector writes is not the one in its folder any more."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._identity = self._look()

    def _look(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise WorldFault(f"{self._file} cannot be looked at: {error.strerror}.") from error
        return found.st_dev, found.st_ino

    def check(self) -> None:
        """Raises Refused when the file was taken away or replaced; a folder that cannot be asked is not gone."""
        try:
            identity = self._look()
        except WorldFault:
            return
        if identity is None:
            raise Refused(f"The data in {self._file.parent} is gone; the collector has stopped.")
        if identity != self._identity:
            raise Refused(
                f"{self._file} is not the file any more that the collector writes; the collector has stopped."
            )


class ServiceManager:
    """Tells systemd that the collector is ready and lives (sd_notify(3)); silent when nobody wants to know."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        watchdog = os.environ.get("WATCHDOG_USEC", "")
        self._pause = int(watchdog) / 2_000_000 if watchdog.isdigit() else None
        self._told = 0.0

    def ready(self) -> None:
        """Everything is open; machines are being connected to."""
        self._say("READY=1")

    def alive(self) -> None:
        """Say so twice within the time that the manager grants; call it each second."""
        if self._pause is not None and time.monotonic() - self._told >= self._pause - 1.0:
            self._told = time.monotonic()
            self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """What was collected is being put on the disk."""
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            try:
                wire.connect(address)
                wire.send(words.encode())
            except OSError:
                return  # the manager is gone; the work goes on
