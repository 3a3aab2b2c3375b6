"""The list of issues: the current one in full, steps by key, resolving with words, undo."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.domain.issues import IssueStatus, IssueType
from app.domain.people import Actor, Role
from app.operations.issues import raise_issue
from app.plant import House
from app.store.tables import Stage
from ui.bridge.desk import Desk
from ui.screens.issues import IssuesScreen
from ui.widgets.themed import RoleLabel


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, house: House, admin: Actor, order: Callable[..., UUID]) -> IssuesScreen:
    """One open issue of the kind quality, one of the kind material."""
    order_id = order()
    with house.store.reader() as session:
        stage_id = session.execute(
            select(Stage.id).where(Stage.work_order_id == order_id, Stage.position == 1)
        ).scalar_one()
    for title, kind in (("Burr", IssueType.QUALITY), ("No steel", IssueType.MATERIAL)):
        house.door.perform(raise_issue(stage_id=stage_id, title=title, type=kind), admin)
    made = IssuesScreen(desk)
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    qtbot.waitUntil(lambda: made.current().get("title") == "No steel", timeout=5000)
    return made


def words(screen: IssuesScreen) -> str:
    page = screen.details.widget()
    assert page is not None
    return "\n".join(label.text() for label in page.findChildren(RoleLabel))


def test_acknowledging_and_resolving_say_who_and_when(qtbot: QtBot, screen: IssuesScreen) -> None:
    QTest.keyClick(screen.list, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: "Acknowledged by Ada Boss" in words(screen), timeout=5000)
    screen.status.setCurrentIndex(screen.status.count() - 1)
    screen.status.activated.emit(screen.status.currentIndex())
    QTest.keyClick(screen.list, Qt.Key.Key_R)
    form = screen.forms.form
    assert form is not None
    form.submit()
    qtbot.waitUntil(lambda: form.error("resolution") is not None, timeout=5000)
    form.set_values({"resolution": "Steel arrived"})
    form.submit()
    qtbot.waitUntil(lambda: "Steel arrived" in words(screen), timeout=5000)
    assert screen.current()["status"] is IssueStatus.RESOLVED
    screen.actions_set.trigger("issues.reopen")
    qtbot.waitUntil(lambda: screen.current()["status"] is IssueStatus.OPEN, timeout=5000)


def test_a_kind_narrows_the_list(qtbot: QtBot, screen: IssuesScreen) -> None:
    screen.kind.setCurrentIndex(screen.kind.findText("Quality"))
    screen.kind.activated.emit(screen.kind.currentIndex())
    qtbot.waitUntil(lambda: screen.model.rowCount() == 1, timeout=5000)
    assert screen.model.values_at(0)["title"] == "Burr"


def test_a_step_that_does_not_fit_says_why(screen: IssuesScreen) -> None:
    assert screen.actions_set.reason("issues.reopen") == "This issue is open."


def test_who_may_not_handle_issues_sees_why(screen: IssuesScreen, as_role: Callable[[Role], Actor]) -> None:
    as_role(Role.OPERATOR)
    assert "may not acknowledge" in (screen.actions_set.reason("issues.acknowledge") or "")
