"""How the window itself is doing: how late its event loop runs, and how much memory it takes."""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MS = 50
_KEPT = 1200  # one minute


class Pulse(QObject):
    """Beats twenty times a second while it runs, and notes by how much each beat was late.

    Lateness is what a hand on the mouse feels: a frame that takes long makes the next beat late by as much.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._late: deque[float] = deque(maxlen=_KEPT)
        self._last = 0.0
        self._timer = QTimer(self, interval=BEAT_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self._late.append(max(0.0, (now - self._last) * 1000 - BEAT_MS))
        self._last = now

    def p95(self) -> float | None:
        """Milliseconds that 95 of 100 beats stay below; None before the first second."""
        if len(self._late) < 20:
            return None
        return sorted(self._late)[round(len(self._late) * 0.95) - 1]


def memory_bytes() -> int | None:
    """Memory of this process that is in RAM; None where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    import resource

    return pages * resource.getpagesize()


if sys.platform == "win32":

    def _windows_memory() -> int | None:
        import ctypes
        from ctypes import wintypes

        class Counters(ctypes.Structure):
            _fields_ = (
                ("cb", wintypes.DWORD),
                ("faults", wintypes.DWORD),
                ("peak", ctypes.c_size_t),
                ("working_set", ctypes.c_size_t),
                ("rest", ctypes.c_size_t * 6),
            )

        found = Counters()
        found.cb = ctypes.sizeof(found)
        process = ctypes.windll.kernel32.GetCurrentProcess()
        told = ctypes.windll.kernel32.K32GetProcessMemoryInfo(
            wintypes.HANDLE(process), ctypes.byref(found), found.cb
        )
        return int(found.working_set) if told else None
