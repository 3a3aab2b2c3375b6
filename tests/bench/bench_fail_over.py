"""The first of two servers is killed while two stations work: how long until an edit of one is seen at the other."""

from __future__ import annotations

import signal
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from app.operations.orders import create_work_order
from app.sync.server.creation import init
from tests.bench.figures import Figure
from tests.bench.shared_server import Watch, sync_process
from tests.postgres import Postgres
from tests.sync.conftest import ServerDatabase
from tests.sync.harness import SyncedStation, World

ROUNDS = 3
EDITS = 30
OUTAGE = 10.0  # s from the kill to the promotion: what a person or a tool takes to decide


@dataclass
class _Both(ServerDatabase):
    second: Postgres | None = None

    @property
    def url(self) -> str:
        assert self.second is not None
        port = self.postgres.port
        return super().url.replace(f":{port}/", f":{port},127.0.0.1:{self.second.port}/")


@dataclass(frozen=True)
class _Trial:
    """Milliseconds and seconds of one fail-over; `lost` is what only the first server had."""

    usual: float
    promotion: float
    seen: float
    all_seen: float
    edits: int


def bench_fail_over() -> Iterator[Figure]:
    """Durable servers on one computer; the second follows asynchronously, then synchronously."""
    for mode, names in (("asynchronous", ""), ("synchronous", "FIRST 1 (second)")):
        trials = [_trial(names) for _ in range(ROUNDS)]
        yield Figure(f"{mode}: an edit seen elsewhere, p50", _median(trials, "usual") * 1000, "ms")
        yield Figure("  promotion until it takes changes", _median(trials, "promotion"), "s")
        yield Figure("  promotion → the next edit seen elsewhere", _median(trials, "seen"), "s")
        yield Figure("  promotion → all edits of the outage seen", _median(trials, "all_seen"), "s")
        yield Figure("  the longest of these", max(trial.all_seen for trial in trials), "s")


def _median(trials: list[_Trial], name: str) -> float:
    return float(statistics.median(getattr(trial, name) for trial in trials))


def _trial(synchronous: str) -> _Trial:
    with ExitStack() as stack:
        first = Postgres.create(durable=True)
        stack.callback(first.remove)
        name = first.new_database()
        init(first.url(name), "bench")
        second = first.follower()
        stack.callback(second.remove)
        # Only where there is somebody to wait for: the second has nobody once it was promoted.
        with first.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{synchronous}'".encode())
            connection.execute("SELECT pg_reload_conf()")
        folder = stack.enter_context(TemporaryDirectory())
        world = World(_Both(first, name, second=second), Path(folder))
        stack.callback(world.close)
        a, b = world.station("A"), world.station("B")
        for station in (a, b):
            station.hang_up()
            stack.enter_context(sync_process(station))
        watch = stack.enter_context(Watch(b.folder))
        watch.until([_edit(a)])
        return _fail(first, second, name, a, watch)


def _edit(station: SyncedStation) -> UUID:
    return station.do(create_work_order(product="FRAME-M", quantity=60)).change_id


def _fail(first: Postgres, second: Postgres, name: str, a: SyncedStation, watch: Watch) -> _Trial:
    usual = []
    for _ in range(EDITS):
        began = time.monotonic()
        watch.until([_edit(a)])
        usual.append(time.monotonic() - began)
    ends, outage, done = threading.Event(), [], threading.Event()

    def work() -> None:
        while not ends.wait(0.2):
            outage.append((time.monotonic(), _edit(a)))
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(2.0)
    first.stop(signal.SIGQUIT)
    time.sleep(OUTAGE)
    promoted = time.monotonic()
    with second.connect(name) as connection:
        connection.execute("SELECT pg_promote()")
    took = time.monotonic() - promoted
    after = next_after(promoted, outage)
    watch.until([after])
    ends.set()
    done.wait()
    worker.join()
    changes = [change for _, change in outage]
    watch.until(changes)
    during = [change for at, change in outage if at <= promoted]
    return _Trial(
        statistics.median(usual),
        took,
        watch.seen[after] - promoted,
        max(watch.seen[change] for change in during) - promoted,
        len(changes),
    )


def next_after(moment: float, edits: list[tuple[float, UUID]]) -> UUID:
    """The first edit that was made after a moment; waits for it."""
    while True:
        for at, change in list(edits):
            if at > moment:
                return change
        time.sleep(0.01)
