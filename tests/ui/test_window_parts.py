"""The parts of a window on their own: frames on screens, idle time, crash reports, faults at the start, keys."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QSettings
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from app.crash_report import CrashReport, write_report
from app.domain.errors import WorldFault
from app.plant import open_house
from ui.actions import ACTIONS, PLACES
from ui.bridge.values_now import LinksLost
from ui.theme import Theme
from ui.window.crash import CrashReports
from ui.window.desktop import Desktop
from ui.window.history import Trail, Visit
from ui.window.idle_lock import IdleLock
from ui.window.key_sheet import all_keys
from ui.window.layout_memory import LayoutMemory, clamped
from ui.window.places import FACTORIES, FailedPane, PaneStack
from ui.window.top_strip import age_text

WAIT = 15_000
SIDES = st.integers(-5000, 5000)
SIZES = st.integers(50, 5000)


@given(SIDES, SIDES, SIZES, SIZES)
def test_a_remembered_frame_always_lies_on_a_screen(left: int, top: int, width: int, height: int) -> None:
    screens = [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1366, 768)]
    placed = clamped(QRect(left, top, width, height), screens)
    assert any(screen.contains(placed) for screen in screens)


def test_a_frame_that_fits_stays_where_it_was() -> None:
    wanted = QRect(2000, 50, 1000, 600)
    assert clamped(wanted, [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1366, 768)]) == wanted


def test_each_role_gets_its_own_layout_back_until_it_is_reset(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    memory = LayoutMemory(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
    window = QMainWindow()
    qtbot.addWidget(window)
    memory.save(window, "planner", narrow=True, place="orders")
    assert memory.restore(window, "planner") == (True, "orders")
    assert memory.restore(window, "operator") == (False, "dashboard")
    memory.forget("planner")
    assert memory.restore(window, "planner") == (False, "dashboard")


def test_idle_comes_once_and_only_after_the_whole_time(qapp: QApplication) -> None:
    now = [0.0]
    lock = IdleLock(60, clock=lambda: now[0])
    heard: list[bool] = []
    lock.idle.connect(partial_append(heard))
    lock.start()
    for moment in (59.0, 60.0, 61.0, 200.0):
        now[0] = moment
        lock.check()
    assert heard == [True]
    lock.stop()
    lock.deleteLater()


def partial_append(heard: list[bool]) -> Callable[[], None]:
    def append() -> None:
        heard.append(True)

    return append


def test_back_leads_through_the_places_and_a_repeated_visit_is_one_step() -> None:
    trail = Trail()
    for visit in (
        Visit("dashboard"),
        Visit("orders", "open:yes"),
        Visit("orders", "open:yes"),
        Visit("board"),
    ):
        trail.visit(visit)
    assert trail.back() == Visit("orders", "open:yes")
    assert trail.back() == Visit("dashboard")
    assert trail.back() is None


def test_every_place_has_a_screen_and_no_key_of_the_window_means_two_things() -> None:
    assert set(FACTORIES) == {place.key for place in PLACES}
    everywhere = [spec.shortcut for spec in ACTIONS if not spec.place and spec.shortcut]
    for place in {spec.place for spec in ACTIONS if spec.place}:
        keys = [spec.shortcut for spec in ACTIONS if spec.place == place and spec.shortcut]
        doubled = [key for key, times in Counter(keys + everywhere).items() if times > 1]
        assert not doubled, f"{place}: {doubled}"


def test_the_sheet_of_keys_lists_every_shortcut() -> None:
    listed = {title for _, rows in all_keys() for _, title in rows}
    assert listed >= {spec.title for spec in ACTIONS if spec.shortcut}
    assert listed >= {f"Go to {place.title}" for place in PLACES}


def test_a_crash_report_holds_the_traceback_and_no_secret(
    data_dir: Path, expected_errors: list[logging.LogRecord]
) -> None:
    try:
        raise ValueError("cannot reach postgresql://plant:hunter2@db/lineside")
    except ValueError as error:
        report = write_report(data_dir, error, process="desktop")
    assert report.file is not None
    told = json.loads(report.file.read_text(encoding="utf-8"))
    assert "test_window_parts" in told["traceback"]
    assert "hunter2" not in report.file.read_text(encoding="utf-8")
    assert len(expected_errors) == 1


def test_a_fault_of_the_world_is_no_crash(qtbot: QtBot, data_dir: Path) -> None:
    reports = CrashReports(data_dir)
    with qtbot.waitSignal(reports.expected, timeout=WAIT) as told:
        reports.report(WorldFault("The disk is full."))
    assert told.args == ["The disk is full."]
    assert not reports.folder.exists()
    reports.deleteLater()


def test_a_bug_shows_one_card_and_the_program_goes_on(
    qtbot: QtBot, theme: Theme, start: Callable[[Path], Desktop], data_dir: Path, expected_errors: object
) -> None:
    desktop = start(data_dir)
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    seen: list[CrashReport] = []
    desktop.reports.happened.connect(seen.append)
    for number in range(3):
        desktop.reports.report(RuntimeError(f"bug {number}"))
    qtbot.waitUntil(lambda: len(seen) == 3, timeout=WAIT)
    cards = [w for w in desktop.login.children() if w.objectName() == "crashCard"]
    assert len(cards) == 1
    assert desktop.login.isVisible()


@pytest.fixture
def start(qapp: QApplication, theme: Theme) -> Iterator[Callable[[Path], Desktop]]:
    made: list[Desktop] = []

    def begin(folder: Path) -> Desktop:
        made.append(Desktop(folder, None))
        made[-1].start()
        return made[-1]

    yield begin
    for desktop in made:
        desktop.close()
        desktop.login.deleteLater()
        desktop.deleteLater()


def test_a_newer_store_is_told_in_one_sentence_and_retry_opens_it_once_it_fits(
    qtbot: QtBot, start: Callable[[Path], Desktop], data_dir: Path
) -> None:
    open_house(data_dir).close()
    file = data_dir / "lineside.sqlite"

    def set_revision(revision: str) -> str:
        connection = sqlite3.connect(file)
        (before,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()
        connection.close()
        return str(before)

    known = set_revision("9999")
    desktop = start(data_dir)
    qtbot.waitUntil(lambda: "newer Lineside" in desktop.login.sentence(), timeout=WAIT)
    assert desktop.login.retry_button.isVisible()
    assert desktop.login.folder_button.isVisible()
    set_revision(known)
    desktop.login.retry_button.click()
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)


def test_a_damaged_store_is_told_in_one_sentence_and_left_as_it_is(
    qtbot: QtBot, start: Callable[[Path], Desktop], data_dir: Path
) -> None:
    file = data_dir / "lineside.sqlite"
    file.write_bytes(b"this is no database at all" * 100)
    before = file.read_bytes()
    desktop = start(data_dir)
    qtbot.waitUntil(lambda: "damaged" in desktop.login.sentence(), timeout=WAIT)
    assert file.read_bytes() == before


def test_a_screen_that_cannot_be_made_shows_what_failed_and_retry_makes_it(
    qtbot: QtBot, theme: Theme
) -> None:
    from typing import Any

    from ui.widgets.pane import Pane

    broken = [True]

    def factory(_desk: Any, _live: Any) -> Pane:
        if broken[0]:
            raise RuntimeError("cannot be made")
        return Pane("orders", "Work orders")

    nobody: Any = None
    stack = PaneStack(nobody, nobody, factories={"orders": factory})
    qtbot.addWidget(stack)
    with qtbot.waitSignal(stack.failed, timeout=WAIT):
        assert isinstance(stack.show_place("orders"), FailedPane)
    broken[0] = False
    assert not isinstance(stack.show_place("orders"), FailedPane)
    assert stack.count() == 1


@pytest.mark.parametrize(
    ("seconds", "lost", "words"),
    [
        (None, LinksLost(), "○ no live data"),
        (1.0, LinksLost(0, 4), "● live 1 s"),
        (1.0, LinksLost(1, 4), "◐ live 1 s · 1 of 4 links down"),
        (1.0, LinksLost(4, 4), "○ no machine answers"),
        (1.0, LinksLost(4, 4, ("07",), 4), "○ station 07 not heard"),
        (1.0, LinksLost(2, 4, ("07", "08"), 2), "◐ live 1 s · stations 07, 08 not heard"),
        (1.0, LinksLost(4, 4, ("07",), 3), "○ no machine answers, station 07 not heard"),
        (40.0, LinksLost(4, 4), "○ stale 40 s"),
    ],
)
def test_the_strip_calls_values_live_only_while_machines_answer(
    seconds: float | None, lost: LinksLost, words: str
) -> None:
    assert age_text(seconds, lost) == words
