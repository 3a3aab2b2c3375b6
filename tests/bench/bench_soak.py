"""Ten minutes of 5,000 values a second with a window listening: everything stored, at a steady cost and size.

LINESIDE_SOAK_SECONDS makes it longer (a night) or shorter.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.bench.bench_live import SIGNALS, bare_load, furnish, stored, until_stored
from tests.bench.figures import Figure
from tests.bench.processes import megabytes, running
from ui.bridge.rings import SPAN

SECONDS = float(os.environ.get("LINESIDE_SOAK_SECONDS", "600"))
EVERY = 5.0  # s between two looks at the memory
_HOUR = 3600.0
_SLOPE = 5.0  # MB an hour
_FILLING = 2 * SPAN  # the window keeps the last quarter of an hour of every signal: until then it has to grow


def bench_soak() -> Iterator[Figure]:
    """What was sent and what is stored, the collector's share of a processor, and how the memory grows."""
    with TemporaryDirectory() as name, running("tests.bench.fast_plant", str(SIGNALS)) as server:
        url = f"opc.tcp://127.0.0.1:{server.hear()['port']}/bench"
        bare = bare_load(server, url)
        folder = Path(name)
        furnish(folder, url)
        with ExitStack() as stack:
            collector = stack.enter_context(running("app", "--data-dir", name))
            until_stored(folder, SIGNALS)
            window = stack.enter_context(
                running("tests.bench.window_probe", name, environment={"LINESIDE_COLLECT_HERE": "false"})
            )
            window.hear_until("listening")
            used = collector.cpu_seconds()
            server.say(str(SECONDS))
            sizes = _watch(collector.pid, window.pid)
            told = server.hear()
            load = (collector.cpu_seconds() - used) / told["seconds"]
            until_stored(folder, SIGNALS + told["sent"])
            lost = SIGNALS + told["sent"] - stored(folder)
            window.say_no_more()
            heard = window.hear_until("ticks")
    yield Figure(f"values sent in {told['seconds']:.0f} s", told["sent"], "values")
    yield Figure("  of them not in the history", lost, "values", 0.0)
    yield Figure(
        "load of the collector, a window listening",
        load * 100,
        "% of a core",
        bare * 150,
        against=bare * 100,
        against_what="a bare asyncua callback",
    )
    yield Figure("interval of 33 ms frames in that window, p95", heard["frame"] * 1000, "ms", 50.0)
    yield from _memory(sizes)


def _watch(*pids: int) -> list[tuple[float, ...]]:
    """Time and megabytes of each process, over the whole run."""
    began = time.monotonic()
    sizes = []
    while (passed := time.monotonic() - began) < SECONDS:
        sizes.append((passed, *(megabytes(pid) for pid in pids)))
        time.sleep(EVERY)
    return sizes


def _memory(sizes: list[tuple[float, ...]]) -> Iterator[Figure]:
    at, of_collector, of_window = np.array(sizes).T
    late = at > at[-1] / 2  # caches and rings of a quarter of an hour fill in the first half
    for who, size, goal in (
        ("the collector", of_collector, _SLOPE),
        ("the window", of_window, _SLOPE if SECONDS > _FILLING else None),
    ):
        yield Figure(f"memory of {who} at the end", float(size[-1]), "MB")
        slope = float(np.polyfit(at[late], size[late], 1)[0]) * _HOUR
        yield Figure("  growth over the second half", slope, "MB/h", goal)
