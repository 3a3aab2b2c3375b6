"""From an empty folder to a card moved on the board; then a second person without the right to any of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.domain.errors import Denied
from app.domain.people import Actor, Permission, Role, denial
from app.domain.stages import DEFAULT_ROUTE, StageStatus
from app.operations.orders import create_work_order
from app.operations.stages import advance_work_order
from app.plant import House, opened_house
from app.store.tables import Audit, Stage
from tests.ui.test_window_story import ADMIN, OPERATOR, SECRET, WAIT, form_of, log_in, type_into
from ui.models.form_card import FormCard
from ui.screens.board import BoardScreen
from ui.screens.orders import OrdersScreen
from ui.widgets.form import Form
from ui.window.desktop import Desktop
from ui.window.main_window import MainWindow

PaneT = TypeVar("PaneT", bound=QWidget)


def opened(window: MainWindow, place: str, kind: type[PaneT]) -> PaneT:
    pane = window.open_place(place)
    assert isinstance(pane, kind)
    return pane


def open_form(forms: FormCard) -> Form:
    assert forms.form is not None
    return forms.form


def stages_of(house: House) -> list[Stage]:
    with house.store.reader() as session:
        return list(session.execute(select(Stage).order_by(Stage.position)).scalars())


def denied_tries(house: House) -> list[str]:
    """Who tried what they may not; written down after the answer was given."""
    with house.store.reader() as session:
        return list(session.execute(select(Audit.actor).where(Audit.outcome == "denied")).scalars())


def write_order(qtbot: QtBot, window: MainWindow) -> None:
    """Types a new order into the form that its button opens."""
    orders = opened(window, "orders", OrdersScreen)
    button = orders.findChild(QWidget, "button-orders.new")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    form = open_form(orders.forms)
    for key, text in {"product": "FRAME-M", "customer": "Brandt Pumps"}.items():
        field = form.field(key)
        assert isinstance(field, QLineEdit)
        QTest.keyClicks(field, text)
    form.set_values({"quantity": 60})
    with qtbot.waitSignal(window.desk.performed, timeout=WAIT):
        QTest.keyClick(form.field("customer"), Qt.Key.Key_Return)


def test_from_an_empty_folder_to_a_card_that_moves_on_the_board(
    qtbot: QtBot, start: Callable[[], Desktop], data_dir: Path
) -> None:
    desktop = start()
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    type_into(form_of(desktop.login), name=ADMIN, password=SECRET, again=SECRET)
    qtbot.waitUntil(lambda: len(desktop.windows) == 1, timeout=WAIT)
    window = desktop.windows[0]
    house = window.desk.house
    assert stages_of(house) == []

    write_order(qtbot, window)
    assert [stage.name for stage in stages_of(house)] == [step.name for step in DEFAULT_ROUTE]

    board = opened(window, "board", BoardScreen)
    qtbot.waitUntil(lambda: any(column.cards for column in board.view.columns()), timeout=WAIT)
    first, second = (step.name for step in DEFAULT_ROUTE[:2])
    [card] = [card for column in board.view.columns() for card in column.cards]
    assert board.view.column_of(card.key) == first
    board.view.set_current_card(card.key)
    window.activateWindow()
    board.view.setFocus()
    qtbot.waitUntil(board.view.hasFocus, timeout=WAIT)
    for expected in (StageStatus.IN_PROGRESS, StageStatus.DONE):
        with qtbot.waitSignal(window.desk.performed, timeout=WAIT):
            QTest.keyClick(board.view, Qt.Key.Key_S)
        assert stages_of(house)[0].status is expected
        qtbot.waitUntil(lambda: not board.model.pending, timeout=WAIT)
    qtbot.waitUntil(lambda: board.view.column_of(card.key) == second, timeout=WAIT)
    qtbot.waitUntil(lambda: window.desk.tasks.idle, timeout=WAIT)

    again = start()
    window = log_in(qtbot, again, ADMIN)
    board = opened(window, "board", BoardScreen)
    qtbot.waitUntil(lambda: any(column.cards for column in board.view.columns()), timeout=WAIT)
    assert board.view.column_of(card.key) == second
    qtbot.waitUntil(lambda: window.desk.tasks.idle, timeout=WAIT)
    with again.inside.desk.house.store.reader() as session:
        told = session.execute(select(Audit.actor, Audit.operation).order_by(Audit.seq)).all()
    assert [tuple(line) for line in told if line.operation.endswith("work_order")] == [
        (ADMIN, "create_work_order"),
        (ADMIN, "advance_work_order"),
        (ADMIN, "advance_work_order"),
    ]


@pytest.fixture
def waiting_order(with_admin: Actor, data_dir: Path) -> UUID:
    """An order that an administrator made before."""
    with opened_house(data_dir) as house:
        return house.door.perform(create_work_order(product="FRAME-M", quantity=60), with_admin).result


def test_a_second_person_without_rights_sees_why_and_is_refused_below_the_screen(
    qtbot: QtBot, start: Callable[[], Desktop], waiting_order: UUID
) -> None:
    window = log_in(qtbot, start(), OPERATOR)
    house, actor = window.desk.house, window.desk.actor
    assert actor is not None
    assert actor.role is Role.OPERATOR

    orders = opened(window, "orders", OrdersScreen)
    button = orders.findChild(QWidget, "button-orders.new")
    assert button is not None
    reason = denial(Role.OPERATOR, Permission.PLAN_ORDERS)
    assert reason is not None
    assert not button.isEnabled()
    assert reason in button.toolTip()
    orders.actions_set.trigger("orders.new")
    assert orders.forms.form is None, "a key does not open what a button may not"

    board = opened(window, "board", BoardScreen)
    qtbot.waitUntil(lambda: window.desk.tasks.idle, timeout=WAIT)
    assert not any(column.cards for column in board.view.columns()), "the stages are nobody's"
    QTest.keyClick(board.view, Qt.Key.Key_S)
    with pytest.raises(Denied):
        house.door.perform(create_work_order(product="FRAME-M", quantity=1), actor)
    with pytest.raises(Denied, match="not assigned to you"):
        house.door.perform(advance_work_order(order_id=waiting_order), actor)
    qtbot.waitUntil(lambda: window.desk.tasks.idle, timeout=WAIT)

    assert {stage.status for stage in stages_of(house)} == {StageStatus.PLANNED}
    qtbot.waitUntil(lambda: denied_tries(house) == [OPERATOR, OPERATOR], timeout=WAIT)
