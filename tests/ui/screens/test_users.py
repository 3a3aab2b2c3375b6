"""The users screen: adding people, their roles, what is refused and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.people import PERMISSIONS, Permission, Role
from app.operations.login import log_in
from app.operations.people import add_user
from ui.bridge.desk import Desk
from ui.screens.users import UsersScreen
from ui.screens.users.one_time_password import OneTimeCard, one_time_password
from ui.screens.users.permission_matrix import PermissionModel

WAIT = 10_000


def opened(qtbot: QtBot, desk: Desk, rows: int) -> UsersScreen:
    screen = UsersScreen(desk)
    qtbot.addWidget(screen)
    screen.show()
    qtbot.waitUntil(lambda: screen.model.rowCount() == rows, timeout=WAIT)
    return screen


def test_an_added_person_logs_in_with_the_password_that_is_shown_once(qtbot: QtBot, desk: Desk) -> None:
    screen = opened(qtbot, desk, 1)
    screen.actions_set.trigger("users.new")
    form = screen.forms.form
    assert form is not None
    name = form.field("name")
    assert isinstance(name, QLineEdit)
    name.setText("Jo Wolf")
    form.submit()
    qtbot.waitUntil(lambda: bool(screen.findChildren(OneTimeCard)), timeout=WAIT)
    shown = screen.findChildren(OneTimeCard)[0].shown.text()
    login = log_in(desk.house.door, "jo wolf", shown)
    assert login.must_change_password
    assert login.actor.role is Role.OPERATOR
    qtbot.waitUntil(lambda: screen.model.rowCount() == 2, timeout=WAIT)


def test_the_only_administrator_cannot_be_disabled(qtbot: QtBot, desk: Desk) -> None:
    screen = opened(qtbot, desk, 1)
    screen.list.selectRow(0)
    with qtbot.waitSignal(desk.refused, timeout=WAIT) as told:
        screen.actions_set.trigger("users.disable")
    assert "only administrator" in told.args[0]


def test_a_disabled_person_is_enabled_again_and_the_button_says_why_not(qtbot: QtBot, desk: Desk) -> None:
    assert desk.actor is not None
    desk.house.door.perform(add_user(name="Zoe", role=Role.OPERATOR, password="a fine long one"), desk.actor)
    screen = opened(qtbot, desk, 2)
    screen.list.selectRow(1)
    outcomes: list[Any] = []
    desk.performed.connect(outcomes.append)
    screen.actions_set.trigger("users.disable")
    qtbot.waitUntil(lambda: screen.current().get("disabled") is True, timeout=WAIT)
    assert screen.actions_set.reason("users.disable") == "Zoe is disabled already."
    assert not outcomes[0].undoable  # an undo would give rights back behind the administrator's back
    screen.actions_set.trigger("users.enable")
    qtbot.waitUntil(lambda: screen.current().get("disabled") is False, timeout=WAIT)


def test_without_the_right_every_button_is_disabled_with_the_reason(
    qtbot: QtBot, desk: Desk, as_role: Callable[[Role], object]
) -> None:
    screen = opened(qtbot, desk, 1)
    as_role(Role.SUPERVISOR)
    for key in ("users.new", "users.role", "users.reset"):
        button = screen.findChild(QWidget, f"button-{key}")
        assert isinstance(button, QPushButton)
        assert not button.isEnabled()
        assert "may not manage users" in button.toolTip()
        assert "may not manage users" in button.accessibleName()


def test_the_matrix_shows_the_one_permission_table(qtbot: QtBot, desk: Desk) -> None:
    model = PermissionModel()
    for row, permission in enumerate(Permission):
        for column, role in enumerate(Role):
            expected = "✔" if role in PERMISSIONS[permission] else "–"
            assert model.index(row, column).data() == expected
    model.deleteLater()


def test_one_time_passwords_fit_the_rule_and_differ() -> None:
    from app.domain.people import check_password

    many = {one_time_password() for _ in range(50)}
    assert len(many) == 50
    for password in many:
        check_password(password, "Jo Wolf")
