"""The login card: what it asks, what it says of a password before it is sent, and its countdown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from ui.screens.login import LoginScreen
from ui.theme import Theme
from ui.widgets.form import Form
from ui.widgets.states import LoadingBar


@pytest.fixture
def now() -> list[datetime]:
    return [datetime(2026, 3, 2, 12, 0, tzinfo=UTC)]


@pytest.fixture
def screen(qtbot: QtBot, theme: Theme, now: list[datetime]) -> LoginScreen:
    made = LoginScreen(clock=lambda: now[0])
    qtbot.addWidget(made)
    made.show()
    return made


def form_of(screen: LoginScreen) -> Form:
    assert screen.form is not None
    return screen.form


def field(screen: LoginScreen, key: str) -> QLineEdit:
    found = form_of(screen).field(key)
    assert isinstance(found, QLineEdit)
    return found


def test_work_may_begin_after_the_first_frame(qtbot: QtBot, theme: Theme) -> None:
    made = LoginScreen()
    qtbot.addWidget(made)
    with qtbot.waitSignal(made.painted, timeout=5000):
        made.show()


def test_the_fields_of_the_first_start_stand_apart(qtbot: QtBot, screen: LoginScreen) -> None:
    screen.resize(720, 560)
    screen.show_first_admin()
    one, other = field(screen, "name"), field(screen, "password")
    qtbot.waitUntil(lambda: other.geometry().top() - one.geometry().bottom() >= 8, timeout=5000)
    screen.show_login()
    qtbot.waitUntil(lambda: screen._card.height() < 300, timeout=5000)  # and the small page stays small


LONG = "This store already has users; ask an administrator for an account of your own in here."


def test_a_sentence_of_two_lines_squeezes_nothing(qtbot: QtBot, screen: LoginScreen) -> None:
    screen.resize(720, 560)
    screen.show_first_admin()
    screen.refuse(None, LONG)
    one, other, again = (field(screen, key) for key in ("name", "password", "again"))
    qtbot.waitUntil(lambda: form_of(screen).error(None) == LONG, timeout=5000)
    qtbot.waitUntil(lambda: other.geometry().top() - one.geometry().bottom() >= 8, timeout=5000)
    assert again.geometry().top() - other.geometry().bottom() >= 8
    screen.show_login()
    screen.refuse("password", LONG)
    qtbot.waitUntil(lambda: 200 < screen._card.height() < 340, timeout=5000)
    screen.show_join()
    screen.refuse("line", LONG)
    line, error = form_of(screen).field("line"), form_of(screen)._errors["line"]
    qtbot.waitUntil(lambda: error.geometry().top() > line.geometry().bottom(), timeout=5000)
    qtbot.waitUntil(lambda: error.height() >= error.heightForWidth(error.width()), timeout=5000)


def test_enter_sends_name_and_password_once(qtbot: QtBot, screen: LoginScreen) -> None:
    screen.show_login()
    sent: list[tuple[str, str]] = []

    def take(name: str, password: str) -> None:
        sent.append((name, password))

    screen.login_requested.connect(take)
    QTest.keyClicks(field(screen, "name"), "Ada Boss")
    QTest.keyClicks(field(screen, "password"), "a good long sentence")
    for _ in range(3):
        QTest.keyClick(field(screen, "password"), Qt.Key.Key_Return)
    assert sent == [("Ada Boss", "a good long sentence")]


def test_a_lock_counts_down_and_then_lets_try_again(
    qtbot: QtBot, screen: LoginScreen, now: list[datetime]
) -> None:
    screen.show_login("Ada Boss")
    screen.lock_until(now[0] + timedelta(seconds=30))
    assert "wait 30 s" in str(form_of(screen).error("password"))
    assert not form_of(screen).submit_button.isEnabled()
    now[0] += timedelta(seconds=12)
    screen._count_down()
    assert "wait 18 s" in str(form_of(screen).error("password"))
    now[0] += timedelta(seconds=18)
    screen._count_down()
    assert form_of(screen).error("password") is None
    assert form_of(screen).submit_button.isEnabled()


def test_a_lock_of_one_name_leaves_others_free(
    qtbot: QtBot, screen: LoginScreen, now: list[datetime]
) -> None:
    screen.show_login("Ada Boss")
    screen.lock_until(now[0] + timedelta(seconds=30))
    QTest.keyClicks(field(screen, "name"), "x")
    assert form_of(screen).submit_button.isEnabled()


def test_the_rule_stands_there_before_and_says_how_far_the_password_is(
    qtbot: QtBot, screen: LoginScreen
) -> None:
    screen.show_first_admin()
    QTest.keyClicks(field(screen, "name"), "Ada")
    typed = field(screen, "password")
    for text, words in (
        ("abcdefg", "3 more to go"),
        ("aaaaaaaaaaaa", "five different"),
        ("ada is my name", "Leave your user name out"),
        ("quite a few words", "Fits the rule"),
        ("quite a few more words here", "strong"),
    ):
        typed.clear()
        QTest.keyClicks(typed, text)
        assert words in screen._admin_rule.text()


def test_capitals_without_shift_hint_at_caps_lock(qtbot: QtBot, screen: LoginScreen) -> None:
    screen.show_login("Ada Boss")
    QTest.keyClick(field(screen, "password"), Qt.Key.Key_A)
    assert not screen._caps.isVisible()
    QTest.sendKeyEvent(
        QTest.KeyAction.Click, field(screen, "password"), Qt.Key.Key_A, "A", Qt.KeyboardModifier.NoModifier
    )
    assert screen._caps.isVisible()


def test_a_fault_offers_three_ways_out(qtbot: QtBot, screen: LoginScreen) -> None:
    screen.show_fault("The disk is full; nothing was saved. Free some space and try again.")
    assert screen.sentence().startswith("The disk is full")
    assert screen.form is None
    for button, signal in (
        (screen.retry_button, screen.retry_requested),
        (screen.folder_button, screen.folder_requested),
        (screen.quit_button, screen.quit_requested),
    ):
        with qtbot.waitSignal(signal, timeout=1000):
            button.click()


def test_a_new_computer_may_join_a_server_instead_of_beginning_with_nothing(
    qtbot: QtBot, screen: LoginScreen
) -> None:
    screen.show_first_admin()
    QTest.mouseClick(screen.join_button, Qt.MouseButton.LeftButton)
    pasted: list[str] = []
    screen.join_requested.connect(pasted.append)
    line = form_of(screen).field("line")
    assert isinstance(line, QPlainTextEdit)
    assert line.hasFocus()
    line.setPlainText("lineside-join:abc")
    QTest.keyClick(line, Qt.Key.Key_Return)  # one line, however it wraps
    form_of(screen).submit()
    assert pasted == ["lineside-join:abc"]
    bar = screen.findChild(LoadingBar, "joinProgress")
    assert bar is not None
    qtbot.waitUntil(bar.isVisible)
    screen.show_join_progress("Work orders", 50, 200)
    assert bar.text() == "Work orders: 50 of 200"
    with qtbot.waitSignal(screen.join_stopped):
        bar.cancelled.emit()
    screen.refuse("line", "A part of the join line is missing.")
    assert form_of(screen).error("line") == "A part of the join line is missing."
    assert bar.isHidden()
    QTest.mouseClick(form_of(screen).cancel_button, Qt.MouseButton.LeftButton)
    assert form_of(screen).objectName() == "firstAdminForm"
