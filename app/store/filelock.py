"""Operating-system locks on files: one process at a time writes a store, and a store in use is not replaced.

SQLite before 3.51.3 can corrupt a WAL file when two connections write or checkpoint at the same moment.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.errors import WorldFault

_POLL_SECONDS = 0.005


def _try_lock(descriptor: int) -> bool:
    if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


class FileLock:
    """Exclusive between processes; the holder is the one that is inside `held()`. Not re-entrant."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)

    @contextmanager
    def held(self, timeout: float = 30.0) -> Iterator[None]:
        """Wait for the lock up to `timeout` seconds; raises `WorldFault` when another process keeps it longer."""
        deadline = time.monotonic() + timeout
        while not _try_lock(self._descriptor):
            if time.monotonic() > deadline:
                raise WorldFault("Another Lineside on this computer is busy writing; try again in a moment.")
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            _unlock(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class PresenceLock:
    """Held by everyone who has a store open, so that whoever wants to replace the file can tell."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)

    def share(self, timeout: float = 10.0) -> None:
        """Be present until `close`; raises `WorldFault` when someone is alone for over `timeout` s."""
        deadline = time.monotonic() + timeout
        while not _try_presence(self._descriptor, alone=False):
            if time.monotonic() > deadline:
                raise WorldFault("The data on this computer is just being restored; try again in a moment.")
            time.sleep(_POLL_SECONDS)

    def alone(self) -> bool:
        """Whether nobody is present; true keeps everyone else out until `close`."""
        return _try_presence(self._descriptor, alone=True)

    def close(self) -> None:
        os.close(self._descriptor)


_SEATS = 4096


def _try_presence(descriptor: int, *, alone: bool) -> bool:
    if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
        import msvcrt

        # Windows has no shared lock here: who is present locks one byte, who wants to be alone locks them all.
        os.lseek(descriptor, 0 if alone else random.randrange(_SEATS), os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, _SEATS if alone else 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
