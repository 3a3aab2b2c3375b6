"""A station that dies at any step of a round goes on as if nothing had been, and so does everybody else."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from app.operations.notes import edit_note, write_note
from app.operations.orders import create_work_order, edit_work_orders
from app.sync.comparing import compare
from app.sync.failpoints import Failpoint
from app.sync.place import want_baseline
from tests.sync.harness import START, SyncedStation, World


def _busy(one: SyncedStation, two: SyncedStation) -> UUID:
    """Something to push, something to pull, something to merge, something to park."""
    order: UUID = one.do(create_work_order(product="FRAME-M", quantity=60)).result
    one.sync()
    two.sync()
    two.do(edit_work_orders(ids=[order], note="theirs", customer="Acme"))
    two.do(write_note(at=START, text="from two"))
    two.sync()
    note = one.do(write_note(at=START, text="from one")).result
    one.do(edit_note(note_id=note, text="from one, changed"))
    one.do(edit_work_orders(ids=[order], note="mine"))
    one.do(edit_work_orders(ids=[order], lot="L-1"))
    return order


def _baseline(one: SyncedStation) -> None:
    one.engine.write(lambda connection: want_baseline(connection, "for a test"))


def _roll_back(one: SyncedStation) -> None:
    copy = one.copy()
    one.do(write_note(at=START, text="only in the file that is lost"))
    one.sync()
    one.roll_back(copy)


def _nothing(_one: SyncedStation) -> None:
    return


PREPARED: dict[Failpoint, Callable[[SyncedStation], None]] = {
    **dict.fromkeys((point for point in Failpoint if point.startswith("baseline")), _baseline),
    **dict.fromkeys((point for point in Failpoint if point.startswith("fork")), _roll_back),
}


@pytest.mark.parametrize("point", [point for point in Failpoint if point is not Failpoint.COMPARED])
def test_after_a_crash_at_any_step_everything_arrives_once(world: World, point: Failpoint) -> None:
    one, two = world.station("01"), world.station("02")
    order = _busy(one, two)
    PREPARED.get(point, _nothing)(one)
    assert one.crash_at(point)
    assert "done" not in [
        state
        for state, seq in one.ask("SELECT state, seq FROM outbox WHERE seq IS NOT NULL")
        if seq > one.cursor()
    ], "an own change would vanish from the screen"
    world.settle()
    world.check()
    row = one.row("work_order", order)
    assert row is not None
    assert (row["note"], row["lot"], row["customer"]) == ("theirs", "L-1", "Acme")
    assert sorted(note["text"] for note in two.rows()["note"].values() if "only" not in note["text"]) == [
        "from one, changed",
        "from two",
    ]


def test_a_crash_while_both_sides_are_compared_does_no_harm(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    _busy(one, two)
    world.settle()
    assert one.crash_at(Failpoint.COMPARED, act=lambda: compare(one.engine, one.server))
    assert compare(one.engine, one.server)
    world.check()


def test_rows_that_differ_are_noticed_and_put_right(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _busy(one, two)
    world.settle()
    one.engine.write(
        lambda connection: connection.exec_driver_sql(
            "UPDATE work_order SET note='damaged', version=9 WHERE id=?", (order.hex,)
        )
    )
    assert not compare(one.engine, one.server)
    assert one.sync().baseline
    assert compare(one.engine, one.server)
    world.check()


def test_an_edit_made_while_everything_is_fetched_anew_stays(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _busy(one, two)
    _baseline(one)

    def edit(point: Failpoint) -> None:
        if point is Failpoint.BASELINE_FETCHED:
            one.do(edit_work_orders(ids=[order], line="L7"))
            one.do(create_work_order(product="FRAME-S", quantity=1))

    one.engine.reach = edit
    assert one.sync().baseline
    assert (one.row("work_order", order) or {})["line"] == "L7"
    world.settle()
    world.check()
    assert (two.row("work_order", order) or {})["line"] == "L7"
