"""What somebody added something to is not deleted by who knew nothing of it; a product has one route."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.people import Actor, Role
from tests.sync.attack.fort import NOW, new_order
from tests.sync.counter import Counter, changed, created
from tests.sync.rules.test_rows_that_belong_together import new_stage, person


@pytest.fixture(scope="module")
def admin(joined: Counter) -> Actor:
    return person(joined, Role.ADMIN)


def gone(entity: str, row_id: UUID, version: int = 2) -> dict[str, Any]:
    return changed(entity, row_id, version, deleted=(False, True))


def issue(order_id: UUID, stage_id: UUID) -> dict[str, Any]:
    return created(
        "issue", uuid4(), number=f"I-{uuid4()}", stage_id=str(stage_id), work_order_id=str(order_id), type="quality",
        status="open", title="Rust", raised_at=NOW,
    )  # fmt: skip


def photo(owner: str, owner_id: UUID, author: Actor) -> dict[str, Any]:
    return created(
        "attachment", uuid4(), owner=owner, owner_id=str(owner_id), name="x.jpg", mime="image/jpeg", size=3,
        sha256="ab" * 32, at=NOW, author=author.name,
    )  # fmt: skip


@pytest.mark.parametrize("added", ["nothing", "an issue", "a photo"])
def test_the_creation_of_an_order_is_taken_back_only_while_nobody_added_anything(
    joined: Counter, admin: Actor, added: str
) -> None:
    order_id, stage_id, change = uuid4(), uuid4(), str(uuid4())
    rows = [new_order(order_id), new_stage(order_id, 1, "planned", stage_id)]
    assert joined.push_rows(admin, *rows, change=change)["verdict"] == "applied"
    if added == "an issue":
        assert joined.push_rows(admin, issue(order_id, stage_id))["verdict"] == "applied"
    elif added == "a photo":
        assert joined.push_rows(admin, photo("work_order", order_id, admin))["verdict"] == "applied"
    undone = joined.push_rows(admin, gone("stage", stage_id), gone("work_order", order_id), undoes=change)
    if added == "nothing":
        assert undone["verdict"] == "applied"
    else:
        assert undone["verdict"] == "conflict"
        assert "added something" in undone["reason"]["sentence"]
        disputed = {(d["e"], d["field"]) for d in undone["reason"]["fields"]}
        assert ("work_order", "deleted") in disputed
        assert {d["by"] for d in undone["reason"]["fields"]} == {admin.name}


def test_an_order_may_be_deleted_under_its_issues_but_not_under_a_stage_that_came_meanwhile(
    joined: Counter, admin: Actor
) -> None:
    order_id, stage_id = uuid4(), uuid4()
    joined.push_rows(admin, new_order(order_id), new_stage(order_id, 1, "planned", stage_id))
    joined.push_rows(admin, issue(order_id, stage_id))
    assert joined.push_rows(admin, gone("work_order", order_id))["verdict"] == "conflict"
    both = joined.push_rows(admin, gone("work_order", order_id), gone("stage", stage_id))
    assert both["verdict"] == "applied"
    late = joined.push_rows(admin, photo("work_order", order_id, admin))
    assert late["verdict"] == "conflict"


def test_a_machine_stays_with_the_tag_that_another_station_gave_it(joined: Counter, admin: Actor) -> None:
    machine, connection, tag = uuid4(), uuid4(), uuid4()
    joined.push_rows(
        admin,
        created("equipment", machine, code=f"E-{machine}", name="x"),
        created("connection", connection, name=f"c-{connection}", driver="modbus", url="tcp://x"),
    )
    joined.push_rows(
        admin,
        created(
            "tag", tag, name=f"t-{tag}", equipment_id=str(machine), connection_id=str(connection), address="1"
        ),
    )
    assert joined.push_rows(admin, gone("equipment", machine))["verdict"] == "conflict"
    all_of_it = [gone("equipment", machine), gone("connection", connection), gone("tag", tag)]
    assert joined.push_rows(admin, *all_of_it)["verdict"] == "applied"


def test_two_stations_that_set_the_first_route_at_once_leave_one(joined: Counter, admin: Actor) -> None:
    def step(position: int, name: str) -> dict[str, Any]:
        return created(
            "route_stage", uuid4(), product="GATE", position=position, name=name, planned_minutes=5
        )

    first = [step(1, "Cut"), step(2, "Weld")]
    assert joined.push_rows(admin, *first)["verdict"] == "applied"
    second = joined.push_rows(admin, step(1, "Saw"), step(2, "Paint"))
    assert second["verdict"] == "rejected"
    assert second["reason"]["sentence"].startswith("Somebody else set the route of this product meanwhile")
    replaced = [gone("route_stage", UUID(row["id"])) for row in first]
    assert joined.push_rows(admin, *replaced, step(1, "Saw"))["verdict"] == "applied"
