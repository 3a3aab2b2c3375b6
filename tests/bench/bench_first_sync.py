"""A new station: 100,000 rows into an empty folder; and one that was away, which follows the log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg

from app.plant import open_house
from app.sync.pulling import PAGE
from app.sync.wire import ServerConnection
from tests.bench.figures import Figure
from tests.bench.shared_server import entries, shared_world, signed
from tests.sync.harness import World

ORDERS, STAGES = 20_000, 4
ROWS = ORDERS * (1 + STAGES)
LIMIT = 15.0  # s
RECORDS = 10_000
_AT_ONCE = 50

_FILL = f"""
INSERT INTO lineside.work_order (id, number, product, product_name, quantity, priority, customer, line, note,
                                 planned_start, planned_end, status, created_at)
  SELECT gen_random_uuid(), 'WO-' || n, 'P-' || n % 400, 'Frame, welded, of size ' || n % 40, 1 + n % 90, 1 + n % 5,
         'Customer ' || n % 300, 'Line ' || n % 3,
         CASE WHEN n % 4 = 0 THEN 'Handle with care: edges are sharp' ELSE '' END,
         timestamptz '2026-01-01' + n * interval '7 minutes', timestamptz '2026-01-04' + n * interval '7 minutes',
         'planned', timestamptz '2026-01-01'
  FROM generate_series(1, {ORDERS}) n;
INSERT INTO lineside.stage (id, work_order_id, position, name, status, planned_minutes, planned_start, planned_end,
                            changed_at)
  SELECT gen_random_uuid(), o.id, p, (ARRAY['Cut', 'Weld', 'Paint', 'Pack'])[p], 'planned', 60,
         o.planned_start + p * interval '2 hours', o.planned_start + p * interval '3 hours', o.created_at
  FROM lineside.work_order o CROSS JOIN generate_series(1, {STAGES}) p;
ANALYZE;
"""


def bench_first_sync() -> Iterator[Figure]:
    """From the pasted line to a station that can work; then 10,000 entries of others."""
    with shared_world() as world:
        away = world.station("AWAY")
        with world.server.connect() as admin:
            admin.execute(_FILL.encode())
            admin.execute("CHECKPOINT")
        bare = _bare_copy(world)
        yield Figure(
            f"first sync of {ROWS:,} rows", _join(world), "s", LIMIT,
            against=bare, against_what="a bare fetch of the same rows, executemany into SQLite",
        )  # fmt: skip
        away.sync()  # fetches all rows too: they came without the log
        _others_work(world)
        bare = _bare_feed(world)
        began = time.perf_counter()
        pulled = away.sync(full=False).pulled
        seconds = time.perf_counter() - began
        yield Figure(
            f"{pulled:,} entries of others pulled", pulled / seconds, "1/s", more_is_better=True,
            against=pulled / bare, against_what="a bare fetch of the same records into SQLite",
        )  # fmt: skip


def _join(world: World) -> float:
    """Seconds from the click to the joined folder."""
    world.server.add_station("NEW")
    house = open_house(world.folder / "new")
    try:
        began = time.perf_counter()
        rows = house.join(str(world.server.stations["NEW"]), lambda *_: None, lambda: False).rows
        seconds = time.perf_counter() - began
    finally:
        house.close()
    if rows < ROWS:
        raise RuntimeError(f"only {rows} rows came")
    return seconds


def _bare_copy(world: World) -> float:
    """The same rows without comparing, indexes, searching or a program around it."""
    began = time.perf_counter()
    with psycopg.connect(world.server.station_url("AWAY")) as line:
        line.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in ("work_order", "stage"):
            described = line.execute(f"SELECT * FROM lineside.{table} LIMIT 0".encode()).description or ()
            names = [column.name for column in described]
            texts = ", ".join(f"{name}::text" for name in names)
            with line.cursor(name=f"texts_{table}") as cursor:
                cursor.execute(f"SELECT {texts} FROM lineside.{table}".encode())
                _into_sqlite(world.folder / "bare.sqlite", table, names, cursor)
    return time.perf_counter() - began


def _into_sqlite(
    file: Path, table: str, names: list[str], cursor: psycopg.ServerCursor[tuple[object, ...]]
) -> None:
    store = sqlite3.connect(file, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.execute(f"CREATE TABLE {table} ({', '.join(names)}, PRIMARY KEY (id)) WITHOUT ROWID")
    store.execute("BEGIN")
    while page := cursor.fetchmany(5000):
        store.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", page)
    store.execute("COMMIT")
    store.close()


def _others_work(world: World) -> None:
    maker = world.station("B")
    bodies = entries(world, maker, RECORDS // 5)
    macs, source = signed(world, "B", bodies), uuid4()
    with ServerConnection.open(world.server.station_url("B")) as line:
        line.open_source(source)
        for first in range(0, len(bodies), _AT_ONCE):
            page = slice(first, first + _AT_ONCE)
            answers = line.push_many(source, first + 1, bodies[page], macs[page])
            if {answer.verdict for answer in answers} != {"applied"}:
                raise RuntimeError("an entry was not applied")


def _bare_feed(world: World) -> float:
    """Seconds for as many records of the log, in pages of the same size, one transaction each."""
    began = time.perf_counter()
    store = sqlite3.connect(world.folder / "feed.sqlite", isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, hash TEXT, body TEXT)")
    with psycopg.connect(world.server.station_url("AWAY"), autocommit=True) as line:
        last, query = (
            0,
            "SELECT seq, encode(hash, 'hex'), body FROM sync.log WHERE seq > %s ORDER BY seq LIMIT %s",
        )
        while rows := line.execute(query, (last, PAGE)).fetchall():
            store.execute("BEGIN")
            store.executemany("INSERT INTO log VALUES (?, ?, ?)", rows)
            store.execute("COMMIT")
            last = rows[-1][0]
    store.close()
    return time.perf_counter() - began
