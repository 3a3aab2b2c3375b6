"""An edit at one station until it is committed in the store of another, through the sync processes of both."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import psycopg

from app.operations.orders import create_work_order, edit_work_orders
from tests.bench.figures import Figure
from tests.bench.shared_server import Spread, Watch, shared_world, sync_process
from tests.sync.harness import SyncedStation

EDITS, SELDOM = 150, 20
LIMIT = 1000.0  # ms, p95
_PEER = "a bare INSERT + NOTIFY → SELECT → SQLite"


def bench_sync_latency() -> Iterator[Figure]:
    """One edit after the other, somebody else's screen showing it; then the same with forty edits at once."""
    with shared_world() as world:
        bare = _bare(world.server.url)
        a, b = world.station("A"), world.station("B")
        with sync_process(a), sync_process(b), Watch(b.folder) as watch:
            watch.until([_edit(a)])
            alone = edits_of(a, watch, EDITS, (0.05, 0.45))
            seldom = edits_of(a, watch, SELDOM, (1.1, 1.5))
            burst = _burst(a, watch)
    yield Figure(
        "edit here → committed at another station, p95", alone.p95, "ms", LIMIT,
        against=bare.p95, against_what=_PEER,
    )  # fmt: skip
    yield from _rest(alone)
    yield Figure("edits more than a second apart, p95", seldom.p95, "ms", LIMIT)
    yield from _rest(seldom)
    yield Figure("forty edits at once → committed there, p95", burst.p95, "ms", LIMIT)
    yield from _rest(burst)


def _rest(spread: Spread) -> Iterator[Figure]:
    for name, value in (("p50", spread.p50), ("p99", spread.p99), ("the longest", spread.most)):
        yield Figure(f"  the same, {name}", value, "ms")


def _edit(station: SyncedStation) -> UUID:
    return station.do(create_work_order(product="FRAME-M", quantity=60)).change_id


def edits_of(station: SyncedStation, watch: Watch, edits: int, pause: tuple[float, float]) -> Spread:
    """Milliseconds from the end of each edit to its being visible; `pause` seconds between two."""
    order = station.do(create_work_order(product="FRAME-M", quantity=60)).result
    chance, done = random.Random(1), {}
    for n in range(edits):
        done[station.do(edit_work_orders(ids=[order], note=f"Note {n}")).change_id] = time.monotonic()
        time.sleep(chance.uniform(*pause))
    watch.until(list(done))
    return Spread.of([(watch.seen[change] - at) * 1000 for change, at in done.items()])


def _burst(station: SyncedStation, watch: Watch) -> Spread:
    done = {}
    for _ in range(40):
        change = _edit(station)
        done[change] = time.monotonic()
    watch.until(list(done))
    return Spread.of([(watch.seen[change] - at) * 1000 for change, at in done.items()])


def _bare(url: str) -> Spread:
    """The least that can be done: one row in, a hint, one row out and into a file, without rules, audit or rebasing."""
    took: list[float] = []
    with TemporaryDirectory() as folder, psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE TABLE public.bare (n bigserial PRIMARY KEY, body text)")
        listening = threading.Event()
        seen: dict[int, float] = {}
        reader = threading.Thread(target=_hear, args=(url, Path(folder) / "bare.sqlite", listening, seen))
        reader.start()
        listening.wait(10)
        for n in range(1, 41):
            began = time.monotonic()
            admin.execute("INSERT INTO public.bare (body) VALUES (%s)", ("x" * 700,))
            admin.execute("NOTIFY bare")
            while n not in seen:
                time.sleep(0.0005)
            took.append((seen[n] - began) * 1000)
        reader.join()
        admin.execute("DROP TABLE public.bare")
    return Spread.of(took)


def _hear(url: str, file: Path, listening: threading.Event, seen: dict[int, float]) -> None:
    store = sqlite3.connect(file, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.execute("CREATE TABLE bare (n INTEGER PRIMARY KEY, body TEXT)")
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("LISTEN bare")
        listening.set()
        while len(seen) < 40:
            list(line.notifies(timeout=10, stop_after=1))
            rows = line.execute("SELECT n, body FROM public.bare WHERE n > %s", (len(seen),)).fetchall()
            store.executemany("INSERT INTO bare VALUES (?, ?)", rows)
            for n, _body in rows:
                seen[n] = time.monotonic()
    store.close()
