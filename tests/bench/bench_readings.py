"""Months of measured values on the server: their room, what Grafana asks of them, and how old ones go."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg

from app.sync.machines.sample_server import Batch, SampleServer
from app.sync.membership import with_password
from app.sync.server.creation import init
from app.sync.server.readings import clean_readings
from app.sync.server.stations import add_station
from app.sync.wire import ServerConnection
from tests.bench.figures import Figure, median_seconds
from tests.postgres import Postgres

SIGNALS, DAYS, KEPT_DAYS = 25, 93, 45
SAMPLES = int(os.environ.get("LINESIDE_BENCH_SAMPLES", "2000000"))
"""20,000,000 are one value of each signal in ten seconds."""
_BATCH = 5_000
_CURVE = """
SELECT "time", value FROM lineside.samples
WHERE signal = 'S/7' AND quality = 'good' AND "time" BETWEEN {at} - interval '1 hour' AND {at} ORDER BY 1"""
_SEVERAL = """
SELECT date_bin('10 seconds', "time", 'epoch') AS "time", signal AS metric, avg(value) AS value
FROM lineside.samples
WHERE signal IN ('S/7', 'S/8') AND quality = 'good' AND "time" BETWEEN {at} - interval '1 hour' AND {at}
GROUP BY 1, 2 ORDER BY 1"""
_WEEKS = """
SELECT "time", signal AS metric, low, mean, high FROM lineside.samples_by_minute
WHERE signal = 'S/7' AND "time" BETWEEN {at} - interval '14 days' AND {at} ORDER BY 1"""
_RAW_DAY = """
SELECT min(value), max(value), count(*) FROM lineside.samples
WHERE "time" BETWEEN {at} - interval '1 day' AND {at}"""
_SIZES = """
SELECT sum(pg_relation_size(p.part))::float8, sum(pg_indexes_size(p.part))::float8, count(*)
FROM (SELECT ('lineside.' || name)::regclass AS part FROM sync.reading_part) p"""


def bench_readings() -> Iterator[Figure]:
    """Three months of 25 signals, forwarded as a station does; the server stores durably."""
    server = Postgres.create(durable=True, settings=("max_wal_size=4GB", "shared_buffers=1GB"))
    try:
        database = server.new_database()
        init(server.url(database), "bench")
        line = add_station(server.url(database), "B", False)
        now = datetime.now(UTC)
        began = time.perf_counter()
        with ServerConnection.open(with_password(line.url, line.secrets.password)) as wire:
            _fill(SampleServer(wire.session), now - timedelta(days=DAYS))
        yield Figure("values taken in", SAMPLES / (time.perf_counter() - began), "1/s", more_is_better=True)
        with server.connect(database) as admin:
            admin.execute("VACUUM ANALYZE")
            yield from _room(admin)
            yield from _questions(admin, now)
        yield from _dropped(server, database)
    finally:
        server.remove()


def _fill(samples: SampleServer, start: datetime) -> None:
    numbers = np.array(samples.signals([f"S/{n}" for n in range(SIGNALS)], ["number"] * SIGNALS))
    stream, chance = uuid4(), np.random.default_rng(1)
    samples.open(stream, 1, 1)
    step = timedelta(days=DAYS) / (SAMPLES / SIGNALS)
    first, apart = int(start.timestamp() * 1e6), int(step.total_seconds() * 1e6)
    for begin in range(0, SAMPLES, _BATCH):
        n = np.arange(begin, min(SAMPLES, begin + _BATCH), dtype=np.int64)
        t = first + (n // SIGNALS) * apart + chance.integers(0, 1000, len(n))
        v = chance.normal(20, 1, len(n)).round(2)
        batch = Batch(
            int(n[0]) + 1, int(n[-1]) + 1, numbers[n % SIGNALS], t, v, np.zeros(len(n), np.int64),
            np.full(len(n), 0.03), None, None,
        )  # fmt: skip
        assert samples.forward(stream, 1, batch) == batch.last_n


def _room(admin: psycopg.Connection[Any]) -> Iterator[Figure]:
    rows, indexes, parts = admin.execute(_SIZES).fetchone() or (0, 0, 0)
    yield Figure("parts", parts, "")
    yield Figure("room of all values with their index", (rows + indexes) / 1e6, "MB")
    yield Figure("  of one", (rows + indexes) / SAMPLES, "bytes")
    found = admin.execute(
        "SELECT pg_total_relation_size('lineside.reading_minute'), (SELECT count(*) FROM lineside.reading_minute)"
    ).fetchone()
    assert found is not None
    yield Figure("room of the rows by the minute", found[0] / 1e6, "MB")
    yield Figure("  of one", found[0] / found[1], "bytes")


def _questions(admin: psycopg.Connection[Any], now: datetime) -> Iterator[Figure]:
    for what, at, query in (
        ("an hour of one signal, the newest", now, _CURVE),
        ("the same, 80 days ago", now - timedelta(days=80), _CURVE),
        ("an hour of two signals, a point in 10 s", now - timedelta(days=40), _SEVERAL),
        ("14 days of one signal by the minute", now, _WEEKS),
        ("lowest and highest of all signals of a day", now - timedelta(days=30), _RAW_DAY),
    ):
        text = query.format(at=f"timestamptz '{at.isoformat()}'")
        rows = _ask(admin, text)
        seconds = median_seconds(partial(_ask, admin, text))
        yield Figure(f"{what} ({rows:,} rows)", seconds * 1000, "ms")


def _ask(admin: psycopg.Connection[Any], query: str) -> int:
    return len(admin.execute(query.encode()).fetchall())


def _dropped(server: Postgres, database: str) -> Iterator[Figure]:
    """What is older goes; beside it the same by a DELETE, without the VACUUM that it takes afterwards."""
    count = "SELECT count(*) FROM lineside.reading"
    with server.connect(database) as admin:
        before = (admin.execute(count).fetchone() or (0,))[0]
        admin.execute("CREATE TABLE public.bare (LIKE lineside.reading)")
        admin.execute("INSERT INTO public.bare SELECT * FROM lineside.reading")
        admin.execute("CREATE INDEX ON public.bare (signal, t)")
        admin.execute("CREATE INDEX ON public.bare (t)")
        admin.execute("CHECKPOINT")
    began = time.perf_counter()
    clean_readings(server.url(database), KEPT_DAYS)
    seconds = time.perf_counter() - began
    with server.connect(database) as admin:
        after = (admin.execute(count).fetchone() or (0,))[0]
        began = time.perf_counter()
        limit = "(SELECT min(t) FROM lineside.reading)"
        admin.execute(f"DELETE FROM public.bare WHERE t < {limit}".encode())
        deleted = time.perf_counter() - began
        assert admin.execute("SELECT count(*) FROM public.bare").fetchone() == (after,)
    yield Figure("values dropped by keep-samples", before - after, "")
    yield Figure("  took", seconds, "s", against=deleted, against_what="DELETE of the same rows")
