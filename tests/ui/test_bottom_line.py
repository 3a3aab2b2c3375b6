"""What comes and goes at the bottom of a window moves nothing that somebody may be about to click."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.sync.status import OFFLINE, PAUSED
from tests.parking import Parking
from ui.screens.orders import OrdersScreen
from ui.theme import Density, Theme
from ui.widgets.pane import Pane
from ui.widgets.status_strip import StatusStrip
from ui.window.desktop import Desktop
from ui.window.main_window import MainWindow
from ui.window.places import FACTORIES

WAIT = 15_000
REFUSAL = (
    "The role operator may not create and change work orders; ask someone with one of these roles: admin, manager, "
    "planner, supervisor."
)


@pytest.fixture
def window(qtbot: QtBot, whole: Desktop, parking: Parking) -> MainWindow:
    made = whole.windows[0]
    made.resize(1366, 768)
    qtbot.waitUntil(lambda: made.desk.sharing.now.joined, timeout=WAIT)
    return made


def places_of(window: MainWindow, *widgets: QWidget) -> list[QRect]:
    return [
        QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
        for widget in (window.navigation, window.panes, window.bottom, *widgets)
    ]


def inside(outer: QWidget, inner: QWidget) -> bool:
    return outer.rect().contains(QRect(inner.mapTo(outer, QPoint(0, 0)), inner.size()))


@pytest.mark.parametrize("density", [Density.DESK, Density.TOUCH])
def test_the_rows_stay_where_they_are_when_messages_come_and_go(
    qtbot: QtBot,
    window: MainWindow,
    order: Callable[..., UUID],
    told: Callable[..., None],
    theme: Theme,
    density: Density,
) -> None:
    theme.set_density(density)
    for lot in "ABC":
        order(lot=lot)
    pane = window.open_place("orders")
    assert isinstance(pane, OrdersScreen)
    qtbot.waitUntil(lambda: pane.model.rowCount() == 3, timeout=WAIT)
    told()
    rows = pane.list.viewport()
    before = places_of(window, rows)
    at = pane.list.visualRect(pane.model.index(1, 1)).center()

    told(OFFLINE)
    qtbot.waitUntil(window.sharing.isVisible, timeout=WAIT)
    window.undo_history.offered.emit(str(UUID(int=1)), "Moved A-WO-000012 to Paint")
    window.desk.refused.emit(REFUSAL)
    window.jobs.show_job("import", "Importing plan.xlsx", 0.62)
    qtbot.waitUntil(window.footer.line.isVisible, timeout=WAIT)
    qtbot.waitUntil(lambda: window.status.width() < 400, timeout=WAIT)  # everything has found its place
    assert places_of(window, rows) == before
    for part in (window.footer.undo_bar, window.footer.line, window.jobs, window.sharing):
        assert part.isVisible()
        assert inside(window.bottom, part), part.objectName()

    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=at)
    assert pane.list.currentIndex().row() == 1
    told()
    window.footer.clear()
    window.jobs.remove_job("import")
    qtbot.waitUntil(window.sharing.isHidden, timeout=WAIT)
    assert places_of(window, rows) == before


def test_the_usual_gives_way_to_messages_and_comes_back(
    qtbot: QtBot, window: MainWindow, told: Callable[..., None]
) -> None:
    told()
    strip = window.status
    segments = {key: strip.findChild(QWidget, f"status_{key}") for key in ("store", "queue", "faults")}
    assert segments["store"] is not None
    assert segments["queue"] is not None
    qtbot.waitUntil(segments["queue"].isVisible, timeout=WAIT)
    window.desk.fault.emit("disk", "The disk is full: nothing can be saved until some of it is free again.")
    window.desk.refused.emit(REFUSAL)
    qtbot.waitUntil(segments["store"].isHidden, timeout=WAIT)
    fault = strip.findChild(QWidget, "status_faults")
    assert fault is not None
    assert fault.isVisible()
    assert fault.width() >= 150
    window.desk.fault.emit("disk", None)
    window.footer.clear()
    qtbot.waitUntil(segments["store"].isVisible, timeout=WAIT)


def test_going_online_again_is_in_the_banner(
    qtbot: QtBot, window: MainWindow, told: Callable[..., None]
) -> None:
    told(PAUSED)
    qtbot.waitUntil(lambda: window.sharing.button.text() == "Go online", timeout=WAIT)
    told(OFFLINE)
    qtbot.waitUntil(lambda: window.sharing.button.text() == "Details", timeout=WAIT)
    window.sharing.button.setFocus()
    QTest.keyClick(window.sharing.button, Qt.Key.Key_Space)
    current = window.panes.current()
    assert current is not None
    assert current.place == "sharing"


def test_keys_stay_with_the_list_when_a_button_of_the_line_is_pressed(
    qtbot: QtBot, window: MainWindow, order: Callable[..., UUID], told: Callable[..., None]
) -> None:
    told(OFFLINE)
    pane = window.open_place("orders")
    assert isinstance(pane, OrdersScreen)
    window.activateWindow()
    qtbot.waitUntil(pane.list.hasFocus, timeout=WAIT)
    for press in (_by_mouse, _by_key):
        window.undo_history.offered.emit(str(UUID(int=1)), "Moved A-WO-000012 to Paint")
        undo = window.footer.undo_bar.findChild(QPushButton)
        assert undo is not None
        press(undo)
        assert not window.footer.undo_bar.isVisible()
        assert pane.list.hasFocus()
        window.desk.refused.emit(REFUSAL)
        button = window.footer.line.findChild(QPushButton)
        assert button is not None
        press(button)
        assert pane.list.hasFocus()
    qtbot.waitUntil(lambda: window.desk.tasks.idle, timeout=WAIT)


def _by_mouse(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def _by_key(button: QPushButton) -> None:
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def test_the_palette_finds_what_an_action_would_do_now(
    qtbot: QtBot, window: MainWindow, told: Callable[..., None]
) -> None:
    told(PAUSED)
    window.open_place("sharing")
    qtbot.waitUntil(lambda: window.desk.sharing.now.paused, timeout=WAIT)
    titles = [item.title for item in window.palette_wiring.items()]
    assert "Go online" in titles
    assert "Work offline" not in titles


def test_a_place_that_cannot_be_opened_at_the_start_is_reported(
    qtbot: QtBot, whole: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_desk: object, _live: object) -> Pane:
        raise RuntimeError("cannot be made")

    monkeypatch.setitem(FACTORIES, "dashboard", broken)
    monkeypatch.setitem(FACTORIES, "orders", broken)
    told: list[BaseException] = []
    monkeypatch.setattr(whole.reports, "report", told.append)
    whole.open_window()
    assert [str(error) for error in told] == ["cannot be made"]


def test_nobody_reads_messages_on_a_locked_screen(
    qtbot: QtBot, window: MainWindow, told: Callable[..., None]
) -> None:
    told(OFFLINE)
    window.undo_history.offered.emit(str(UUID(int=1)), "Moved A-WO-000012 to Paint")
    qtbot.waitUntil(window.sharing.isVisible, timeout=WAIT)
    right = window.status.geometry().right()
    window.sessions.lock()
    assert not window.sharing.isVisible()
    qtbot.waitUntil(lambda: window.status.geometry().right() == right, timeout=WAIT)
    assert not window.footer.undo_bar.isVisible()
    assert window.status.isVisible()


def test_no_line_stands_before_the_first_or_after_the_last_segment(theme: Theme, qtbot: QtBot) -> None:
    strip = StatusStrip()
    qtbot.addWidget(strip)
    for key in ("store", "collector", "queue"):
        strip.set_segment(key, key.capitalize())
    strip.set_segment("store", "")
    strip.resize(strip.sizeHint())
    strip.show()
    middle = strip.height() // 2
    image = strip.grab().toImage()
    divider = theme.tokens.divider.rgb()
    lines = [x for x in range(image.width()) if image.pixel(x, middle) == divider]
    assert len(lines) == 1
    assert 20 < lines[0] < image.width() - 20
