"""The collector is killed in the middle of its work, again and again: at most a second is lost, nothing is invented."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psutil
import pytest

from app.domain.people import THE_PLANT
from app.domain.samples import Quality, Sample
from app.live.attaching import running_collector
from app.live.stream import FILE_NAME as COLLECTOR_FILE
from app.operations.plant import apply_plant
from app.plant import opened_house
from app.store.history import FILE_NAME, HistoryReader
from tests.stories.machines import ModbusMachines, modbus_machines

ROOT = Path(__file__).parents[2]
ITEMS = "CONV-1/items"
LONG_AGO, FAR_OFF = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
ROUNDS = 3

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")


@contextmanager
def collector(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--data-dir", str(folder), *words],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def counting(machines: ModbusMachines) -> Iterator[list[tuple[int, datetime]]]:
    """The conveyor counts twenty times a second for the length of a block; what it showed, and when."""
    shown: list[tuple[int, datetime]] = []
    ended = threading.Event()

    def count() -> None:
        while not ended.wait(0.05):
            number = len(shown) + 1
            machines.set("CONV-1", "items", number)
            shown.append((number, datetime.now(UTC)))

    thread = threading.Thread(target=count, name="counting")
    thread.start()
    try:
        yield shown
    finally:
        ended.set()
        thread.join()


def furnish(folder: Path, machines: ModbusMachines) -> None:
    whole = machines.plant
    plant = replace(
        whole,
        connections=tuple(c for c in whole.connections if c.name == "conv-1-modbus"),
        tags=tuple(replace(t, scan=0.05) for t in whole.tags if t.connection == "conv-1-modbus"),
    )
    with opened_house(folder) as house:
        house.door.perform(apply_plant(plant=plant), THE_PLANT)


def test_a_collector_killed_at_any_moment_keeps_all_but_the_last_second(data_dir: Path) -> None:
    chance = Random(7)
    killed: list[datetime] = []
    with modbus_machines() as machines, counting(machines) as shown:
        furnish(data_dir, machines)
        for _ in range(ROUNDS):
            with collector(data_dir) as process:
                began = len(shown)
                until(lambda began=began: _last(data_dir) > began + 5)  # type: ignore[misc]  # one each
                time.sleep(chance.uniform(0.0, 1.0))
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                killed.append(datetime.now(UTC))
        with collector(data_dir) as process:  # the last one is asked, and ends cleanly
            began = len(shown)
            until(lambda: _last(data_dir) > began)
            process.terminate()
            asked = time.monotonic()
            assert process.wait(15) == 0
            assert time.monotonic() - asked < 10
    with HistoryReader(data_dir / FILE_NAME) as history:
        samples = history.samples(ITEMS, LONG_AGO, FAR_OFF, 100_000)
    with sqlite3.connect(data_dir / FILE_NAME) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    _check(samples, killed)


def _last(folder: Path) -> int:
    if not (folder / FILE_NAME).exists():
        return 0
    with HistoryReader(folder / FILE_NAME) as history:
        found = history.latest([ITEMS]).get(ITEMS)
    return int(found.value) if found is not None and isinstance(found.value, (int, float)) else 0


def _check(samples: list[Sample], killed: list[datetime]) -> None:
    runs: list[list[Sample]] = [[]]
    for sample in samples:
        if sample.good:
            runs[-1].append(sample)
        else:
            assert sample.quality in (Quality.BAD_NOT_CONNECTED, Quality.BAD_NO_COMMUNICATION)
            runs.append([])
    assert [len(run) > 0 for run in runs] == [True] * (len(killed) + 1)  # one bad sample between two runs
    for run, end in zip(runs, killed, strict=False):
        assert end - run[-1].receive_time < timedelta(
            seconds=1.5
        )  # one second, and the time of the kill itself
        numbers = [int(s.value or 0) for s in run]
        assert numbers == sorted(numbers)  # the same one twice where it stood for a while before a step


def test_a_collector_of_a_vanished_window_serves_the_next_one_unless_it_was_to_end_with_it(
    data_dir: Path,
) -> None:
    with opened_house(data_dir):
        pass
    start = (
        "import subprocess, sys, os, time\n"
        "words = [sys.executable, '-m', 'app', '--data-dir', sys.argv[1], '--parent', str(os.getpid())]\n"
        "subprocess.Popen(words + sys.argv[2:])\n"
        "time.sleep(60)\n"
    )
    for words, lives in (([], True), (["--with-parent"], False)):
        window = subprocess.Popen([sys.executable, "-c", start, str(data_dir), *words], cwd=ROOT)
        until((data_dir / COLLECTOR_FILE).exists)
        found = running_collector(data_dir)
        assert found is not None
        assert (found.parent, found.orphan) == (window.pid, False)
        window.kill()
        window.wait()
        process = psutil.Process(found.pid)
        if lives:
            until(lambda found=found: found.orphan)  # type: ignore[misc]  # one each
            assert process.is_running()
            process.terminate()  # as the next window does when it ends
        until(lambda: not (data_dir / COLLECTOR_FILE).exists())
        until(lambda process=process: not process.is_running())  # type: ignore[misc]  # one each
