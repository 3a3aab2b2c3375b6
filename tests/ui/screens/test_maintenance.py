"""The maintenance screen: planning by keys, the current order in full, photos, marks, who else is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.errors import NotFound
from app.domain.maintenance import MaintenanceKind, MaintenancePriority, MaintenanceStatus
from app.domain.people import Actor, Role
from app.operations.maintenance import plan_maintenance
from app.plant import House
from app.store.queries.maintenance import read_maintenance
from app.store.queries.search import find_records
from app.sync.status import Presence
from tests.parking import AT, Parking, clash
from ui.bridge.desk import Desk
from ui.bridge.sync_status import CONFLICT_MARK, UNSENT_MARK
from ui.screens.maintenance import MaintenanceScreen
from ui.widgets.list_delegate import MARK_ROOM
from ui.widgets.list_view import ListView
from ui.widgets.roles import UnsentRole

WAIT = 15_000


@pytest.fixture
def plan(house: House, admin: Actor) -> Callable[..., UUID]:
    """Plans maintenance through the door."""

    def make(title: str = "Grease the spindle", **values: Any) -> UUID:
        return house.door.perform(plan_maintenance(title=title, **values), admin).result

    return make


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk) -> MaintenanceScreen:
    made = MaintenanceScreen(desk)
    qtbot.addWidget(made)
    made.resize(1170, 640)
    made.show()
    return made


def test_the_first_order_is_planned_from_the_empty_list_by_keys(
    qtbot: QtBot, desk: Desk, screen: MaintenanceScreen
) -> None:
    qtbot.waitUntil(lambda: "Nothing is open" in _empty_words(screen.list), timeout=WAIT)
    QTest.keyClick(screen.list, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    form = screen.forms.form
    assert form is not None
    form.submit()
    qtbot.waitUntil(lambda: form.error("title") is not None, timeout=WAIT)
    QTest.keyClicks(form.field("title"), "Torque the bolts")
    form.set_values(
        {"equipment": "OVEN-2", "kind": "corrective", "priority": "critical", "assignee": "K. Osei"}
    )
    QTest.keyClick(form.field("title"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Torque the bolts" in screen.panel.text(), timeout=WAIT)
    said = screen.panel.text().splitlines()
    assert "A-MO-000001 · corrective maintenance" in said
    for name, value in (
        ("Status", "○ scheduled"),
        ("Priority", "!! critical"),
        ("Machine", "OVEN-2"),
        ("Assigned to", "K. Osei"),
    ):
        assert said[said.index(name) + 1] == value
    qtbot.waitUntil(lambda: "Planned maintenance A-MO-000001" in screen.panel.text(), timeout=WAIT)  # history


def test_an_order_that_is_past_its_time_says_so_and_completed_ones_leave_the_open_list(
    qtbot: QtBot,
    house: House,
    screen: MaintenanceScreen,
    plan: Callable[..., UUID],
    parking: Parking,
) -> None:
    now = house.door.clock()
    late = plan("Late one", due_at=now - timedelta(hours=26))
    done = plan("Done one", due_at=now - timedelta(hours=5))
    plan("Next one", due_at=now + timedelta(days=2))
    parking.set_row(
        "maintenance_order", done, status=MaintenanceStatus.COMPLETED, completed_at=now - timedelta(hours=2)
    )
    screen.refresh()
    qtbot.waitUntil(lambda: screen.model.rowCount() == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: "Late one" in screen.panel.text(), timeout=WAIT)  # the soonest first
    assert "⚠ It is 1 d 2 h late." in screen.panel.text()
    screen.status.setCurrentIndex(1)
    screen.status.activated.emit(screen.status.currentIndex())
    qtbot.waitUntil(lambda: [row["id"] for row in _rows(screen)] == [late], timeout=WAIT)
    screen.open_with(done)
    qtbot.waitUntil(lambda: "It was 3 h late" in screen.panel.text(), timeout=WAIT)
    assert "✔ completed" in screen.panel.text()


def test_arrows_go_through_the_orders_and_words_narrow_them(
    qtbot: QtBot, screen: MaintenanceScreen, plan: Callable[..., UUID], house: House
) -> None:
    for number in range(3):
        due = house.door.clock() + timedelta(days=number)
        plan(f"Job {number}", due_at=due, equipment=f"PRESS-{number}")
    screen.refresh()
    qtbot.waitUntil(lambda: "Job 0" in screen.panel.text(), timeout=WAIT)
    QTest.keyClick(screen.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: "Job 1" in screen.panel.text(), timeout=WAIT)
    screen.open_with("machine:PRESS-2")
    qtbot.waitUntil(lambda: "Job 2" in screen.panel.text(), timeout=WAIT)
    screen.open_with("machine:nowhere")
    qtbot.waitUntil(lambda: screen.model.rowCount() == 0, timeout=WAIT)
    assert "Choose a maintenance order" in screen.panel.text()
    assert screen.panel.files.isHidden()


def test_photos_belong_to_an_order(
    qtbot: QtBot, screen: MaintenanceScreen, plan: Callable[..., UUID], tmp_path: Path
) -> None:
    plan()
    screen.refresh()
    qtbot.waitUntil(screen.panel.files.isVisible, timeout=WAIT)
    report = tmp_path / "worn seal.pdf"
    report.write_bytes(b"%PDF-1.4 not much")
    screen.panel.files.take_files([report])
    qtbot.waitUntil(
        lambda: [file.name for file in screen.panel.files.files] == ["worn seal.pdf"], timeout=WAIT
    )


def test_rows_carry_the_marks_of_sharing_and_lead_to_their_conflict(
    qtbot: QtBot, screen: MaintenanceScreen, plan: Callable[..., UUID], parking: Parking, desk: Desk
) -> None:
    qtbot.waitUntil(lambda: desk.sharing.now.joined, timeout=WAIT)
    row = plan()
    model = screen.model
    qtbot.waitUntil(
        lambda: model.rowCount() == 1 and model.data(model.index(0, 0), UnsentRole) == UNSENT_MARK,
        timeout=WAIT,
    )
    first = screen.list.visualRect(model.index(0, 0))
    words = QFontMetrics(screen.list.font()).horizontalAdvance("07-MO-000001")
    assert first.width() >= words + MARK_ROOM + 16  # the number is not cut by its sign
    conflict = parking.park(fields=[clash("maintenance_order", row, "title", "Oil", "Grease", "Wash")])
    qtbot.waitUntil(lambda: model.data(model.index(0, 0), UnsentRole) == CONFLICT_MARK, timeout=WAIT)
    with qtbot.waitSignal(screen.open_requested, timeout=WAIT) as opened:
        cell = screen.list.visualRect(model.index(0, 0))
        at = QPoint(cell.right() - 6, cell.center().y())
        QTest.mouseClick(screen.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert opened.args == ["sharing", conflict.seq]
    qtbot.waitUntil(screen.panel.sharing.button.isVisible, timeout=WAIT)
    with qtbot.waitSignal(screen.open_requested, timeout=WAIT) as opened:
        screen.panel.sharing.button.click()
    assert opened.args == ["sharing", conflict.seq]


def test_who_else_has_the_order_open_is_told(
    qtbot: QtBot,
    screen: MaintenanceScreen,
    plan: Callable[..., UUID],
    parking: Parking,
    told: Callable[..., None],
) -> None:
    row = plan()
    screen.refresh()
    told(presence=(Presence("maintenance_order", str(row), "K. Osei", "03", AT),))
    qtbot.waitUntil(screen.panel.sharing.words.isVisible, timeout=WAIT)
    assert screen.panel.sharing.words.text() == "K. Osei has this open on station 03"


def test_an_inspector_is_told_why_planning_is_not_theirs(
    qtbot: QtBot, desk: Desk, screen: MaintenanceScreen, as_role: Callable[[Role], Actor]
) -> None:
    as_role(Role.INSPECTOR)
    with qtbot.waitSignal(desk.refused) as refused:
        QTest.keyClick(screen.list, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert "may not plan maintenance" in refused.args[0]
    assert screen.forms.form is None


def test_the_palette_finds_an_order_by_its_machine(house: House, plan: Callable[..., UUID]) -> None:
    row = plan("Change the oil", equipment="CONV-1", priority=MaintenancePriority.HIGH)
    plan("Look at the belt", equipment="CONV-2", kind=MaintenanceKind.EMERGENCY)
    with house.store.reader() as session:
        found = [one for one in find_records(session, "conv-1") if one.place == "maintenance"]
    assert [(one.id, one.title, one.hint) for one in found] == [
        (row, "A-MO-000001 · Change the oil", "Maintenance · CONV-1")
    ]


def test_what_is_not_there_is_not_read(house: House) -> None:
    with house.store.reader() as session, pytest.raises(NotFound):
        read_maintenance(session, UUID(int=7), house.door.clock())


def _rows(screen: MaintenanceScreen) -> list[Any]:
    return [screen.model.values_at(row) for row in range(screen.model.rowCount())]


def _empty_words(view: ListView) -> str:
    return view._empty.text()
