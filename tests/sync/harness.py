"""Several stations of one server in one process, with everything that may happen to them under the test's control.

Ids come from a seed, so that a run can be repeated. A failpoint that is armed ends the round with a `Crash`, which
nothing catches; the station is then opened anew from its files, as after a kill.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter as Count
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from app.domain.identity import uuid7
from app.domain.people import Actor, Role
from app.operations.change import Intent, Outcome
from app.plant import House, open_house
from app.store.sessions import STORE_NAME
from app.sync.failpoints import Failpoint
from app.sync.round import Round, run_round
from app.sync.shared_rows import shared_tables
from app.sync.station import Station
from app.sync.wire import ServerConnection
from tests.operations.shop import empty_store
from tests.sync.conftest import ServerDatabase
from tests.sync.counter import Counter, created, entry

START = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)
FOUNDER = "00"


class Crash(BaseException):
    """The process is gone at this line; nothing may catch it."""


@dataclass
class Arm:
    """Crashes at a failpoint, the `after`-th time that it is reached from now on (0: the next time)."""

    point: Failpoint | None = None
    after: int = 0
    reached: Count[Failpoint] = field(default_factory=Count)

    def __call__(self, point: Failpoint) -> None:
        self.reached[point] += 1
        if point != self.point:
            return
        self.after -= 1
        if self.after < 0:
            self.point = None
            raise Crash(point)


class SyncedStation:
    """One station: its folder, its open house, its engine; people are logged in and able to sign.

    `url` leads to the server; a test may put a proxy in between.
    """

    def __init__(self, world: World, name: str, folder: Path) -> None:
        self.world, self.name, self.folder = world, name, folder
        self.url = world.server.station_url(name)
        self.arm = Arm()
        self.schema: int | None = None
        self._server: ServerConnection | None = None
        self._open()

    def _open(self) -> None:
        self.house: House = open_house(self.folder)
        self.house.door.clock, self.house.door.new_id = self.world.clock, self.world.new_id
        self.engine = Station(
            self.house.store, clock=self.world.clock, new_id=self.world.new_id, reach=self.arm
        )
        if self.schema is not None:
            self.engine.schema = self.schema
        for person in self.world.people.values():
            assert person.user_id is not None
            self.house.signing.unlock(person.user_id, self.world.secret(self.name, person.user_id))

    def join(self) -> None:
        """Become a station by the same way as a person's click."""
        self.house.join(str(self.world.server.stations[self.name]), lambda *_: None, lambda: False)

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────

    def do(self, intent: Intent[Any], role: Role = Role.ADMIN) -> Outcome[Any]:
        return self.house.door.perform(intent, self.world.people[role])

    # ── what the engine does ─────────────────────────────────────────────────────────────────────────────────

    @property
    def server(self) -> ServerConnection:
        if self._server is None or self._server.closed:
            self.hang_up()
            self._server = self.world.line.open(self.url)
        return self._server

    def sync(self, *, full: bool = True) -> Round:
        """One round."""
        return run_round(self.engine, self.server, self.server.hello(), full=full)

    def hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None

    def crash_at(self, point: Failpoint, after: int = 0, act: Callable[[], Any] | None = None) -> bool:
        """Run a round (or `act`) that dies at `point`, and open the station again; whether it died."""
        self.arm.point, self.arm.after = point, after
        try:
            (act or self.sync)()
        except Crash:
            self.restart()
            return True
        finally:
            self.arm.point = None
        return False

    def send_bytes(self, data: bytes) -> str:
        """What the worker of photos and files does in the end, for bytes of one chunk; returns their SHA-256."""
        digest = hashlib.sha256(data).digest()
        with psycopg.connect(self.world.server.station_url(self.name), autocommit=True) as line:
            line.execute("SELECT sync.begin_blob(%s, %s, '')", (digest, len(data)))
            line.execute("SELECT sync.put_blob(%s, 0, %s)", (digest, data))
            assert line.execute("SELECT sync.finish_blob(%s)->'complete'", (digest,)).fetchone() == (True,)
        return digest.hex()

    # ── its file ─────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        self.hang_up()
        self.house.close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let go of the files, for other processes to work with them."""
        self.close()
        try:
            yield
        finally:
            self._open()

    def restart(self) -> None:
        """As after a kill: nothing but the files is left."""
        self.close()
        self._open()

    def copy(self) -> Path:
        """A copy of the data folder as it is now."""
        self.close()
        copy = self.world.folder / f"copy-{self.name}-{self.world.rng.getrandbits(40)}"
        shutil.copytree(self.folder, copy)
        self._open()
        return copy

    def roll_back(self, copy: Path) -> None:
        """Put the data folder back to what it was when it was copied."""
        self.close()
        shutil.rmtree(self.folder)
        shutil.copytree(copy, self.folder)
        self._open()

    # ── what is seen ─────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, statement: str, *values: Any) -> list[Any]:
        """Rows of the local store."""
        return self.engine.read(lambda connection: list(connection.exec_driver_sql(statement, values).all()))

    def states(self) -> list[str]:
        """The states of the outbox in the order of its entries."""
        return [state for (state,) in self.ask("SELECT state FROM outbox ORDER BY position")]

    def rows(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Everything that is shown, as the server would say it: table → id (hex) → row."""
        return self.engine.read(
            lambda connection: {
                entity: dict(
                    table.read(
                        connection,
                        [i for (i,) in connection.exec_driver_sql(f'SELECT id FROM "{entity}"').all()],
                    )
                )
                for entity, table in shared_tables().items()
            }
        )

    def row(self, entity: str, row_id: UUID) -> dict[str, Any] | None:
        """One row as it is shown here, None where there is none."""
        return self.engine.read(
            lambda connection: dict(shared_tables()[entity].read(connection, [row_id.hex])).get(row_id.hex)
        )

    def prove_text_index(self) -> None:
        """FTS5 compares what it knows with the rows; raises where they differ."""
        check = "INSERT INTO work_order_text(work_order_text, rank) VALUES ('integrity-check', 1)"
        self.engine.write(lambda connection: connection.exec_driver_sql(check))

    def cursor(self) -> int:
        found = self.ask("SELECT value FROM meta WHERE key='sync.cursor'")
        return int(found[0][0]) if found else 0


