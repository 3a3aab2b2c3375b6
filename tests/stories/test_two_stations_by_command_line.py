"""The story of two computers and one server, told by commands alone, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Postgres, running

ROOT = Path(__file__).parents[2]
SECRET, NEW = "a good long sentence", "another good sentence"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    yield from running("16")


@dataclass
class Computer:
    """One data folder, and the commands typed there."""

    folder: Path
    owner: str
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, password: str = "", typed: str = "") -> subprocess.CompletedProcess[str]:
        surroundings = os.environ | {"LINESIDE_DATA_DIR": str(self.folder), "LINESIDE_SERVER_URL": self.owner}
        surroundings |= {"LINESIDE_PASSWORD": password} if password else {}
        return subprocess.run(
            [sys.executable, "-m", "ui", *words],
            cwd=ROOT,
            env=surroundings | self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def done(self, *words: str, password: str = "", typed: str = "") -> str:
        """A command that must succeed; what it says."""
        ended = self.run(*words, password=password, typed=typed)
        assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def json(self, *words: str, password: str = "") -> Any:
        return json.loads(self.done(*words, "--json", password=password))

    def refused(self, *words: str, password: str = "", typed: str = "") -> str:
        """A command that must end with 1 and one sentence, which it gives; steps before it are told too."""
        ended = self.run(*words, password=password, typed=typed)
        assert ended.returncode == 1, f"{words}: {ended.stdout}{ended.stderr}"
        assert "Traceback" not in ended.stderr
        return ended.stderr.strip().rpartition("\n")[2]

    def orders(self) -> set[str]:
        return {row["number"] for row in self.json("list", "work-orders")}


@pytest.mark.timeout(400)
def test_from_an_empty_database_to_two_stations_that_share_everything(
    postgres: Postgres, tmp_path: Path, free_port: int
) -> None:
    name = postgres.new_database()
    office, hall = (Computer(tmp_path / where, postgres.url(name)) for where in ("office", "hall"))

    # The owner of the database makes the server; the office has worked alone so far.
    assert "is a server of Lineside now" in office.done("server", "init", "--prefix", "story")
    office.done("user", "add", "Ada", "--role", "admin", password=SECRET)
    office.done("do", "create_work_order", "--as", "Ada", "product=FRAME-M", "quantity=6", "number=WO-1")
    assert "`lineside join`" in office.refused("sync", "--once")
    assert "--bring-data" in office.refused("join", office.json("server", "add-station", "01")["join_line"])
    line = office.json("server", "add-station", "01", "--bring-data")["join_line"]
    joined = office.json("join", line)
    assert (joined["station"], joined["brought"]) == ("01", 2)

    # The hall begins with nothing and gets everything.
    assert "no join line" in hall.refused("join", "postgresql://somewhere/else")
    shown = hall.done("server", "add-station", "07")
    command = next(text for text in shown.splitlines() if text.startswith("lineside join "))
    assert "Joined" in hall.done("server", "join", "-", typed=command.split()[-1])
    assert hall.orders() == {"WO-1"}

    # Whoever acts proves it; numbers carry the station.
    order = ("do", "create_work_order", "product=FRAME-M", "quantity=6")
    assert "add --as USER" in hall.refused("user", "disable", "Ada")
    assert "LINESIDE_PASSWORD" in hall.refused(*order, "--as", "Ada")
    assert "password is wrong" in hall.refused(*order, "--as", "Ada", password=NEW)
    assert "07-WO-000001" in hall.done(*order, "--as", "Ada", "--password-stdin", typed=f"{SECRET}\n")
    assert hall.json("sync", "--status")["waiting"] == 1
    assert hall.json("sync", "--once")["sent"] == 1
    assert "01-WO-000001" in office.done(*order, "--as", "Ada", password=SECRET)
    office.done("sync", "--once")
    hall.done("sync", "--once")
    assert office.orders() == hall.orders() == {"WO-1", "01-WO-000001", "07-WO-000001"}

    # Both change the same field: the second one is shown to everybody, nothing is lost.
    change = ("do", "edit_work_orders", "--as", "Ada", "ids=WO-1")
    office.done(*change, "customer=Brandt", password=SECRET)
    hall.done(*change, "customer=Kowal", password=SECRET)
    office.done("sync", "--once")
    hall.done("sync", "--once")
    office.done("sync", "--once")
    for computer in (office, hall):
        (conflict,) = computer.json("list", "conflicts")
        assert (conflict["state"], conflict["verdict"], conflict["station"]) == ("open", "conflict", "07")
    assert "1 conflict is open" in hall.done("sync", "--status")

    # The history proves itself, until somebody writes it anew.
    assert "whole, here and on the server" in hall.done("audit", "verify")
    assert {s["name"] for s in office.json("server", "status")["stations"]} == {"01", "07"}

    # Where photos go and how long samples stay is the owner's to say.
    pictures = office.json(
        "server", "files", "--store", (tmp_path / "store").as_uri(), "--quota-gb", "5", "--clean"
    )
    assert pictures == {
        "files": 0,
        "bytes": 0,
        "unfinished": 0,
        "store_url": (tmp_path / "store").as_uri(),
        "removed": 0,
    }
    assert "New ones go to the database" in office.done("server", "files", "--store", "database")
    assert office.json("server", "fresh-login", "inspection", "--hours", "12") == {"inspection": 12}
    assert "Any login" in office.done("server", "fresh-login", "inspection", "--hours", "0")
    assert office.json("server", "keep-samples", "--days", "400")["keep_days"] == 400

    with postgres.connect(name) as connection:
        connection.execute("UPDATE sync.log SET body = replace(body, 'FRAME-M', 'FRAME-X') WHERE seq = 2")
    assert "broken from entry 2" in hall.refused("audit", "verify")
    assert office.json("audit", "verify", "--local") == {"broken": None}
    with postgres.connect(name) as connection:
        connection.execute("UPDATE sync.log SET body = replace(body, 'FRAME-X', 'FRAME-M') WHERE seq = 2")

    # A station that is removed is let in no more; its work stays.
    assert "let in no more" in office.done("server", "remove-station", "07")
    assert hall.refused("sync", "--once")
    assert office.run("server", "status", "--json").returncode == 0
