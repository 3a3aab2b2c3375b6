"""The story of two desks at one server: they see each other, disagree, settle it, and lose the server together."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.operations.orders import edit_work_orders
from app.store.tables import WorkOrder
from app.sync.server.creation import init
from app.sync.server.stations import add_station
from tests.postgres import Postgres, running
from tests.sync.authorship.workshop import ADMIN, PLANNER, Place, furnish, joined
from ui.bridge.desk import Desk
from ui.bridge.sync_keeper import SyncKeeper
from ui.bridge.sync_status import CONFLICT_MARK, UNSENT_MARK
from ui.screens.orders import OrdersScreen
from ui.screens.sync import SharingScreen
from ui.tasks import Tasks
from ui.theme import Theme
from ui.window.sharing_banner import SharingBanner

WAIT = 40_000


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """One of its own: this story kills it."""
    yield from running("16")


@dataclass
class Window:
    """What one person has in front of them, and the order that the story is about."""

    place: Place
    desk: Desk
    orders: OrdersScreen
    sharing: SharingScreen
    banner: SharingBanner
    order: UUID

    def lot(self) -> str:
        """As it stands in the list."""
        model = self.orders.model
        rows = (model.values_at(row) for row in range(model.rowCount()))
        return next((str(values.get("lot")) for values in rows if values.get("id") == self.order), "")

    def mark(self) -> str:
        return self.desk.sharing.marks.mark("work_order", self.order)

    def edit(self, **values: object) -> None:
        self.desk.perform(edit_work_orders(ids=[self.order], **values), owner=self.desk)  # type: ignore[arg-type]  # a test's shorthand

    def press(self, key: str) -> None:
        self.sharing.actions_set.trigger(key)


@contextmanager
def window(qtbot: QtBot, place: Place, name: str) -> Iterator[Window]:
    """A desk with its screens and its own sync process, a person logged in."""
    with ExitStack() as stack:
        tasks = Tasks()
        desk = Desk(place.house, tasks)
        stack.callback(desk.deleteLater)
        stack.callback(tasks.close)
        stack.callback(desk.close)
        keeper = SyncKeeper(desk, place.house.folder, QObject(desk))
        stack.callback(keeper.stop)
        desk.set_actor(place.log_in(name).actor)
        screens = OrdersScreen(desk), SharingScreen(desk), SharingBanner(desk)
        for screen in screens:  # gone before the desk that they read through
            stack.callback(shiboken6.delete, screen)
        for pane in screens[:2]:
            pane.resize(1170, 640)
            pane.show()
        keeper.start(0)
        order = place.rows(WorkOrder)[0].id
        made = Window(place, desk, *screens, order)
        qtbot.waitUntil(lambda: desk.sharing.now.online and made.orders.model.rowCount() == 1, timeout=WAIT)
        yield made


@pytest.fixture
def windows(
    qtbot: QtBot, theme: Theme, postgres: Postgres, tmp_path: Path
) -> Iterator[tuple[Window, Window]]:
    url = postgres.url(postgres.new_database())
    init(url, "shop")
    furnish(tmp_path / "a")
    with ExitStack() as stack:
        a = stack.enter_context(joined(tmp_path / "a", str(add_station(url, "01", True)), url))
        b = stack.enter_context(joined(tmp_path / "b", str(add_station(url, "02")), url))
        yield (
            stack.enter_context(window(qtbot, a, ADMIN)),
            stack.enter_context(window(qtbot, b, PLANNER)),
        )


def test_two_windows_see_each_other_settle_a_conflict_and_work_on_without_the_server(
    qtbot: QtBot, windows: tuple[Window, Window], postgres: Postgres
) -> None:
    a, b = windows
    see_each_other(qtbot, a, b)
    disagree(qtbot, a, b)
    settle(qtbot, a, b)
    lose_the_server(qtbot, a, b, postgres)


def see_each_other(qtbot: QtBot, a: Window, b: Window) -> None:
    """A form that is open here shows there; what is saved here shows there, with no key pressed."""
    b.orders.panel.show_order(b.order)
    b.orders.panel.show()
    a.orders.list.selectRow(0)
    a.orders.edit_selected()
    line = b.orders.panel.sharing.words
    qtbot.waitUntil(lambda: line.text() == f"{ADMIN} is editing this on station 01", timeout=WAIT)
    form = a.orders.forms.form
    assert form is not None
    field = form.field("lot")
    assert isinstance(field, QLineEdit)
    field.setText("A1")
    form.submit()
    qtbot.waitUntil(lambda: b.lot() == "A1", timeout=WAIT)
    qtbot.waitUntil(lambda: "is editing" not in line.text(), timeout=WAIT)
    qtbot.waitUntil(lambda: a.mark() == "", timeout=WAIT)


def disagree(qtbot: QtBot, a: Window, b: Window) -> None:
    """One of them leaves the server alone for a while; both change the same."""
    b.press("sharing.offline")
    qtbot.waitUntil(lambda: b.banner.text().startswith("Working offline"), timeout=WAIT)
    a.edit(lot="A2")
    b.edit(lot="B2", customer="Acme")
    qtbot.waitUntil(lambda: (b.lot(), b.mark()) == ("B2", UNSENT_MARK), timeout=WAIT)
    qtbot.waitUntil(lambda: "1 to send" in b.banner.text(), timeout=WAIT)
    b.sharing.tabs.setCurrentIndex(1)
    said = b.sharing.unsent.sentence
    qtbot.waitUntil(lambda: "1 change would be on this computer alone" in said.text(), timeout=WAIT)
    qtbot.waitUntil(lambda: a.lot() == "A2" and a.mark() == "", timeout=WAIT)
    b.banner.button.click()
    for one in (a, b):
        qtbot.waitUntil(lambda one=one: (one.lot(), one.mark()) == ("A2", CONFLICT_MARK), timeout=WAIT)  # type: ignore[misc]  # bound now
    qtbot.waitUntil(b.banner.isHidden, timeout=WAIT)


def settle(qtbot: QtBot, a: Window, b: Window) -> None:
    """Whoever wrote it chooses with the keys of the place; both windows go on from there."""
    b.sharing.tabs.setCurrentIndex(0)
    page = b.sharing.conflicts
    qtbot.waitUntil(lambda: page.details is not None, timeout=WAIT)
    assert f"⚡ {ADMIN} changed" in page.detail.text()
    b.press("sharing.mine")
    b.press("sharing.apply")
    qtbot.waitUntil(lambda: (a.lot(), a.mark(), b.lot(), b.mark()) == ("B2", "", "B2", ""), timeout=WAIT)
    assert a.place.rows(WorkOrder)[0].customer == "Acme"


def lose_the_server(qtbot: QtBot, a: Window, b: Window, postgres: Postgres) -> None:
    """It falls over and comes back: a line says so, work goes on, and nobody has to do anything."""
    postgres.stop(signal.SIGQUIT)
    for one in (a, b):
        qtbot.waitUntil(lambda one=one: one.banner.text().startswith("Offline since"), timeout=WAIT)  # type: ignore[misc]  # bound now
    a.edit(lot="A3")
    qtbot.waitUntil(lambda: (a.lot(), a.mark()) == ("A3", UNSENT_MARK), timeout=WAIT)
    assert a.orders.window().isEnabled()
    postgres.start()
    qtbot.waitUntil(lambda: (a.mark(), b.lot()) == ("", "A3"), timeout=WAIT)
    for one in (a, b):
        qtbot.waitUntil(one.banner.isHidden, timeout=WAIT)
