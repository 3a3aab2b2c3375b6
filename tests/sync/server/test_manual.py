"""The SQL of docs/server.md runs as it is printed, as the owner that the manual makes, and says nothing secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.sync.server.creation import init, upgrade
from app.sync.server.readings import clean_readings
from app.sync.server.stations import add_station
from tests.postgres import Postgres, running, versions

MANUAL = Path(__file__).parents[3] / "docs" / "server.md"
_BLOCK = re.compile(r"```sql\n(.*?)```", re.DOTALL)


@dataclass
class Works:
    """A server as the manual makes it."""

    postgres: Postgres

    def url(self, user: str = "lineside_admin", password: str = "word") -> str:
        return self.postgres.url("lineside", user, password)

    def as_user(self, user: str, password: str = "word") -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(user, password), autocommit=True)


@pytest.fixture(scope="module", params=[max(versions(), key=int)])
def works(request: pytest.FixtureRequest) -> Iterator[Works]:
    for postgres in running(request.param):
        with postgres.connect() as connection:
            connection.execute("CREATE ROLE lineside_admin LOGIN CREATEROLE PASSWORD 'word'")
            connection.execute(
                "CREATE DATABASE lineside OWNER lineside_admin ENCODING 'UTF8' TEMPLATE template0"
            )
            connection.execute("GRANT pg_monitor TO lineside_admin")
        made = Works(postgres)
        init(made.url())
        add_station(made.url(), "07")
        with made.as_user("lineside_admin") as owner:
            for statement in told(about_the_reader=True):
                owner.execute(statement.encode())
        yield made


def told(*, about_the_reader: bool) -> list[str]:
    """The SQL statements of the manual in their order: those that make the role that only reads, or the others."""
    found = []
    for block in _BLOCK.findall(MANUAL.read_text(encoding="utf-8")):
        bare = "\n".join(line for line in block.splitlines() if not line.startswith("--"))
        found += [part.strip() for part in bare.split(";\n") if part.strip()]
    return [each.rstrip(";") for each in found if (" grafana" in each) is about_the_reader]


def test_every_statement_of_the_manual_runs(works: Works) -> None:
    questions = told(about_the_reader=False)
    assert len(questions) > 12
    with works.as_user("lineside_admin") as owner, works.as_user("grafana", "…") as reader:
        for question in questions:
            owner.execute(question.encode())
            if "lineside." in question and "sync." not in question:
                reader.execute(question.encode())


def test_who_reads_for_reports_reads_everything_shared_and_nothing_else(works: Works) -> None:
    upgrade(works.url())
    clean_readings(works.url(), 30)
    with works.as_user("lineside_admin") as owner:
        owner.execute("SET ROLE lineside_owner")
        owner.execute(
            "CREATE TABLE lineside.reading_2030_01_01 PARTITION OF lineside.reading FOR VALUES FROM"
            " ('2030-01-01') TO ('2030-02-01')"
        )
    with works.as_user("grafana", "…") as reader:
        tables = [
            name
            for (name,) in reader.execute(
                "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'lineside'::regnamespace"
                " AND c.relkind IN ('r', 'p', 'v')"
            )
        ]
        assert {"lineside.reading_2030_01_01", "lineside.samples", "lineside.user_account"} <= set(tables)
        for table in tables:
            reader.execute(f"SELECT * FROM {table} LIMIT 1".encode())
        reader.execute("SET default_transaction_read_only = off")
        for forbidden in (
            "SELECT * FROM sync.credential",
            "SELECT sync.hello(1, 'x')",
            "DELETE FROM lineside.note",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(forbidden.encode())
        columns = reader.execute(
            "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = 'lineside'::regnamespace AND a.attname ~ 'secret|hash|salt|key_inner|password'"
        ).fetchall()
    assert columns == [("must_change_password",)]
