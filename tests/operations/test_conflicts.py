"""Settling what the server did not take: mine, theirs, others; who may; nothing is lost."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.conflicts import Clash, Point, Take, chosen_values
from app.domain.errors import Denied, NotFound, Refused, Stale
from app.domain.orders import OrderStatus
from app.domain.people import Role
from app.domain.stages import StageStatus
from app.operations.conflicts import bring_back, settle_conflict
from app.operations.issues import raise_issue
from app.operations.notes import write_note
from app.operations.orders import create_work_order, delete_work_orders, edit_work_orders
from app.operations.stages import move_stage
from app.operations.undo import undo
from app.store.queries import conflicts as queries
from app.store.queries.listing import ListReader, ListRequest
from app.store.queries.unsent import UnsentRows, left_behind
from app.store.tables import Conflict, Note, WorkOrder
from tests.operations.shop import Shop
from tests.parking import AT, Parking, clash


@pytest.fixture
def parking(shop: Shop) -> Parking:
    made = Parking(shop.house)
    made.join()
    return made


def body_of(parking: Parking) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(parking.newest().body)
    return facts


def states(shop: Shop) -> list[str]:
    with shop.house.store.reader() as session:
        rows = ListReader(queries.CONFLICTS, ListRequest(), shop.now).window(session, 0, 20)
    return [row.values["state"] for row in rows]


def settle(conflict: Conflict, take: Take, **values: Any) -> Any:
    return settle_conflict(source=conflict.source, n=conflict.n, take=take, **values)


def disputed_lot(shop: Shop, parking: Parking, role: Role = Role.PLANNER) -> tuple[UUID, Conflict]:
    """A planner sets lot and customer of an order; A. Lee at station 03 had set another lot."""
    order = shop.order(lot="L0")
    parking.confirm()
    shop.do(edit_work_orders(ids=[order], lot="L1", customer="Acme"), role)
    parking.set_row("work_order", order, lot="L2", customer="")
    fields = [clash("work_order", order, "lot", "L0", "L1", "L2")]
    return order, parking.park(fields=fields)


def test_mine_puts_the_refused_values_over_what_is_there_now(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking)
    outcome = shop.do(settle(conflict, Take.MINE), Role.PLANNER)
    assert (shop.read(order).lot, shop.read(order).customer) == ("L1", "Acme")
    body = body_of(parking)
    assert body["resolves"] == [[str(conflict.source), conflict.n]]
    assert body["rows"][0]["set"] == {"lot": ["L2", "L1"], "customer": ["", "Acme"]}
    assert not outcome.undoable


def test_theirs_is_an_entry_without_rows_that_settles(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking)
    shop.do(settle(conflict, Take.THEIRS), Role.PLANNER)
    assert shop.read(order).lot == "L2"
    assert body_of(parking)["rows"] == []
    assert body_of(parking)["resolves"] == [[str(conflict.source), conflict.n]]


def test_other_takes_what_is_named_and_what_nobody_disputed(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking)
    shop.do(settle(conflict, Take.OTHER, values={"lot": "L9"}), Role.PLANNER)
    assert (shop.read(order).lot, shop.read(order).customer) == ("L9", "Acme")


def test_each_field_can_be_chosen_by_itself(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking)
    key = f"work_order/{order}/customer"
    shop.do(settle(conflict, Take.OTHER, values={key: "", "lot": "L1"}), Role.PLANNER)
    assert (shop.read(order).lot, shop.read(order).customer) == ("L1", "")


def test_a_value_that_fits_no_field_or_no_column_is_refused_at_its_place(
    shop: Shop, parking: Parking
) -> None:
    order = shop.order()
    shop.do(edit_work_orders(ids=[order], quantity=70))
    conflict = parking.park(fields=[clash("work_order", order, "quantity", 60, 70, 80)])
    with pytest.raises(Refused, match="has no value colour"):
        shop.do(settle(conflict, Take.OTHER, values={"colour": "red"}))
    with pytest.raises(Refused) as refused:
        shop.do(settle(conflict, Take.OTHER, values={"quantity": -3}))
    assert refused.value.field == f"work_order/{order}/quantity"


def test_the_author_or_a_supervisor_settles_nobody_else(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking, Role.PLANNER)
    with pytest.raises(Denied, match="may not settle conflicts of others"):
        shop.do(settle(conflict, Take.MINE), Role.TECHNICIAN)
    shop.do(settle(conflict, Take.MINE), Role.SUPERVISOR)
    assert shop.read(order).lot == "L1"


def test_a_settled_conflict_is_not_settled_twice(shop: Shop, parking: Parking) -> None:
    _, conflict = disputed_lot(shop, parking)
    shop.do(settle(conflict, Take.MINE))
    assert states(shop) == ["settling"]
    with pytest.raises(Refused, match="answer of the server is on its way"):
        shop.do(settle(conflict, Take.THEIRS))
    parking.settle(conflict)
    assert states(shop) == ["settled"]
    with pytest.raises(Stale, match=r"settled by A\. Lee"):
        shop.do(settle(conflict, Take.THEIRS))


def test_a_settlement_that_is_parked_itself_shows_up_and_settles_both(shop: Shop, parking: Parking) -> None:
    order, first = disputed_lot(shop, parking)
    shop.do(settle(first, Take.MINE))
    parking.set_row("work_order", order, lot="L3", customer="")
    second = parking.park(fields=[clash("work_order", order, "lot", "L2", "L1", "L3")])
    assert states(shop) == ["open", "open"]
    shop.do(settle(second, Take.MINE))
    assert shop.read(order).lot == "L1"
    assert body_of(parking)["resolves"] == [[str(c.source), c.n] for c in (second, first)]


def test_what_changed_while_a_person_looked_is_not_overwritten(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking)
    seen = {f"work_order/{order}/lot": "L2"}
    parking.set_row("work_order", order, lot="L4")
    with pytest.raises(Stale, match="changed while you looked"):
        shop.do(settle(conflict, Take.MINE, seen=seen))
    assert shop.read(order).lot == "L4"


def test_a_refused_creation_is_made_again_with_another_number(shop: Shop, parking: Parking) -> None:
    intent = create_work_order(product="FRAME-M", quantity=5, number="WO-1", note="mine")
    order: UUID = shop.do(intent, Role.PLANNER).result
    stages = [stage.id for stage in shop.stages(order)]
    parking.ghost("work_order", order)
    for stage in stages:
        parking.ghost("stage", stage)
    conflict = parking.park(
        verdict="rejected",
        sentence="Another work order already has this number.",
        fields=[clash("work_order", order, "number", None, "WO-1", "WO-1")],
    )
    shop.do(settle(conflict, Take.OTHER, values={"number": "WO-2"}), Role.PLANNER)
    made = shop.read(order)
    assert (made.number, made.note, made.version, made.deleted) == ("WO-2", "mine", 1, False)
    assert [stage.id for stage in shop.stages(order) if not stage.deleted] == stages
    kinds = {(row["e"], row["k"]) for row in body_of(parking)["rows"]}
    assert kinds == {("work_order", "m"), ("stage", "m")}


def test_a_row_that_no_server_has_is_not_brought_back_by_a_change_of_it(shop: Shop, parking: Parking) -> None:
    """A restored server may have lost it: only its creation, offered again, makes it."""
    order = shop.order(lot="L0")
    shop.do(edit_work_orders(ids=[order], lot="L1"))
    conflict = parking.park(fields=[clash("work_order", order, "lot", "L0", "L1", None)])
    deleting = shop.do(delete_work_orders(ids=[order])).change_id
    parking.ghost("work_order", order)
    with pytest.raises(NotFound, match="not here any more"):
        shop.do(settle(conflict, Take.MINE))
    with pytest.raises(Stale):
        shop.do(undo(change_id=deleting))
    assert shop.read(order).version == 0


def test_a_creation_whose_ghost_is_gone_is_made_again(shop: Shop, parking: Parking) -> None:
    note: UUID = shop.do(write_note(at=AT, text="Oil on the floor")).result
    parking.ghost("note", note)
    conflict = parking.park(verdict="denied", sentence="The role operator may not write notes.")
    parking.write(_remove_notes)
    shop.do(settle(conflict, Take.MINE))
    with shop.house.store.reader() as session:
        assert session.get_one(Note, note).text == "Oil on the floor"


def test_a_refused_import_comes_back_whole_with_its_disputed_row_changed(
    shop: Shop, parking: Parking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LAID_OUT", 2)
    order = shop.order(number="WO-7")
    stages = [stage.id for stage in shop.stages(order)]
    parking.ghost("work_order", order)
    for stage in stages:
        parking.ghost("stage", stage)
    conflict = parking.park(fields=[clash("work_order", order, "number", None, "WO-7", "WO-7")])
    with shop.house.store.reader() as session:
        details = queries.read_conflict(session, conflict.seq)
    assert details.more == len(stages) > 2
    shop.do(settle(conflict, Take.OTHER, values={"number": "WO-8"}))
    assert shop.read(order).number == "WO-8"
    assert [stage.id for stage in shop.stages(order) if not stage.deleted] == stages


def test_a_delete_against_a_change_deletes_on_demand(shop: Shop, parking: Parking) -> None:
    order = shop.order()
    parking.confirm()
    shop.do(delete_work_orders(ids=[order]))
    parking.set_row("work_order", order, deleted=False, note="still needed")
    for stage in shop.stages(order):
        parking.set_row("stage", stage.id, deleted=False)
    conflict = parking.park(fields=[clash("work_order", order, "deleted", False, True, False)])
    shop.do(settle(conflict, Take.MINE))
    assert shop.read(order).deleted
    assert all(stage.deleted for stage in shop.stages(order))


def test_mine_of_a_row_that_was_deleted_brings_it_back(shop: Shop, parking: Parking) -> None:
    order = shop.order(lot="L0")
    parking.confirm()
    shop.do(edit_work_orders(ids=[order], lot="L1"))
    parking.set_row("work_order", order, lot="L0", deleted=True)
    conflict = parking.park(fields=[clash("work_order", order, "deleted", False, None, True)])
    shop.do(settle(conflict, Take.MINE))
    assert (shop.read(order).lot, shop.read(order).deleted) == ("L1", False)


def gone(shop: Shop, parking: Parking, order: UUID) -> None:
    """Another station deleted the order, which takes its stages along."""
    parking.set_row("work_order", order, deleted=True)
    for stage in shop.stages(order):
        parking.set_row("stage", stage.id, deleted=True)


def all_there(shop: Shop, order: UUID) -> bool:
    return not shop.read(order).deleted and not any(stage.deleted for stage in shop.stages(order))


def test_an_order_comes_back_with_its_stages(shop: Shop, parking: Parking) -> None:
    order = shop.order(lot="L0")
    parking.confirm()
    shop.do(edit_work_orders(ids=[order], lot="L1"))
    parking.set_row("work_order", order, lot="L0")
    gone(shop, parking, order)
    conflict = parking.park(fields=[clash("work_order", order, "deleted", False, None, True)])
    shop.do(settle(conflict, Take.MINE))
    assert shop.read(order).lot == "L1"
    assert all_there(shop, order)


def test_a_stage_comes_back_with_its_order(shop: Shop, parking: Parking) -> None:
    order = shop.order()
    parking.confirm()
    stage = shop.stages(order)[0]
    shop.do(move_stage(stage_id=stage.id, to=StageStatus.IN_PROGRESS))
    parking.set_row("stage", stage.id, status=StageStatus.PLANNED, started_at=None)
    gone(shop, parking, order)
    conflict = parking.park(fields=[clash("stage", stage.id, "deleted", False, None, True)])
    shop.do(settle(conflict, Take.MINE))
    assert shop.stages(order)[0].status is StageStatus.IN_PROGRESS
    assert all_there(shop, order)


def test_what_was_made_on_a_deleted_order_brings_the_order_back(shop: Shop, parking: Parking) -> None:
    order = shop.order()
    parking.confirm()
    issue = shop.do(raise_issue(stage_id=shop.stages(order)[0].id, title="Scratches")).result
    parking.ghost("issue", issue)
    gone(shop, parking, order)
    conflict = parking.park(fields=[clash("stage", shop.stages(order)[0].id, "deleted", False, False, True)])
    with pytest.raises(Denied, match="may not delete work orders"):
        shop.do(settle(conflict, Take.MINE), Role.SUPERVISOR)
    shop.do(settle(conflict, Take.MINE))
    assert all_there(shop, order)
    assert made_last(parking, "issue")
    parking.ghost("issue", issue)
    gone(shop, parking, order)
    again = parking.park(fields=[clash("stage", shop.stages(order)[0].id, "deleted", False, False, True)])
    shop.do(settle(again, Take.MINE))
    assert all_there(shop, order)
    assert made_last(parking, "issue")


def made_last(parking: Parking, entity: str) -> bool:
    """The server takes no part of a row that is gone, so what brings the row back stands in front."""
    entities = [row["e"] for row in body_of(parking)["rows"]]
    return entities.index(entity) == len(entities) - 1


def test_a_move_that_became_illegal_says_why_it_cannot_be_taken(shop: Shop, parking: Parking) -> None:
    order = shop.order()
    parking.confirm()
    stage = shop.stages(order)[0]
    shop.do(move_stage(stage_id=stage.id, to=StageStatus.IN_PROGRESS))
    parking.set_row("stage", stage.id, status=StageStatus.DONE)
    parking.set_row("stage", shop.stages(order)[1].id, status=StageStatus.IN_PROGRESS)
    fields = [clash("stage", stage.id, "status", "planned", "in_progress", "done")]
    conflict = parking.park(fields=fields)
    with pytest.raises(Refused):
        shop.do(settle(conflict, Take.MINE))
    shop.do(settle(conflict, Take.THEIRS))
    assert shop.stages(order)[0].status is StageStatus.DONE


def test_an_order_follows_the_move_that_was_settled(shop: Shop, parking: Parking) -> None:
    order = shop.order()
    parking.confirm()
    stage = shop.stages(order)[0]
    shop.do(move_stage(stage_id=stage.id, to=StageStatus.IN_PROGRESS))
    before = {"status": StageStatus.PLANNED, "started_at": None}
    parking.set_row("stage", stage.id, **before)
    parking.set_row("work_order", order, status=OrderStatus.PLANNED, started_at=None)
    conflict = parking.park(verdict="denied", sentence="The role operator may not move any stage.")
    shop.do(settle(conflict, Take.MINE))
    assert shop.stages(order)[0].status is StageStatus.IN_PROGRESS
    assert shop.read(order).status is OrderStatus.IN_PROGRESS


def test_a_losing_value_can_be_read_for_ever_and_brought_back(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking)
    with pytest.raises(Refused, match="still open"):
        shop.do(bring_back(source=conflict.source, n=conflict.n))
    shop.do(settle(conflict, Take.THEIRS))
    parking.settle(conflict)
    parking.confirm()
    with shop.house.store.reader() as session:
        details = queries.read_conflict(session, conflict.seq)
    lot = next(shown.point for shown in details.points if shown.point.field == "lot")
    assert (lot.base, lot.mine, lot.theirs, lot.clash.by if lot.clash else "") == ("L0", "L1", "L2", "A. Lee")
    brought = shop.do(bring_back(source=conflict.source, n=conflict.n, values={"lot": "L1"}))
    assert shop.read(order).lot == "L1"
    shop.do(undo(change_id=brought.change_id))
    assert shop.read(order).lot == "L2"


def test_an_entry_that_cannot_be_read_can_still_be_let_go(shop: Shop, parking: Parking) -> None:
    shop.order()
    conflict = parking.park(verdict="rejected", sentence="It is no JSON.", body='{"rows": [')
    with shop.house.store.reader() as session:
        assert queries.read_conflict(session, conflict.seq).points == ()
        assert queries.conflict_marks(session) == {}


def test_an_unknown_conflict_is_said_so(shop: Shop, parking: Parking) -> None:
    with pytest.raises(NotFound):
        shop.do(settle_conflict(source=UUID(int=1), n=1, take=Take.MINE))


def test_rows_on_their_way_and_rows_in_conflict_are_known_with_what_they_are_part_of(
    shop: Shop, parking: Parking
) -> None:
    rows = UnsentRows()
    order = shop.order()
    parking.confirm()
    stage = shop.stages(order)[0]
    shop.do(move_stage(stage_id=stage.id, to=StageStatus.IN_PROGRESS))
    with shop.house.store.reader() as session:
        marked = rows.look(session)
        assert marked["stage"] == {stage.id}
        assert marked["work_order"] == {order}
        behind = left_behind(session)
    assert (behind.count, behind.changes[0].rows) == (1, 2)
    assert behind.changes[0].actor == shop.people[Role.ADMIN].name
    conflict = parking.park(fields=[clash("stage", stage.id, "status", "planned", "in_progress", "done")])
    with shop.house.store.reader() as session:
        assert rows.look(session) == {}
        assert queries.conflict_marks(session)["work_order"] == {order: conflict.seq}
        assert queries.open_conflicts(session) == 1


def test_nothing_is_on_its_way_where_nothing_is_shared(shop: Shop) -> None:
    shop.order()
    with shop.house.store.reader() as session:
        assert UnsentRows().look(session) == {}


def test_values_that_belong_together_are_taken_together() -> None:
    row = UUID(int=4)
    points = [
        Point("work_order", row, "planned_start", "a", "b", "c"),
        Point("work_order", row, "planned_end", "d", "e", "f"),
    ]
    disputed = [Point(p.entity, p.row_id, p.field, p.base, p.mine, p.now, clash=_any()) for p in points]
    groups = {"work_order": (frozenset({"planned_start", "planned_end"}),)}
    chosen = chosen_values(disputed, Take.OTHER, {"planned_end": "z"}, groups)
    assert chosen == {disputed[0].key: "b", disputed[1].key: "z"}
    assert chosen_values(disputed, Take.OTHER, {"planned_end": "z"}, {}) == {disputed[1].key: "z"}


def _any() -> Clash:
    return Clash("c")


def _remove_notes(session: Session) -> None:
    session.execute(delete(Note))


def test_conflicts_are_a_list_like_any_other(shop: Shop, parking: Parking) -> None:
    order, conflict = disputed_lot(shop, parking)
    with shop.house.store.reader() as session:
        found = ListReader(queries.CONFLICTS, ListRequest("state:open"), shop.now).window(session, 0, 5)
        none = ListReader(queries.CONFLICTS, ListRequest("state:settled"), shop.now).window(session, 0, 5)
        number = session.execute(select(WorkOrder.number).where(WorkOrder.id == order)).scalar_one()
    assert [row.values["label"] for row in found] == [conflict.label]
    assert found[0].values["sentence"].startswith("Somebody else")
    assert number in found[0].values["label"]
    assert not none
