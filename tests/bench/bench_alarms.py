"""3,000 active alarms at 500 updates a second on the screen: the frames, and an acknowledgement until it is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from tests.bench.figures import Figure

FRAMES = 400
_PEER = "QSortFilterProxyModel over items"


def bench_alarms() -> Iterator[Figure]:
    """Frames of 16 ms as they come out, and acknowledging from the key to the painted row."""
    ours, plain = _measured("ours", FRAMES), _measured("plain", FRAMES)
    for what, share in (("p95", 95), ("worst", 100)):
        yield Figure(
            f"3,000 alarms, 500 updates/s: frame, {what}",
            _share(ours["frames"], share),
            "ms",
            33.0 if share == 95 else None,
            against=_share(plain["frames"], share),
            against_what=_PEER,
        )
    for what, share in (("median", 50), ("p95", 95)):
        yield Figure(
            f"acknowledging one until its row says so, {what}",
            _share(ours["acks"], share),
            "ms",
            100.0,
            against=_share(plain["acks"], share),
            against_what="a text set in an item, nothing stored",
        )


def _measured(which: str, frames: int) -> dict[str, list[float]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.alarm_probe", which, str(frames)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _share(seconds: list[float], percent: float) -> float:
    return float(np.percentile(np.array(seconds), percent)) * 1000
