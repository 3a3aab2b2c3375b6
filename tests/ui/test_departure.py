"""Whoever closes the window learns what is on this computer alone; nobody is asked, and nobody is held up."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.sync.status import OFFLINE, ONLINE, PAUSED
from tests.parking import Parking
from ui.models.left_behind import farewell_words
from ui.window import departure as module
from ui.window.desktop import Desktop
from ui.window.main_window import MainWindow

WAIT = 15_000


@pytest.fixture
def window(qtbot: QtBot, whole: Desktop, parking: Parking, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """The only window of a station that shares; closing it does not end the tests."""
    monkeypatch.setattr(whole, "quit", lambda: None)
    made = whole.windows[0]
    qtbot.waitUntil(lambda: made.desk.sharing.now.joined, timeout=WAIT)
    return made


@pytest.fixture
def unsent(
    qtbot: QtBot, window: MainWindow, order: Callable[..., UUID], told: Callable[..., None]
) -> Callable[[str], None]:
    """Makes a change that is not sent, under this state of the server."""

    def make(state: str) -> None:
        told(state)
        order(lot="L1")
        qtbot.waitUntil(
            lambda: (
                window.desk.sharing.now.to_send > 0
                and window.desk.sharing.now.status is not None
                and window.desk.sharing.now.status.state == state
            ),
            timeout=WAIT,
        )

    return make


def close_and_read(qtbot: QtBot, window: MainWindow) -> str:
    window.close()
    qtbot.waitUntil(window.farewell.isVisible, timeout=WAIT)
    return window.farewell.accessibleName()


def test_a_window_closes_at_once_when_everything_was_sent(
    qtbot: QtBot, whole: Desktop, window: MainWindow, told: Callable[..., None], parking: Parking
) -> None:
    told()
    parking.confirm()
    window.close()
    qtbot.waitUntil(lambda: not whole.windows, timeout=WAIT)


def test_closing_offline_tells_what_stays_behind_and_then_goes(
    qtbot: QtBot,
    whole: Desktop,
    window: MainWindow,
    unsent: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SECONDS", 2)
    unsent(OFFLINE)
    words = close_and_read(qtbot, window)
    assert words.startswith("1 change is on this computer alone Offline since")
    assert "Nothing is lost: it is safe here and goes to the server when Lineside runs here again" in words
    assert window.farewell.lines[0].text().endswith("· Ada Boss")
    assert window.farewell.countdown.text().startswith("Closes by itself in")
    assert window.top.isVisible()  # the alarms stay in sight
    qtbot.waitUntil(lambda: not whole.windows, timeout=WAIT)


def test_enter_closes_now_and_escape_goes_back_to_work(
    qtbot: QtBot, whole: Desktop, window: MainWindow, unsent: Callable[[str], None]
) -> None:
    window.open_place("orders")
    unsent(OFFLINE)
    close_and_read(qtbot, window)
    assert QApplication.focusWidget() is window.farewell.leave
    QTest.keyClick(window.farewell.leave, Qt.Key.Key_Escape)
    assert not window.farewell.isVisible()
    current = window.panes.current()
    assert current is not None
    assert current.place == "orders"
    assert current.isVisible()

    close_and_read(qtbot, window)
    QTest.keyClick(window.farewell.leave, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not whole.windows, timeout=WAIT)


def test_whoever_wants_to_see_the_details_stays(
    qtbot: QtBot, whole: Desktop, window: MainWindow, unsent: Callable[[str], None]
) -> None:
    unsent(OFFLINE)
    close_and_read(qtbot, window)
    fate = window.farewell.fate
    assert fate.height() >= fate.heightForWidth(fate.width())
    QTest.mouseClick(window.sharing.button, Qt.MouseButton.LeftButton)
    assert not window.farewell.isVisible()
    current = window.panes.current()
    assert current is not None
    assert current.place == "sharing"
    assert current.isVisible()


def test_the_second_wish_to_close_is_granted_at_once(
    qtbot: QtBot, whole: Desktop, window: MainWindow, unsent: Callable[[str], None]
) -> None:
    unsent(OFFLINE)
    close_and_read(qtbot, window)
    assert window.close()
    assert not whole.windows


def test_online_the_window_waits_until_the_server_has_it_all(
    qtbot: QtBot, whole: Desktop, window: MainWindow, unsent: Callable[[str], None], parking: Parking
) -> None:
    unsent(ONLINE)
    words = close_and_read(qtbot, window)
    assert words.startswith("Sending 1 change… The window closes when the server has it.")
    parking.confirm()
    qtbot.waitUntil(lambda: not whole.windows, timeout=WAIT)


def test_a_locked_window_tells_how_much_waits_but_not_what(
    qtbot: QtBot, window: MainWindow, unsent: Callable[[str], None]
) -> None:
    unsent(OFFLINE)
    window.sessions.lock()
    close_and_read(qtbot, window)
    assert not any(line.isVisible() for line in window.farewell.lines)
    QTest.mouseClick(window.farewell.stay, Qt.MouseButton.LeftButton)
    assert window.login.isVisible()


def test_one_of_two_windows_closes_without_a_word(
    qtbot: QtBot, whole: Desktop, window: MainWindow, unsent: Callable[[str], None]
) -> None:
    whole.open_window()
    unsent(OFFLINE)
    assert window.close()
    assert len(whole.windows) == 1


def test_what_another_process_sends_by_itself_is_said_to_go_on(
    qtbot: QtBot, whole: Desktop, window: MainWindow, unsent: Callable[[str], None]
) -> None:
    window.departure.goes_on = lambda: True
    unsent(OFFLINE)
    assert "by itself as soon as this computer reaches it, also without this window" in close_and_read(
        qtbot, window
    )
    window.departure.stay()
    unsent(ONLINE)
    assert window.close()


def test_what_was_kept_back_by_choice_says_how_it_goes_on(
    qtbot: QtBot, window: MainWindow, unsent: Callable[[str], None]
) -> None:
    unsent(PAUSED)
    assert "somebody presses Go online" in close_and_read(qtbot, window)


def test_a_server_that_was_not_reached_yet_is_not_called_lost(window: MainWindow) -> None:
    from app.store.queries.unsent import LidClosed
    from ui.bridge.sync_status import Sharing

    now = window.desk.house.door.clock()
    title, fate = farewell_words(Sharing("07"), LidClosed(3), now, goes_on=False)
    assert title == "3 changes are on this computer alone"
    assert fate.startswith("The server was not reached yet. Nothing is lost: they are safe here")
