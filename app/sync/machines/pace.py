"""Keeps a thread to its share of a processor, so that work which can wait does not hold up what cannot."""

from __future__ import annotations

import time
from collections.abc import Callable

_LEAST = 0.002  # s; less work is not worth a pause
_LONGEST = 1.0


class Pace:
    """`share` says which part of a processor the thread may take now; `wait` pauses it for some seconds."""

    def __init__(self, share: Callable[[], float], wait: Callable[[float], object]) -> None:
        self._share, self._wait = share, wait
        self._since = 0.0

    def begin(self) -> None:
        """Work begins; call it on the thread that works."""
        self._since = time.thread_time()

    def rest(self) -> None:
        """Pause for as long as what was worked since the last pause asks for."""
        worked = time.thread_time() - self._since
        if worked < _LEAST:
            return
        share = self._share()
        if share < 1.0:
            self._wait(min(_LONGEST, worked * (1.0 - share) / share))
        self._since = time.thread_time()
