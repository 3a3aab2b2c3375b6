"""Work orders through the door: creating, editing many or none, cancelling, deleting, taking back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Denied, NotFound, Refused, Stale
from app.domain.orders import OrderStatus
from app.domain.people import PERMISSIONS, Permission, Role
from app.domain.stages import DEFAULT_ROUTE, RouteStep, StageStatus
from app.operations.orders import (
    cancel_work_orders,
    create_work_order,
    delete_work_orders,
    edit_work_orders,
    set_route,
)
from app.operations.stages import advance_work_order
from app.operations.undo import undo
from tests.operations.shop import Shop


def test_a_new_order_gets_a_number_and_the_stages_of_the_default_route(shop: Shop) -> None:
    order_id = shop.order(product="FRAME-M")
    order, stages = shop.read(order_id), shop.stages(order_id)
    assert order.number == "A-WO-000001"
    assert order.status is OrderStatus.PLANNED
    assert [stage.name for stage in stages] == [step.name for step in DEFAULT_ROUTE]
    assert {stage.status for stage in stages} == {StageStatus.PLANNED}
    assert stages[0].planned_start == order.planned_start
    assert stages[-1].planned_end == order.planned_end


def test_a_product_with_a_route_of_its_own_gets_that_route(shop: Shop) -> None:
    shop.do(set_route(product="RAIL", steps=[RouteStep("Bend", 20), RouteStep("Drill", 10)]))
    assert [s.name for s in shop.stages(shop.order(product="RAIL"))] == ["Bend", "Drill"]
    assert len(shop.stages(shop.order(product="FRAME-M"))) == len(DEFAULT_ROUTE)


def test_what_was_never_seen_is_not_overwritten(shop: Shop) -> None:
    order = shop.order(lot="")
    due = shop.read(order).planned_end
    shop.do(edit_work_orders(ids=[order], lot="EL-1", priority=2), Role.SUPERVISOR)
    with pytest.raises(Stale, match="set to “EL-1”") as stale:
        shop.do(edit_work_orders(ids=[order], lot="LOT-7", seen={"lot": ""}))
    assert (stale.value.field, stale.value.now) == ("lot", "EL-1")
    assert shop.read(order).lot == "EL-1"
    shop.do(edit_work_orders(ids=[order], priority=2, seen={"priority": 3, "lot": ""}))  # all want the same
    shop.do(edit_work_orders(ids=[order], lot="LOT-7", seen={"lot": "EL-1"}))
    assert shop.read(order).lot == "LOT-7"
    later = due + timedelta(days=1)
    shop.do(edit_work_orders(ids=[order], planned_end=later))
    with pytest.raises(Stale, match=r"\d\d:\d\d”"):
        shop.do(edit_work_orders(ids=[order], planned_end=due + timedelta(days=2), seen={"planned_end": due}))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"product": "  "}, "product"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": -5}, "quantity"),
        ({"priority": 6}, "priority"),
        ({"lot": "x" * 61}, "lot"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field_and_nothing_is_written(
    shop: Shop, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        shop.order(**values)
    assert refusal.value.field == field
    assert shop.snapshot() == {}


def test_an_order_that_ends_before_it_starts_is_refused(shop: Shop) -> None:
    with pytest.raises(Refused, match="after the planned start"):
        shop.order(planned_start=shop.now, planned_end=shop.now - timedelta(hours=1))


def test_a_number_is_used_once(shop: Shop) -> None:
    shop.order(number="WO-7")
    with pytest.raises(Refused, match="already a work order WO-7"):
        shop.order(number="WO-7")


@pytest.mark.parametrize("role", list(Role))
def test_only_the_roles_of_the_permission_table_create_orders(shop: Shop, role: Role) -> None:
    intent = create_work_order(product="FRAME-M", quantity=1)
    if role in PERMISSIONS[Permission.PLAN_ORDERS]:
        shop.do(intent, role)
    else:
        with pytest.raises(Denied, match="may not create and change work orders"):
            shop.do(intent, role)


def test_a_bulk_edit_changes_only_the_given_fields_of_every_order(shop: Shop) -> None:
    ids = [shop.order(customer=name) for name in ("Hansen", "Nordwerk")]
    outcome = shop.do(edit_work_orders(ids=ids, priority=1))
    assert outcome.label == "Changed priority of 2 orders"
    assert [(shop.read(i).priority, shop.read(i).customer) for i in ids] == [(1, "Hansen"), (1, "Nordwerk")]


def test_a_bulk_edit_that_one_order_refuses_changes_none(shop: Shop) -> None:
    early = shop.order(planned_start=shop.now, planned_end=shop.now + timedelta(days=1))
    late = shop.order(planned_start=shop.now + timedelta(days=9), planned_end=shop.now + timedelta(days=10))
    before = shop.snapshot()
    with pytest.raises(Refused, match="after the planned start"):
        shop.do(edit_work_orders(ids=[early, late], planned_end=shop.now + timedelta(days=3)))
    assert shop.snapshot() == before


def test_an_edit_of_nothing_or_of_no_order_is_refused(shop: Shop) -> None:
    with pytest.raises(Refused, match="Say what to change"):
        shop.do(edit_work_orders(ids=[shop.order()]))
    with pytest.raises(Refused, match="at least one"):
        shop.do(edit_work_orders(ids=[], priority=1))


def test_new_dates_spread_the_open_stages_anew_and_leave_the_plan_of_done_ones(shop: Shop) -> None:
    order_id = shop.order()
    for _ in range(2):
        shop.do(advance_work_order(order_id=order_id))
    plan_of_done = shop.stages(order_id)[0].planned_end
    end = shop.now + timedelta(days=20)
    shop.do(edit_work_orders(ids=[order_id], planned_end=end))
    stages = shop.stages(order_id)
    assert stages[0].planned_end == plan_of_done
    assert stages[-1].planned_end == end


def test_only_open_orders_are_cancelled(shop: Shop) -> None:
    order_id = shop.order()
    shop.do(cancel_work_orders(ids=[order_id]))
    assert shop.read(order_id).status is OrderStatus.CANCELLED
    with pytest.raises(Refused, match="is cancelled, so it cannot be cancelled"):
        shop.do(cancel_work_orders(ids=[order_id]))
    with pytest.raises(Refused, match="cancelled, so its stages stay"):
        shop.do(advance_work_order(order_id=order_id))


@pytest.mark.parametrize("act", ["edit", "cancel", "delete"])
def test_an_undo_restores_every_value_exactly(shop: Shop, act: str) -> None:
    ids = [shop.order(), shop.order(customer="Hansen")]
    shop.do(advance_work_order(order_id=ids[0]))
    before = shop.snapshot()
    intents = {
        "edit": edit_work_orders(ids=ids, customer="Other", planned_end=shop.now + timedelta(days=40)),
        "cancel": cancel_work_orders(ids=ids),
        "delete": delete_work_orders(ids=ids),
    }
    outcome = shop.do(intents[act])
    assert shop.snapshot() != before
    shop.do(undo(change_id=outcome.change_id))
    assert shop.snapshot() == before


def test_an_undo_of_what_was_changed_again_since_is_refused_and_overwrites_nothing(shop: Shop) -> None:
    order_id = shop.order(customer="first")
    outcome = shop.do(edit_work_orders(ids=[order_id], customer="second"))
    shop.do(edit_work_orders(ids=[order_id], customer="third"), Role.PLANNER)
    with pytest.raises(Stale):
        shop.do(undo(change_id=outcome.change_id))
    assert shop.read(order_id).customer == "third"


def test_the_creation_of_an_order_that_moved_on_is_not_undone(shop: Shop) -> None:
    outcome = shop.do(create_work_order(product="FRAME-M", quantity=1))
    shop.do(advance_work_order(order_id=outcome.result))
    with pytest.raises(Stale):
        shop.do(undo(change_id=outcome.change_id))
    assert not shop.read(outcome.result).deleted


def test_a_deleted_order_is_gone_for_every_operation(shop: Shop) -> None:
    order_id = shop.order()
    shop.do(delete_work_orders(ids=[order_id]))
    with pytest.raises(NotFound):
        shop.do(edit_work_orders(ids=[order_id], priority=1))
    assert all(stage.deleted for stage in shop.stages(order_id))
