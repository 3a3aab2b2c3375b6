"""Processes of a benchmark: lines of JSON out of them, words into them, what they cost, and their end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Child:
    """A Python module that runs beside the benchmark."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self._process, self._errors = process, errors

    def hear(self) -> dict[str, Any]:
        """The next line it says; RuntimeError with its last words when it says no more."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"{self._process.args!r} ended: {self._errors.read()[-2000:]}")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def hear_until(self, key: str) -> dict[str, Any]:
        """Lines up to the first that has `key`; returns that one."""
        while key not in (heard := self.hear()):
            pass
        return heard

    def say(self, line: str) -> None:
        """A line for its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def say_no_more(self) -> None:
        """Close its standard input, which asks it to end."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def cpu_seconds(self) -> float:
        """Processor time that all its threads have used so far (Linux)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def pid(self) -> int:
        return self._process.pid


def megabytes(pid: int) -> float:
    """Memory of a process, pages that it shares counted in part: proportional set size (Linux)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise RuntimeError("the size of a process is not known here")


@contextmanager
def running(*words: str, environment: Mapping[str, str] | None = None) -> Iterator[Child]:
    """`python -m WORDS…`, asked to end by the end of its input, killed when it does not."""
    patience = 2.0 if words[0].startswith("app") else 20.0
    with commanded([sys.executable, "-m", *words], environment, patience) as child:
        yield child


@contextmanager
def commanded(
    command: Sequence[str], environment: Mapping[str, str] | None = None, patience: float = 20.0
) -> Iterator[Child]:
    """Any program that speaks lines of JSON; `patience` seconds to end after its input did."""
    with TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Child(process, errors)
        finally:
            process.stdin.close()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.terminate()
                process.wait(20.0)
            process.stdout.close()
