"""Widgets vanish when they are deleted, and look again when the scheme changes."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.widgets.pictures import has_colour, widget_pixels
from ui.theme import DARK, LIGHT, Theme
from ui.widgets.alarm_strip import AlarmStrip
from ui.widgets.analog_bar import AnalogBar
from ui.widgets.board_view import BoardCard, BoardColumn, BoardView
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.chart import TrendChart
from ui.widgets.filter_field import FilterField
from ui.widgets.form import Form
from ui.widgets.glyphs import PriorityGlyph, StateGlyph
from ui.widgets.kpi import KpiTile
from ui.widgets.list_view import ListView
from ui.widgets.sparkline import Sparkline
from ui.widgets.states import Banner, EmptyState, ErrorState, LoadingBar
from ui.widgets.status_strip import StatusStrip
from ui.widgets.undo_bar import UndoBar


def _tile() -> QWidget:
    return KpiTile("Oven 2")


def _button() -> QWidget:
    return ActionButton("Save", primary=True, icon="plus")


def _icon_button() -> QWidget:
    return IconButton("gear", "Settings")


def _form() -> QWidget:
    form = Form()
    form.add_text("number", "Order")
    form.add_choice("product", "Product", [("m", "Frame M")])
    return form


def _board() -> QWidget:
    board = BoardView()
    board.set_columns([BoardColumn("cut", "Cut", 1, [BoardCard("a", "WO-1"), BoardCard("b", "WO-2")])])
    return board


def _undo() -> QWidget:
    bar = UndoBar()
    bar.offer("c", "Moved WO-1")
    return bar


def _sparkline() -> QWidget:
    line = Sparkline()
    line.set_points(np.arange(9, dtype=np.float64), np.arange(9, dtype=np.float64), (2, 6))
    return line


MAKERS: list[Callable[[], QWidget]] = [
    AlarmStrip, AnalogBar, _board, _button, _icon_button, FilterField, _form, PriorityGlyph, StateGlyph, _tile,
    ListView, _sparkline, Banner, EmptyState, ErrorState, LoadingBar, StatusStrip, _undo, TrendChart,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__.lstrip("_"))
def test_a_deleted_widget_is_gone(theme: Theme, qtbot: QtBot, make: Callable[[], QWidget]) -> None:
    widget = make()
    widget.show()
    widget.grab()
    reference = weakref.ref(widget)
    widget.hide()
    widget.deleteLater()
    del widget
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qtbot.waitUntil(lambda: reference() is None, timeout=2000)


def test_after_a_change_of_scheme_no_widget_keeps_an_old_surface_or_ink(
    theme: Theme, qtbot: QtBot, qapp: QApplication
) -> None:
    page = QWidget()
    layout = QVBoxLayout(page)
    for make in (_board, _button, _form, _tile, _undo, _sparkline, AlarmStrip, FilterField, StatusStrip):
        layout.addWidget(make())
    layout.addWidget(QLabel("A plain label"))
    banner = Banner("Offline", "Sync now")
    layout.addWidget(banner)
    qtbot.addWidget(page)
    page.resize(900, 1100)
    page.show()
    qtbot.waitExposed(page)
    page.grab()
    theme.set_scheme("dark")
    qtbot.waitUntil(lambda: page.palette().window().color() == DARK.canvas)
    picture = widget_pixels(page)
    for old in (LIGHT.canvas, LIGHT.panel, LIGHT.base, LIGHT.divider, LIGHT.accent, LIGHT.selection):
        assert has_colour(picture, old).sum() < 60, old.name()  # smoothed letters may hit a colour by chance
