"""The list of places at any height: gloves find targets that are large enough, and keys reach every one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from ui.actions import PLACES
from ui.bridge.desk import Desk
from ui.theme import Density, Theme
from ui.window.navigation import Navigation


@pytest.fixture
def navigation(qtbot: QtBot, desk: Desk) -> Navigation:
    made = Navigation(desk)
    qtbot.addWidget(made)
    made.resize(made.width(), 620)  # what is left of 768 px for gloves
    made.show()
    return made


def entry(navigation: Navigation, place: str) -> QWidget:
    found = navigation.findChild(QWidget, f"nav-{place}")
    assert found is not None
    return found


def is_in_sight(navigation: Navigation, place: str) -> bool:
    found = entry(navigation, place)
    return navigation.rect().contains(QRect(found.mapTo(navigation, QPoint(0, 0)), found.size()))


def test_at_the_desk_every_place_is_in_sight(navigation: Navigation) -> None:
    assert all(is_in_sight(navigation, place.key) for place in PLACES)


def test_for_gloves_places_keep_their_height_and_those_below_are_reached(
    qtbot: QtBot, theme: Theme, navigation: Navigation
) -> None:
    theme.set_density(Density.TOUCH)
    qtbot.waitUntil(lambda: entry(navigation, "orders").height() >= 64)
    assert all(entry(navigation, place.key).height() >= 64 for place in PLACES)
    assert not is_in_sight(navigation, "system")
    navigation.show_current("system")
    assert is_in_sight(navigation, "system")
    navigation.show_current("dashboard")
    entry(navigation, "dashboard").setFocus(Qt.FocusReason.TabFocusReason)
    for _ in PLACES[1:]:
        focused = navigation.window().focusWidget()
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Down)
    assert is_in_sight(navigation, PLACES[-1].key)
