"""Counts what is forwarded, for the figures that people see; filled on one thread, read on another."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace

from app.domain.forwarding import ForwardFigures, ForwardState
from app.store.history.schema import maybe_moment

_SECONDS = 10.0  # the rate is an average over so long


class ForwardMeter:
    """Keeps the figures; times are µs since 1970."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures = ForwardFigures()
        self._sent = 0
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def figures(self) -> ForwardFigures:
        """The figures as they are now."""
        with self._lock:
            at = time.monotonic()
            while len(self._marks) > 1 and self._marks[1][0] <= at - _SECONDS:
                self._marks.popleft()
            then, sent = self._marks[0]
            rate = (self._sent - sent) / max(at - then, 1.0)
            return replace(self._figures, per_second=round(rate, 1))

    def sent(self, samples: int, newest: int | None) -> None:
        """A batch was taken by the server; `newest` is when its last sample was taken."""
        with self._lock:
            self._sent += samples
            if time.monotonic() - self._marks[-1][0] >= 0.5:
                self._marks.append((time.monotonic(), self._sent))
            waiting = max(0, self._figures.waiting - samples)
            until = self._figures.until if newest is None else maybe_moment(newest)
            self._figures = replace(self._figures, until=until, waiting=waiting)

    def waits(self, waiting: int, oldest: int | None, given_up: int) -> None:
        """So many samples wait; the next one was taken at `oldest`."""
        with self._lock:
            state = self._figures.state
            if state in (ForwardState.CATCHING_UP, ForwardState.UP_TO_DATE):
                state = ForwardState.CATCHING_UP if waiting else ForwardState.UP_TO_DATE
            self._figures = replace(
                self._figures,
                state=state,
                waiting=waiting,
                oldest_waiting=maybe_moment(oldest),
                given_up=given_up,
            )

    def alone(self) -> None:
        """There is no server to forward to."""
        with self._lock:
            self._figures = ForwardFigures()

    def online(self) -> None:
        """The server takes samples."""
        with self._lock:
            self._figures = replace(self._figures, state=ForwardState.UP_TO_DATE, sentence="")

    def offline(self, sentence: str) -> None:
        """Nothing moves, and why."""
        with self._lock:
            self._figures = replace(self._figures, state=ForwardState.OFFLINE, sentence=sentence)
