"""What the server answers to an entry: applied, merged, parked with a plain sentence; the queue always goes on."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID, uuid4

import psycopg
import pytest

from app.domain.people import Actor, Role
from app.sync.wire import Forked, Gap, ServerConnection, UnknownSource
from tests.sync.counter import Counter, changed, created, entry
from tests.sync.server.conftest import Office, machine

T = "2026-04-15T12:00:00.000000Z"


def order(row_id: UUID, number: str, **more: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "number": number, "product": "P", "quantity": 5, "priority": 2, "planned_start": T, "planned_end": T,
        "status": "planned", "created_at": T,
    }  # fmt: skip
    return created("work_order", row_id, **fields | more)


def stage(row_id: UUID, order_id: UUID) -> dict[str, object]:
    return created(
        "stage", row_id, work_order_id=str(order_id), position=1, name="Turn", status="planned", planned_minutes=5,
        planned_start=T, planned_end=T, changed_at=T,
    )  # fmt: skip


_BROKEN: list[tuple[list[dict[str, object]], str]] = [
    ([order(uuid4(), "A-1"), order(uuid4(), "A-1")], "Another work order already has this number"),
    ([stage(uuid4(), uuid4())], "belongs to something that the server does not have"),
    ([created("equipment", uuid4(), code="E9")], "left empty: name"),
    ([order(uuid4(), "A-2", quantity=10**40)], "cannot read"),
    ([order(uuid4(), "A-2", planned_start="soon")], "cannot read"),
    (
        [created("equipment", uuid4(), code="E9", name="x", colour="red")],
        "does not know the field colour",
    ),
    ([created("sync.log", uuid4(), body="x")], "shares no table"),
    ([{"e": "equipment", "id": str(uuid4()), "k": "x", "set": {}}], "does not know what x does"),
]
_UNREADABLE = [
    "",
    "no JSON",
    "[]",
    "{}",
    '{"change":"x","rows":[]}',
    '{"a":"\\u0000"}',
    '{"a":"\\ud800"}',
    "[" * 20000,
]


def test_the_log_tells_the_row_as_it_was_stored(counter: Counter, manager: Actor) -> None:
    row_id = uuid4()
    answer = counter.push_rows(manager, created("equipment", row_id, code="E1", name="Lathe"))
    stored = counter.record(answer["seq"])["rows"][0]
    assert stored["set"] == {
        "code": "E1", "name": "Lathe", "area": "", "type": "", "in_maintenance": False, "deleted": False,
    }  # fmt: skip
    assert (stored["k"], stored["v"]) == ("c", 1)


def test_different_fields_merge_and_are_listed(counter: Counter, manager: Actor, office: Office) -> None:
    row_id, other = machine(counter, manager), office.counter("08")
    assert counter.push_rows(manager, changed("equipment", row_id, 2, area=("", "Hall 2")))["merged"] is None
    answer = other.push_rows(manager, changed("equipment", row_id, 2, name=("Lathe", "Big lathe")))
    assert answer["merged"] == [{"e": "equipment", "id": str(row_id), "fields": ["area"]}]
    assert counter.row("equipment", row_id)["version"] == 3


def test_the_same_field_is_a_conflict_with_all_three_values(
    counter: Counter, manager: Actor, office: Office
) -> None:
    row_id, other = machine(counter, manager), office.counter("08")
    counter.push_rows(manager, changed("equipment", row_id, 2, name=("Lathe", "Theirs")))
    answer = other.push_rows(manager, changed("equipment", row_id, 2, name=("Lathe", "Mine")))
    assert answer["verdict"] == "conflict"
    (dispute,) = answer["reason"]["fields"]
    assert (dispute["base"], dispute["mine"], dispute["theirs"]) == ("Lathe", "Mine", "Theirs")
    assert (dispute["by"], dispute["station"], dispute["field"]) == (manager.name, "07", "name")
    assert other.record(answer["seq"])["entry"]["rows"][0]["set"] == {"name": ["Lathe", "Mine"]}


def test_the_same_value_from_both_is_no_conflict(counter: Counter, manager: Actor, office: Office) -> None:
    row_id, other = machine(counter, manager), office.counter("08")
    counter.push_rows(manager, changed("equipment", row_id, 2, name=("Lathe", "New")))
    answer = other.push_rows(manager, changed("equipment", row_id, 2, name=("Lathe", "New")))
    assert answer["verdict"] == "applied"
    assert other.record(answer["seq"])["rows"][0]["set"] == {}


def test_a_delete_against_a_change_is_a_conflict(counter: Counter, manager: Actor, office: Office) -> None:
    row_id, other = machine(counter, manager), office.counter("08")
    counter.push_rows(manager, changed("equipment", row_id, 2, area=("", "Hall 2")))
    gone = other.push_rows(manager, changed("equipment", row_id, 2, deleted=(False, True)))
    assert gone["verdict"] == "conflict"
    assert {d["field"] for d in gone["reason"]["fields"]} == {"deleted", "area"}
    assert (
        other.push_rows(manager, changed("equipment", row_id, 3, deleted=(False, True)))["verdict"]
        == "applied"
    )
    late = counter.push_rows(manager, changed("equipment", row_id, 3, name=("Lathe", "Late")))
    assert late["verdict"] == "conflict"


def test_a_child_of_a_deleted_parent_is_a_conflict(counter: Counter, manager: Actor) -> None:
    order_id = uuid4()
    counter.push_rows(manager, order(order_id, "A-1"))
    counter.push_rows(manager, changed("work_order", order_id, 2, deleted=(False, True)))
    answer = counter.push_rows(manager, stage(uuid4(), order_id))
    assert answer["verdict"] == "conflict"


def test_rows_of_an_entry_come_in_any_order(counter: Counter, manager: Actor) -> None:
    order_id = uuid4()
    answer = counter.push_rows(manager, stage(uuid4(), order_id), order(order_id, "A-1"))
    assert answer["verdict"] == "applied"


def test_what_breaks_a_rule_of_the_data_is_rejected_and_the_queue_goes_on(
    counter: Counter, manager: Actor
) -> None:
    for rows, words in _BROKEN:
        answer = counter.push_rows(manager, *rows)
        assert answer["verdict"] == "rejected"
        assert words in answer["reason"]["sentence"]
    machine(counter, manager)


def test_what_nobody_can_read_is_kept_and_the_queue_goes_on(counter: Counter, manager: Actor) -> None:
    for body in _UNREADABLE:
        answer = counter.push(body, None, "00")
        assert answer["verdict"] in ("rejected", "denied")
        record = counter.record(answer["seq"])
        assert record["k"] == "parked"
        assert record.get("raw", body) == body[:10_000]
    machine(counter, manager)


def test_an_entry_counts_once_however_often_it_comes(
    wire: ServerConnection, counter: Counter, manager: Actor
) -> None:
    body = entry(manager, created("equipment", uuid4(), code="E1", name="Lathe"))
    mac = counter.mac(body, manager.user_id)
    first, again = (wire.push(counter.source, 1, body, mac) for _ in range(2))
    assert (first.verdict, first.seq, first.replay) == ("applied", 1, False)
    assert (again.verdict, again.seq, again.replay) == ("applied", 1, True)
    with pytest.raises(Forked):
        wire.push(counter.source, 1, body + " ", mac)
    with pytest.raises(Gap) as gap:
        wire.push(counter.source, 3, body, mac)
    assert gap.value.last_n == 1
    with pytest.raises(UnknownSource):
        wire.push(uuid4(), 1, body, mac)
    other = uuid4()
    wire.open_source(other)
    offered = wire.push(other, 1, body, mac)
    assert (offered.verdict, offered.seq, offered.replay) == ("applied", 1, True)
    assert wire.hello().head_seq == 1
    assert wire.sources() == {counter.source: 1, other: 1}


def test_many_entries_come_in_one_call(wire: ServerConnection, counter: Counter, manager: Actor) -> None:
    bodies = [
        entry(manager, created("equipment", uuid4(), code=code, name="x")) for code in ("A", "B", "A", "C")
    ]
    macs = [counter.mac(body, manager.user_id) for body in bodies]
    answers = wire.push_many(counter.source, 1, bodies[:2], macs[:2])
    answers += wire.push_many(counter.source, 2, bodies[1:], macs[1:])
    assert [a.verdict for a in answers] == ["applied", "applied", "applied", "rejected", "applied"]
    assert [a.replay for a in answers] == [False, False, True, False, False]


def test_an_import_comes_as_a_set_and_goes_as_one(
    counter: Counter, manager: Actor, wire: ServerConnection
) -> None:
    ids = [uuid4() for _ in range(500)]
    many = {
        "e": "route_stage", "k": "m", "columns": ["product", "position", "name", "planned_minutes"],
        "ids": [str(i) for i in ids], "rows": [["P", n, "Turn", 5] for n in range(500)],
    }  # fmt: skip
    change = str(uuid4())
    made = counter.push_rows(manager, many, change=change)
    assert made["verdict"] == "applied"
    logged = counter.record(made["seq"])["rows"][0]
    assert (logged["k"], len(logged["ids"]), logged["columns"][0]) == ("m", 500, "deleted")
    assert set(logged["columns"]) == {*many["columns"], "deleted"}
    gone = counter.push_rows(
        manager, *(changed("route_stage", i, 2, deleted=(False, True)) for i in ids), undoes=change
    )
    assert gone["verdict"] == "applied", gone
    rows = counter.record(gone["seq"])["rows"]
    assert {r["id"] for r in rows} == {str(i) for i in ids}
    assert rows[0] | {"id": ""} == {
        "e": "route_stage", "id": "", "k": "u", "v": 2, "set": {"deleted": True}, "was": {"deleted": False},
    }  # fmt: skip
    assert wire.verify() is None
    assert wire.digests().tables["route_stage"] == (0, 0)


def test_the_sums_of_both_sides_can_be_compared(
    counter: Counter, manager: Actor, wire: ServerConnection
) -> None:
    row_id = machine(counter, manager)
    counter.push_rows(manager, changed("equipment", row_id, 2, name=("Lathe", "Mill")))
    own = int(hashlib.md5(f"{row_id}:2".encode(), usedforsecurity=False).hexdigest()[:15], 16)
    digests = wire.digests()
    assert digests.tables["equipment"] == (1, own)
    assert (digests.seq, digests.hash) == (2, wire.hello().head_hash)


def test_a_record_that_was_tampered_with_is_named(
    counter: Counter, manager: Actor, wire: ServerConnection
) -> None:
    for code in "ABCD":
        machine(counter, manager, code)
    assert wire.verify() is None
    counter.owner.execute("UPDATE sync.log SET body = replace(body, 'Lathe', 'Horse') WHERE seq = 3")
    assert wire.verify() == 3
    counter.owner.execute("DELETE FROM sync.log WHERE seq = 2")
    assert wire.verify() == 3
    lines = wire.feed(1, 10)
    assert [line.seq for line in lines] == [1, 3, 4]
    assert hashlib.sha256(lines[0].body.encode()).hexdigest() == lines[0].hash


def test_settling_closes_a_conflict_once(counter: Counter, manager: Actor, office: Office) -> None:
    row_id, operator = machine(counter, manager), office.person(Role.OPERATOR)
    parked = counter.push_rows(manager, changed("equipment", row_id, 2, name=("Other", "Mine")))
    name = [str(counter.source), counter.n]
    stranger = counter.push_rows(operator, resolves=[name])
    assert stranger["verdict"] == "denied"
    settled = counter.push_rows(manager, resolves=[name])
    assert counter.record(settled["seq"])["resolves"] == [name]
    again = counter.push_rows(manager, resolves=[name])
    assert "resolves" not in counter.record(again["seq"])
    seqs = counter.connection.execute(
        "SELECT settled_seq FROM sync.txn WHERE seq = %s", (parked["seq"],)
    ).fetchone()
    assert seqs == (settled["seq"],)


def test_fields_that_belong_together_conflict_as_one(
    counter: Counter, manager: Actor, office: Office
) -> None:
    order_id, other = uuid4(), office.counter("08")
    counter.push_rows(manager, order(order_id, "A-1"))
    counter.push_rows(manager, changed("work_order", order_id, 2, planned_end=(T, "2026-05-01T00:00:00Z")))
    answer = other.push_rows(
        manager, changed("work_order", order_id, 2, planned_start=(T, "2026-04-16T12:00:00Z"))
    )
    assert answer["verdict"] == "conflict"
    assert [d["field"] for d in answer["reason"]["fields"]] == ["planned_end"]


def test_a_step_that_is_none_is_a_conflict_but_taking_back_a_step_is_not(
    counter: Counter, manager: Actor
) -> None:
    order_id, stage_id, change = uuid4(), uuid4(), str(uuid4())
    counter.push_rows(manager, order(order_id, "A-1"), stage(stage_id, order_id))
    wrong = counter.push_rows(manager, changed("stage", stage_id, 2, status=("planned", "nonsense")))
    assert wrong["verdict"] == "conflict"
    moved = counter.push_rows(
        manager,
        changed("stage", stage_id, 2, status=("planned", "in_progress")),
        changed("work_order", order_id, 2, status=("planned", "in_progress")),
        change=change,
    )
    assert moved["verdict"] == "applied", moved
    back = counter.push_rows(
        manager,
        changed("stage", stage_id, 3, status=("in_progress", "planned")),
        changed("work_order", order_id, 3, status=("in_progress", "planned")),
        undoes=change,
    )
    assert back["verdict"] == "applied", back


def test_trouble_of_the_server_is_no_verdict(counter: Counter, manager: Actor) -> None:
    counter.connection.execute("SET statement_timeout = '200ms'")
    counter.owner.execute("BEGIN")
    counter.owner.execute("LOCK TABLE lineside.equipment IN ACCESS EXCLUSIVE MODE")
    body = entry(manager, created("equipment", uuid4(), code="E1", name="x"))
    mac = signed_without_owner(counter, manager, body)
    with pytest.raises(psycopg.errors.QueryCanceled):
        counter.push(body, None, mac)
    counter.owner.execute("ROLLBACK")
    counter.connection.execute("SET statement_timeout = '60s'")
    assert counter.push(body, None, mac)["verdict"] == "applied"
    assert json.loads(body)["actor"] == manager.name


def signed_without_owner(counter: Counter, actor: Actor, body: str) -> str:
    return counter.mac(body, actor.user_id)
