"""The door: what a change leaves behind, what it refuses, how it is undone."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.domain.errors import Denied, Refused, Stale
from app.domain.events import Committed
from app.domain.people import Actor, Permission, Role
from app.operations.change import Change, operation
from app.operations.orders import create_work_order, edit_work_orders
from app.operations.people import disable_user
from app.operations.undo import undo
from app.plant import House
from app.store.journal import first_broken_line, waiting_changes
from app.store.sessions import WriteOutsideChangeError
from app.store.tables import Audit, Outbox, Stage, UserAccount, WorkOrder


def _count(house: House, table: type) -> int:
    with house.store.reader() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_change_writes_rows_outbox_entry_and_audit_line_together(house: House, admin: Actor) -> None:
    before = _count(house, Outbox), _count(house, Audit)
    outcome = house.door.perform(create_work_order(product="FRAME", quantity=4), admin)
    assert (_count(house, WorkOrder), _count(house, Stage)) == (1, 5)
    assert (_count(house, Outbox), _count(house, Audit)) == (before[0] + 1, before[1] + 1)
    with house.store.reader() as session:
        found = select(Outbox.body).where(Outbox.change_id == outcome.change_id)
        body = json.loads(session.execute(found).scalar_one())
    assert {row["e"] for row in body["rows"]} == {"work_order", "stage"}
    order = next(row for row in body["rows"] if row["e"] == "work_order")
    assert order["set"]["quantity"] == [None, 4]


@operation(Permission.PLAN_ORDERS)
def fail_in_the_middle(change: Change, /) -> None:
    create_work_order.function(change, product="HALF", quantity=1)
    raise ZeroDivisionError


def test_a_bug_in_the_middle_of_a_change_leaves_nothing_behind(house: House, admin: Actor) -> None:
    before = _count(house, Outbox), _count(house, Audit)
    with pytest.raises(ZeroDivisionError):
        house.door.perform(fail_in_the_middle(), admin)
    assert _count(house, WorkOrder) == 0
    assert (_count(house, Outbox), _count(house, Audit)) == before
    outcome = house.door.perform(create_work_order(product="WHOLE", quantity=1), admin)
    with house.store.reader() as session:
        assert session.get_one(WorkOrder, outcome.result).number == "A-WO-000001"


def test_a_write_outside_the_door_raises(house: House, admin: Actor) -> None:
    with house.store.reader() as session, pytest.raises(OperationalError, match="readonly"):
        session.execute(delete(WorkOrder))
    with house.store._writer_engine.connect() as connection, pytest.raises(WriteOutsideChangeError):
        connection.execute(update(UserAccount).values(disabled=True))
    with Session(house.store._writer_engine) as session, pytest.raises(WriteOutsideChangeError):
        session.execute(insert(Audit).values(seq=99))


def test_a_row_is_never_removed_only_marked(house: House, admin: Actor) -> None:
    order_id = house.door.perform(create_work_order(product="FRAME", quantity=1), admin).result

    @operation(None)
    def remove(change: Change, /) -> None:
        change.session.delete(change.session.get_one(WorkOrder, order_id))

    with pytest.raises(RuntimeError, match="never removed"):
        house.door.perform(remove(), admin)


def test_outbox_numbers_have_no_gaps_also_after_refusals(house: House, admin: Actor) -> None:
    for quantity in (1, 0, 2, -1, 3):
        try:
            house.door.perform(create_work_order(product="P", quantity=quantity), admin)
        except Refused:
            continue
    with house.store.reader() as session:
        numbers = list(session.execute(select(Outbox.n).order_by(Outbox.n)).scalars())
        assert numbers == list(range(1, len(numbers) + 1))
        assert waiting_changes(session) == len(numbers)


def test_a_refused_try_is_audited_with_its_sentence(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    inspector = person(Role.INSPECTOR)
    with pytest.raises(Denied):
        house.door.perform(create_work_order(product="P", quantity=1), inspector)
    house.door.perform(
        create_work_order(product="P", quantity=1), admin
    )  # queued behind the audit line of the refusal
    with house.store.reader() as session:
        line = session.execute(select(Audit).where(Audit.outcome == "denied")).scalar_one()
    assert (line.actor, line.operation) == (inspector.name, "create_work_order")
    assert "planner" in line.sentence


def test_a_role_taken_away_counts_at_once(
    house: House, admin: Actor, person: Callable[[Role], Actor]
) -> None:
    planner = person(Role.PLANNER)
    assert planner.user_id is not None
    house.door.perform(disable_user(user_id=planner.user_id), admin)
    with pytest.raises(Denied, match="disabled"):
        house.door.perform(create_work_order(product="P", quantity=1), planner)


def test_listeners_hear_of_a_change_after_its_commit(house: House, admin: Actor) -> None:
    heard: list[tuple[Committed, int]] = []

    def listen(committed: Committed) -> None:
        heard.append((committed, _count(house, WorkOrder)))

    stop = house.door.subscribe(listen)
    outcome = house.door.perform(create_work_order(product="P", quantity=1), admin)
    stop()
    house.door.perform(create_work_order(product="P", quantity=1), admin)
    assert len(heard) == 1
    committed, orders = heard[0]
    assert orders == 1
    assert committed.touched["work_order"] == (outcome.result,)
    assert len(committed.touched["stage"]) == 5


def test_a_listener_that_fails_is_logged_and_the_change_stands(
    house: House, admin: Actor, expected_errors: list[logging.LogRecord]
) -> None:
    def break_down(_committed: Committed) -> None:
        raise ZeroDivisionError

    house.door.subscribe(break_down)
    house.door.submit(create_work_order(product="P", quantity=1), admin).result(timeout=10)
    assert _count(house, WorkOrder) == 1
    assert any("listener_failed" in record.getMessage() for record in expected_errors)


def test_an_undo_restores_the_values_before_and_can_itself_be_undone(house: House, admin: Actor) -> None:
    order_id = house.door.perform(create_work_order(product="P", quantity=7), admin).result
    edited = house.door.perform(edit_work_orders(ids=[order_id], quantity=9, customer="Ott"), admin)
    undone = house.door.perform(undo(change_id=edited.change_id), admin)
    with house.store.reader() as session:
        row = session.get_one(WorkOrder, order_id)
        assert (row.quantity, row.customer, row.version) == (7, "", 3)
    house.door.perform(undo(change_id=undone.change_id), admin)
    with house.store.reader() as session:
        assert session.get_one(WorkOrder, order_id).quantity == 9


def test_an_undo_never_overwrites_what_someone_changed_since(house: House, admin: Actor) -> None:
    order_id = house.door.perform(create_work_order(product="P", quantity=7), admin).result
    edited = house.door.perform(edit_work_orders(ids=[order_id], quantity=9), admin)
    house.door.perform(edit_work_orders(ids=[order_id], quantity=11), admin)
    with pytest.raises(Stale):
        house.door.perform(undo(change_id=edited.change_id), admin)
    with house.store.reader() as session:
        assert session.get_one(WorkOrder, order_id).quantity == 11


def test_a_change_is_undone_once(house: House, admin: Actor) -> None:
    created = house.door.perform(create_work_order(product="P", quantity=7), admin)
    house.door.perform(undo(change_id=created.change_id), admin)
    with pytest.raises(Refused, match="already"):
        house.door.perform(undo(change_id=created.change_id), admin)


def test_a_number_is_free_again_after_its_order_was_undone(house: House, admin: Actor) -> None:
    created = house.door.perform(create_work_order(number="WO-7", product="P", quantity=7), admin)
    with pytest.raises(Refused, match="already a work order WO-7"):
        house.door.perform(create_work_order(number="WO-7", product="Q", quantity=1), admin)
    house.door.perform(undo(change_id=created.change_id), admin)
    house.door.perform(create_work_order(number="WO-7", product="Q", quantity=1), admin)


def test_the_audit_trail_refuses_updates_and_names_the_first_forged_line(house: House, admin: Actor) -> None:
    for _ in range(3):
        house.door.perform(create_work_order(product="P", quantity=1), admin)
    with house.store.reader() as session:
        assert first_broken_line(session) is None

    def forge(session: Session) -> None:
        with pytest.raises(Exception, match="append-only"):
            session.execute(text("UPDATE audit SET sentence = 'nothing happened' WHERE seq = 3"))
        session.execute(text("DROP TRIGGER audit_refuses_update"))
        session.execute(text("UPDATE audit SET sentence = 'nothing happened' WHERE seq = 3"))

    house.store.submit(forge).result()
    with house.store.reader() as session:
        assert first_broken_line(session) == 3


def test_two_houses_on_one_folder_write_in_turns_and_lose_nothing(house: House, admin: Actor) -> None:
    from app.plant import opened_house

    with opened_house(house.folder) as other:
        waits = [
            door.submit(create_work_order(product="P", quantity=1), admin)
            for _ in range(20)
            for door in (house.door, other.door)
        ]
        numbers = {wait.result(timeout=30).label for wait in waits}
    assert len(numbers) == 40
    assert _count(house, WorkOrder) == 40
    with house.store.reader() as session:
        assert first_broken_line(session) is None


def test_planned_dates_that_end_before_they_start_are_refused_beside_the_field(
    house: House, admin: Actor
) -> None:
    now = house.door.clock()
    with pytest.raises(Refused) as refusal:
        house.door.perform(
            create_work_order(
                product="P", quantity=1, planned_start=now, planned_end=now - timedelta(days=1)
            ),
            admin,
        )
    assert refusal.value.field == "planned_end"
