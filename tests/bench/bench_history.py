"""The history on the disk: bytes a sample, and curves of an hour and of a month reduced to the pixels of a chart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from app.domain.samples import Quality, Sample
from app.store.history import FILE_NAME, HistoryReader, HistoryWriter
from app.store.history.schema import micros
from tests.bench.figures import Figure, median_seconds

PIXELS = 2000
TAGS = 8
START = datetime(2026, 4, 1, tzinfo=UTC)
HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
_PEER = "numpy over the raw rows"


def bench_history() -> Iterator[Figure]:
    """Written as the collector does, read as a chart does; a second file holds the month."""
    with TemporaryDirectory() as name:
        file = Path(name) / FILE_NAME
        yield from _an_hour(file)
        month = Path(name) / "month.sqlite"
        _write_month(month)
        with HistoryReader(month) as history:
            seconds = median_seconds(
                lambda: history.buckets("month", START, START + MONTH, PIXELS), rounds=3, warm_up=1
            )
        peer = median_seconds(partial(_numpy_buckets, month, START, START + MONTH), rounds=3, warm_up=0)
        yield Figure(
            "30 days of 1 Hz (2.6 M rows) to 2,000 pixels",
            seconds * 1000,
            "ms",
            100.0,
            against=peer * 1000,
            against_what=_PEER,
        )


def _an_hour(file: Path) -> Iterator[Figure]:
    """Eight tags at 10 Hz with 20 ms of jitter and a resolution of 0.01, an hour long."""
    chance = Random(1)
    batches = 60
    each = 36_000 // batches
    names = [f"BENCH/t{number}" for number in range(TAGS)]
    values = dict.fromkeys(names, 20.0)
    with HistoryWriter(file) as writer:
        seconds = 0.0
        for batch in range(batches):
            samples: list[Sample] = []
            for n in range(batch * each, (batch + 1) * each):
                for tag in names:
                    at = START + timedelta(seconds=n / 10 + chance.uniform(-0.02, 0.02))
                    values[tag] = round(values[tag] + chance.gauss(0, 0.05), 2)
                    samples.append(
                        Sample(tag, at, at + timedelta(milliseconds=30), values[tag], Quality.GOOD)
                    )
            seconds += median_seconds(partial(writer.write, samples), rounds=1, warm_up=0)
    _settle(file)
    with HistoryReader(file) as history:
        stats = history.stats()
        yield Figure("history: bytes a sample, plain rows", stats.bytes_per_sample, "bytes", 2.5)
        yield Figure(
            "history: samples written, durable batches of 4,800", stats.samples / seconds, "1/s", 5000.0, True
        )
        ours = median_seconds(
            lambda: [history.buckets(tag, START, START + HOUR, PIXELS) for tag in names], rounds=3
        )
    peer = median_seconds(
        lambda: [_numpy_buckets(file, START, START + HOUR, tag) for tag in range(1, TAGS + 1)], rounds=3
    )
    yield Figure(
        "an hour of 10 Hz × 8 tags to 2,000 pixels each",
        ours * 1000,
        "ms",
        against=peer * 1000,
        against_what=_PEER,
    )


def _settle(file: Path) -> None:
    """Bring the write-ahead log into the file, so that its size is the truth."""
    db = sqlite3.connect(file)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _write_month(file: Path) -> None:
    """One sample a second for thirty days, put in by SQLite itself: writing them is not what is measured."""
    HistoryWriter(file).close()
    db = sqlite3.connect(file)
    db.execute("INSERT INTO tag (id, name) VALUES (1, 'month')")
    db.execute(
        "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ?1 - 1) "
        "INSERT INTO sample SELECT 1, ?2 + n * 1000000, n + 1, 1, "
        "round(50 + (n % 3600) / 100.0 + (n * 7919 % 101) / 50.0, 2), 0, 30000 FROM s",
        (round(MONTH.total_seconds()), micros(START)),
    )
    db.commit()
    db.close()
    _settle(file)


def _numpy_buckets(file: Path, start: datetime, end: datetime, tag: int = 1) -> NDArray[np.float64]:
    """What a plain program does: fetch every row, then minimum and maximum of each pixel with numpy."""
    db = sqlite3.connect(file)
    rows = db.execute(
        "SELECT t, v FROM sample WHERE tag = ? AND t >= ? AND t < ? ORDER BY t",
        (tag, micros(start), micros(end)),
    ).fetchall()
    db.close()
    t, v = np.array(rows, dtype=np.float64).T
    pixel = ((t - micros(start)) * PIXELS / (micros(end) - micros(start))).astype(np.int64)
    starts = np.flatnonzero(np.diff(pixel, prepend=-1))
    return np.stack((np.minimum.reduceat(v, starts), np.maximum.reduceat(v, starts)))
