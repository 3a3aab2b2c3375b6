"""Imports and long histories: thousands of rows in one entry, thousands of entries behind."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.operations.change import Change, operation
from app.operations.notes import write_note
from app.operations.undo import undo
from app.store.tables import Note
from app.sync import round as rounds
from app.sync.pulling import pull_all
from tests.sync.harness import START, World

ROWS = 10_000


@operation(None)
def write_many_notes(change: Change, /, *, count: int) -> None:
    """Many rows in one change, as an import makes them."""
    facts = {"at": START, "written_at": START, "equipment": "", "tag": "", "author": change.actor.name}
    change.insert(Note, [{"id": change.new_id(), "text": f"note {i}", **facts} for i in range(count)])


def test_ten_thousand_imported_rows_travel_as_one_entry_and_their_undo_too(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    done = one.do(write_many_notes(count=ROWS))
    assert one.sync().answered == 1
    assert two.sync().pulled == 1
    assert len(two.rows()["note"]) == ROWS
    two.do(write_note(at=START, text="one more"))
    one.do(undo(change_id=done.change_id))
    world.settle()
    world.check()
    assert [row["text"] for row in two.rows()["note"].values() if not row["deleted"]] == ["one more"]


def test_a_long_log_comes_in_pages_and_each_page_whole(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    for index in range(25):
        one.do(write_note(at=START, text=f"{index}"))
    one.sync()
    assert pull_all(two.engine, two.server, page=7) == 25
    world.settle()
    world.check()


def test_a_page_of_the_log_ends_after_so_many_bytes_but_always_goes_on(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    for _ in range(4):
        one.do(write_many_notes(count=200))
    one.sync()
    head = one.cursor()
    assert [line.seq for line in one.server.feed(head - 3, 500, most_bytes=1)] == [head - 3, head - 2]
    assert [line.seq for line in one.server.feed(head - 3, 500)][-1] == head
    two.sync()
    assert len(two.rows()["note"]) == 800


def test_who_is_far_behind_fetches_the_rows_and_not_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = world.station("01"), world.station("02")
    for index in range(12):
        one.do(write_note(at=START, text=f"{index}"))
    one.sync()
    monkeypatch.setattr(rounds, "FAR_BEHIND", 10)
    assert two.sync().baseline
    assert two.ask("SELECT count(*) FROM shared_change WHERE operation='write_note'") == [(12,)]
    world.settle()
    world.check()


@operation(None)
def write_in_many_steps(change: Change, /) -> UUID:
    """A row that is made in bulk, changed, flushed, and patched, all in one change."""
    facts = {"at": START, "written_at": START, "equipment": "", "tag": "", "author": change.actor.name}
    ids = [change.new_id() for _ in range(2)]
    change.insert(Note, [{"id": row_id, "text": "made", **facts} for row_id in ids])
    for text in ("once", "twice"):
        for row_id in ids:
            change.session.get_one(Note, row_id).text = text
        change.session.flush()
    change.patch(Note, [(row_id, {"text": ("twice", "thrice")}) for row_id in ids])
    return ids[0]


@operation(None)
def change_in_many_steps(change: Change, /, *, note_id: UUID) -> None:
    """A row that one change changes three times."""
    note = change.session.get_one(Note, note_id)
    for text in ("four", "five"):
        note.text = text
        change.session.flush()
    change.patch(Note, [(note_id, {"text": ("five", "six")})])


def test_a_change_raises_the_version_of_a_row_once_on_both_sides(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    note = one.do(write_in_many_steps()).result
    one.do(change_in_many_steps(note_id=note))
    shown = one.row("note", note)
    assert shown is not None
    assert (shown["text"], shown["version"]) == ("six", 3)
    assert not one.sync().baseline
    assert one.row("note", note) == shown
    two.sync()
    assert two.row("note", note) == shown
    world.settle()
    world.check()
