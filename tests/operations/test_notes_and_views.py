"""Notes on curves and saved views through the door, and what happened around machines as marks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.errors import Denied, Refused
from app.domain.people import Role
from app.domain.plant import Equipment, Plant
from app.operations.notes import delete_note, edit_note, write_note
from app.operations.saved_views import delete_view, rename_view, save_view, share_view
from app.operations.stages import advance_work_order
from app.operations.undo import undo
from app.store.history import AlarmRecord
from app.store.queries.chart_events import EventKind, alarm_events, order_run, work_events
from app.store.queries.notes import notes_between
from app.store.queries.saved_views import saved_views
from tests.operations.shop import Shop

PLANT = Plant((Equipment("CNC-2", "Mill"), Equipment("OVEN", "Oven")))


def test_a_note_is_read_with_its_author_and_only_they_may_change_it(shop: Shop) -> None:
    note_id = shop.do(write_note(at=shop.now, text="Tool changed", equipment="CNC-2"), Role.OPERATOR).result
    with pytest.raises(Denied, match="Only"):
        shop.do(edit_note(note_id=note_id, text="No"), Role.ADMIN)
    shop.do(edit_note(note_id=note_id, text="Tool 7 changed"), Role.OPERATOR)
    hour = timedelta(hours=1)
    with shop.house.store.reader() as session:
        (note,) = notes_between(session, shop.now - hour, shop.now + hour, {"CNC-2"})
        assert (note.text, note.author) == ("Tool 7 changed", shop.people[Role.OPERATOR].name)
        assert notes_between(session, shop.now - hour, shop.now + hour, {"OVEN"}) == []
    deleted = shop.do(delete_note(note_id=note_id), Role.OPERATOR)
    with shop.house.store.reader() as session:
        assert notes_between(session, shop.now - hour, shop.now + hour, {"CNC-2"}) == []
    shop.do(undo(change_id=deleted.change_id), Role.OPERATOR)
    with shop.house.store.reader() as session:
        assert len(notes_between(session, shop.now - hour, shop.now + hour, {"CNC-2"})) == 1


def test_an_empty_note_is_refused_at_its_field(shop: Shop) -> None:
    with pytest.raises(Refused) as refused:
        shop.do(write_note(at=shop.now, text="  "), Role.OPERATOR)
    assert refused.value.field == "text"


def test_a_view_is_kept_under_its_name_shared_renamed_and_deleted_by_its_owner(shop: Shop) -> None:
    mine, other = shop.people[Role.TECHNICIAN].name, shop.people[Role.OPERATOR].name

    def names(person: str) -> list[str]:
        with shop.house.store.reader() as session:
            return [view.name for view in saved_views(session, "charts", person)]

    first = shop.do(save_view(place="charts", name="Ovens", content={"tags": ["a"]}), Role.TECHNICIAN).result
    again = shop.do(save_view(place="charts", name="Ovens", content={"tags": ["b"]}), Role.TECHNICIAN).result
    assert first == again
    assert (names(mine), names(other)) == (["Ovens"], [])
    with shop.house.store.reader() as session:
        assert saved_views(session, "charts", mine)[0].content == {"tags": ["b"]}
    shop.do(share_view(view_id=first, shared=True), Role.TECHNICIAN)
    assert names(other) == ["Ovens"]
    with pytest.raises(Denied, match="save a copy"):
        shop.do(delete_view(view_id=first), Role.OPERATOR)
    shop.do(save_view(place="charts", name="Mills", content={}), Role.TECHNICIAN)
    with pytest.raises(Refused, match="already"):
        shop.do(rename_view(view_id=first, name="Mills"), Role.TECHNICIAN)
    shop.do(rename_view(view_id=first, name="All ovens"), Role.TECHNICIAN)
    assert names(mine) == ["All ovens", "Mills"]
    shop.do(delete_view(view_id=first), Role.TECHNICIAN)
    assert (names(mine), names(other)) == (["Mills"], [])


def test_stage_changes_and_notes_are_marks_with_something_to_open(shop: Shop) -> None:
    order_id = shop.order()
    shop.do(advance_work_order(order_id=order_id))
    shop.do(write_note(at=shop.now, text="Everything smells", equipment=""), Role.OPERATOR)
    start, end = shop.now - timedelta(hours=1), shop.now + timedelta(hours=1)
    with shop.house.store.reader() as session:
        events = work_events(session, PLANT, {"CNC-2"}, start, end)
        number = shop.read(order_id).number
        assert {event.kind for event in events} == {EventKind.STAGE, EventKind.NOTE}
        stage = next(event for event in events if event.kind is EventKind.STAGE)
        assert (stage.place, stage.argument) == ("orders", order_id)
        assert stage.text.startswith(number)
        assert order_run(session, number.lower()) == (shop.now, None)
        assert order_run(session, "nothing") is None
        assert work_events(session, PLANT, {"CNC-2"}, end, end + timedelta(hours=1)) == []


def test_an_alarm_is_marked_where_it_was_raised_and_where_it_returned(shop: Shop) -> None:
    record = AlarmRecord(
        id="x#1", key="x", tag="CNC-2/vibration", kind=Kind.VALUE, occurrence=1, priority=2,
        urgency=Urgency.WARNING, limit=Limit.HI, value=2.5, phase=Phase.NORMAL,
        raised_at=shop.now, returned_at=shop.now + timedelta(minutes=5),
    )  # fmt: skip
    events = alarm_events([record], shop.now - timedelta(hours=1), shop.now + timedelta(hours=1))
    assert [(event.over, event.priority, event.argument) for event in events] == [
        (False, 2, "x"),
        (True, 2, "x"),
    ]
    assert len(alarm_events([record], shop.now + timedelta(minutes=1), shop.now + timedelta(hours=1))) == 1
