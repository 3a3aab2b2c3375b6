"""A collector that is killed at any moment, and connections that are cut: every sample is on the server once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from random import Random

from app.store.history import FILE_NAME, HistoryWriter
from tests.sync.conftest import ServerDatabase
from tests.sync.readings.stand import AT_ONCE, Station, assert_same, eventually, on_server, samples

ROOT = Path(__file__).resolve().parents[3]
KILLS = 8


def start(station: Station, seed: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.sync.readings.child",
            str(station.folder),
            station.server.station_url(station.name),
            str(seed),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_kill_minus_nine_at_random_moments(tmp_path: Path, server: ServerDatabase) -> None:
    chance = Random(21)
    station = Station(tmp_path / "07", server)
    with server.connect() as admin:
        for seed in range(KILLS):
            with start(station, seed) as process:
                try:
                    for _ in range(chance.randrange(4)):
                        time.sleep(chance.uniform(0.05, 0.3))
                        assert process.poll() is None
                        if chance.random() < 0.5:
                            admin.execute(
                                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop_st_07'"
                            )
                    if (
                        seed == KILLS // 2
                    ):  # on a slow computer too, some of it comes through between the kills
                        eventually(lambda: on_server(server))
                finally:
                    process.kill()
    station.forward_all()
    expected = station.content()
    assert [n for n, _ in expected] == list(range(1, len(expected) + 1))
    assert_same(on_server(server), expected)


def test_connections_that_are_cut_again_and_again(tmp_path: Path, server: ServerDatabase) -> None:
    chance = Random(22)
    station = Station(tmp_path / "07", server)
    with (
        HistoryWriter(station.folder / FILE_NAME, keeping=AT_ONCE) as writer,
        server.connect() as admin,
        station.forwarding(writer, 50) as work,
    ):
        for _ in range(12):
            writer.write(samples(400, chance))
            time.sleep(chance.uniform(0.0, 0.2))
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop_st_07'"
            )
        station.wait(work)
    assert_same(on_server(server), station.content())
