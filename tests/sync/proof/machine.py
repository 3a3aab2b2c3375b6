"""Anything that people and the world may do to three stations and their server, in any order, for hypothesis."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from app.domain.errors import LinesideError, Refused
from app.sync.comparing import compare
from app.sync.failpoints import Failpoint
from app.sync.passwords import push_password_notes
from app.sync.place import want_baseline
from app.sync.round import run_round
from app.sync.wire import Hello, ServerConnection
from tests.sync.harness import SyncedStation
from tests.sync.proof.acts import FILES, GOING_ON, Act, NothingThere, choose, typed_order
from tests.sync.proof.ground import BadLine, Ground

_SERVER_COPIES, _CRASHES, _STATIONS = 3, 2, 4

WEIGHTS: Mapping[str, int] = {
    "work": 24,
    "work_everywhere": 8,
    "work_and_send": 12,
    "round": 10,
    "rounds_everywhere": 6,
    "die": 14,
    "meddle": 8,
    "cut_the_line": 5,
    "mix_up_the_log": 3,
    "kill_backends": 2,
    "crash_the_server": 1,
    "back_the_server_up": 3,
    "restore_the_server": 3,
    "copy_a_folder": 3,
    "roll_a_folder_back": 4,
    "clone_a_folder": 1,
    "set_the_clock": 2,
    "bytes_arrive": 3,
    "forget_orphans": 1,
    "come_to_rest": 3,
}
"""How often each thing happens, beside the others."""
WHAT = [name for name, weight in WEIGHTS.items() for _ in range(weight)]

SELDOM_FULL = 0.2
"""How often a round over a connection that is known compares the counters all the same."""

DELICATE = (Failpoint.PUSH_AFTER_SERVER_COMMIT,) * 5
"""The server knows what this station does not know yet."""


class Sharing(RuleBasedStateMachine):
    """To be subclassed with a `ground`."""

    ground: ClassVar[Ground]

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.whole = True
        self.ground.fresh(seed)
        self.ground.tally["runs"] += 1
        self.server_copies: list[str] = []
        self.folder_copies: list[tuple[str, Path]] = []
        self.crashes_left, self.numbers = _CRASHES, 0
        self.greeted: dict[int, tuple[ServerConnection, Hello]] = {}

    def _count(self, what: str) -> None:
        self.ground.tally[what] += 1

    @rule(what=st.sampled_from(WHAT), chance=st.randoms(use_true_random=True))
    def happens(self, what: str, chance: Random) -> None:
        self.whole = False
        getattr(self, what)(chance)
        self.ground.prove_now()
        self.whole = True

    def some_station(self, chance: Random) -> SyncedStation:
        return self.ground.stations[chance.randrange(len(self.ground.stations))]

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────

    def work(self, chance: Random) -> None:
        station = self.some_station(chance)
        for _ in range(chance.randint(1, 4)):
            self._act(station, chance)

    def work_everywhere(self, chance: Random) -> None:
        for station in self.ground.stations:
            self._act(station, chance)

    def work_and_send(self, chance: Random) -> None:
        station = self.some_station(chance)
        self._act(station, chance)
        self._round(station)

    def _act(self, station: SyncedStation, chance: Random, pool: tuple[Act, ...] = ()) -> None:
        try:
            intent, role = choose(station.house.store, station.folder, chance, self.ground.world.now, pool)
            outcome = station.do(intent, role)
        except NothingThere:
            return
        except Refused:
            self._count("refused here")
            return
        self._count(f"did {intent.operation.name}")
        self.ground.note(station, str(outcome.change_id))

    # ── rounds ───────────────────────────────────────────────────────────────────────────────────────────────

    def _round(self, station: SyncedStation) -> None:
        """As the service does it: counters are compared when a connection begins, and seldom after."""
        try:
            server = station.server
            known, hello = self.greeted.get(id(station), (None, None))
            full = known is not server or hello is None or self.ground.world.rng.random() < SELDOM_FULL
            if full or hello is None:
                hello = server.hello()
                self.greeted[id(station)] = server, hello
            run_round(station.engine, server, hello, full=full)
            self._after_round(station)
        except BaseException:
            station.hang_up()
            raise

    def _after_round(self, station: SyncedStation) -> None:
        if not station.ask("SELECT 1 FROM outbox WHERE state='pending'"):
            push_password_notes(station.house.store, station.server)
        if not compare(station.engine, station.server):
            self._prove_difference(station)

    def _prove_difference(self, station: SyncedStation) -> None:
        """Only a server that went back may differ from a station that just followed it."""
        place = station.ask("SELECT value FROM meta WHERE key='sync.hash'")[0][0]
        assert place not in {line.hash for line in self.ground.lines()}, "rows differ after a round"

    def round(self, chance: Random) -> None:
        self._round(self.some_station(chance))
        self._count("rounds")

    def rounds_everywhere(self, _chance: Random) -> None:
        for station in self.ground.stations:
            self._round(station)

    def die(self, chance: Random) -> None:
        station, point = self.some_station(chance), chance.choice(list(Failpoint))
        self._lead_to(point, station, chance)
        if station.crash_at(point, chance.choice([0, 0, 1, 2]), partial(self._round, station)):
            self._count(f"died at {point}")

    def _lead_to(self, point: Failpoint, station: SyncedStation, chance: Random) -> None:
        """Most rounds pass only some of the failpoints; see to it that the next one comes by this one."""
        if point.startswith("baseline"):
            station.engine.write(lambda connection: want_baseline(connection, "the proof asks for it"))
        elif point.startswith("push"):
            self._want_the_same(station, chance)
        elif point.startswith("fork"):
            copy = station.copy()
            self._act(station, chance)
            self._round(station)
            station.roll_back(copy)
            self.ground.forget()

    def _want_the_same(self, station: SyncedStation, chance: Random) -> None:
        """Two stations give an order the same number, and the other one is quicker."""
        self.numbers += 1
        other = chance.choice([other for other in self.ground.stations if other is not station])
        for one in (other, station):
            self._act(one, chance, typed_order(f"Y-{self.numbers}"))
        if chance.random() < 0.5:  # what hangs on the order that is refused
            self._act(station, chance, GOING_ON)
        if chance.random() < 0.7:
            self._round(other)

    def meddle(self, chance: Random) -> None:
        """Something happens at a moment of a round: somebody works here or there, another station syncs, lines fall."""
        station, other = chance.sample(self.ground.stations, 2)
        point = chance.choice([*Failpoint, *DELICATE])
        self._lead_to(point, station, chance)
        mischief: tuple[Callable[[], Any], ...] = (
            partial(self._act, station, chance),
            partial(self._act, station, chance, GOING_ON),
            partial(self._act_and_send, other, chance),
            self.ground.kill_backends,
            partial(self.restore_the_server, chance),
            partial(self.ground.wires.do, self.ground.wires.to(station.name).cut),
        )
        kind = chance.randrange(len(mischief))
        left = [chance.choice([0, 0, 1])]

        def reach(reached: Failpoint) -> None:
            station.arm.reached[reached] += 1
            if reached is not point or threading.current_thread() is not threading.main_thread():
                return
            left[0] -= 1
            if left[0] < 0:
                station.engine.reach = station.arm
                self._count(f"meddled at {point}")
                mischief[kind]()

        station.engine.reach = reach
        try:
            self._round(station)
        except LinesideError:
            self._count("rounds broken off")
        finally:
            station.engine.reach = station.arm
            if kind >= len(mischief) - 3:  # lines fell
                self.ground.hang_up()

    def _act_and_send(self, station: SyncedStation, chance: Random) -> None:
        self._act(station, chance)
        station.sync()

    # ── lines and server ─────────────────────────────────────────────────────────────────────────────────────

    def cut_the_line(self, chance: Random) -> None:
        station = self.some_station(chance)
        direction: Literal["up", "down"] = "up" if chance.random() < 0.5 else "down"
        self.ground.wires.cut_after(station.name, int(10 ** chance.uniform(0, 4.3)), direction)
        try:
            self._round(station)
        except LinesideError:
            self._count("lines cut in a round")
        finally:
            self.ground.wires.heal()

    def mix_up_the_log(self, chance: Random) -> None:
        """What lies between a station and the server tells it something else than the log."""
        station, other = chance.sample(self.ground.stations, 2)
        for _ in range(3):
            self._act(other, chance)
        self._round(other)
        BadLine.mixed_up = chance.choice(["one is missing", "two change places", "one says something else"])
        self._round(station)
        self.ground.tally["logs mixed up"] += not BadLine.mixed_up
        BadLine.mixed_up = ""

    def kill_backends(self, chance: Random) -> None:
        self.ground.tally["backends killed"] += self.ground.kill_backends()
        try:
            self._round(self.some_station(chance))
        except LinesideError:
            self._count("rounds broken off")
        finally:
            self.ground.hang_up()

    def crash_the_server(self, _chance: Random) -> None:
        if self.crashes_left:
            self.crashes_left -= 1
            self.ground.crash_server()
            self._count("server crashed")

    def back_the_server_up(self, _chance: Random) -> None:
        if len(self.server_copies) < _SERVER_COPIES:
            self.server_copies.append(self.ground.backup())

    def restore_the_server(self, chance: Random) -> None:
        if self.server_copies:
            self.ground.restore(chance.choice(self.server_copies))
            self._count("server restored")

    # ── folders and clocks ───────────────────────────────────────────────────────────────────────────────────

    def copy_a_folder(self, chance: Random) -> None:
        name = chance.choice(list(self.ground.world.stations))
        self.folder_copies.append((name, self.ground.world.stations[name].copy()))

    def roll_a_folder_back(self, chance: Random) -> None:
        if self.folder_copies:
            name, copy = chance.choice(self.folder_copies)
            self.ground.world.stations[name].roll_back(copy)
            self.ground.forget()
            self._count("folders rolled back")

    def clone_a_folder(self, chance: Random) -> None:
        if len(self.ground.stations) < _STATIONS:
            station = self.some_station(chance)
            twin = self.ground.clone(station)
            self._count("folders cloned")
            if chance.random() < 0.5:  # both are connected before one of them does something
                self._round(station)
                self._round(twin)
            for one in (station, twin):
                self._act(one, chance)
                self._round(one)

    def set_the_clock(self, chance: Random) -> None:
        days = chance.choice([-365, -1, 1, 365])
        self.ground.world.wait(days=days, seconds=days)
        self._count("clocks set")

    # ── photos and files ─────────────────────────────────────────────────────────────────────────────────────

    def bytes_arrive(self, chance: Random) -> None:
        """The server itself notes that it has them, at every row that speaks of them."""
        self.some_station(chance).send_bytes(chance.choice(FILES))
        self._count("files arrived")

    def forget_orphans(self, _chance: Random) -> None:
        with self.ground.world.server.connect() as connection:
            gone = connection.execute(
                "SELECT count(*) FROM sync.remove_orphan_blobs(interval '0')"
            ).fetchone()
        self.ground.tally["files forgotten"] += gone[0] if gone else 0

    # ── proof ────────────────────────────────────────────────────────────────────────────────────────────────

    def come_to_rest(self, _chance: Random) -> None:
        self.ground.prove_rest()
        self._count("proved at rest")

    def teardown(self) -> None:
        if not getattr(self, "whole", False):
            return
        server = self.ground.prove_rest()
        for line in server.lines:
            if line.change in self.ground.ledger.made:
                self._count("verdict " + ("applied" if line.applied else str(line.said["verdict"])))
                if not line.applied:
                    self._count(f"parked {line.said['operation']}: {line.said['reason']['sentence']}")
        self.ground.tally["lost with a backup"] += len(self.ground.ledger.gone)
