"""Undo bar, strips, banners, loading bar, tiles and the filter field do what they promise."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.widgets.pictures import widget_pixels
from ui.theme import Theme
from ui.widgets.alarm_strip import AlarmCount, AlarmStrip
from ui.widgets.buttons import ActionButton
from ui.widgets.filter_field import FilterField
from ui.widgets.kpi import KpiTile
from ui.widgets.states import Banner, EmptyState, ErrorState, LoadingBar
from ui.widgets.status_strip import StatusStrip
from ui.widgets.undo_bar import UndoBar


def test_the_undo_bar_counts_down_and_then_goes_away(theme: Theme, qtbot: QtBot) -> None:
    bar = UndoBar(seconds=0.5)
    qtbot.addWidget(bar)
    bar.offer("c1", "Moved WO-1042 to Paint")
    assert bar.isVisible()
    assert bar.seconds_left() == 1
    with qtbot.waitSignal(bar.expired) as gone:
        pass
    assert gone.args == ["c1"]
    assert not bar.isVisible()
    assert bar.seconds_left() == 0


def test_undo_names_the_change_once_and_the_newest_offer_wins(theme: Theme, qtbot: QtBot) -> None:
    bar = UndoBar()
    qtbot.addWidget(bar)
    bar.offer("c1", "one")
    bar.offer("c2", "two")
    with qtbot.waitSignal(bar.undo_requested) as undone:
        bar._button.click()
    assert undone.args == ["c2"]
    with qtbot.assertNotEmitted(bar.undo_requested):
        bar.undo()


def test_the_alarm_strip_blinks_only_while_something_is_not_acknowledged(theme: Theme, qtbot: QtBot) -> None:
    strip = AlarmStrip()
    qtbot.addWidget(strip)
    strip.resize(600, 32)
    strip.show()
    strip.set_counts({1: AlarmCount(1, 1)})
    first = widget_pixels(strip)
    qtbot.waitUntil(lambda: not strip._lit, timeout=2000)
    assert (widget_pixels(strip) != first).any()
    strip.set_counts({1: AlarmCount(1, 0)})
    assert not strip._blink.isActive()


def test_the_alarm_strip_says_its_counts_and_the_newest_in_words(theme: Theme, qtbot: QtBot) -> None:
    strip = AlarmStrip()
    qtbot.addWidget(strip)
    strip.set_quiet_text("No active alarms · source age 1 s")
    assert strip.accessibleName() == "No active alarms · source age 1 s"
    strip.set_counts({1: AlarmCount(2, 1)})
    strip.set_newest("Oven 2 HIHI", "42 s", 1)
    assert strip.accessibleName() == "2 of priority 1 (1 not acknowledged); newest: Oven 2 HIHI 42 s"
    with qtbot.waitSignal(strip.clicked):
        QTest.keyClick(strip, Qt.Key.Key_Return)
    with qtbot.waitSignal(strip.clicked):
        QTest.mouseClick(strip, Qt.MouseButton.LeftButton)
    strip.set_counts({})


def test_the_status_strip_lists_every_fault_of_the_world(theme: Theme, qtbot: QtBot) -> None:
    strip = StatusStrip()
    qtbot.addWidget(strip)
    strip.set_segment("sync", "3 to send", "attention", "3 changes wait")
    strip.set_fault("oven", "Oven PLC does not answer.")
    strip.set_fault("disk", "The disk is full.")
    assert strip.faults() == ["Oven PLC does not answer.", "The disk is full."]
    assert strip.segment_text("faults") == "Oven PLC does not answer. (+1 more)"
    strip.set_fault("oven", None)
    strip.set_fault("disk", None)
    assert strip.segment_text("faults") == ""
    with qtbot.waitSignal(strip.segment_clicked) as clicked:
        QTest.mouseClick(strip._segments["sync"], Qt.MouseButton.LeftButton)
    assert clicked.args == ["sync"]


def test_the_loading_bar_waits_half_a_second_and_can_be_cancelled(theme: Theme, qtbot: QtBot) -> None:
    bar = LoadingBar(cancellable=True)
    qtbot.addWidget(bar)
    bar.start("Reading")
    assert not bar.isVisible()
    qtbot.waitUntil(bar.isVisible, timeout=2000)
    with qtbot.waitSignal(bar.cancelled):
        bar._cancel.click()
    assert not bar.isVisible()


def test_work_that_ends_soon_never_shows_a_bar(theme: Theme, qtbot: QtBot) -> None:
    bar = LoadingBar()
    qtbot.addWidget(bar)
    bar.start()
    bar.finish()
    assert not bar._delay.isActive()


def test_banner_empty_and_error_state_offer_their_one_action(theme: Theme, qtbot: QtBot) -> None:
    banner, empty = Banner("Offline since 13:52", "Sync now"), EmptyState("Nothing here", "Add one")
    error = ErrorState("Could not read.", "Charts work.", "line 3")
    for widget in (banner, empty, error):
        qtbot.addWidget(widget)
    with qtbot.waitSignal(banner.action_requested):
        banner._button.click()
    with qtbot.waitSignal(empty.action_requested):
        empty._button.click()
    with qtbot.waitSignal(error.retry_requested):
        error._retry.click()
    error._copy.click()
    assert QGuiApplication.clipboard().text() == "Could not read.\nCharts work.\n\nline 3"
    banner.show_text("")
    assert banner.isHidden()


def test_a_tile_is_clicked_by_mouse_and_by_enter_and_speaks(theme: Theme, qtbot: QtBot) -> None:
    tile = KpiTile("Oven 2")
    qtbot.addWidget(tile)
    tile.set_value("71.4", "°C", age="4 min", stale=True)
    assert tile.accessibleName() == "Oven 2, 71.4 °C, age 4 min, stale"
    with qtbot.waitSignal(tile.clicked):
        QTest.keyClick(tile, Qt.Key.Key_Return)
    with qtbot.waitSignal(tile.clicked):
        QTest.mouseClick(tile, Qt.MouseButton.LeftButton)


def test_the_filter_speaks_once_after_a_rest_and_escape_clears_it(theme: Theme, qtbot: QtBot) -> None:
    field = FilterField("Filter orders")
    qtbot.addWidget(field)
    heard: list[str] = []
    field.filter_changed.connect(heard.append)
    with qtbot.waitSignal(field.filter_changed):
        QTest.keyClicks(field._edit, "paint")
    assert heard == ["paint"]
    QTest.keyClick(field._edit, Qt.Key.Key_Escape)
    assert heard == ["paint", ""]
    field.set_count(12408, True)
    assert field.count_text() == "12,408 rows · filtered"


def test_a_refused_button_says_why_in_tooltip_and_name(theme: Theme, qtbot: QtBot) -> None:
    button = ActionButton("Release")
    qtbot.addWidget(button)
    button.refuse("Only a planner may release.")
    assert not button.isEnabled()
    assert button.toolTip() == "Only a planner may release."
    assert button.accessibleName() == "Release (not available: Only a planner may release.)"
    button.refuse(None)
    assert button.isEnabled()
