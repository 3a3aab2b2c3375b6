"""What the server takes in: single entries of several writers, and what piled up at one station, over a long line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import psycopg

from app.operations.orders import create_work_order
from app.sync.pushing import MOST_ENTRIES
from app.sync.wire import ServerConnection
from tests.bench.figures import Figure
from tests.bench.shared_server import entries, far_away, shared_world, signed
from tests.sync.harness import SyncedStation, World

WRITERS = (1, 4, 16)
ENTRIES = 1600
GOAL = 300.0  # entries a second
BACKLOG, ROUND_TRIP = 2000, 0.05
_PEER = "a bare INSERT of the same bodies"


def bench_sync_push() -> Iterator[Figure]:
    """Signed entries, each a transaction of its own: orders made, changed, their stages moved."""
    with shared_world() as world:
        with world.server.connect() as admin:
            admin.execute("CREATE TABLE public.bare (n bigserial PRIMARY KEY, body text)")
        for number in WRITERS:
            names = [f"W{number}{n:02}" for n in range(number)]
            maker = world.station(names[0])
            for name in names[1:]:
                world.server.add_station(name)
            shares = [entries(world, maker, ENTRIES // number // 5) for _ in names]
            bare = _rate(world, [(name, share) for name, share in zip(names, shares, strict=True)], _insert)
            ours = _rate(world, [(name, share) for name, share in zip(names, shares, strict=True)], _push)
            yield Figure(
                f"entries pushed a second by {number} writer{'s' * (number > 1)}", ours, "1/s", GOAL, True,
                against=bare, against_what=_PEER,
            )  # fmt: skip
        yield from _backlog(world)


Work = Callable[[World, str, Sequence[str], threading.Barrier], None]


def _rate(world: World, shares: Sequence[tuple[str, Sequence[str]]], work: Work) -> float:
    """Entries a second of all writers together, from the first to the last."""
    with world.server.connect() as admin:
        admin.execute("CHECKPOINT")
    start = threading.Barrier(len(shares) + 1)
    writers = [threading.Thread(target=work, args=(world, name, bodies, start)) for name, bodies in shares]
    for writer in writers:
        writer.start()
    start.wait(30)
    began = time.perf_counter()
    for writer in writers:
        writer.join()
    return sum(len(bodies) for _, bodies in shares) / (time.perf_counter() - began)


def _push(world: World, name: str, bodies: Sequence[str], start: threading.Barrier) -> None:
    macs, source = signed(world, name, bodies), uuid4()
    with ServerConnection.open(world.server.station_url(name)) as line:
        line.open_source(source)
        start.wait()
        for n, (body, mac) in enumerate(zip(bodies, macs, strict=True), start=1):
            answer = line.push(source, n, body, mac)
            if answer.verdict != "applied":
                raise RuntimeError(f"an entry was not applied: {answer}")


def _insert(world: World, _name: str, bodies: Sequence[str], start: threading.Barrier) -> None:
    with psycopg.connect(world.server.url, autocommit=True, prepare_threshold=None) as line:
        start.wait()
        for body in bodies:
            line.execute("INSERT INTO public.bare (body) VALUES (%s)", (body,))


def _backlog(world: World) -> Iterator[Figure]:
    """2,000 changes made with the cable out, then the whole round over a line of 50 ms: sent, answered, pulled."""
    station = world.station("FAR")
    for _ in range(BACKLOG):
        station.do(create_work_order(product="FRAME-M", quantity=60))
    bodies = [body for (body,) in station.ask("SELECT body FROM outbox ORDER BY position")]
    with far_away(world.server.url, ROUND_TRIP) as url, psycopg.connect(url, autocommit=True) as line:
        began = time.perf_counter()
        line.cursor().executemany("INSERT INTO public.bare (body) VALUES (%s)", [(body,) for body in bodies])
        bare = time.perf_counter() - began
    near = station.url
    with far_away(near, ROUND_TRIP) as station.url:
        seconds = _until_confirmed(station)
        station.hang_up()
    station.url = near
    limit = BACKLOG / GOAL + BACKLOG / MOST_ENTRIES * ROUND_TRIP
    what = f"{BACKLOG:,} changes sent and confirmed, round trip {ROUND_TRIP * 1000:.0f} ms"
    yield Figure(
        what,
        seconds,
        "s",
        limit,
        against=bare,
        against_what="the same bodies by executemany INSERT (a pipeline)",
    )


def _until_confirmed(station: SyncedStation) -> float:
    began = time.perf_counter()
    station.sync()
    seconds = time.perf_counter() - began
    if set(station.states()) != {"done"}:
        raise RuntimeError(f"not everything is confirmed: {set(station.states())}")
    return seconds
