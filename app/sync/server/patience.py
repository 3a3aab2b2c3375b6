"""A connection to PostgreSQL that does not wait for ever: also not for a line that swallows everything."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen

T = TypeVar("T")
LONG_WORK = 86_400.0
"""For an owner's work on large tables, which takes as long as it takes; TCP notices a line that is cut."""


class PatientConnection(psycopg.Connection[Any]):
    """Raises psycopg's `OperationalError` when the server says nothing for `patience` seconds; it is broken then."""

    patience: float = 30.0

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        return super().wait(self._bounded(gen), interval, timeout)

    def _bounded(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        last = time.monotonic()
        try:
            state = next(gen)
            while True:
                ready = yield state
                now = time.monotonic()
                if ready != waiting.Ready.NONE:
                    last = now
                elif now - last > self.patience:
                    self.pgconn.finish()
                    raise psycopg.OperationalError("timeout: the server says nothing")
                state = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result
