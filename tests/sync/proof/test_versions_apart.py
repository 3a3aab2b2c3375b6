"""What older programs wrote goes through a newer server, and what newer ones wrote harms no older program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.domain.people import Actor, Role
from app.operations.notes import write_note
from app.operations.orders import create_work_order, delete_work_orders, edit_work_orders
from app.operations.undo import undo
from app.sync.pulling import pull_all
from app.sync.records import chained
from app.sync.wire import FeedLine
from tests.sync.conftest import ServerDatabase
from tests.sync.counter import Counter, created, entry
from tests.sync.harness import START, World
from tests.sync.proof.checker import StationView
from tests.sync.proof.recorded import recordings
from tests.sync.proof.replay import Line, after


def _upgrade(world: World, *, at_least: int = 1) -> None:
    """The server as a later version leaves it: more columns, one more table, the next schema."""
    with world.server.connect() as owner:
        for statement in (
            "ALTER TABLE lineside.work_order ADD colour text NOT NULL DEFAULT 'grey'",
            "ALTER TABLE lineside.stage ADD weight double precision",
            "CREATE TABLE lineside.paint (LIKE lineside.note INCLUDING ALL)",
            "ALTER TABLE lineside.paint OWNER TO shop_owner",
            "GRANT SELECT ON lineside.paint TO shop_station",
        ):
            owner.execute(statement.encode())
        owner.execute("UPDATE sync.server SET schema = 2, min_schema = %s", (at_least,))


def _colours(world: World) -> list[str]:
    with world.server.connect() as owner:
        return [c for (c,) in owner.execute("SELECT colour FROM lineside.work_order ORDER BY number")]


def test_an_old_outbox_goes_through_after_the_server_was_upgraded(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    first = one.do(create_work_order(product="FRAME-M", quantity=1)).result
    world.settle()
    second = one.do(create_work_order(product="FRAME-M", quantity=2)).result
    change = one.do(edit_work_orders(ids=[first, second], note="of an old program")).change_id
    one.do(undo(change_id=change))
    one.do(delete_work_orders(ids=[second]))
    one.do(edit_work_orders(ids=[first], customer="Acme"))
    two.do(edit_work_orders(ids=[first], lot="L-1"))
    _upgrade(world)
    with world.server.connect() as owner:
        owner.execute("UPDATE lineside.work_order SET colour = 'red'")
    world.settle()
    world.check()
    assert set(one.states()) == set(two.states()) == {"done"}
    assert _colours(world) == ["red", "grey"], (
        "no field is lost, and new rows get what the later version wants"
    )


def test_who_is_too_old_to_read_hands_in_a_mixed_outbox_and_is_not_held_up(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = one.do(create_work_order(product="FRAME-M", quantity=1)).result
    world.settle()
    two.do(edit_work_orders(ids=[order], note="theirs"))
    two.sync()
    one.do(edit_work_orders(ids=[order], note="mine"))
    one.do(write_note(at=START, text="after the conflict"))
    _upgrade(world, at_least=2)
    one.sync()
    assert one.states()[1:] == ["parked", "acknowledged"]
    one.schema = two.schema = 2
    one.restart()
    two.restart()
    world.settle()
    world.check()
    assert one.ask("SELECT count(*) FROM conflict WHERE settled_seq IS NULL") == [(1,)]


def test_own_changes_of_a_row_that_is_not_understood_any_more_go_through(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order: UUID = one.do(create_work_order(product="FRAME-M", quantity=1)).result
    world.settle()
    one.do(edit_work_orders(ids=[order], note="mine"))
    with world.server.connect() as owner:
        owner.execute("UPDATE lineside.work_order SET status = 'quarantined', version = version + 1")
        row = {"e": "work_order", "id": str(order), "k": "u", "v": 2, "set": {"status": "quarantined"}}
        owner.execute("SELECT sync._log_own('later', 'Later', %s::jsonb)", (json.dumps([row]),))
    two.sync()
    one.sync()
    two.do(write_note(at=START, text="not held up"))
    world.settle()
    assert set(one.states()) | set(two.states()) == {"done"}
    assert (one.row("work_order", order) or {})["note"] == "mine"
    with world.server.connect() as owner:
        status = owner.execute("SELECT status, note FROM lineside.work_order").fetchone()
    assert status == ("quarantined", "mine")


@pytest.fixture(params=recordings(), ids=lambda path: path.stem)
def recording(request: pytest.FixtureRequest) -> dict[str, Any]:
    path: Path = request.param
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def test_recorded_entries_of_every_version_are_taken(
    server: ServerDatabase, recording: dict[str, Any]
) -> None:
    server.add_station("01", bring_data=True)
    plant = Actor(None, "plant", Role.ADMIN)
    with psycopg.connect(server.station_url("01"), autocommit=True) as line, server.connect() as owner:
        counter = Counter(line, owner, "01", server.station_key("01"))
        for role, user_id in recording["people"].items():
            row = created(
                "user_account", UUID(user_id), name=role, name_key=role, role=role, must_change_password=False,
                disabled=False, created_at="2026-01-01T00:00:00.000000Z", deleted=False,
            )  # fmt: skip
            assert counter.push(entry(plant, row), None)["verdict"] == "applied"
        for body in recording["entries"]:
            answer = counter.push(body, None)
            assert answer["verdict"] == "applied", (body, answer)


class RecordedServer:
    """A server that has nothing but this log."""

    def __init__(self, bodies: list[str]) -> None:
        self.lines: list[FeedLine] = []
        known = ""
        for seq, body in enumerate(bodies, start=1):
            known = chained(known, body)
            self.lines.append(FeedLine(seq, known, body))

    def feed(self, first_seq: int, most: int) -> list[FeedLine]:
        return self.lines[first_seq - 1 : first_seq - 1 + most]


def test_recorded_logs_of_every_version_are_followed(world: World, recording: dict[str, Any]) -> None:
    one = world.station("01", joined=False)
    server = RecordedServer(recording["log"])
    pull_all(one.engine, server, page=50)  # type: ignore[arg-type]  # all of a server that following a log takes
    told: Any = {}
    for line in server.lines:
        told = after(told, Line.read(line.seq, line.hash, line.body))
    shown = StationView.of("01", one.house.store).rows
    assert told.keys() == shown.keys()
    for key, row in told.items():
        assert {name: shown[key][name] for name in row} == row
