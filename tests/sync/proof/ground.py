"""Three stations that share one real server, put back to where they began before every run."""

from __future__ import annotations

import asyncio
import gc
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeAlias

from app.sync import pushing
from app.sync.comparing import compare
from app.sync.pulling import PAGE
from app.sync.server.creation import init
from app.sync.wire import FeedLine, ServerConnection
from tests.postgres import Postgres
from tests.proxy import FaultyProxy
from tests.sync.conftest import ServerDatabase
from tests.sync.harness import START, SyncedStation, World
from tests.sync.proof.acts import FURNITURE, Scene
from tests.sync.proof.checker import (
    Ledger,
    Made,
    ServerView,
    StationView,
    in_custody,
    prove_at_rest,
    prove_custody,
    prove_shown,
    prove_tidy,
    read_log,
)
from tests.sync.proof.replay import Histories, Line

STATIONS = ("01", "02", "03")
_AT_ONCE = pushing.MOST_ENTRIES
_COMMITTED = ("synchronous_commit=on",)  # what the server confirmed is there after a crash of it


class Wires:
    """A faulty proxy in front of the server for each station, on a thread of their own."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires")
        self._thread.start()
        self._port = port
        self.proxies: dict[str, FaultyProxy] = {}

    def to(self, name: str) -> FaultyProxy:
        if name not in self.proxies:
            self.proxies[name] = proxy = FaultyProxy("127.0.0.1", self._port)
            asyncio.run_coroutine_threadsafe(proxy.__aenter__(), self._loop).result(10)
        return self.proxies[name]

    def do(self, act: Callable[[], Coroutine[Any, Any, None] | None]) -> None:
        async def run() -> None:
            waiting = act()
            if waiting is not None:
                await waiting

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def cut_after(self, name: str, count: int, direction: Literal["up", "down"]) -> None:
        self.do(lambda: self.proxies[name].cut_after(count, direction))

    def heal(self) -> None:
        for proxy in self.proxies.values():
            self.do(proxy.heal)

    def close(self) -> None:
        for proxy in self.proxies.values():
            asyncio.run_coroutine_threadsafe(proxy.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


Wrong: TypeAlias = Literal["", "one is missing", "two change places", "one says something else"]


class BadLine(ServerConnection):
    """Tells only `most` records of the log at a time, and once, if `mixed_up` is set, not those that it should."""

    most = PAGE
    mixed_up: Wrong = ""

    def feed(self, first_seq: int, most: int, most_bytes: int = 1_000_000) -> list[FeedLine]:
        lines = super().feed(first_seq, min(most, self.most), most_bytes)
        wrong, BadLine.mixed_up = BadLine.mixed_up, ""
        if len(lines) < 3:
            BadLine.mixed_up = wrong
        elif wrong == "one is missing":
            del lines[1]
        elif wrong == "two change places":
            lines[1:3] = lines[2], lines[1]
        elif wrong:
            lines[1] = FeedLine(lines[1].seq, lines[1].hash, lines[2].body)
        return lines


class Ground:
    """A server, its three stations, and what is needed to prove what became of them.

    `tally` counts over all runs what was done and what happened.
    """

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self.postgres, self.folder = postgres, folder
        name = postgres.new_database()
        init(postgres.url(name), "proof")
        self.world = World(ServerDatabase(postgres, name), folder)
        self.world.line = BadLine
        self.wires = Wires(postgres.port)
        self.tally: Counter[str] = Counter()
        self.ledger, self.histories = Ledger(), Histories()
        for station in STATIONS:
            self._through_the_wire(self.world.station(station))
        self._furnish(self.world.stations[STATIONS[0]])
        self.world.settle()
        self._folders = {name: station.copy() for name, station in self.world.stations.items()}
        self._server = self.world.backup()
        self._copies: list[str] = []

    def _furnish(self, station: SyncedStation) -> None:
        """A few rows that everybody may work on from the beginning."""
        chance = Random(4)
        for act in (*FURNITURE, *FURNITURE):
            with station.house.store.reader() as session:
                intent = act(Scene(station.house.store, session, station.folder, chance, START))
            station.do(intent)

    def _through_the_wire(self, station: SyncedStation) -> None:
        proxy = self.wires.to(station.name)
        station.hang_up()
        station.url = station.url.replace(f":{self.postgres.port}/", f":{proxy.port}/")

    def fresh(self, seed: int) -> None:
        """Begin anew: everything as it was, ids from `seed`."""
        for name in [name for name in self.world.stations if name not in STATIONS]:
            self.retire(name)
        self.world.restore(self._server)
        for copy in self._copies:
            self.postgres.drop_database(copy)
        self._copies = []
        self.world.now, self.world.rng = START, Random(f"run {seed}")
        # Days of work in one piece, or in many, between any two of which something may happen.
        self.world.at_once = self.world.rng.random() < 0.5
        BadLine.mixed_up = ""
        BadLine.most, pushing.MOST_ENTRIES = self.world.rng.choice(
            [(PAGE, _AT_ONCE), (2, 1), (7, 3), (50, 2)]
        )
        for name in STATIONS:
            self.world.stations[name].roll_back(self._folders[name])
        for left in self.folder.glob("copy-*"):
            if left not in self._folders.values():
                shutil.rmtree(left)
        self.ledger, self.histories = Ledger(), Histories()
        gc.collect(1)

    @property
    def stations(self) -> list[SyncedStation]:
        return list(self.world.stations.values())

    # ── what happens to it ───────────────────────────────────────────────────────────────────────────────────

    def backup(self) -> str:
        self._copies.append(self.world.backup())
        return self._copies[-1]

    def restore(self, copy: str) -> None:
        self.world.restore(copy)
        self.forget()

    def clone(self, station: SyncedStation) -> SyncedStation:
        twin = self.world.clone(station, station.copy())
        twin.url = station.url
        return twin

    def retire(self, name: str) -> None:
        """A computer is thrown away, with everything that only it held."""
        station = self.world.stations.pop(name)
        station.close()
        shutil.rmtree(station.folder)

    def crash_server(self) -> None:
        self.postgres.restart(signal.SIGQUIT)
        self.hang_up()

    def kill_backends(self) -> int:
        return self.world.kill_backends()

    def hang_up(self) -> None:
        """Lines that fell silently are given up, so that the next round begins with a new one."""
        for station in self.stations:
            station.hang_up()

    def forget(self) -> None:
        """After a backup was put back: what nobody holds now is lost by that, and by nothing else."""
        held = in_custody(self.views(), self.lines())
        self.ledger.gone |= self.ledger.made.keys() - held

    # ── what is proved ───────────────────────────────────────────────────────────────────────────────────────

    def note(self, station: SyncedStation, change: str) -> None:
        """A local commit, if it is one that is shared."""
        found = station.ask("SELECT body FROM outbox WHERE change_id=?", change.replace("-", ""))
        if found:
            self.ledger.note(Made(change, station.name, found[0][0]))
            self.tally["changes"] += 1

    def views(self, *, whole: bool = False) -> list[StationView]:
        return [StationView.of(name, s.house.store, whole=whole) for name, s in self.world.stations.items()]

    def lines(self) -> list[Line]:
        with self.world.server.connect() as connection:
            return read_log(connection, self.histories)

    def prove_now(self) -> None:
        """What holds at every moment, whatever is under way."""
        views = self.views()
        prove_custody(self.ledger, views, self.lines())
        for view in views:
            self.tally["displays proved" if prove_shown(view, self.histories) else "displays in doubt"] += 1

    def prove_rest(self) -> ServerView:
        """Bring everything to rest and prove all of it."""
        from app.sync.passwords import push_password_notes

        self.wires.heal()
        self.world.settle()
        for station in self.stations:
            push_password_notes(station.house.store, station.server)
            assert not station.ask("SELECT 1 FROM password_note"), "a password does not reach the server"
        self.world.settle()
        with self.world.server.connect() as connection:
            server = ServerView.of(connection, self.histories)
        prove_at_rest(server, self.views(whole=True), self.histories, self.ledger)
        for station in self.stations:
            assert compare(station.engine, station.server), "at rest, and still the sums differ"
            station.prove_text_index()
        prove_tidy(self.views(whole=True))
        return server

    def close(self) -> None:
        BadLine.most, pushing.MOST_ENTRIES = PAGE, _AT_ONCE
        BadLine.mixed_up = ""
        self.world.close()
        self.wires.close()


@contextmanager
def proving_ground(folder: Path) -> Iterator[Ground]:
    postgres = Postgres.create("16", settings=_COMMITTED)
    try:
        ground = Ground(folder, postgres)
        try:
            yield ground
        finally:
            ground.close()
    finally:
        postgres.remove()
