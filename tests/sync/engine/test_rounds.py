"""Stations that work together: what one does is shown by the others, also after days apart."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from app.domain.conflicts import Take
from app.domain.people import Role
from app.domain.stages import StageStatus
from app.operations.attachments import attach_file, remove_attachment
from app.operations.conflicts import settle_conflict
from app.operations.issues import raise_issue
from app.operations.notes import delete_note, edit_note, write_note
from app.operations.orders import create_work_order, delete_work_orders, edit_work_orders
from app.operations.stages import move_stage
from app.operations.undo import undo
from app.sync.comparing import compare
from app.sync.failpoints import Failpoint
from app.sync.pulling import pull_all
from tests.sync.harness import START, SyncedStation, World
from tests.sync.proof.ground import BadLine, Wrong


def _order(station: SyncedStation, number: str = "") -> UUID:
    made: UUID = station.do(create_work_order(product="FRAME-M", quantity=60, number=number)).result
    return made


def _stage(station: SyncedStation, order: UUID) -> UUID:
    found = station.ask("SELECT id FROM stage WHERE work_order_id=? ORDER BY position LIMIT 1", order.hex)
    return UUID(found[0][0])


def test_what_one_station_does_is_shown_by_the_others(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _order(one)
    assert two.row("work_order", order) is None
    one.sync()
    two.sync()
    assert two.row("work_order", order) == one.row("work_order", order)
    issue = two.do(raise_issue(stage_id=_stage(two, order), title="Scratch"), Role.OPERATOR).result
    one.do(move_stage(stage_id=_stage(one, order), to=StageStatus.IN_PROGRESS), Role.SUPERVISOR)
    world.settle()
    assert one.row("issue", issue) is not None
    world.check()


def test_different_fields_of_one_row_merge_by_themselves_and_are_listed(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _order(one)
    world.settle()
    one.do(edit_work_orders(ids=[order], note="gently"))
    two.do(edit_work_orders(ids=[order], customer="Acme"))
    world.settle()
    row = one.row("work_order", order)
    assert row is not None
    assert (row["note"], row["customer"], row["version"]) == ("gently", "Acme", 3)
    assert one.ask("SELECT count(*) FROM shared_change WHERE merged IS NOT NULL") == [(1,)]
    world.check()


def test_an_own_edit_stays_on_the_screen_while_others_change_the_row(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _order(one)
    world.settle()
    two.do(edit_work_orders(ids=[order], note="theirs", customer="Acme"))
    two.sync()
    one.do(edit_work_orders(ids=[order], note="mine"))
    pull_all(one.engine, one.server)  # somebody else's change comes in before the own one is offered
    row = one.row("work_order", order)
    assert row is not None
    assert (row["note"], row["customer"]) == ("mine", "Acme")
    assert one.ask("SELECT count(*) FROM shadow") == [(1,)]
    one.sync()
    row = one.row("work_order", order)
    assert row is not None
    assert (row["note"], row["customer"]) == ("theirs", "Acme")
    assert one.ask("SELECT count(*) FROM shadow") == [(0,)]
    world.settle()
    world.check()


def test_the_same_field_becomes_a_conflict_that_all_see_and_one_settles(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _order(one)
    world.settle()
    one.do(edit_work_orders(ids=[order], note="one"))
    two.do(edit_work_orders(ids=[order], note="two"))
    one.sync()
    two.sync()
    assert two.states() == ["parked"]
    assert two.row("work_order", order) == one.row("work_order", order)
    world.settle()
    world.check()
    [(source, n)] = one.ask("SELECT source, n FROM conflict WHERE settled_seq IS NULL")
    one.do(settle_conflict(source=UUID(source), n=n, take=Take.MINE))
    world.settle()
    assert (two.row("work_order", order) or {})["note"] == "two"
    assert not two.ask("SELECT 1 FROM conflict WHERE settled_seq IS NULL")
    world.check()


def test_a_conflict_is_shown_at_once_even_before_the_log_tells_of_it(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _order(one)
    world.settle()
    one.do(edit_work_orders(ids=[order], note="one"))
    one.sync()
    two.do(edit_work_orders(ids=[order], note="two"))
    assert two.crash_at(Failpoint.PUSH_AFTER_LOCAL_ACK)
    assert two.states() == ["parked"]
    assert two.ask("SELECT verdict, station FROM conflict") == [("conflict", "02")]
    assert (two.row("work_order", order) or {})["note"] == ""
    world.settle()
    world.check()


def test_a_deletion_against_a_change_is_a_conflict_and_nothing_is_lost(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = _order(one)
    world.settle()
    one.do(edit_work_orders(ids=[order], note="still needed"))
    two.do(delete_work_orders(ids=[order]))
    one.sync()
    world.settle()
    row = two.row("work_order", order)
    assert row is not None
    assert not row["deleted"]
    assert row["note"] == "still needed"
    world.check()


def test_a_photo_is_removed_while_its_bytes_arrive(world: World) -> None:
    one = world.station("01")
    data = b"a photo"
    photo = one.do(
        attach_file(
            owner="work_order",
            owner_id=_order(one),
            name="a.jpg",
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
        )
    ).result
    one.sync()
    one.send_bytes(data)
    one.do(remove_attachment(attachment_id=photo))
    one.sync()
    assert one.states()[-1] == "done", "the server itself noted that the bytes came; nobody disagrees"
    assert "merged" not in world.log()[-1]
    shown = one.row("attachment", photo)
    assert shown is not None
    assert (shown["deleted"], shown["stored"], shown["version"]) == (True, True, 3)
    world.settle()
    world.check()


def test_an_undo_travels_like_any_change(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    done = one.do(create_work_order(product="FRAME-M", quantity=60))
    world.settle()
    one.do(undo(change_id=done.change_id))
    world.settle()
    assert (two.row("work_order", done.result) or {})["deleted"]
    world.check()


def test_a_refused_creation_disappears_with_all_that_hung_on_it_and_stays_readable(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    _order(one, number="X-1")
    order = _order(two, number="X-1")
    issue = two.do(raise_issue(stage_id=_stage(two, order), title="Scratch")).result
    two.do(edit_work_orders(ids=[order], note="more"))
    one.sync()
    two.sync()
    assert two.states() == ["parked", "parked", "parked"]
    assert two.row("work_order", order) is None
    assert two.row("issue", issue) is None
    assert two.ask("SELECT deleted, version FROM work_order WHERE id=?", order.hex) == [(1, 0)]
    world.settle()
    world.check()
    assert len(one.ask("SELECT 1 FROM conflict WHERE settled_seq IS NULL")) == 3


def test_what_stands_for_refused_rows_goes_once_nothing_waits_and_refers_to_it(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    _order(one, number="X-1")
    order = _order(two, number="X-1")
    two.do(raise_issue(stage_id=_stage(two, order), title="Scratch"))
    one.sync()
    two.sync()
    note = two.do(write_note(at=START, text="unsent")).result
    assert compare(two.engine, two.server)
    assert two.ask("SELECT deleted, version FROM work_order WHERE id=?", order.hex) == [(1, 0)]
    two.sync()
    assert compare(two.engine, two.server)
    for table in ("work_order", "stage", "issue"):
        assert two.ask(f"SELECT 1 FROM {table} WHERE version=0") == []
    assert two.row("note", note) is not None
    two.prove_text_index()
    world.settle()
    world.check()


def test_a_refused_order_is_made_again_with_another_number_and_found_by_it_alone(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    _order(one, number="X-1")
    order = _order(two, number="X-1")
    one.sync()
    two.sync()
    (source, n), *_ = two.ask("SELECT source, n FROM conflict")
    values = {f"work_order/{order}/number": "X-2"}
    two.do(settle_conflict(source=UUID(source), n=n, take=Take.OTHER, values=values))
    two.prove_text_index()
    world.settle()
    world.check()
    assert {row["number"] for row in one.rows()["work_order"].values()} == {"X-1", "X-2"}


def test_anothers_row_with_the_same_typed_number_is_shown_and_the_own_one_waits(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    theirs = _order(one, number="X-1")
    mine = _order(two, number="X-1")
    later = _order(two)
    one.sync()
    pull_all(two.engine, two.server)
    assert two.row("work_order", theirs) is not None
    assert two.row("work_order", mine) is None
    assert two.row("work_order", later) is not None
    assert two.states() == ["pending", "pending"]
    world.settle()
    assert two.states() == ["parked", "done"]
    world.check()


@pytest.mark.parametrize("wrong", ["one is missing", "two change places", "one says something else"])
def test_a_log_that_is_told_wrong_is_not_followed(world: World, wrong: Wrong) -> None:
    one, two = world.station("01"), world.station("02")
    world.line = BadLine
    two.hang_up()
    for text in ("a", "b", "c"):
        one.do(write_note(at=START, text=text))
    one.sync()
    BadLine.mixed_up = wrong
    done = two.sync()
    assert BadLine.mixed_up == "", "the log was asked for"
    assert done.baseline, "what is in doubt is fetched anew"
    assert two.rows() == one.rows()
    world.settle()
    world.check()


def test_numbers_that_two_orders_exchange_arrive_in_one_page(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    a, b = _order(one, number="A"), _order(one, number="B")
    world.settle()
    with world.server.connect() as connection:  # no operation of today changes a number
        for i, version, new, old in [(a, 2, "C", "A"), (b, 2, "A", "B"), (a, 3, "B", "C")]:
            connection.execute(
                "UPDATE lineside.work_order SET number=%s, version=%s WHERE id=%s", (new, version, i)
            )
            change = {"k": "u", "v": version, "set": {"number": new}, "was": {"number": old}}
            row = {"e": "work_order", "id": str(i), **change}
            connection.execute("SELECT sync._log_own('renumber', 'Renumbered', %s)", (Jsonb([row]),))
    world.settle()
    assert (two.row("work_order", a) or {})["number"] == "B"
    assert (two.row("work_order", b) or {})["number"] == "A"
    world.check()


def test_days_of_work_without_a_server_arrive_in_order(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    notes = [one.do(write_note(at=START, text=f"note {i}")).result for i in range(60)]
    for index, note in enumerate(notes):
        if index % 3 == 0:
            one.do(edit_note(note_id=note, text="changed"))
        if index % 5 == 0:
            one.do(delete_note(note_id=note))
    moved = one.sync()
    assert moved.answered == 60 + 20 + 12
    two.sync()
    assert two.rows() == one.rows()
    world.settle()
    world.check()
