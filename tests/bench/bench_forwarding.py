"""Samples from the local history into PostgreSQL, beside a bare COPY of the same samples."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psycopg

from app.domain.samples import Quality, Sample
from app.store.history import FILE_NAME, HistoryWriter, Keeping
from app.sync.machines.forwarding import BATCH, Forwarding
from app.sync.membership import with_password
from app.sync.server.creation import init
from app.sync.server.stations import add_station
from app.sync.wire import ServerConnection
from tests.bench.figures import Figure
from tests.postgres import Postgres

TAGS, SAMPLES = 200, 400_000
START = datetime(2026, 4, 1, tzinfo=UTC)
LATER = START + timedelta(days=40)
AT_ONCE = Keeping(seal_after=timedelta(0), keep=timedelta(days=36500))


def bench_forwarding() -> Iterator[Figure]:
    """200 tags: as fresh rows, as sealed chunks; the server stores durably and keeps its index."""
    server = Postgres.create(durable=True, settings=("max_wal_size=4GB",))
    try:
        with TemporaryDirectory() as name:
            yield from _measure(server, Path(name))
    finally:
        server.remove()


def _measure(server: Postgres, folder: Path) -> Iterator[Figure]:
    database = server.new_database()
    init(server.url(database), "bench")
    line = add_station(server.url(database), "B", False)
    url = with_password(line.url, line.secrets.password)
    with HistoryWriter(folder / FILE_NAME, keeping=AT_ONCE) as writer:
        _write(writer)
        rows = _forward(folder, writer, url, server, database)
        while writer.seal(LATER, 0.05).more:
            pass
        chunks = _forward(folder, writer, url, server, database)
    bare, indexed = (_copy(server, database, index) for index in (False, True))
    for what, seconds in (("fresh rows", rows), ("sealed chunks", chunks)):
        yield Figure(
            f"samples forwarded to PostgreSQL from {what}", SAMPLES / seconds, "1/s", 100_000, True,
            against=SAMPLES / bare, against_what="a bare COPY into a table without index",
        )  # fmt: skip
        yield Figure(
            "the same", SAMPLES / seconds, "1/s", more_is_better=True,
            against=SAMPLES / indexed, against_what="a bare COPY into a table with the same index",
        )  # fmt: skip


def _write(writer: HistoryWriter) -> None:
    chance = Random(1)
    for first in range(0, SAMPLES, 20_000):
        batch = []
        for n in range(first, first + 20_000):
            at = START + timedelta(milliseconds=5 * n + chance.uniform(0, 20))
            value = round(20 + chance.gauss(0, 1), 2)
            batch.append(Sample(f"B/{n % TAGS}", at, at + timedelta(milliseconds=30), value, Quality.GOOD))
        writer.write(batch)


def _forward(folder: Path, writer: HistoryWriter, url: str, server: Postgres, database: str) -> float:
    """Seconds until an emptied server has all of it, from the first try to connect on."""
    with server.connect(database) as admin:
        admin.execute("TRUNCATE lineside.reading, sync.stream")
        admin.execute("TRUNCATE lineside.origin CASCADE")
        admin.execute("CHECKPOINT")
    work = Forwarding(folder, lambda: ServerConnection.open(url), shares=lambda: True, share=1.0)
    started = time.perf_counter()
    work.begin(writer)
    try:
        while (work.keep_from() or (1, 0))[1] <= SAMPLES or work.figures().until is None:
            work.figures()
            time.sleep(0.005)
    finally:
        seconds = time.perf_counter() - started
        work.end()
    with server.connect(database) as admin:
        assert admin.execute("SELECT count(*) FROM lineside.reading").fetchone() == (SAMPLES,)
    return seconds


def _copy(server: Postgres, database: str, index: bool) -> float:
    """Seconds that binary COPY takes for rows of the same shape in batches of the same size, ready packed."""
    names = ("t", "v", "n", "signal", "q", "origin", "delay")
    kinds = (">i8", ">f8", ">i8", ">i4", ">i4", ">i4", ">f4")
    fields: list[Any] = [("columns", ">i2")]
    for name, kind in zip(names, kinds, strict=True):
        fields += [(f"{name} long", ">i4"), (name, kind)]
    rows = np.zeros(SAMPLES, np.dtype([*fields, ("s", ">i4")]))
    rows["columns"], rows["s"] = 8, -1
    for name, kind in zip(names, kinds, strict=True):
        rows[f"{name} long"] = np.dtype(kind).itemsize
    rows["n"], rows["signal"], rows["origin"] = np.arange(SAMPLES), np.arange(SAMPLES) % TAGS, 1
    rows["t"], rows["v"] = np.arange(SAMPLES) * 5000, np.random.default_rng(1).normal(20, 1, SAMPLES).round(2)
    packed = [rows[begin : begin + BATCH].tobytes() for begin in range(0, SAMPLES, BATCH)]
    with server.connect(database) as admin:
        admin.execute("CREATE TABLE public.bare (LIKE lineside.reading)")
        if index:
            admin.execute("CREATE INDEX ON public.bare (signal, t)")
        admin.execute("CHECKPOINT")
        started = time.perf_counter()
        for batch in packed:
            _copy_batch(admin, batch)
        seconds = time.perf_counter() - started
        admin.execute("DROP TABLE public.bare")
    return seconds


def _copy_batch(admin: psycopg.Connection[Any], batch: bytes) -> None:
    with admin.cursor() as cursor, cursor.copy("COPY public.bare FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + batch + b"\xff\xff")
