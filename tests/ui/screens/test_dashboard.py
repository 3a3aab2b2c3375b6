"""The dashboard: exceptions by name, every number a way to its list, the first steps in an empty store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.domain.equipment import EquipmentState
from app.domain.inspections import InspectionItem, ItemKind
from app.domain.stages import StageStatus
from app.operations.inspections import log_inspection
from app.operations.stages import move_stage
from app.store.tables import Stage
from tests.ui.plant import run_machines, station_falls_silent
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.dashboard import DashboardScreen
from ui.widgets.kpi import KpiTile
from ui.widgets.states import EmptyState


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk) -> Iterator[DashboardScreen]:
    made = DashboardScreen(desk, None)
    qtbot.addWidget(made)
    made.resize(1150, 640)
    made.show()
    yield made
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


def shown(tile: KpiTile) -> str:
    return tile.accessibleName().split(", ")[1]


def late(order: Callable[..., UUID], **values: object) -> UUID:
    now = datetime.now(UTC)
    return order(planned_start=now - timedelta(days=5), planned_end=now - timedelta(hours=4), **values)


def stages_of(desk: Desk, order_id: UUID) -> list[UUID]:
    with desk.house.store.reader() as session:
        found = select(Stage.id).where(Stage.work_order_id == order_id).order_by(Stage.position)
        return list(session.execute(found).scalars())


def test_an_empty_store_tells_the_first_three_steps_and_opens_them(
    qtbot: QtBot, screen: DashboardScreen
) -> None:
    qtbot.waitUntil(lambda: screen.pages.currentWidget() is screen.first, timeout=5000)
    button = screen.first.findChild(QPushButton, "first-step-import")
    assert button is not None
    with qtbot.waitSignal(screen.open_requested, timeout=2000) as asked:
        button.click()
    assert asked.args == ["import", None]


def test_a_late_order_and_one_that_cannot_be_done_in_time_are_named_and_opened(
    qtbot: QtBot, screen: DashboardScreen, order: Callable[..., UUID]
) -> None:
    late_id = late(order, product="RAIL-S")
    now = datetime.now(UTC)
    order(product="TIGHT", planned_start=now, planned_end=now + timedelta(hours=1))
    order(product="EASY", planned_start=now, planned_end=now + timedelta(days=2))
    qtbot.waitUntil(lambda: screen.risk.rowCount() == 2, timeout=5000)
    assert [row[1] for row in screen.risk.rows()] == ["RAIL-S", "TIGHT"]
    assert screen.risk.rows()[1][4].startswith("will be")
    assert (shown(screen.tiles["late"]), shown(screen.tiles["soon"])) == ("1", "1")
    with qtbot.waitSignal(screen.open_requested, timeout=2000) as asked:
        screen.risk_list.activated_row.emit(0)
    assert asked.args == ["orders", late_id]


def test_every_number_opens_its_list(
    qtbot: QtBot, screen: DashboardScreen, order: Callable[..., UUID]
) -> None:
    late(order)
    qtbot.waitUntil(lambda: screen.pages.currentIndex() == 0 and screen.risk.rowCount() == 1, timeout=5000)
    asked: list[tuple[str, object]] = []

    def note(place: str, argument: object) -> None:
        asked.append((place, argument))

    screen.open_requested.connect(note)
    tiles = [*screen.tiles.values(), *screen.statuses.values(), *screen.states.values()]
    for tile in tiles:
        tile.clicked.emit()
    assert len(asked) == len(tiles)
    assert asked[0] == ("orders", "open:yes due<now")
    assert ("equipment", f"state:{EquipmentState.CRITICAL.value}") in asked


def test_todays_inspections_and_a_move_on_the_board_show_by_themselves(
    qtbot: QtBot, desk: Desk, screen: DashboardScreen, order: Callable[..., UUID]
) -> None:
    assert desk.actor is not None
    stages = stages_of(desk, late(order))
    check = InspectionItem(ItemKind.CHECK, "Fits", False)
    desk.house.door.perform(log_inspection(stage_id=stages[0], items=[check]), desk.actor)
    desk.house.door.perform(move_stage(stage_id=stages[0], to=StageStatus.IN_PROGRESS), desk.actor)
    qtbot.waitUntil(lambda: shown(screen.tiles["failed"]) == "1", timeout=5000)
    assert screen.inspections.rows()[0][1] == "✖ fail"


def test_without_a_collector_machines_are_no_zeroes_but_unknown(qtbot: QtBot, desk: Desk) -> None:
    live = LiveDesk(desk)
    screen = DashboardScreen(desk, live)
    qtbot.addWidget(screen)
    screen.refresh()
    assert shown(screen.states[EquipmentState.OPERATIONAL]) == "–"
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)
    live.close()


def test_machines_of_a_station_that_is_not_heard_count_as_without_data(qtbot: QtBot, live: LiveDesk) -> None:
    run_machines(live, 5)
    screen = DashboardScreen(live.desk, live)
    qtbot.addWidget(screen)
    assert shown(screen.states[EquipmentState.UNKNOWN]) == "0"
    silent = {t.equipment for t in live.plant.tags_of("line-opcua")}
    station_falls_silent(live, "line-opcua", "07", minutes=3)
    screen.refresh()
    assert shown(screen.states[EquipmentState.UNKNOWN]) == str(len(silent))
    assert shown(screen.states[EquipmentState.OPERATIONAL]) == str(len(live.plant.equipment) - len(silent))
    empty = screen.alarm_list.findChild(EmptyState)
    assert empty is not None
    assert "station 07" in empty.text()


def test_it_fits_a_small_screen_without_scrolling(
    qtbot: QtBot, screen: DashboardScreen, order: Callable[..., UUID]
) -> None:
    late(order)
    qtbot.waitUntil(lambda: screen.risk.rowCount() == 1, timeout=5000)
    assert screen.minimumSizeHint().width() <= 1366 - 180
    assert screen.minimumSizeHint().height() <= 640
