"""Stages through the door: every move by table, sequences by chance, own stages only, drops, assigning."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Denied, Refused
from app.domain.orders import OrderStatus, status_from_stages
from app.domain.people import Role
from app.domain.stages import DEFAULT_ROUTE, FINISHED, LEGAL_MOVES, StageStatus
from app.operations.stages import advance_work_order, assign_stages, move_order_to_stage, move_stage
from app.operations.undo import undo
from tests.chance import examples
from tests.operations.shop import Shop

NAMES = [step.name for step in DEFAULT_ROUTE]
PLANNED, RUNNING, BLOCKED, DONE = StageStatus
_WAYS = {PLANNED: [], RUNNING: [RUNNING], BLOCKED: [BLOCKED], DONE: [RUNNING, DONE]}


def bring(shop: Shop, stage_id: Any, to: StageStatus) -> None:
    for status in _WAYS[to]:
        shop.do(move_stage(stage_id=stage_id, to=status, reason="waits"))


@pytest.mark.parametrize("current", list(StageStatus))
@pytest.mark.parametrize("to", list(StageStatus))
def test_every_move_of_a_first_stage_is_taken_or_refused_as_the_table_says(
    shop: Shop, current: StageStatus, to: StageStatus
) -> None:
    order_id = shop.order()
    stage = shop.stages(order_id)[0]
    bring(shop, stage.id, current)
    before = shop.snapshot()
    intent = move_stage(stage_id=stage.id, to=to, reason="waits for steel")
    if to in LEGAL_MOVES[current]:
        shop.do(intent)
        moved = shop.stages(order_id)
        assert moved[0].status is to
        assert shop.read(order_id).status is status_from_stages([s.status for s in moved])
    else:
        with pytest.raises(Refused) as refusal:
            shop.do(intent)
        assert refusal.value.sentence.endswith(".")
        assert shop.snapshot() == before


def test_a_stage_waits_for_the_stages_before_it(shop: Shop) -> None:
    second = shop.stages(shop.order())[1]
    with pytest.raises(Refused, match="Finish Cut first"):
        shop.do(move_stage(stage_id=second.id, to=RUNNING))


def test_a_block_needs_a_reason_and_keeps_it_until_it_is_lifted(shop: Shop) -> None:
    order_id = shop.order()
    stage = shop.stages(order_id)[0]
    with pytest.raises(Refused) as refusal:
        shop.do(move_stage(stage_id=stage.id, to=BLOCKED, reason="  "))
    assert refusal.value.field == "reason"
    shop.do(move_stage(stage_id=stage.id, to=BLOCKED, reason="no steel"))
    assert (shop.stages(order_id)[0].blocked_reason, shop.read(order_id).status) == (
        "no steel",
        OrderStatus.BLOCKED,
    )
    shop.do(move_stage(stage_id=stage.id, to=PLANNED))
    assert (shop.stages(order_id)[0].blocked_reason, shop.read(order_id).status) == ("", OrderStatus.PLANNED)


def test_a_stage_that_had_begun_returns_to_in_progress_only(shop: Shop) -> None:
    stage = shop.stages(shop.order())[0]
    shop.do(move_stage(stage_id=stage.id, to=RUNNING))
    shop.do(move_stage(stage_id=stage.id, to=BLOCKED, reason="waits"))
    with pytest.raises(Refused, match="already begun"):
        shop.do(move_stage(stage_id=stage.id, to=PLANNED))
    shop.do(move_stage(stage_id=stage.id, to=RUNNING))


def test_next_step_leads_through_the_whole_route_to_done(shop: Shop) -> None:
    order_id = shop.order(quantity=9)
    for _ in range(2 * len(NAMES)):
        shop.wait(minutes=30)
        shop.do(advance_work_order(order_id=order_id))
    order = shop.read(order_id)
    assert (order.status, order.finished_at, order.quantity_done) == (OrderStatus.DONE, shop.now, 9)
    with pytest.raises(Refused, match="All stages"):
        shop.do(advance_work_order(order_id=order_id))


def test_a_drop_on_the_next_column_finishes_one_stage_and_begins_the_next(shop: Shop) -> None:
    order_id = shop.order()
    shop.do(move_order_to_stage(order_id=order_id, stage_name="Cut"))
    outcome = shop.do(move_order_to_stage(order_id=order_id, stage_name="Weld"))
    assert outcome.label == "Moved A-WO-000001 to Weld"
    assert [stage.status for stage in shop.stages(order_id)][:3] == [DONE, RUNNING, PLANNED]


@pytest.mark.parametrize(
    ("begun", "target", "words"),
    [
        (False, "Weld", "Start Cut first"),
        (True, "Paint", "Finish Cut, Weld first"),
        (True, "Cut", "already in progress"),
        (True, FINISHED, "Finish Cut, Weld, Paint, Inspect, Pack first"),
        (True, "Nowhere", "has no stage Nowhere"),
    ],
)
def test_a_drop_elsewhere_is_refused_with_the_reason(
    shop: Shop, begun: bool, target: str, words: str
) -> None:
    order_id = shop.order()
    if begun:
        shop.do(advance_work_order(order_id=order_id))
    before = shop.snapshot()
    with pytest.raises(Refused, match=words):
        shop.do(move_order_to_stage(order_id=order_id, stage_name=target))
    assert shop.snapshot() == before


def test_the_last_stage_is_finished_by_a_drop_behind_it(shop: Shop) -> None:
    order_id = shop.order()
    for name in [*NAMES, FINISHED]:
        shop.do(move_order_to_stage(order_id=order_id, stage_name=name))
    assert shop.read(order_id).status is OrderStatus.DONE


def test_a_drop_is_undone_as_one(shop: Shop) -> None:
    order_id = shop.order()
    shop.do(advance_work_order(order_id=order_id))
    before = shop.snapshot()
    outcome = shop.do(move_order_to_stage(order_id=order_id, stage_name="Weld"))
    shop.do(undo(change_id=outcome.change_id))
    assert shop.snapshot() == before


def test_an_operator_moves_the_stages_assigned_to_them_and_no_other(shop: Shop) -> None:
    order_id = shop.order()
    cut, weld = shop.stages(order_id)[:2]
    with pytest.raises(Denied, match="not assigned to you"):
        shop.do(move_stage(stage_id=cut.id, to=RUNNING), Role.OPERATOR)
    shop.do(assign_stages(ids=[cut.id], assignee_id=shop.people[Role.OPERATOR].user_id))
    shop.do(move_stage(stage_id=cut.id, to=RUNNING), Role.OPERATOR)
    before = shop.snapshot()
    with pytest.raises(Denied, match="Weld is not assigned to you"):
        shop.do(move_order_to_stage(order_id=order_id, stage_name=weld.name), Role.OPERATOR)
    assert shop.snapshot() == before
    shop.do(advance_work_order(order_id=order_id), Role.OPERATOR)
    with pytest.raises(Denied):
        shop.do(assign_stages(ids=[weld.id], assignee_id=None), Role.OPERATOR)


def test_a_role_without_the_right_moves_nothing(shop: Shop) -> None:
    stage = shop.stages(shop.order())[0]
    with pytest.raises(Denied, match="may not move the stages"):
        shop.do(move_stage(stage_id=stage.id, to=RUNNING), Role.INSPECTOR)


def test_stages_are_assigned_all_or_none(shop: Shop) -> None:
    order_id = shop.order()
    cut, weld = shop.stages(order_id)[:2]
    for status in (RUNNING, DONE):
        shop.do(move_stage(stage_id=cut.id, to=status))
    with pytest.raises(Refused, match="Cut is done"):
        shop.do(assign_stages(ids=[weld.id, cut.id], assignee_id=shop.people[Role.OPERATOR].user_id))
    assert {stage.assignee_id for stage in shop.stages(order_id)} == {None}


MOVES = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(StageStatus))), max_size=14)


@examples(25, same_fixtures=True)
@given(moves=MOVES)
def test_whatever_is_tried_the_order_follows_its_stages_and_no_illegal_state_comes_about(
    shop: Shop, moves: list[tuple[int, StageStatus]]
) -> None:
    order_id = shop.order()
    for position, to in moves:
        before = shop.stages(order_id)
        try:
            shop.do(move_stage(stage_id=before[position].id, to=to, reason="waits"))
        except Refused:
            assert [s.status for s in shop.stages(order_id)] == [s.status for s in before]
        else:
            assert to in LEGAL_MOVES[before[position].status]
        stages, order = shop.stages(order_id), shop.read(order_id)
        assert order.status is status_from_stages([stage.status for stage in stages])
        for at, stage in enumerate(stages):
            if stage.status in (RUNNING, DONE):
                assert all(earlier.status is DONE for earlier in stages[:at])
            assert bool(stage.blocked_reason) == (stage.status is BLOCKED)
            assert (stage.finished_at is not None) == (stage.status is DONE)
        assert (order.finished_at is not None) == (order.status is OrderStatus.DONE)
