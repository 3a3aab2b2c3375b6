"""The history on the disk: bytes a sample, sealing, and curves reduced to the pixels of a chart."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from app.domain.samples import Quality, Sample
from app.store.history import FILE_NAME, HistoryReader, HistoryWriter, Keeping
from app.store.history.schema import micros
from tests.bench.figures import Figure, median_seconds

PIXELS = 2000
TAGS = 8
START = datetime(2026, 4, 1, tzinfo=UTC)
HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
NAMES = [f"BENCH/t{number}" for number in range(TAGS)]
LATER = START + timedelta(days=40)
AT_ONCE = Keeping(seal_after=timedelta(0), keep=timedelta(days=36500))
_PEER = "numpy over the raw rows"
_ROWS = "plain rows"


def bench_history() -> Iterator[Figure]:
    """Written and sealed as the collector does, read as a chart does; a second file holds the month."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        yield from _hours(folder / FILE_NAME, jitter=0.01, goal=2.5)
        yield from _bytes(folder / "wide.sqlite", jitter=0.02, what="times ±20 ms")
        yield from _a_month(folder / "month.sqlite")


def _hours(file: Path, jitter: float, goal: float) -> Iterator[Figure]:
    """Eight tags at 10 Hz with a resolution of 0.01 for two hours, first as rows and then sealed."""
    with HistoryWriter(file, keeping=AT_ONCE) as writer, HistoryReader(file) as history:
        seconds = _write_hours(writer, jitter)
        rows = history.stats()
        yield Figure("history: samples written, durable batches", rows.samples / seconds, "1/s", 5000.0, True)
        as_rows = median_seconds(partial(_curves, history), rounds=3)
        started = time.perf_counter()
        _seal(writer)
        sealing = time.perf_counter() - started
        sealed = history.stats()
        assert sealed.samples == rows.samples
        as_chunks = median_seconds(partial(_curves, history), rounds=3)
    size = _settled_size(file) / sealed.samples
    plain = rows.bytes_per_sample
    yield Figure(
        "history: bytes a sample, times within 20 ms", size, "bytes", goal, against=plain, against_what=_ROWS
    )
    yield Figure("history: samples sealed", sealed.samples / sealing, "1/s", 5000.0, True)
    yield Figure(
        "an hour of 10 Hz × 8 tags to 2,000 pixels each",
        as_chunks * 1000,
        "ms",
        against=as_rows * 1000,
        against_what=_ROWS,
    )


def _bytes(file: Path, jitter: float, what: str) -> Iterator[Figure]:
    with HistoryWriter(file, keeping=AT_ONCE) as writer, HistoryReader(file) as history:
        _write_hours(writer, jitter)
        plain = history.stats().bytes_per_sample
        _seal(writer)
        count = history.stats().samples
    size = _settled_size(file) / count
    yield Figure(f"history: bytes a sample, {what}", size, "bytes", against=plain, against_what=_ROWS)


def _write_hours(writer: HistoryWriter, jitter: float) -> float:
    """Write two hours; returns the seconds that writing took."""
    chance = Random(1)
    values = dict.fromkeys(NAMES, 20.0)
    seconds = 0.0
    for first in range(0, 72_000, 600):
        samples: list[Sample] = []
        for n in range(first, first + 600):
            for tag in NAMES:
                at = START + timedelta(seconds=n / 10 + chance.uniform(-jitter, jitter))
                values[tag] = round(values[tag] + chance.gauss(0, 0.05), 2)
                samples.append(Sample(tag, at, at + timedelta(milliseconds=30), values[tag], Quality.GOOD))
        seconds += median_seconds(partial(writer.write, samples), rounds=1, warm_up=0)
    return seconds


def _curves(history: HistoryReader) -> None:
    for tag in NAMES:
        history.buckets(tag, START, START + HOUR, PIXELS)


def _seal(writer: HistoryWriter) -> None:
    """Seal everything and give the room of the rows back, in the steps of the collector."""
    while writer.seal(LATER, 0.05).more:
        pass
    while writer.drop_old(LATER).more:
        pass


def _settled_size(file: Path) -> int:
    """The size of the whole file, once the pages that wait to be used again are taken out."""
    db = sqlite3.connect(file, isolation_level=None)
    db.executescript("PRAGMA incremental_vacuum")
    db.close()
    _settle(file)
    return file.stat().st_size


def _a_month(file: Path) -> Iterator[Figure]:
    _write_month(file)
    peer = median_seconds(partial(_numpy_buckets, file, START, START + MONTH), rounds=1, warm_up=0)
    with HistoryWriter(file, keeping=AT_ONCE) as writer:
        _seal(writer)
    with HistoryReader(file) as history:
        for what, end, pixels in (
            ("30 days of 1 Hz (2.6 M samples) to 2,000 pixels", START + MONTH, PIXELS),
            ("a day of 1 Hz to 2,000 pixels, all of it unpacked", START + timedelta(days=1), PIXELS),
        ):
            seconds = median_seconds(
                partial(history.buckets, "month", START, end, pixels), rounds=5, warm_up=1
            )
            is_month = end == START + MONTH
            yield Figure(
                what,
                seconds * 1000,
                "ms",
                100.0,
                against=peer * 1000 if is_month else None,
                against_what=_PEER if is_month else "",
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
