"""Two entries that each are right do not make nonsense together: an order and its stages, the last administrator."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.orders import OrderStatus, status_from_stages
from app.domain.people import Actor, Role
from app.domain.stages import StageStatus
from tests.sync.attack.fort import NOW, new_order
from tests.sync.counter import Counter, changed, created


def person(counter: Counter, role: Role) -> Actor:
    actor = Actor(uuid4(), f"{role.value} {uuid4()}", role)
    counter.owner.execute(
        "INSERT INTO lineside.user_account (id, name, name_key, role, created_at) VALUES (%s, %s, %s, %s, now())",
        (actor.user_id, actor.name, actor.name, role.value),
    )
    return actor


@pytest.fixture(scope="module")
def supervisor(joined: Counter) -> Actor:
    return person(joined, Role.SUPERVISOR)


def new_stage(order_id: UUID, position: int, status: str, stage_id: UUID) -> dict[str, Any]:
    return created(
        "stage", stage_id, work_order_id=str(order_id), position=position, name=f"Step {position}", status=status,
        planned_minutes=10, planned_start=NOW, planned_end=NOW, changed_at=NOW,
    )  # fmt: skip


def test_a_stage_does_not_move_on_in_an_order_that_was_cancelled_meanwhile(
    joined: Counter, supervisor: Actor
) -> None:
    order_id, first, second = uuid4(), uuid4(), uuid4()
    rows = [new_stage(order_id, 1, "in_progress", first), new_stage(order_id, 2, "planned", second)]
    joined.push_rows(supervisor, new_order(order_id, status="in_progress"), *rows)
    cancelled = changed("work_order", order_id, 2, status=("in_progress", "cancelled"))
    assert joined.push_rows(supervisor, cancelled)["verdict"] == "applied"
    moved = joined.push_rows(supervisor, changed("stage", first, 2, status=("in_progress", "done")))
    assert moved["verdict"] == "conflict"
    (dispute,) = moved["reason"]["fields"]
    assert (dispute["e"], dispute["field"], dispute["theirs"]) == ("work_order", "status", "cancelled")


def test_an_order_stays_blocked_as_long_as_one_of_its_stages_is(joined: Counter, supervisor: Actor) -> None:
    """One station lets a stage go on, while another blocks the next one in the order that is blocked already."""
    order_id, first, second = uuid4(), uuid4(), uuid4()
    rows = [new_stage(order_id, 1, "blocked", first), new_stage(order_id, 2, "planned", second)]
    joined.push_rows(supervisor, new_order(order_id, status="blocked"), *rows)
    other = changed("stage", second, 2, status=("planned", "blocked"))
    assert joined.push_rows(supervisor, other)["verdict"] == "applied"
    freed = joined.push_rows(
        supervisor,
        changed("stage", first, 2, status=("blocked", "planned")),
        changed("work_order", order_id, 2, status=("blocked", "planned")),
    )
    assert freed["verdict"] == "conflict"
    assert joined.row("work_order", order_id)["status"] == "blocked"


def test_the_server_and_the_board_make_the_same_status_of_the_stages(
    joined: Counter, supervisor: Actor
) -> None:
    before = joined.n
    for stages in product(StageStatus, repeat=2):
        for move in (StageStatus.IN_PROGRESS, StageStatus.BLOCKED):
            if stages[0] is not StageStatus.PLANNED:
                continue
            with joined.connection.transaction(force_rollback=True):
                order_id, ids = uuid4(), [uuid4(), uuid4()]
                rows = [new_stage(order_id, n, stages[n].value, ids[n]) for n in range(2)]
                due = status_from_stages([move, stages[1]])
                other = next(status for status in OrderStatus if status is not due)
                for status in (other, due):
                    order_id, ids = uuid4(), [uuid4(), uuid4()]
                    rows = [new_stage(order_id, n, stages[n].value, ids[n]) for n in range(2)]
                    joined.push_rows(supervisor, new_order(order_id, status=status.value), *rows)
                    patch = changed("stage", ids[0], 2, status=("planned", move.value))
                    answer = joined.push_rows(supervisor, patch)
                    assert answer["verdict"] == ("applied" if status is due else "conflict")
            joined.n = before


def test_two_administrators_cannot_take_the_office_from_each_other(joined: Counter) -> None:
    before = joined.n
    ann, bob = person(joined, Role.ADMIN), person(joined, Role.ADMIN)
    for actor in (ann, bob):
        assert actor.user_id is not None
        joined.secret(actor.user_id)
    joined.owner.execute(
        "UPDATE lineside.user_account SET role = 'manager' WHERE role = 'admin' AND id <> ALL (%s)",
        ([ann.user_id, bob.user_id],),
    )
    try:
        with joined.connection.transaction(force_rollback=True):
            assert bob.user_id is not None
            assert ann.user_id is not None
            down = changed("user_account", bob.user_id, 2, role=("admin", "manager"))
            assert joined.push_rows(ann, down)["verdict"] == "applied"
            for fields in ({"role": ("admin", "manager")}, {"disabled": (False, True)}):
                last = joined.push_rows(ann, changed("user_account", ann.user_id, 2, **fields))
                assert last["verdict"] == "conflict"
                assert "administrator" in last["reason"]["sentence"]
    finally:
        joined.n = before
