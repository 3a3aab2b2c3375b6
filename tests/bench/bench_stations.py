"""Fifty stations at work for five minutes: how soon each sees what the others do, and that nothing is lost.

LINESIDE_STATIONS and LINESIDE_STATIONS_SECONDS make it smaller and shorter.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from app.domain.people import Role
from app.operations.orders import create_work_order
from app.store.sessions import STORE_NAME, Store
from tests.bench.figures import Figure
from tests.bench.processes import running
from tests.bench.server_load import ServerLoad
from tests.bench.shared_server import Spread, shared_world
from tests.sync.harness import World
from tests.sync.proof.checker import (
    Ledger,
    Made,
    ServerView,
    StationView,
    prove_all_agree,
    prove_ledger,
    prove_log,
)
from tests.sync.proof.replay import Histories

STATIONS = int(os.environ.get("LINESIDE_STATIONS", "50"))
SECONDS = float(os.environ.get("LINESIDE_STATIONS_SECONDS", "300"))
EVERY = 5.0  # s between two edits of a station, in the mean
A_PROCESS = 10  # stations
WATCHED = 2  # stations of each process
ORDERS_EACH = 3  # that no other station edits
LIMIT = 1000.0  # ms, p95
_REST_SECONDS = 120.0


def bench_stations() -> Iterator[Figure]:
    """Every station edits orders of its own and pulls all others'; in the end all must show what the server has."""
    with shared_world() as world:
        folders, groups = _furnish(world)
        with ExitStack() as stack:
            probes = [stack.enter_context(running("tests.bench.stations_probe")) for _ in groups]
            for probe, group in zip(probes, groups, strict=True):
                probe.say(json.dumps(group))
            for probe in probes:
                probe.hear_until("ready")
            with ServerLoad(world) as load:
                for probe in probes:
                    probe.say(f"go {SECONDS}")
                heard = [probe.hear_until("made") for probe in probes]
            _until_all_came(world, folders)
            for probe in probes:
                probe.say("enough")
            seen = [each for probe in probes for each in probe.hear_until("seen")["seen"]]
        made = {change: at for each in heard for change, at in each["made"].items()}
        faults = _faults(world, folders, made)
    yield from _soon(made, seen)
    yield Figure("  an edit at its own station, p95", _edits(heard).p95, "ms")
    yield Figure("  load of the server's processes", load.cores * 100, "% of a core")
    yield Figure("  sessions that wait for another's lock, mean", load.waiting, "sessions")
    yield Figure("  the longest such wait that was seen", load.longest_wait * 1000, "ms", LIMIT)
    yield Figure("  faults in the log, the answers and all stores", faults, "faults", 0.0)


def _soon(made: Mapping[str, float], seen: Sequence[Mapping[str, float]]) -> Iterator[Figure]:
    took = Spread.of([(each[c] - at) * 1000 for each in seen for c, at in made.items() if c in each])
    yield Figure(f"{STATIONS} stations, {len(made):,} edits: edit → visible, p95", took.p95, "ms", LIMIT)
    for name, value in (("p50", took.p50), ("p99", took.p99), ("the longest", took.most)):
        yield Figure(f"  the same, {name}", value, "ms")
    missing = sum(1 for each in seen for change in made if change not in each)
    yield Figure(f"  edits that one of {len(seen)} watched stations did not see", missing, "edits", 0.0)


def _edits(heard: Sequence[Mapping[str, Any]]) -> Spread:
    return Spread.of([seconds * 1000 for each in heard for seconds in each["edit"]])


def _furnish(world: World) -> tuple[dict[str, Path], list[dict[str, Any]]]:
    """Join all stations, each with orders that nobody else edits; their folders, and each process' share of them."""
    person = world.people[Role.ADMIN]
    assert person.user_id is not None
    first = world.station("S00")
    orders = [
        [str(first.do(create_work_order(product="FRAME-M", quantity=60)).result) for _ in range(ORDERS_EACH)]
        for _ in range(STATIONS)
    ]
    first.sync()
    stations = [first, *(world.station(f"S{n:02}") for n in range(1, STATIONS))]
    for station in stations:
        station.close()
    world.stations.clear()
    told = [
        {
            "folder": str(station.folder),
            "secret": world.secret(station.name, person.user_id).hex(),
            "orders": own,
        }
        for station, own in zip(stations, orders, strict=True)
    ]
    processes = -(-STATIONS // A_PROCESS)
    groups = [
        {"stations": told[n::processes], "person": str(person.user_id), "name": person.name}
        | {"every": EVERY, "watch": WATCHED}
        for n in range(processes)
    ]
    return {station.name: station.folder for station in stations}, groups


def _until_all_came(world: World, folders: Mapping[str, Path]) -> None:
    """Wait until every station has sent all and has all of the log; who does not in time is found by the checker."""
    deadline = time.monotonic() + _REST_SECONDS
    with world.server.connect() as admin:
        while time.monotonic() < deadline:
            row = admin.execute("SELECT max(seq) FROM sync.log").fetchone()
            assert row is not None
            if all(_at_rest(folder) == row[0] for folder in folders.values()):
                return
            time.sleep(1.0)


def _at_rest(folder: Path) -> int | None:
    """How far in the log a station is, None while it has something to send."""
    store = sqlite3.connect(f"file:{folder / STORE_NAME}?mode=ro", uri=True)
    try:
        if store.execute(
            "SELECT 1 FROM outbox WHERE state IN ('pending', 'acknowledged') LIMIT 1"
        ).fetchone():
            return None
        return int(store.execute("SELECT value FROM meta WHERE key = 'sync.cursor'").fetchone()[0])
    finally:
        store.close()


def _faults(world: World, folders: Mapping[str, Path], made: Mapping[str, float]) -> int:
    """What the checker of the fault tests finds: a lost or doubled change, a row that differs, a hole in the log."""
    views = []
    for name, folder in folders.items():
        store = Store(folder)
        try:
            views.append(StationView.of(name, store))
        finally:
            store.close()
    ledger, histories = Ledger(), Histories()
    for view in views:
        for sent in view.outbox:
            ledger.note(Made(sent.change, view.name, sent.body))
    with world.server.connect() as admin:
        server = ServerView.of(admin, histories)
    proofs: tuple[Callable[[], None], ...] = (
        lambda: prove_log(server, histories, ledger),
        lambda: prove_ledger(server, views, ledger),
        *(partial(prove_all_agree, server, [view]) for view in views),
    )
    lost = made.keys() - ledger.made.keys()
    return len(lost) + sum(1 for proof in proofs if not _holds(proof))


def _holds(proof: Callable[[], None]) -> bool:
    try:
        proof()
    except AssertionError as fault:
        print(f"The checker: {fault}", file=sys.stderr)
        return False
    return True
