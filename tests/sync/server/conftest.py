"""A server with a station at its counter, and people who logged in there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.domain.people import Actor, Role
from app.sync.wire import ServerConnection
from tests.sync.conftest import ServerDatabase
from tests.sync.counter import Counter


@dataclass
class Office:
    """A server, a station's counter on it, and a person a role."""

    server: ServerDatabase
    owner: psycopg.Connection[Any]
    people: dict[Role, Actor] = field(default_factory=dict)
    open_lines: list[psycopg.Connection[Any]] = field(default_factory=list)

    def counter(self, name: str, bring_data: bool = False) -> Counter:
        if name not in self.server.stations:
            self.server.add_station(name, bring_data)
        line = psycopg.connect(self.server.station_url(name), autocommit=True, prepare_threshold=None)
        self.open_lines.append(line)
        return Counter(line, self.owner, name, self.server.station_key(name))

    def person(self, role: Role) -> Actor:
        if role not in self.people:
            actor = Actor(uuid4(), f"{role.value} one", role)
            self.owner.execute(
                "INSERT INTO lineside.user_account (id, name, name_key, role, created_at)"
                " VALUES (%s, %s, %s, %s, now())",
                (actor.user_id, actor.name, actor.name, role.value),
            )
            self.people[role] = actor
        return self.people[role]

    def close(self) -> None:
        for line in [*self.open_lines, self.owner]:
            line.close()


@pytest.fixture
def office(server: ServerDatabase) -> Iterator[Office]:
    made = Office(server, server.connect())
    yield made
    made.close()


@pytest.fixture
def counter(office: Office) -> Counter:
    return office.counter("07")


@pytest.fixture
def manager(office: Office) -> Actor:
    return office.person(Role.MANAGER)


@pytest.fixture
def wire(office: Office, counter: Counter) -> Iterator[ServerConnection]:
    with ServerConnection.open(office.server.station_url("07")) as connection:
        yield connection


def machine(counter: Counter, actor: Actor, code: str = "E1") -> UUID:
    """A machine that is on the server."""
    from tests.sync.counter import created

    row_id = uuid4()
    answer = counter.push_rows(actor, created("equipment", row_id, code=code, name="Lathe", deleted=False))
    assert answer["verdict"] == "applied", answer
    return row_id
