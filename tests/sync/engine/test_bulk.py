"""Imports and long histories: thousands of rows in one entry, thousands of entries behind."""

from __future__ import annotations

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
