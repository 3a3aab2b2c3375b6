"""The demo, run as anyone would: real servers, real work in the real window, and a picture of every screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QImage

from ui.actions import PLACES

ROOT = Path(__file__).parents[2]
SECONDS = 180


def colours(picture: QImage) -> int:
    """How many different colours a coarse grid of points finds."""
    across, down = range(0, picture.width(), 7), range(0, picture.height(), 7)
    return len({picture.pixel(x, y) for x in across for y in down})


def processes_of(place: Path) -> list[str]:
    """Command lines of running programs that name this place."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if any(str(place) in word for word in words) and process.pid != os.getpid():
            found.append(" ".join(words))
    return found


@pytest.mark.timeout(SECONDS + 30)
def test_the_demo_does_real_work_and_leaves_pictures_of_every_screen(tmp_path: Path) -> None:
    place, pictures = tmp_path / "demo", tmp_path / "pictures"
    words = ["--json", "--data-dir", str(place), "demo", "--seconds", "5", "--screenshots", str(pictures)]
    ended = subprocess.run(
        [sys.executable, "-m", "ui", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    summary = json.loads(ended.stdout)
    assert summary["failures"] == []
    assert len(summary["values_by_connection"]) >= 2
    assert all(count > 0 for count in summary["values_by_connection"].values())
    assert summary["alarms_raised"] >= 1
    assert summary["alarms_acknowledged"] >= 1
    assert summary["machines_added"] == 1
    assert summary["values_sent"] == 1
    assert summary["corrections"] == 1
    assert summary["rows_imported"] == 24
    assert summary["orders_moved"] == 3
    names = sorted(path.name for path in pictures.iterdir())
    assert names == summary["screens"]
    assert len(names) >= 55
    for told in ("alarms-load", "wizard-trust", "write-answered", "machine-forecast", "charts-compared"):
        assert any(told in name for name in names), told
    for place_key in (p.key for p in PLACES if p.key != "users"):
        assert any(f"-{place_key}-light" in name for name in names), place_key
        assert any(f"-{place_key}-dark" in name for name in names), place_key
    dull = [name for name in names if colours(QImage(str(pictures / name))) < 12]
    assert dull == []
    assert processes_of(place) == []
    assert not list((place / "crashes").glob("*")) if (place / "crashes").exists() else True
