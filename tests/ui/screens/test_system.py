"""The system screen: the chain of links in words, diagnostics, the audit trail and its check."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.domain.machine_news import LinkState, LinkStatus
from app.domain.people import Role
from app.domain.plant import Connection, Plant
from app.live.messages import LinkFigures
from app.store.history import HistoryStats
from tests.ui.plant import connect
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.wording import NONE
from ui.screens.system.history_room import HistoryRoom, room_words
from ui.screens.system.screen import SystemScreen, sync_sentence

WAIT = 10_000


@pytest.fixture
def live(desk: Desk) -> Iterator[LiveDesk]:
    made = LiveDesk(desk)
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, live: LiveDesk) -> SystemScreen:
    made = SystemScreen(desk, live)
    qtbot.addWidget(made)
    made.resize(1190, 690)
    made.show()
    qtbot.waitUntil(lambda: "Sharing" in made.chain.facts(), timeout=WAIT)
    return made


def test_changes_that_wait_are_counted_and_kept(
    qtbot: QtBot, screen: SystemScreen, order: Callable[..., UUID]
) -> None:
    before = screen.chain.facts()["Sharing"]
    order()
    qtbot.waitUntil(lambda: screen.chain.facts()["Sharing"] != before, timeout=WAIT)
    assert "no server is set up yet: everything is kept here" in screen.chain.facts()["Sharing"]


def test_the_sentence_on_sharing_counts_in_plain_english() -> None:
    assert sync_sentence(0) == "Nothing waits to be sent. No server is set up yet."
    assert sync_sentence(1).startswith("1 change waits for a server")
    assert sync_sentence(1200).startswith("1,200 changes wait for a server")


def test_each_machine_link_has_its_line_of_figures(
    qtbot: QtBot, screen: SystemScreen, live: LiveDesk
) -> None:
    now = datetime.now(UTC)
    live.plant = Plant((), (Connection("oven-plc", "opcua", "opc.tcp://10.0.0.5:4840"),), ())
    connect(live)
    live.take_link(LinkStatus("oven-plc", LinkState.OFFLINE, "The machine does not answer.", now, outages=2))
    live.figures["oven-plc"] = LinkFigures(
        "oven-plc", 1200, 3, 4, 0, 2, 0.012, 0.25, 1.5, 42.25, now - timedelta(seconds=70)
    )
    screen.links.refresh()
    figures = screen.links.facts()["oven-plc"]
    assert figures["State"].startswith("■ offline")
    assert figures["What to know"] == "The machine does not answer."
    assert (figures["Values/s"], figures["Answer"], figures["Slowest"]) == (
        "42.2",
        "12 ms",
        "250 ms",
    )
    assert (figures["Failed"], figures["Reconnects"], figures["Lost"]) == ("3 of 1,200", "2", "4")
    assert (figures["Last good"], figures["Interval"]) == ("1 min", "1.5 s")


def test_a_link_of_which_nothing_was_heard_shows_dashes_not_zeroes(
    screen: SystemScreen, live: LiveDesk
) -> None:
    live.plant = Plant((), (Connection("press", "modbus-tcp", "tcp://10.0.0.6:502"),), ())
    screen.links.refresh()
    figures = screen.links.facts()["press"]
    assert figures["State"] == "? not known"
    assert figures["Values/s"] == figures["Failed"] == NONE


def test_the_history_says_its_size_and_how_long_there_is_room(qtbot: QtBot, screen: SystemScreen) -> None:
    qtbot.waitUntil(lambda: "Free on the disk" in screen.history.facts(), timeout=WAIT)
    day = 50e6
    room = HistoryRoom(HistoryStats(1000, 3, 0, 2_000_000, None, None, bytes_per_day=day), round(38.4 * day))
    words = room_words(room)
    assert words["Free on the disk"].endswith("enough for 38 days")
    assert words["A value takes"] == "2000.0 bytes"
    assert words["Grows by"] == "50.0 MB a day"


def test_the_sound_is_tested_by_the_window(qtbot: QtBot, screen: SystemScreen) -> None:
    with qtbot.waitSignal(screen.action_wanted) as wanted:
        screen.sound_button.click()
    assert wanted.args == ["test-sound"]


def test_the_trail_is_checked_and_a_changed_line_is_named(
    qtbot: QtBot, screen: SystemScreen, desk: Desk, order: Callable[..., UUID]
) -> None:
    order()
    screen.verify()
    qtbot.waitUntil(lambda: screen.verdict.text().startswith("✔"), timeout=WAIT)
    connection = sqlite3.connect(desk.house.store.path)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        if "audit" in trigger:
            connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("UPDATE audit SET sentence = 'nothing happened' WHERE seq = 2")
    connection.commit()
    connection.close()
    screen.verify()
    qtbot.waitUntil(lambda: screen.verdict.text().startswith("✖ Line 2"), timeout=WAIT)


def test_who_may_not_see_the_trail_reads_why(
    qtbot: QtBot, screen: SystemScreen, as_role: Callable[[Role], object]
) -> None:
    assert screen.list.isVisible()
    as_role(Role.OPERATOR)
    assert not screen.list.isVisible()
    assert "may not see the audit trail" in screen.no_audit.text()
    assert not screen.verify_button.isEnabled()


def test_diagnostics_are_copied_as_text(qtbot: QtBot, screen: SystemScreen) -> None:
    screen.copy_diagnostics()
    told = json.loads(QGuiApplication.clipboard().text())
    assert {"Collector", "Sharing", "Data file", "Schema", "links"} <= told.keys()
