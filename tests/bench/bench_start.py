"""From the command to a login window, and to a main window at work; beside an empty window of the same library."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from app.domain.people import THE_PLANT
from app.operations.people import create_first_admin
from app.plant import opened_house
from tests.bench.figures import Figure
from tests.bench.window_probe import NAME, PASSWORD

ROUNDS = 5
ROOT = Path(__file__).parents[2]


def bench_start() -> Iterator[Figure]:
    """Medians of warm starts, each in a process of its own, without a screen; the person logs in at once."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with opened_house(folder) as house:
            house.door.perform(create_first_admin(name=NAME, password=PASSWORD), THE_PLANT)
        starts: list[dict[str, float]] = []
        bare: list[float] = []
        for _ in range(ROUNDS + 1):
            starts.append(_moments(str(folder), last="main"))
            bare.append(_moments("bare", last="bare")["bare"])

    def median(moment: str) -> float:
        return statistics.median(start[moment] for start in starts[1:])

    peer = statistics.median(bare[1:])
    empty = "an empty PySide6 window"
    yield Figure("login window painted", median("login"), "s", 1.0, against=peer, against_what=empty)
    yield Figure("  data open, the login can be answered", median("opened"), "s")
    yield Figure("  password checked (argon2id)", median("checked"), "s")
    yield Figure("main window usable", median("main"), "s", 2.5, against=peer, against_what=empty)


def _moments(what: str, last: str) -> dict[str, float]:
    """Seconds from the start of the process to each moment that it tells, up to `last`."""
    found: dict[str, float] = {}
    with TemporaryFile("w+") as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.window_probe", what],
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            found[told["moment"]] = told["at"] - started
            if told["moment"] == last:
                break
        process.stdin.close()
        process.wait(30)
        process.stdout.close()
        if last not in found:
            errors.seek(0)
            raise RuntimeError(f"the window ended before it was painted ({last}): {errors.read()}")
    return found
