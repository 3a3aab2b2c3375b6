"""What a PostgreSQL server does while a benchmark runs: processor time, and who waits for whom."""

from __future__ import annotations

import os
import statistics
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import psycopg

    from tests.sync.harness import World

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_EVERY = 0.25  # s between two looks
_WAITING = """
    SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)
    FROM pg_locks WHERE NOT granted"""


class ServerLoad:
    """Between its begin and its end: `cores` that the server's processes used, `waiting` sessions in the mean,
    `longest_wait` in seconds (Linux)."""

    def __init__(self, world: World) -> None:
        self._server = world.server
        self._ends = threading.Event()
        self._waits: list[tuple[int, float]] = []
        self._thread = threading.Thread(target=self._watch)
        self.cores = 0.0

    def __enter__(self) -> Self:
        self._began, self._used = time.monotonic(), self._cpu_seconds()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cores = (self._cpu_seconds() - self._used) / (time.monotonic() - self._began)
        self._ends.set()
        self._thread.join()

    @property
    def waiting(self) -> float:
        return statistics.fmean(count for count, _ in self._waits)

    @property
    def longest_wait(self) -> float:
        return max(seconds for _, seconds in self._waits)

    def _watch(self) -> None:
        with self._server.connect() as admin:
            self._look(admin)
            while not self._ends.wait(_EVERY):
                self._look(admin)

    def _look(self, admin: psycopg.Connection[Any]) -> None:
        row = admin.execute(_WAITING).fetchone()
        assert row is not None
        self._waits.append((int(row[0]), float(row[1])))

    def _cpu_seconds(self) -> float:
        """Of the first process, those that ended, and all that run."""
        process = self._server.postgres.process
        assert process is not None
        total = sum(_times(process.pid))
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            total += sum(_times(int(child))[:2])
        return total


def _times(pid: int) -> tuple[float, ...]:
    """Own processor time in user and kernel mode, then that of children that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return (0.0,) * 4
    return tuple(int(ticks) / _TICKS for ticks in fields[11:15])
