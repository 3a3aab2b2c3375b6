"""A server whose people come from one workshop, and a second station beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.plant import open_house
from tests.postgres import Postgres
from tests.sync.authorship.workshop import HALL, OFFICE, Place, furnish, joined
from tests.sync.conftest import ServerDatabase


@dataclass(frozen=True)
class Meeting:
    """Two stations that met once: their server and their folders, to be copied for each test."""

    server: ServerDatabase
    folder: Path

    def copy(self) -> ServerDatabase:
        database = self.server.postgres.new_database(self.server.name)
        made = ServerDatabase(self.server.postgres, database, dict(self.server.stations))
        made.guard()
        return made


@pytest.fixture(scope="session")
def meeting(
    postgres: Postgres, server_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Meeting]:
    folder = tmp_path_factory.mktemp("meeting")
    server = ServerDatabase(postgres, postgres.new_database(server_template))
    server.guard()
    furnish(folder / OFFICE)
    for name in (OFFICE, HALL):
        with joined(folder / name, server.add_station(name, name == OFFICE), server.station_url(name)):
            pass
    yield Meeting(server, folder)
    server.remove()


@pytest.fixture
def server(
    request: pytest.FixtureRequest, postgres: Postgres, server_template: str
) -> Iterator[ServerDatabase]:
    """A fresh server; where a station is asked for too, the one that it shares."""
    if "office" in request.fixturenames or "hall" in request.fixturenames:
        made = request.getfixturevalue("meeting").copy()
    else:
        made = ServerDatabase(postgres, postgres.new_database(server_template))
        made.guard()
    yield made
    for name in (OFFICE, HALL):
        made.stations.pop(name, None)  # their roles are those of all copies
    made.remove()


def _place(meeting: Meeting, server: ServerDatabase, name: str, folder: Path) -> Iterator[Place]:
    shutil.copytree(meeting.folder / name, folder)
    with closing(open_house(folder)) as house:
        place = Place(house, server.station_url(name).replace(meeting.server.name, server.name))
        place.lead_to(server.postgres.port, server.name)
        yield place


@pytest.fixture
def office(meeting: Meeting, server: ServerDatabase, tmp_path: Path) -> Iterator[Place]:
    """The station that brought three people and one order."""
    yield from _place(meeting, server, OFFICE, tmp_path / OFFICE)


@pytest.fixture
def hall(meeting: Meeting, server: ServerDatabase, tmp_path: Path) -> Iterator[Place]:
    """The station that came with an empty folder."""
    yield from _place(meeting, server, HALL, tmp_path / HALL)
