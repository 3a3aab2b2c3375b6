"""The story of a new computer at a shared server: the first start joins instead of making an administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.operations.orders import create_work_order
from app.plant import opened_house
from app.store.tables import Outbox, WorkOrder
from app.sync.membership import address_of
from app.sync.server.creation import init
from app.sync.server.stations import add_station
from tests.postgres import Postgres, running
from tests.sync.authorship.workshop import ADMIN, SECRET, furnish, never, silent
from tests.ui.test_window_story import WAIT, form_of, type_into
from ui.window.desktop import Desktop


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    yield from running("16")


@pytest.fixture
def server_url(postgres: Postgres, tmp_path: Path) -> str:
    """A server with the people and the order of one workshop."""
    url = postgres.url(postgres.new_database())
    init(url)
    folder = tmp_path / "office"
    furnish(folder)
    with opened_house(folder) as house:
        house.join(str(add_station(url, "01", True)), silent, never)
    return url


def paste(desktop: Desktop, line: str) -> None:
    form = form_of(desktop.login)
    field = form.field("line")
    assert isinstance(field, QPlainTextEdit)
    field.setPlainText(line)
    form.submit()


def test_a_pasted_line_fetches_everything_and_the_people_of_the_server_log_in(
    qtbot: QtBot, start: Callable[[], Desktop], data_dir: Path, server_url: str
) -> None:
    desktop = start()
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    QTest.mouseClick(desktop.login.join_button, Qt.MouseButton.LeftButton)
    joined: list[str] = []
    desktop.inside.sessions.joined.connect(joined.append)

    line = str(add_station(server_url, "07"))
    paste(desktop, line[:-9])
    form = form_of(desktop.login)
    qtbot.waitUntil(lambda: form.error("line") is not None, timeout=WAIT)
    assert "A part of the join line is missing" in str(form.error("line"))
    assert address_of(data_dir) is None

    paste(desktop, line)
    qtbot.waitUntil(lambda: form_of(desktop.login).objectName() == "loginForm", timeout=WAIT)
    assert joined == ["07"]
    assert "as station 07. Log in with your name and password." in desktop.login.sentence()
    type_into(form_of(desktop.login), name=ADMIN, password=SECRET)
    qtbot.waitUntil(lambda: len(desktop.windows) == 1, timeout=WAIT)
    desk = desktop.desk
    assert desk.actor is not None
    assert desk.actor.user_id is not None
    who = desk.actor.user_id
    made: list[object] = []
    desk.perform(create_work_order(product="FRAME-M", quantity=6), owner=desk, done=made.append)
    desktop.inside.sessions.lock()  # at once: what was asked for before is signed all the same
    qtbot.waitUntil(lambda: len(made) == 1, timeout=WAIT)
    with desk.house.store.reader() as session:
        assert {row.number for row in session.query(WorkOrder)} == {"A-WO-000001", "07-WO-000001"}
        assert [len(entry.mac) for entry in session.query(Outbox)] == [64]
    qtbot.waitUntil(lambda: not desk.house.signing.unlocked(who), timeout=WAIT)


def test_joining_can_be_stopped_and_the_computer_begins_with_nothing(
    qtbot: QtBot, start: Callable[[], Desktop], data_dir: Path, server_url: str
) -> None:
    desktop = start()
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    desktop.login.show_join()
    desktop.login.join_requested.connect(desktop.inside.sessions.stop_joining)
    paste(desktop, str(add_station(server_url, "07")))
    form = form_of(desktop.login)
    qtbot.waitUntil(lambda: form.error("line") is not None or form.error(None) is not None, timeout=WAIT)
    assert "cancelled" in f"{form.error('line')}{form.error(None)}"
    QTest.mouseClick(form.cancel_button, Qt.MouseButton.LeftButton)
    assert form_of(desktop.login).objectName() == "firstAdminForm"
    assert (desktop.desk.house.station, address_of(data_dir)) == (None, None)
