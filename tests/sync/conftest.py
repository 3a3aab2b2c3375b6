"""A real server for tests of sharing: one PostgreSQL a worker, a fresh copy of a made database a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from app.sync.join_line import JoinLine
from app.sync.membership import with_password
from app.sync.server.creation import guard_database, init, role_prefix
from app.sync.server.stations import add_station
from tests.postgres import Postgres, running

if TYPE_CHECKING:
    import psycopg

    from tests.sync.harness import SyncedStation, World


@dataclass
class ServerDatabase:
    """One shared server. `url` is its owner's; `stations` are the lines of those that were added."""

    postgres: Postgres
    name: str
    stations: dict[str, JoinLine] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.postgres.url(self.name)

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """A connection of the superuser, each statement its own transaction."""
        return self.postgres.connect(self.name, **options)

    def add_station(self, name: str, bring_data: bool = False) -> str:
        """The line to paste at the new station."""
        self.stations[name] = add_station(self.url, name, bring_data)
        return str(self.stations[name])

    def station_url(self, name: str) -> str:
        """How a station that was added reaches the server."""
        line = self.stations[name]
        return with_password(line.url, line.secrets.password)

    def station_key(self, name: str) -> bytes:
        return bytes.fromhex(self.stations[name].secrets.station_key)

    def copy(self) -> str:
        """The name of a database that is as this one is now, for `restore`; nobody may be connected."""
        with self.postgres.connect() as connection:
            self._disconnect(connection, self.name)
        return self.postgres.new_database(self.name)

    def restore(self, copy: str) -> None:
        """Put the server back to what it was when it was copied."""
        with self.postgres.connect() as connection:
            connection.execute(f'DROP DATABASE "{self.name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{copy}"')
        self.guard()

    def guard(self) -> None:
        """Rights on a database are not copied with it."""
        with self.connect() as connection:
            guard_database(connection, f"{role_prefix(connection)}_station")

    def remove(self) -> None:
        self.postgres.drop_database(self.name)
        with self.postgres.connect() as connection:
            for line in self.stations.values():
                connection.execute(f'DROP ROLE IF EXISTS "{urlsplit(line.url).username}"')

    @staticmethod
    def _disconnect(connection: psycopg.Connection[Any], name: str) -> None:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of this worker."""
    yield from running("16")


@pytest.fixture(scope="session")
def server_template(postgres: Postgres) -> str:
    """The name of a database that was made a server, to be copied."""
    name = postgres.new_database()
    init(postgres.url(name), "shop")
    return name


@pytest.fixture
def server(postgres: Postgres, server_template: str) -> Iterator[ServerDatabase]:
    """A fresh server without stations."""
    database = ServerDatabase(postgres, postgres.new_database(server_template))
    database.guard()
    yield database
    database.remove()


@pytest.fixture
def world(server: ServerDatabase, tmp_path: Path) -> Iterator[World]:
    """The server with one account a role; `world.station("01")` makes and joins a station, closed at the end."""
    from tests.sync.harness import World

    made = World(server, tmp_path)
    yield made
    made.close()


@pytest.fixture
def station(world: World) -> Callable[[str], SyncedStation]:
    """Makes a joined station with its data folder, house, engine and people who are able to sign."""
    return world.station
