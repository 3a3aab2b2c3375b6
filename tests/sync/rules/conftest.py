"""A station at the counter of a server that all tests of one module use."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres import Postgres
from tests.sync.conftest import ServerDatabase
from tests.sync.counter import Counter


@pytest.fixture(scope="module")
def joined(postgres: Postgres, server_template: str) -> Iterator[Counter]:
    database = ServerDatabase(postgres, postgres.new_database(server_template))
    database.guard()
    database.add_station("R1")
    try:
        with (
            psycopg.connect(database.station_url("R1"), autocommit=True) as station,
            database.connect() as owner,
        ):
            yield Counter(station, owner, "R1", database.station_key("R1"))
    finally:
        database.remove()
