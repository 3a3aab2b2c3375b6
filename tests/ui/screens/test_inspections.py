"""The inspections screen: an inspection logged with verdicts as typed, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.domain.inspections import InspectionItem, ItemKind, Verdict
from app.domain.people import Actor, Role
from app.operations.inspections import log_inspection
from app.store.tables import Inspection, InspectionResult, Stage
from ui.bridge.desk import Desk
from ui.models.inspection_draft import DraftItem, InspectionDraft, as_number, draft_from
from ui.models.preferences import remember
from ui.screens.inspections import InspectionsScreen

BORE = InspectionItem(ItemKind.MEASURE, "Bore", None, 12.0, "mm", 11.95, 12.05)


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk) -> Iterator[InspectionsScreen]:
    assert desk.actor is not None
    remember(str(desk.actor.user_id), "inspection-draft", "")
    made = InspectionsScreen(desk)
    qtbot.addWidget(made)
    made.resize(1280, 760)
    made.show()
    yield made
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


@pytest.fixture
def stage(desk: Desk, order: Callable[..., UUID]) -> UUID:
    order_id = order()
    with desk.house.store.reader() as session:
        return session.execute(
            select(Stage.id).where(Stage.work_order_id == order_id, Stage.name == "Weld")
        ).scalar_one()


def logged(desk: Desk) -> list[Inspection]:
    with desk.house.store.reader() as session:
        return list(session.execute(select(Inspection).order_by(Inspection.number)).scalars())


def begun(qtbot: QtBot, screen: InspectionsScreen, stage: UUID) -> None:
    screen.open_with(stage)
    qtbot.waitUntil(lambda: bool(screen.form.lines) and screen.form.draft.stage == stage, timeout=5000)


def test_a_checklist_is_answered_by_pick_and_logged(
    qtbot: QtBot, desk: Desk, screen: InspectionsScreen, stage: UUID
) -> None:
    begun(qtbot, screen, stage)
    for line in screen.form.lines[:-1]:
        line.passes.click()
    screen.form.lines[-1].fails.click()
    with qtbot.waitSignal(screen.form.logged, timeout=5000):
        screen.form.submit()
    assert [inspection.verdict for inspection in logged(desk)] == [Verdict.FAIL]
    qtbot.waitUntil(lambda: screen.model.rowCount() == 1, timeout=5000)


def test_the_next_inspection_of_the_stage_has_the_items_of_the_last_and_judges_a_decimal_comma_as_typed(
    qtbot: QtBot, desk: Desk, screen: InspectionsScreen, stage: UUID
) -> None:
    assert desk.actor is not None
    desk.house.door.perform(log_inspection(stage_id=stage, items=[BORE]), desk.actor)
    begun(qtbot, screen, stage)
    (line,) = screen.form.lines
    QTest.keyClicks(line.value, "12,3")
    assert line.verdict.text() == "✖ out"
    line.value.clear()
    QTest.keyClicks(line.value, "12,03")
    assert line.verdict.text() == "✔ in"
    QTest.keyClick(line.value, Qt.Key.Key_Return)
    with qtbot.waitSignal(screen.form.logged, timeout=5000):
        screen.form.submit()
    with desk.house.store.reader() as session:
        values = (
            session.execute(select(InspectionResult.value).order_by(InspectionResult.value)).scalars().all()
        )
    assert values == [12.0, 12.03]


def test_an_unanswered_item_is_named_beside_its_line_and_nothing_is_logged(
    qtbot: QtBot, desk: Desk, screen: InspectionsScreen, stage: UUID
) -> None:
    begun(qtbot, screen, stage)
    screen.form.lines[0].passes.click()
    screen.form.submit()
    assert screen.form.lines[1].item.name in screen.form.lines[1].error.text()
    assert logged(desk) == []


def test_what_was_typed_is_there_again_after_the_screen_was_closed_and_for_its_owner_only(
    qtbot: QtBot,
    desk: Desk,
    screen: InspectionsScreen,
    stage: UUID,
    as_role: Callable[[Role], Actor],
) -> None:
    owner = desk.actor
    begun(qtbot, screen, stage)
    screen.form.lines[0].fails.click()
    screen.form.note.setPlainText("scratch at the left")
    as_role(Role.INSPECTOR)
    assert screen.side.currentWidget() is screen.page
    screen.start()
    assert screen.form.note.toPlainText() == ""
    desk.set_actor(owner)
    later = InspectionsScreen(desk)
    qtbot.addWidget(later)
    later.start()
    assert later.form.note.toPlainText() == "scratch at the left"
    assert later.form.lines[0].item.answer == "fail"
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


def test_an_operator_is_told_why_he_may_not(
    qtbot: QtBot, desk: Desk, screen: InspectionsScreen, stage: UUID, as_role: Callable[[Role], Actor]
) -> None:
    as_role(Role.OPERATOR)
    with qtbot.waitSignal(desk.refused, timeout=2000):
        screen.open_with(stage)
    assert screen.side.currentWidget() is screen.page


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_means_the_same_with_comma_and_with_point(value: float) -> None:
    assert as_number(repr(value)) == as_number(repr(value).replace(".", ",")) == value


@given(st.text(), st.text(min_size=1), st.one_of(st.none(), st.floats(-1e6, 1e6)))
def test_a_draft_comes_back_as_it_was_written(note: str, name: str, lower: float | None) -> None:
    draft = InspectionDraft("", "title", note, [DraftItem("measure", name, "1,5", "mm", lower, None)])
    assert draft_from(draft.as_text()) == draft


def test_a_draft_that_cannot_be_read_is_none() -> None:
    assert draft_from("{broken") is None
    assert draft_from('{"stage_id": "no id"}') is None
