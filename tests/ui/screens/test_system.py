"""The system screen: the chain of links in words, diagnostics, the audit trail and its check."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.domain.people import Role
from app.live.messages import LinkState, LinkStatus
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
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


def test_each_machine_link_has_its_line_with_state_and_outages(
    qtbot: QtBot, screen: SystemScreen, live: LiveDesk
) -> None:
    now = datetime.now(UTC)
    live.take_link(LinkStatus("oven-plc", LinkState.OFFLINE, "The machine does not answer.", now, outages=2))
    qtbot.waitUntil(lambda: "Machine link oven-plc" in screen.chain.facts(), timeout=WAIT)
    line = screen.chain.facts()["Machine link oven-plc"]
    assert line.startswith("■ offline")
    assert "2 outages" in line
    assert "does not answer" in line
    assert "Machine link" not in screen.chain.facts()


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
    assert {"Collector", "Sharing", "Data file", "Schema"} <= told.keys()
