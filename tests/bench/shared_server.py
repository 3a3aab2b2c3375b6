"""A shared server for benchmarks: durable, with people and stations, real signed entries, and when changes are seen."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import numpy as np
import structlog

from app.domain.identity import uuid7
from app.domain.people import Role
from app.domain.stages import StageStatus
from app.operations.orders import create_work_order, edit_work_orders
from app.operations.stages import move_stage
from app.plant import utc_now
from app.store.sessions import STORE_NAME, DataVersion
from app.sync.server.creation import init
from app.sync.signing import mac_of
from tests.bench.processes import Child, running
from tests.postgres import Postgres
from tests.proxy import FaultyProxy
from tests.sync.conftest import ServerDatabase
from tests.sync.harness import SyncedStation, World

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOOK = 0.002  # s between two looks at a store


@contextmanager
def shared_world(*settings: str) -> Iterator[World]:
    """A server of its own that stores durably, as it comes out of `lineside server init`, with one person a role."""
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # nobody's own passwords
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    server = Postgres.create(durable=True, settings=("max_wal_size=4GB", *settings))
    try:
        with TemporaryDirectory() as name:
            database = server.new_database()
            init(server.url(database), "bench")
            world = World(ServerDatabase(server, database), Path(name))
            try:
                yield world
            finally:
                world.close()
    finally:
        server.remove()


@contextmanager
def sync_process(station: SyncedStation) -> Iterator[Child]:
    """The sync process of a station, as the window starts it."""
    with running("app.sync", "--data-dir", str(station.folder)) as child:
        yield child


class Watch:
    """When changes became visible in a station's store: change id → time on the monotonic clock of this computer."""

    def __init__(self, folder: Path) -> None:
        self.seen: dict[UUID, float] = {}
        self._path = folder / STORE_NAME
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def until(self, changes: Sequence[UUID], seconds: float = 120.0) -> None:
        """Wait until all of them are visible; raises RuntimeError when they are not in time."""
        deadline = time.monotonic() + seconds
        while missing := [change for change in changes if change not in self.seen]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(missing)} of {len(changes)} changes did not arrive")
            time.sleep(_LOOK)

    def _run(self) -> None:
        version, last, before = DataVersion(self._path), 0, -1
        store = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        try:
            while not self._ends.wait(_LOOK):
                if (now := version()) == before:
                    continue
                before = now
                # In one transaction with the rows themselves.
                found = store.execute(
                    "SELECT seq, change_id FROM shared_change WHERE seq > ? ORDER BY seq", (last,)
                ).fetchall()
                at = time.monotonic()
                for seq, change in found:
                    last = seq
                    if change is not None:
                        self.seen[UUID(change)] = at
        finally:
            store.close()
            version.close()


@dataclass(frozen=True)
class Spread:
    """What matters of many durations, in the unit that they came in."""

    p50: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        p50, p95, p99 = np.percentile(values, (50, 95, 99))
        return cls(float(p50), float(p95), float(p99), max(values))

    def __str__(self) -> str:
        return f"p50 {self.p50:.0f}, p99 {self.p99:.0f}, max {self.most:.0f}"


def entries(world: World, station: SyncedStation, orders: int) -> list[str]:
    """Bodies of five entries an order: made with its stages, changed twice, its first stage begun and done.

    They are what the door writes down, repeated under other ids and numbers; nothing of it is in the store after that.
    """
    before = len(station.states())
    order = station.do(create_work_order(product="FRAME-M", quantity=60, customer="Customer 7")).result
    station.do(edit_work_orders(ids=[order], priority=1, note="Before noon"))
    (stage,) = station.ask("SELECT id FROM stage WHERE work_order_id=? AND position=1", order.hex)
    for status in (StageStatus.IN_PROGRESS, StageStatus.DONE):
        station.do(move_stage(stage_id=UUID(stage[0]), to=status))
    station.do(edit_work_orders(ids=[order], quantity_done=12))
    bodies = [b for (b,) in station.ask("SELECT body FROM outbox ORDER BY position")][before:]
    ((number,),) = station.ask("SELECT number FROM work_order WHERE id=?", order.hex)
    kept = {str(person.user_id) for person in world.people.values()}
    made: list[str] = []
    for n in range(orders):
        others: dict[str, str] = {}

        def other(found: re.Match[str], others: dict[str, str] = others) -> str:
            return (
                found[0]
                if found[0] in kept
                else others.setdefault(found[0], str(uuid7(utc_now(), uuid4().int >> 54)))
            )

        made += [_ID.sub(other, body).replace(number, f"{number}-{n}-{uuid4().hex[:6]}") for body in bodies]
    return made


def signed(world: World, station: str, bodies: Sequence[str]) -> list[str]:
    """The signatures of the administrator, who made these entries, as of that station."""
    user_id = world.people[Role.ADMIN].user_id
    assert user_id is not None
    secret = world.secret(station, user_id)
    return [mac_of(secret, body) for body in bodies]


@contextmanager
def far_away(url: str, round_trip: float) -> Iterator[str]:
    """The URL of the same server at the end of a line with that round trip, in seconds."""
    parts = urlsplit(url)
    assert parts.port is not None
    proxy = FaultyProxy("127.0.0.1", parts.port)
    proxy.delay(round_trip / 2)
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def forward() -> None:
        ends = asyncio.Event()
        async with proxy:
            ready.set_result((asyncio.get_running_loop(), ends))
            await ends.wait()

    thread = threading.Thread(target=lambda: asyncio.run(forward()))
    thread.start()
    loop, ends = ready.result(10)
    try:
        user = parts.netloc.rpartition("@")[0]
        yield urlunsplit(parts._replace(netloc=f"{user}@{proxy.host}:{proxy.port}"))
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join()
