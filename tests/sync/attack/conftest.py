"""The server under attack: one for all tests of a module, which leave it as it is but for what they hand in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import Postgres
from tests.sync.attack.fort import Fort
from tests.sync.conftest import ServerDatabase

STATIONS = ("X7", "X8")


@pytest.fixture(scope="module")
def fort(postgres: Postgres, server_template: str) -> Iterator[Fort]:
    database = ServerDatabase(postgres, postgres.new_database(server_template))
    database.guard()
    try:
        for name in STATIONS:
            database.add_station(name)
        keys = {name: database.station_key(name) for name in STATIONS}
        made = Fort(database.station_url, database.url, keys)
        made.furnish()
        yield made
    finally:
        database.remove()
