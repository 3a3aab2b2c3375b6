"""A server with two stations, people and a little work, to be attacked with a station's own credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from app.domain.people import Actor, Role
from tests.sync.counter import Counter, changed, created

if TYPE_CHECKING:
    import psycopg

NOW = "2026-04-15T12:00:00.000000Z"


@dataclass
class Fort:
    """`reach(station)` gives its URL, `own()` a connection that may do everything."""

    reach: Callable[[str], str]
    owner_url: str
    keys: dict[str, bytes]
    people: dict[Role, Actor] = field(default_factory=dict)
    order_id: UUID = field(default_factory=uuid4)

    @contextmanager
    def own(self) -> Iterator[psycopg.Connection[Any]]:
        import psycopg

        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            yield connection

    @contextmanager
    def connect(self, station: str) -> Iterator[psycopg.Connection[Any]]:
        import psycopg

        with psycopg.connect(self.reach(station), autocommit=True) as connection:
            yield connection

    @contextmanager
    def counter(self, station: str) -> Iterator[Counter]:
        with self.connect(station) as connection, self.own() as owner:
            yield Counter(connection, owner, station, self.keys[station])

    def role(self, station: str) -> str:
        with self.own() as owner:
            found = owner.execute("SELECT role_name FROM sync.station WHERE name = %s", (station,)).fetchone()
        assert found is not None
        return str(found[0])

    def group(self) -> str:
        with self.own() as owner:
            found = owner.execute("SELECT role_prefix || '_station' FROM sync.server").fetchone()
        assert found is not None
        return str(found[0])

    def furnish(self) -> None:
        """One account a role, and a work order."""
        with self.own() as owner:
            for role in Role:
                actor = Actor(uuid4(), role.value, role)
                self.people[role] = actor
                owner.execute(
                    "INSERT INTO lineside.user_account (id, name, name_key, role, created_at)"
                    " VALUES (%s, %s, %s, %s, now())",
                    (actor.user_id, actor.name, actor.name, role.value),
                )
        with self.counter("X7") as counter:
            answer = counter.push_rows(self.people[Role.PLANNER], new_order(self.order_id))
            assert answer["verdict"] == "applied", answer


def new_order(order_id: UUID, **fields: Any) -> dict[str, Any]:
    values = {
        "number": f"N-{order_id}",
        "product": "FRAME-M",
        "quantity": 5,
        "priority": 3,
        "planned_start": NOW,
        "planned_end": "2026-04-16T12:00:00.000000Z",
        "status": "planned",
        "created_at": NOW,
        **fields,
    }
    return created("work_order", order_id, **values)


def new_quantity(fort: Fort, before: int, after: int, version: int) -> dict[str, Any]:
    return changed("work_order", fort.order_id, version, quantity=(before, after))
