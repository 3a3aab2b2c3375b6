"""A database that was restored in another PostgreSQL, where roles are missing or somebody else made them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.operations.notes import write_note
from app.sync.join_line import JoinLine
from app.sync.membership import with_password
from app.sync.server.creation import upgrade
from app.sync.server.stations import add_station, disable_station
from app.sync.server.status import status
from tests.postgres import Postgres, running
from tests.sync.conftest import ServerDatabase
from tests.sync.harness import START, World

_NIGHT, _ROLES = "night.dump", "roles.sql"


@dataclass
class NewServer:
    """Another PostgreSQL with an empty database, whose owner may make roles and is no superuser."""

    postgres: Postgres
    name: str
    night: Path

    @property
    def url(self) -> str:
        return self.postgres.url(self.name, "keeper", "keeper")

    def restore(self, url: str, *options: str) -> None:
        _run(self.postgres, "pg_restore", "--exit-on-error", *options, "-d", url, self.night / _NIGHT)

    def as_superuser(self, statement: str) -> None:
        with self.postgres.connect(self.name) as connection:
            connection.execute(statement.encode())

    def take_the_place_of_the_old(self, world: World) -> None:
        """Its name and port lead here now."""
        old = f":{world.server.postgres.port}/"
        for station in world.stations.values():
            station.hang_up()
            station.url = station.url.replace(old, f":{self.postgres.port}/")
        world.server = ServerDatabase(self.postgres, self.name)


def _run(postgres: Postgres, program: str, *words: object) -> str:
    command = [str(word) for word in (postgres.binaries / program, *words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def new_server(world: World, tmp_path: Path) -> Iterator[NewServer]:
    for postgres in running("16"):
        with postgres.connect() as connection:
            connection.execute("CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'keeper'")
            connection.execute(f'CREATE DATABASE "{world.server.name}" OWNER keeper')
        yield NewServer(postgres, world.server.name, tmp_path)


def save(world: World, folder: Path) -> None:
    """What is made once a night."""
    postgres, url = world.server.postgres, world.server.url
    _run(postgres, "pg_dump", "-Fc", "-d", url, "-f", folder / _NIGHT)
    (folder / _ROLES).write_text(_run(postgres, "pg_dumpall", "--globals-only", "-d", url))


def _roles(new: NewServer, *, whole: bool) -> None:
    """Run the file with the roles; where an older PostgreSQL wrote it, 16 refuses who belongs to which."""
    lines = (new.night / _ROLES).read_text().splitlines()
    kept = [line for line in lines if " postgres" not in line and "keeper" not in line and line[:1] != "\\"]
    file = new.night / "these.sql"
    file.write_text("\n".join(line for line in kept if whole or not line.startswith("GRANT")))
    _run(new.postgres, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", new.postgres.url(), "-f", file)


def _two_with_a_note(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    one.do(write_note(at=START, text="before"))
    two.do(write_note(at=START, text="before too"))
    world.settle()


def _work_goes_on(world: World) -> None:
    one, two = world.stations["01"], world.stations["02"]
    one.do(write_note(at=START, text="afterwards"))
    two.do(write_note(at=START, text="afterwards too"))
    world.settle()
    world.check()
    assert len(two.rows()["note"]) == 5


def test_without_the_roles_an_upgrade_makes_them_and_every_station_gets_a_new_line(
    world: World, new_server: NewServer, tmp_path: Path
) -> None:
    _two_with_a_note(world)
    save(world, tmp_path)
    world.stations["01"].do(write_note(at=START, text="after the backup"))
    world.settle()
    new_server.restore(new_server.url, "--no-owner", "--no-acl")
    left = upgrade(new_server.url)
    assert len(left) == 1
    assert "no role for these stations: 00, 01, 02. " in left[0]
    new_server.take_the_place_of_the_old(world)
    for station in world.stations.values():
        line: JoinLine = add_station(new_server.url, station.name)
        station.url = with_password(line.url, line.secrets.password)
    _work_goes_on(world)
    assert upgrade(new_server.url) == [left[0].replace("00, 01, 02", "00")]
    found = status(new_server.url)
    assert (found.broken, found.parked) == (None, 0)
    with new_server.postgres.connect(new_server.name) as connection:
        owners = connection.execute(
            "SELECT DISTINCT o::regrole::text FROM (SELECT relowner FROM pg_class WHERE relnamespace IN"
            " ('sync'::regnamespace, 'lineside'::regnamespace) UNION SELECT proowner FROM pg_proc WHERE pronamespace"
            " IN ('sync'::regnamespace, 'lineside'::regnamespace) UNION SELECT nspowner FROM pg_namespace"
            " WHERE nspname IN ('sync', 'lineside')) AS owners (o)"
        ).fetchall()
    assert owners == [("shop_owner",)]


def test_with_the_roles_of_the_night_stations_need_nothing(
    world: World, new_server: NewServer, tmp_path: Path
) -> None:
    _two_with_a_note(world)
    save(world, tmp_path)
    world.stations["01"].do(write_note(at=START, text="after the backup"))
    world.settle()
    _roles(new_server, whole=True)
    new_server.restore(new_server.postgres.url(new_server.name))
    assert upgrade(new_server.postgres.url(new_server.name)) == []
    new_server.take_the_place_of_the_old(world)
    _work_goes_on(world)


def granted_roles(sentence: str) -> set[str]:
    """The roles of the GRANT at the end; those of stations that other tests made on the old server are among them."""
    wanted = re.search(r"GRANT ([\w, ]+) TO keeper WITH ADMIN OPTION;$", sentence)
    assert wanted, sentence
    return set(wanted[1].split(", "))


def test_roles_that_somebody_else_made_are_named_with_the_grant_that_is_missing(
    world: World, new_server: NewServer, tmp_path: Path
) -> None:
    _two_with_a_note(world)
    save(world, tmp_path)
    _roles(new_server, whole=False)
    new_server.restore(new_server.postgres.url(new_server.name))
    needed = {"shop_owner", "shop_station", "shop_st_00", "shop_st_01", "shop_st_02"}
    for act in (upgrade, status, lambda url: add_station(url, "03"), lambda url: disable_station(url, "01")):
        with pytest.raises(Refused) as refused:
            act(new_server.url)
        assert granted_roles(str(refused.value)) >= needed
    new_server.as_superuser("GRANT shop_owner TO keeper")
    (left,) = upgrade(new_server.url)  # everything but the roles of stations
    needed -= {"shop_owner"}
    assert granted_roles(left) >= needed
    assert "shop_owner" not in granted_roles(left)
    for act in (lambda url: add_station(url, "03"), lambda url: disable_station(url, "01")):
        with pytest.raises(Refused) as refused:
            act(new_server.url)
        assert granted_roles(str(refused.value)) >= needed
    new_server.as_superuser(left[left.index("GRANT ") :])
    assert upgrade(new_server.url) == []
    new_server.take_the_place_of_the_old(world)
    world.stations["01"].do(write_note(at=START, text="one more"))
    _work_goes_on(world)
    add_station(new_server.url, "03")
    disable_station(new_server.url, "01")


def test_what_somebody_else_restored_is_not_touched(
    world: World, new_server: NewServer, tmp_path: Path
) -> None:
    world.station("01")
    save(world, tmp_path)
    new_server.restore(new_server.postgres.url(new_server.name), "--no-owner", "--no-acl")
    with pytest.raises(Refused, match="belongs to postgres"):
        upgrade(new_server.url)
    assert upgrade(new_server.postgres.url(new_server.name))
