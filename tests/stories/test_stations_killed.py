"""Three stations at work as real processes, killed again and again while lines are cut: nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from app.sync.status import read_status
from tests.sync.harness import SyncedStation
from tests.sync.proof.checker import Made
from tests.sync.proof.ground import Ground, proving_ground

ROOT = Path(__file__).parents[2]
SECONDS = float(os.environ.get("LINESIDE_KILL_SECONDS", "25"))
FEW = 10
"""Kills and changes without which nothing was tried."""


@dataclass
class Staff:
    """The processes of one station: its people, and what syncs them. `told` are the changes that were confirmed."""

    station: SyncedStation
    secrets: Path
    seed: int
    told: set[str] = field(default_factory=set)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    births: Counter[str] = field(default_factory=Counter)

    def start(self, what: str) -> None:
        self.births[what] += 1
        born = self.births[what]
        folder, said = self.station.folder, self.station.folder / f"{what}-{born}.out"
        words = {
            "people": ["tests.sync.proof.writer", folder, f"{self.seed}-{born}", self.secrets],
            "sync": ["app.sync", "--data-dir", folder],
        }
        with said.open("wb") as out, (folder / f"{what}.err").open("ab") as err:
            command = [sys.executable, "-m", *map(str, words[what])]
            self.running[what] = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err)

    def at_work(self, what: str) -> bool:
        if what == "people":
            return (self.station.folder / f"people-{self.births[what]}.out").stat().st_size > 0
        status = read_status(self.station.folder)
        return status is not None and status.pid == self.running[what].pid

    def kill(self, what: str) -> None:
        process = self.running.pop(what)
        assert process.poll() is None, (what, (self.station.folder / f"{what}.err").read_text()[-2000:])
        process.kill()
        process.wait(20)

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait(20)
        for said in self.station.folder.glob("people-*.out"):
            self.told |= {line for line in said.read_text().splitlines() if len(line) == 36}


@contextmanager
def at_work(ground: Ground) -> Iterator[list[Staff]]:
    secrets = {}
    for station in ground.stations:
        facts = {
            role.value: (str(person.user_id), ground.world.secret(station.name, person.user_id).hex())
            for role, person in ground.world.people.items()
            if person.user_id is not None
        }
        secrets[station.name] = station.folder / "people.json"
        secrets[station.name].write_text(json.dumps(facts))
    with ExitStack() as stack:
        staffs = []
        for seed, station in enumerate(ground.stations):
            stack.enter_context(station.away())
            staffs.append(Staff(station, secrets[station.name], seed))
            stack.callback(staffs[-1].end)
        for staff in staffs:
            staff.start("sync")
            staff.start("people")
        yield staffs


@pytest.mark.timeout(300 + SECONDS)
def test_stations_killed_at_random_lose_nothing_and_agree_in_the_end(tmp_path: Path) -> None:
    chance, kills, cut = Random(9), 0, 0
    with proving_ground(tmp_path) as ground:
        with at_work(ground) as staffs:
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline or kills < FEW or not all(map(_has_told, staffs)):
                time.sleep(chance.uniform(0.02, 0.3))
                if chance.random() < 0.25:
                    cut += ground.kill_backends()
                for staff in staffs:
                    for what in [what for what in staff.running if _is_due(staff, what, chance)]:
                        staff.kill(what)
                        staff.start(what)
                        kills += 1
        told: set[str] = set()
        for staff in staffs:
            for view in ground.views():
                if view.name == staff.station.name:
                    here = {sent.change: sent for sent in view.outbox}
            told |= staff.told
            # A change that was not confirmed any more may be kept all the same: the file tells.
            for sent in here.values():
                ground.ledger.note(Made(sent.change, staff.station.name, sent.body))
            assert {change for change in staff.told if not _unshared(staff.station, change)} <= here.keys()
        ground.prove_now()
        server = ground.prove_rest()
        assert len(told) >= FEW
        answered = [line for line in server.lines if line.change in ground.ledger.made]
        assert len(answered) == len(ground.ledger.made)
        sys.stderr.write(
            f"{kills} processes killed, {cut} lines cut, {len(answered)} changes, "
            f"{sum(line.applied for line in answered)} applied, the others parked\n"
        )


def _is_due(staff: Staff, what: str, chance: Random) -> bool:
    """One look in twelve a process at work is killed, one in a hundred also before it got to its first step."""
    return chance.random() < (0.08 if staff.at_work(what) else 0.01)


def _has_told(staff: Staff) -> bool:
    return any(said.stat().st_size for said in staff.station.folder.glob("people-*.out"))


def _unshared(station: SyncedStation, change: str) -> bool:
    """Whether it left nothing but a line in the audit trail."""
    return not station.ask("SELECT 1 FROM audit WHERE change_id=?", change.replace("-", ""))
