"""Whether another process still lives: the one that started us, or one that a file speaks of."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def process_lives(pid: int) -> bool:
    """Whether a process with this id exists, whoever owns it."""
    if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
        return not vanished(pid)()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def vanished(process: int) -> Callable[[], bool]:
    """A question: is the program with this process id, which started us, no more?"""
    if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
        return _vanished_on_windows(process)
    # The id of a dead parent may be given to another program, but that one is never our parent.
    return lambda: os.getppid() != process


def _vanished_on_windows(process: int) -> Callable[[], bool]:  # pragma: no cover - exercised on Windows only
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]  # exists on Windows alone
    synchronize, signalled = 0x0010_0000, 0
    handle = kernel.OpenProcess(synchronize, False, process)
    return lambda: not handle or kernel.WaitForSingleObject(handle, 0) == signalled
