"""What an undo may take back, who may, and what it must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from app.domain.errors import Denied, Refused, Stale
from app.domain.orders import OrderStatus
from app.domain.people import THE_PLANT, Actor, Role
from app.domain.plant import Equipment, Plant
from app.domain.stages import RouteStep, StageStatus
from app.operations.change import Outcome
from app.operations.issues import raise_issue
from app.operations.orders import cancel_work_orders, create_work_order, edit_work_orders, set_route
from app.operations.people import add_user, create_first_admin, set_role
from app.operations.plant import apply_plant
from app.operations.stages import assign_stages, move_stage
from app.operations.undo import undo
from app.plant import House
from app.store.tables import RouteStage, Stage, WorkOrder

PASSWORD = "a quiet winter morning"


def _stages(house: House) -> list[Stage]:
    with house.store.reader() as session:
        return list(session.execute(select(Stage).order_by(Stage.position)).scalars())


def _order(house: House, actor: Actor) -> Outcome[UUID]:
    return house.door.perform(create_work_order(product="P", quantity=3), actor)


def test_the_first_administrator_cannot_be_undone(house: House, person: Callable[[Role], Actor]) -> None:
    supervisor = person(Role.SUPERVISOR)
    first = house.door.perform(add_user(name="Eve", role=Role.OPERATOR, password=PASSWORD), THE_PLANT)
    with pytest.raises(Refused, match="cannot be undone"):
        house.door.perform(undo(change_id=first.change_id), supervisor)


def test_nobody_gets_a_role_back_by_an_undo(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    other = person(Role.ADMIN)
    assert other.user_id is not None
    demoted = house.door.perform(set_role(user_id=other.user_id, role=Role.SUPERVISOR), other)
    with pytest.raises(Refused, match="cannot be undone"):
        house.door.perform(undo(change_id=demoted.change_id), other)


def test_an_undo_takes_the_permission_of_the_change_itself(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    planner = person(Role.PLANNER)
    applied = house.door.perform(apply_plant(plant=Plant(equipment=(Equipment("P1", "Press"),))), admin)
    with pytest.raises(Denied, match="change machines"):
        house.door.perform(undo(change_id=applied.change_id), planner)


def test_an_undo_of_an_undo_takes_the_same_permission(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    planner = person(Role.PLANNER)
    applied = house.door.perform(apply_plant(plant=Plant(equipment=(Equipment("P1", "Press"),))), admin)
    undone = house.door.perform(undo(change_id=applied.change_id), admin)
    with pytest.raises(Denied, match="change machines"):
        house.door.perform(undo(change_id=undone.change_id), planner)


def test_a_stage_does_not_go_back_behind_one_that_began_since(house: House, admin: Actor) -> None:
    _order(house, admin)
    cut, weld, *_ = _stages(house)
    house.door.perform(move_stage(stage_id=cut.id, to=StageStatus.IN_PROGRESS), admin)
    done = house.door.perform(move_stage(stage_id=cut.id, to=StageStatus.DONE), admin)
    house.door.perform(move_stage(stage_id=weld.id, to=StageStatus.IN_PROGRESS), admin)
    with pytest.raises(Stale, match="Weld is in progress already"):
        house.door.perform(undo(change_id=done.change_id), admin)
    assert [stage.status for stage in _stages(house)][:2] == [StageStatus.DONE, StageStatus.IN_PROGRESS]


def test_stages_of_a_cancelled_order_stay_where_they_are(house: House, admin: Actor) -> None:
    order = _order(house, admin)
    cut = _stages(house)[0]
    moved = house.door.perform(move_stage(stage_id=cut.id, to=StageStatus.IN_PROGRESS), admin)
    house.door.perform(cancel_work_orders(ids=[order.result]), admin)
    with pytest.raises(Refused):
        house.door.perform(undo(change_id=moved.change_id), admin)


def test_an_operator_undoes_no_move_on_a_stage_given_to_somebody_else_since(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    operator, other = person(Role.OPERATOR), person(Role.OPERATOR)
    _order(house, admin)
    cut = _stages(house)[0]
    house.door.perform(assign_stages(ids=[cut.id], assignee_id=operator.user_id), admin)
    moved = house.door.perform(move_stage(stage_id=cut.id, to=StageStatus.IN_PROGRESS), operator)
    house.door.perform(assign_stages(ids=[cut.id], assignee_id=other.user_id), admin)
    with pytest.raises(Denied, match="not assigned to you"):
        house.door.perform(undo(change_id=moved.change_id), operator)


def test_a_creation_stays_when_somebody_worked_on_it_since(house: House, admin: Actor) -> None:
    created = house.door.perform(create_work_order(product="P", quantity=3), admin)
    edited = house.door.perform(edit_work_orders(ids=[created.result], quantity=999), admin)
    with pytest.raises(Stale, match="worked on this"):
        house.door.perform(undo(change_id=created.change_id), admin)
    house.door.perform(undo(change_id=edited.change_id), admin)
    house.door.perform(undo(change_id=created.change_id), admin)
    with house.store.reader() as session:
        assert session.get_one(WorkOrder, created.result).deleted


def test_an_order_with_an_issue_does_not_vanish(house: House, admin: Actor) -> None:
    created = house.door.perform(create_work_order(product="P", quantity=3), admin)
    house.door.perform(raise_issue(stage_id=_stages(house)[0].id, title="Rust"), admin)
    with pytest.raises(Stale, match="A-IS-000001"):
        house.door.perform(undo(change_id=created.change_id), admin)


def test_a_number_that_somebody_typed_is_passed_over(house: House, admin: Actor) -> None:
    for typed in ("A-WO-000001", "A-WO-000007"):
        house.door.perform(create_work_order(number=typed, product="P", quantity=1), admin)
    labels = [house.door.perform(create_work_order(product="P", quantity=1), admin).label for _ in range(2)]
    assert labels == ["Created work order A-WO-000008", "Created work order A-WO-000009"]


def test_the_first_account_is_made_once_even_after_undo_attempts(house: House, admin: Actor) -> None:
    with pytest.raises(Denied):
        house.door.perform(create_first_admin(name="Eve", password=PASSWORD), THE_PLANT)


def test_an_order_stays_blocked_when_a_stage_goes_back_beside_another_that_is_blocked(
    house: House, admin: Actor
) -> None:
    _order(house, admin)
    first, second = _stages(house)[:2]
    house.door.perform(move_stage(stage_id=first.id, to=StageStatus.IN_PROGRESS), admin)
    stopped = house.door.perform(
        move_stage(stage_id=first.id, to=StageStatus.BLOCKED, reason="no steel"), admin
    )
    house.door.perform(move_stage(stage_id=second.id, to=StageStatus.BLOCKED, reason="no paint"), admin)
    house.door.perform(undo(change_id=stopped.change_id), admin)
    with house.store.reader() as session:
        order = session.execute(select(WorkOrder)).scalars().one()
    assert [stage.status for stage in _stages(house)[:2]] == [StageStatus.IN_PROGRESS, StageStatus.BLOCKED]
    assert order.status is OrderStatus.BLOCKED


def test_a_route_that_was_set_anew_comes_back_by_an_undo(house: House, admin: Actor) -> None:
    steps = [RouteStep("Cut", 10), RouteStep("Weld", 20)]
    house.door.perform(set_route(product="P", steps=steps), admin)
    again = house.door.perform(set_route(product="P", steps=steps[::-1]), admin)
    house.door.perform(undo(change_id=again.change_id), admin)
    with house.store.reader() as session:
        alive = select(RouteStage.name).where(~RouteStage.deleted, RouteStage.product == "P")
        assert list(session.execute(alive.order_by(RouteStage.position)).scalars()) == ["Cut", "Weld"]
