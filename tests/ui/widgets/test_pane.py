"""The title line of a screen: what gives way when the window is narrow."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from ui.theme import Theme
from ui.widgets.buttons import ActionButton
from ui.widgets.pane import Pane


def _pane(qtbot: QtBot) -> tuple[QMainWindow, list[ActionButton]]:
    """A pane in a window that may be smaller than the pane would like."""
    window, pane = QMainWindow(), Pane("alarms", "Alarms")
    qtbot.addWidget(window)
    window.setCentralWidget(pane)
    window.setMinimumSize(300, 200)
    buttons = [
        ActionButton("Pause the whole list", icon="pause"),
        ActionButton("Group by machine"),
        ActionButton("Acknowledge everything", icon="check", primary=True),
    ]
    for button in buttons:
        pane.add_tool(button)
    window.resize(1000, 300)
    window.show()
    return window, buttons


def test_buttons_show_their_icons_alone_where_there_is_no_room_and_their_words_again(
    theme: Theme, qtbot: QtBot
) -> None:
    window, (pause, group, acknowledge) = _pane(qtbot)
    wide = pause.width()
    window.resize(600, 300)
    qtbot.waitUntil(lambda: pause.width() < wide / 2)
    assert pause.text() == pause.accessibleName() == pause.toolTip() == "Pause the whole list"
    assert group.width() >= group.full_width()
    assert acknowledge.width() >= acknowledge.full_width()
    window.resize(1000, 300)
    qtbot.waitUntil(lambda: pause.width() == wide)


def test_no_word_is_cut_at_any_width(theme: Theme, qtbot: QtBot) -> None:
    window, buttons = _pane(qtbot)
    for width in range(1000, 480, -20):
        window.resize(width, 300)
        qtbot.wait(1)
        for button in buttons:
            assert button.width() in range(button.compact_width(), button.compact_width() + 8) or (
                button.width() >= button.full_width()
            ), (width, button.text())


def test_a_button_without_room_for_words_still_says_why_it_is_not_available(
    theme: Theme, qtbot: QtBot
) -> None:
    window, (pause, *_) = _pane(qtbot)
    window.resize(600, 300)
    pause.refuse("Choose an alarm first.")
    assert pause.toolTip() == "Choose an alarm first."
    assert "Pause the whole list (not available" in pause.accessibleName()
    pause.refuse(None)
    assert pause.accessibleName() == "Pause the whole list"
