"""The stage board: mouse, key and menu do the same, illegal drops say why, operators see their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.domain.people import Actor, Role
from app.domain.stages import StageStatus
from app.operations.stages import advance_work_order, assign_stages, move_stage
from app.plant import House
from app.store.tables import Audit, Issue, Stage
from ui.bridge.desk import Desk
from ui.models.board import DONE_COLUMN
from ui.models.preferences import remember
from ui.screens.board import BoardScreen

Make = Callable[..., UUID]
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def stage_of(house: House, order_id: UUID, position: int = 1) -> Stage:
    with house.store.reader() as session:
        found = select(Stage).where(Stage.work_order_id == order_id, Stage.position == position)
        return session.execute(found).scalar_one()


def last_audit(house: House) -> tuple[str, str, str]:
    with house.store.reader() as session:
        line = session.execute(select(Audit).order_by(Audit.seq.desc()).limit(1)).scalar_one()
        return line.operation, line.outcome, line.sentence


@pytest.fixture
def board(qtbot: QtBot, desk: Desk, order: Make, house: House, admin: Actor) -> BoardScreen:
    """A board with one order whose first stage is in progress, and one that is planned."""
    started, _waiting = order(number="WO-1"), order(number="WO-2")
    house.door.perform(advance_work_order(order_id=started), admin)
    screen = BoardScreen(desk)
    qtbot.addWidget(screen)
    screen.resize(1700, 800)
    screen.show()
    qtbot.waitUntil(lambda: len(screen.model.board.orders) == 2, timeout=5000)
    return screen


def card_of(board: BoardScreen, number: str) -> str:
    return next(str(order.id) for order in board.model.board.orders if order.number == number)


def column_of(board: BoardScreen, card: str) -> str:
    return board.view.column_of(card)


def drag(board: BoardScreen, card: str, column: str) -> None:
    view = board.view.viewport()
    start = board.view.card_rect(card).center()
    QTest.mousePress(view, LEFT, NONE, start)
    QTest.mouseMove(view, start + QPoint(40, 20))
    QTest.mouseMove(view, board.view.column_rect(column).center())
    QTest.mouseRelease(view, LEFT, NONE, board.view.column_rect(column).center())


def by_menu(board: BoardScreen, card: str, column: str) -> None:
    board.view.set_current_card(card)
    board.choose_target()
    next(a for a in board._menu.actions() if a.text() == f"&{column}").trigger()
    board._menu.close()


def by_key(board: BoardScreen, card: str, column: str) -> None:
    board.view.set_current_card(card)
    board.view.setFocus()
    QTest.keyClick(board.view, Qt.Key.Key_M)
    menu = board._menu
    QTest.keyClicks(menu, column[0].lower())
    menu.close()


@pytest.mark.qt_log_ignore("grabbing the keyboard", extend=True)
@pytest.mark.parametrize("way", [drag, by_menu, by_key])
def test_a_move_by_mouse_menu_or_key_leaves_the_same_audit_line(
    qtbot: QtBot, board: BoardScreen, house: House, way: Callable[[BoardScreen, str, str], None]
) -> None:
    card = card_of(board, "WO-1")
    way(board, card, "Weld")
    assert column_of(board, card) == "Weld", "the card moves at once"
    qtbot.waitUntil(lambda: last_audit(house)[0] == "move_order_to_stage", timeout=5000)
    assert last_audit(house) == ("move_order_to_stage", "done", "Moved WO-1 to Weld")
    qtbot.waitUntil(lambda: not board.model.pending, timeout=5000)
    assert column_of(board, card) == "Weld"
    assert stage_of(house, UUID(card), 2).status is StageStatus.IN_PROGRESS


def test_an_illegal_drop_is_refused_with_words_before_and_after_the_release(
    qtbot: QtBot, board: BoardScreen, desk: Desk, house: House
) -> None:
    card = card_of(board, "WO-1")
    assert board.model.refusal(card, "Paint") == "Finish Cut, Weld first; the route goes in order."
    assert board.model.refusal(card_of(board, "WO-2"), "Weld") == "Start Cut first; the route goes in order."
    before = last_audit(house)
    drag(board, card, "Paint")
    assert column_of(board, card) == "Cut"
    with qtbot.waitSignal(desk.refused) as refused:
        board.move_card(card, "Paint")
    assert refused.args == ["Finish Cut, Weld first; the route goes in order."]
    assert last_audit(house) == before


def test_a_card_snaps_back_with_the_sentence_when_someone_was_faster(
    qtbot: QtBot, board: BoardScreen, desk: Desk, house: House, admin: Actor
) -> None:
    card = card_of(board, "WO-1")
    stage = stage_of(house, UUID(card))
    desk.blockSignals(True)
    house.door.perform(move_stage(stage_id=stage.id, to=StageStatus.BLOCKED, reason="no steel"), admin)
    desk.blockSignals(False)
    with qtbot.waitSignal(desk.refused, timeout=5000) as refused:
        board.move_card(card, "Weld")
    assert refused.args == ["Cut is blocked: no steel"]
    assert column_of(board, card) == "Cut"


def test_s_goes_the_next_step_and_the_undo_brings_the_card_back(
    qtbot: QtBot, board: BoardScreen, desk: Desk, house: House
) -> None:
    card = card_of(board, "WO-1")
    board.view.set_current_card(card)
    with qtbot.waitSignal(desk.performed, timeout=5000) as performed:
        QTest.keyClick(board.view, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: column_of(board, card) == "Weld", timeout=5000)
    outcome: Any = performed.args
    desk.undo(outcome[0].change_id)
    qtbot.waitUntil(lambda: column_of(board, card) == "Cut", timeout=5000)


def test_a_block_needs_a_reason_which_the_card_then_shows(
    qtbot: QtBot, board: BoardScreen, house: House
) -> None:
    card = card_of(board, "WO-1")
    board.view.set_current_card(card)
    QTest.keyClick(board.view, Qt.Key.Key_B)
    form = board.forms.form
    assert form is not None
    form.submit()
    qtbot.waitUntil(lambda: form.error("reason") == "Say why the stage is blocked.", timeout=5000)
    form.set_values({"reason": "waits for paint"})
    form.submit()
    qtbot.waitUntil(
        lambda: any(c.blocked_reason == "waits for paint" for c in board.view.columns()[0].cards),
        timeout=5000,
    )
    board.actions_set.trigger("board.unblock")
    qtbot.waitUntil(lambda: not any(c.blocked_reason for c in board.view.columns()[0].cards), timeout=5000)
    assert stage_of(house, UUID(card)).status is StageStatus.IN_PROGRESS


def test_an_issue_raised_on_a_card_shows_on_it(qtbot: QtBot, board: BoardScreen, house: House) -> None:
    card = card_of(board, "WO-1")
    board.view.set_current_card(card)
    QTest.keyClick(board.view, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    form = board.forms.form
    assert form is not None
    form.set_values({"title": "Burr on the edge"})
    form.submit()
    qtbot.waitUntil(lambda: "⚑ 1" in board.view.columns()[0].cards[0].badges, timeout=5000)
    with house.store.reader() as session:
        assert session.execute(select(Issue.title)).scalar_one() == "Burr on the edge"


def test_an_operator_sees_only_the_stages_assigned_to_them(
    qtbot: QtBot, board: BoardScreen, house: House, admin: Actor, as_role: Callable[[Role], Actor]
) -> None:
    mine = card_of(board, "WO-1")
    operator = as_role(Role.OPERATOR)
    qtbot.waitUntil(lambda: not board.model.board.orders, timeout=5000)
    assert not board.scope.owner.isEnabled()
    stage = stage_of(house, UUID(mine))
    house.door.perform(assign_stages(ids=[stage.id], assignee_id=operator.user_id), admin)
    qtbot.waitUntil(lambda: [str(o.id) for o in board.model.board.orders] == [mine], timeout=5000)
    assert board.model.refusal(mine, "Weld") == (
        "Weld is not assigned to you; ask a supervisor to assign it or to move it."
    )


def test_the_last_stage_is_finished_by_dropping_it_on_done(
    qtbot: QtBot, board: BoardScreen, house: House, admin: Actor
) -> None:
    card = card_of(board, "WO-1")
    for _ in range(8):
        house.door.perform(advance_work_order(order_id=UUID(card)), admin)
    qtbot.waitUntil(lambda: column_of(board, card) == "Pack", timeout=5000)
    board.move_card(card, DONE_COLUMN)
    qtbot.waitUntil(lambda: len(board.model.board.done_today) == 1, timeout=5000)
    assert column_of(board, card) == DONE_COLUMN


def test_a_column_over_its_limit_is_outlined(qtbot: QtBot, board: BoardScreen) -> None:
    remember("", "board/limits", '{"Cut": 1}')
    board.refresh()
    qtbot.waitUntil(lambda: board.view.columns()[0].over_limit, timeout=5000)
    remember("", "board/limits", "{}")


def test_escape_takes_the_panel_away_and_leads_back_to_the_cards(qtbot: QtBot, board: BoardScreen) -> None:
    board.view.set_current_card(card_of(board, "WO-1"))
    board.view.setFocus()
    QTest.keyClick(board.view, Qt.Key.Key_Space)
    qtbot.waitUntil(board.panel.isVisible)
    QTest.keyClick(board.view, Qt.Key.Key_Escape)
    assert not board.panel.isVisible()
