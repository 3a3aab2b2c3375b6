"""Collects garbage on the GUI thread only.

Python looks for cycles on whichever thread allocates; a reader thread would then destroy widgets that lie in one, and
Qt ends the process with a segmentation fault when a widget dies away from its own thread.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000
_YOUNG = 700  # new objects since the last look, as Python's own first threshold
_MIDDLE_ROUNDS, _FULL_ROUNDS = 10, 60


class GarbageRounds(QObject):
    """From its making on, cycles are looked for by a timer of this thread and by nobody else.

    What exists by then is never looked at again: searching what was loaded would cost whole frames.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()
        self._round = 0
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        self._round += 1
        if self._round % _FULL_ROUNDS == 0:
            gc.collect()
        elif self._round % _MIDDLE_ROUNDS == 0:
            gc.collect(1)
        elif gc.get_count()[0] > _YOUNG:
            gc.collect(0)
