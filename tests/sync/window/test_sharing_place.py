"""The place for sharing over a real server: a real conflict is settled by hand, a real process is kept and asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.conflicts import Take
from app.domain.people import Role
from app.operations.orders import create_work_order, edit_work_orders
from tests.sync.harness import SyncedStation, World
from ui.bridge.desk import Desk
from ui.bridge.sync_keeper import SyncKeeper
from ui.bridge.sync_status import CONFLICT_MARK
from ui.screens.sync import SharingScreen
from ui.tasks import Tasks
from ui.theme import Theme, install_theme

WAIT = 30_000


@pytest.fixture
def here(world: World) -> SyncedStation:
    return world.station("01")


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication, here: SyncedStation, world: World) -> Iterator[Desk]:
    """A desk at station 01 with the manager logged in."""
    if Theme.installed is None:
        install_theme(qapp, "light")
    tasks = Tasks()
    made = Desk(here.house, tasks)
    made.set_actor(world.people[Role.MANAGER])
    qtbot.waitUntil(lambda: made.sharing.now.joined, timeout=WAIT)
    yield made
    made.close()
    tasks.close()
    made.deleteLater()
    tasks.deleteLater()


def test_a_collision_of_two_stations_is_settled_on_the_screen_and_both_agree(
    qtbot: QtBot, world: World, here: SyncedStation, desk: Desk
) -> None:
    there = world.station("02")
    order = here.do(create_work_order(product="FRAME-M", quantity=5, lot="L0"), Role.MANAGER).result
    world.settle()
    there.do(edit_work_orders(ids=[order], lot="theirs"), Role.PLANNER)
    here.do(edit_work_orders(ids=[order], lot="mine", customer="Acme"), Role.PLANNER)
    there.sync()
    here.sync()
    screen = SharingScreen(desk)
    qtbot.addWidget(screen)
    screen.show()
    page = screen.conflicts
    qtbot.waitUntil(lambda: page.details is not None, timeout=WAIT)
    qtbot.waitUntil(
        lambda: desk.sharing.marks.mark("work_order", order) == CONFLICT_MARK, timeout=WAIT
    )  # the marks are read beside the page, not with it
    row = page.detail.rows[0]
    assert (row.base.text(), row.mine.text(), row.theirs.text()) == ("L0", "mine", "theirs")
    screen.actions_set.trigger("sharing.mine")
    assert page.detail.whole is Take.MINE
    with qtbot.waitSignal(desk.performed, timeout=WAIT):
        screen.actions_set.trigger("sharing.apply")
    world.settle()
    world.check()
    shown = there.row("work_order", order)
    assert shown is not None
    assert (shown["lot"], shown["customer"]) == ("mine", "Acme")
    qtbot.waitUntil(lambda: desk.sharing.now.conflicts == 0, timeout=WAIT)


def test_the_window_keeps_a_sync_process_and_its_marks_vanish_by_themselves(
    qtbot: QtBot, world: World, here: SyncedStation, desk: Desk
) -> None:
    here.hang_up()
    keeper = SyncKeeper(desk, here.folder)
    keeper.start(0)
    try:
        qtbot.waitUntil(lambda: desk.sharing.now.online, timeout=WAIT)
        order = here.do(create_work_order(product="FRAME-M", quantity=5), Role.MANAGER).result
        qtbot.waitUntil(lambda: here.states()[-1] == "done", timeout=WAIT)
        qtbot.waitUntil(lambda: desk.sharing.now.to_send == 0, timeout=WAIT)
        assert desk.sharing.marks.mark("work_order", order) == ""
        desk.sharing.control.work_offline(True)
        qtbot.waitUntil(lambda: desk.sharing.now.paused, timeout=WAIT)
        desk.sharing.control.work_offline(False)
        qtbot.waitUntil(lambda: desk.sharing.now.online, timeout=WAIT)
    finally:
        keeper.stop()
    qtbot.waitUntil(lambda: desk.sharing.now.heard is None, timeout=WAIT)
    keeper.deleteLater()
