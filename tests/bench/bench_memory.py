"""What the demo holds in memory once it runs: the window and its collector, and whether that grows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from app.live.stream import FILE_NAME
from tests.bench.figures import Figure
from tests.bench.processes import megabytes, running

SECONDS = 24.0
_LONGER = 3.0  # it closes by itself, and ends its collector and its machines
SETTLING = 10.0  # rings fill, screens read, pages of the libraries come in
_PATIENCE = 20.0


def bench_memory() -> Iterator[Figure]:
    """The demo without a screen, the dashboard open; proportional set size, so that shared pages count once."""
    with TemporaryDirectory() as name, running(*_demo(name)) as window:
        collector = _collector(Path(name) / FILE_NAME)
        began = time.monotonic()
        sizes: list[tuple[float, float, float]] = []
        while (passed := time.monotonic() - began) < SECONDS:
            sizes.append((passed, megabytes(window.pid), megabytes(collector)))
            time.sleep(0.5)
    at, of_window, of_collector = np.array(sizes).T
    total = of_window + of_collector
    late = at > SETTLING
    slope = float(np.polyfit(at[late], total[late], 1)[0]) * 60
    yield Figure(f"memory of the demo after {SECONDS:.0f} s, both processes", float(total[-1]), "MB", 450.0)
    yield Figure("  of it the window", float(of_window[-1]), "MB")
    yield Figure("  of it the collector", float(of_collector[-1]), "MB")
    yield Figure(f"  growth after the first {SETTLING:.0f} s", slope, "MB/min")


def _demo(folder: str) -> tuple[str, ...]:
    return "ui", "--data-dir", folder, "demo", "--seconds", str(SECONDS + _LONGER)


def _collector(told: Path) -> int:
    """The process that serves live values; it says so in a file once it does."""
    deadline = time.monotonic() + _PATIENCE
    while not told.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("the demo did not start its collector")
        time.sleep(0.1)
    return int(json.loads(told.read_text())["pid"])