class World:
    """One server and its stations. People exist from the beginning, one a role, named like it."""

    def __init__(self, server: ServerDatabase, folder: Path, seed: int = 1) -> None:
        self.server, self.folder = server, folder
        self.rng = random.Random(seed)
        self.now = START
        self._ids, self.at_once = 0, False
        self.line: type[ServerConnection] = ServerConnection
        self.stations: dict[str, SyncedStation] = {}
        self.people: dict[Role, Actor] = {}
        self._secrets: dict[tuple[str, UUID], bytes] = {}
        self._found_people()

    def clock(self) -> datetime:
        return self.now

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def new_id(self) -> UUID:
        """Later ones are greater, as they are where time goes on, unless several are made `at_once`."""
        self._ids += 1
        first = self.rng.getrandbits(24) if self.at_once else self._ids
        return uuid7(self.now, first << 50 | self.rng.getrandbits(50))

    def _found_people(self) -> None:
        """The accounts, as a station that brings its data would hand them in."""
        self.server.add_station(FOUNDER, bring_data=True)
        plant = Actor(None, "plant", Role.ADMIN)
        with (
            psycopg.connect(self.server.station_url(FOUNDER), autocommit=True) as line,
            self.server.connect() as owner,
        ):
            counter = Counter(line, owner, FOUNDER, self.server.station_key(FOUNDER))
            for role in Role:
                person = Actor(self.new_id(), role.value, role)
                assert person.user_id is not None
                row = created(
                    "user_account", person.user_id, name=role.value, name_key=role.value, role=role.value,
                    must_change_password=False, disabled=False, created_at="2026-01-01T00:00:00.000000Z", deleted=False,
                )  # fmt: skip
                answer = counter.push(entry(plant, row), None)
                assert answer["verdict"] == "applied", answer
                self.people[role] = person

    def secret(self, station: str, user_id: UUID) -> bytes:
        """What this person signs with at that station."""
        if (station, user_id) not in self._secrets:
            url, key = self.server.station_url(station), self.server.station_key(station)
            with psycopg.connect(url, autocommit=True) as line, self.server.connect() as owner:
                counter = Counter(line, owner, station, key)
                for person in self.people.values():
                    assert person.user_id is not None
                    self._secrets[station, person.user_id] = counter.secret(person.user_id)
        return self._secrets[station, user_id]

    def station(self, name: str, *, joined: bool = True) -> SyncedStation:
        """A new station with a data folder of its own."""
        self.server.add_station(name)
        folder = self.folder / f"station-{name}"
        folder.mkdir()
        shutil.copy(empty_store(), folder / STORE_NAME)
        made = SyncedStation(self, name, folder)
        self.stations[name] = made
        if joined:
            made.join()
        return made

    def clone(self, station: SyncedStation, copy: Path) -> SyncedStation:
        """A second computer that works with a copy of a station's folder, under the same name."""
        made = SyncedStation(self, station.name, copy)
        self.stations[f"{station.name} again {len(self.stations)}"] = made
        return made

    def close(self) -> None:
        for station in self.stations.values():
            station.close()

    # ── the server ───────────────────────────────────────────────────────────────────────────────────────────

    def backup(self) -> str:
        """A copy of the server as it is now; everybody's connection is cut."""
        for station in self.stations.values():
            station.hang_up()
        return self.server.copy()

    def restore(self, copy: str) -> None:
        for station in self.stations.values():
            station.hang_up()
        self.server.restore(copy)

    def kill_backends(self) -> int:
        """Cut every connection on the server's side; returns how many those were."""
        with self.server.connect() as connection:
            killed = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return len(killed.fetchall())

    def log(self) -> list[dict[str, Any]]:
        """All records of the server's log, oldest first."""
        with self.server.connect() as connection:
            return [body for (body,) in connection.execute("SELECT body::jsonb FROM sync.log ORDER BY seq")]

    def server_rows(self) -> dict[str, dict[str, dict[str, Any]]]:
        """All shared rows of the server in the words of the stations: table → id (hex) → row."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        with self.server.connect() as connection:
            connection.execute("SET timezone = 'UTC'")
            for entity, table in shared_tables().items():
                rows = connection.execute(f'SELECT id, to_jsonb(t) FROM lineside."{entity}" t'.encode())
                found[entity] = {row_id.hex: table.heard(row) for row_id, row in rows}
        return found

    # ── at rest ──────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self) -> None:
        """Rounds of all stations until nothing moves any more."""
        for _ in range(10):
            moved = [station.sync().moved for station in self.stations.values()]
            if not any(moved):
                return
        raise AssertionError("it does not come to rest")

    def check(self) -> None:
        """At rest: everybody shows what the server has, nothing waits, every refused entry is seen by all, no hole."""
        rows, log = self.server_rows(), self.log()
        parked = {(r["src"].replace("-", ""), r["n"]) for r in log if r["k"] == "parked"}
        settled = {(s.replace("-", ""), n) for r in log for s, n in r.get("resolves", [])}
        with self.server.connect() as connection:
            broken = connection.execute("SELECT sync.verify()").fetchone()
            assert broken == (None,), f"the chain is broken at {broken}"
        assert [r["seq"] for r in log] == list(range(1, len(log) + 1))
        for name, station in self.stations.items():
            shown = station.rows()
            for entity, theirs in rows.items():
                assert shown[entity] == theirs, f"station {name} shows other rows of {entity}"
            assert station.cursor() == len(log), name
            assert set(station.states()) <= {"done", "parked"}, name
            open_here = station.ask("SELECT source, n FROM conflict WHERE settled_seq IS NULL")
            assert {(s, n) for s, n in open_here} == parked - settled, f"conflicts of station {name}"
            assert not station.ask("PRAGMA foreign_key_check"), name
