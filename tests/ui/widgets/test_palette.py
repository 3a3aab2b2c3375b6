"""The palette finds commands by a few letters, shows why one is not available, and takes found records."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.theme import Theme
from ui.widgets.alarm_strip import AlarmStrip
from ui.widgets.fuzzy import best, score
from ui.widgets.palette import CommandPalette, PaletteItem

ITEMS = [
    PaletteItem("orders", "Work orders", "Go to", "G O"),
    PaletteItem("new", "New work order", "Orders", "Ctrl+N"),
    PaletteItem("delete", "Delete work order", "Orders", "Del", False, "Only a planner may delete orders."),
    PaletteItem("oven", "Oven 2", "Machine"),
]


def _palette(qtbot: QtBot) -> CommandPalette:
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.addWidget(AlarmStrip())
    layout.addStretch(1)
    qtbot.addWidget(window)
    window.resize(800, 500)
    window.show()
    qtbot.waitExposed(window)
    popup = CommandPalette(window)
    popup.set_items(ITEMS)
    popup.open_palette()
    return popup


def _keys(popup: CommandPalette) -> list[str]:
    return [item.key for item in popup.results()]


def test_letters_narrow_the_list_and_the_best_fit_comes_first(theme: Theme, qtbot: QtBot) -> None:
    popup = _palette(qtbot)
    assert _keys(popup) == ["orders", "new", "delete", "oven"]
    QTest.keyClicks(popup._search, "ov")
    assert _keys(popup) == ["oven"]
    popup.open_palette("new ord")
    assert _keys(popup)[0] == "new"
    popup.open_palette("nwo")
    assert _keys(popup) == ["new"]
    popup.open_palette("zzz")
    assert _keys(popup) == []


def test_enter_chooses_the_marked_item_and_closes(theme: Theme, qtbot: QtBot) -> None:
    popup = _palette(qtbot)
    QTest.keyClick(popup._search, Qt.Key.Key_Down)
    with qtbot.waitSignal(popup.chosen) as chosen:
        QTest.keyClick(popup._search, Qt.Key.Key_Return)
    assert chosen.args == ["new"]
    assert not popup.isVisible()


def test_an_item_that_is_not_available_cannot_be_chosen_and_says_why(theme: Theme, qtbot: QtBot) -> None:
    popup = _palette(qtbot)
    popup.open_palette("delete")
    with qtbot.assertNotEmitted(popup.chosen):
        QTest.keyClick(popup._search, Qt.Key.Key_Return)
    index = popup._results.index(0, 0)
    spoken = popup._results.data(index, Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == ("Delete work order, Orders, Del, not available: Only a planner may delete orders.")


def test_escape_closes_without_choosing(theme: Theme, qtbot: QtBot) -> None:
    popup = _palette(qtbot)
    with qtbot.waitSignal(popup.closed):
        QTest.keyClick(popup._search, Qt.Key.Key_Escape)
    assert not popup.isVisible()


def test_found_records_join_but_late_answers_to_an_older_query_are_dropped(
    theme: Theme, qtbot: QtBot
) -> None:
    popup = _palette(qtbot)
    with qtbot.waitSignal(popup.query_changed) as asked:
        QTest.keyClicks(popup._search, "1042")
    assert asked.args == ["1042"]
    popup.set_found("104", [PaletteItem("old", "WO-104")])
    assert _keys(popup) == []
    popup.set_found("1042", [PaletteItem("wo", "WO-1042")])
    assert _keys(popup) == ["wo"]


def test_the_palette_leaves_the_alarm_strip_free(theme: Theme, qtbot: QtBot) -> None:
    popup = _palette(qtbot)
    strip = popup.window().findChild(AlarmStrip)
    assert strip is not None
    assert not popup.geometry().intersects(strip.geometry())


def test_five_thousand_items_are_filtered_within_a_tenth_of_a_second(theme: Theme, qtbot: QtBot) -> None:
    popup = _palette(qtbot)
    popup.set_items([PaletteItem(str(n), f"Work order WO-{n} for frame {n % 97}") for n in range(5000)])
    start = time.process_time()
    popup.open_palette("frm 42")
    assert time.process_time() - start < 0.1
    assert popup.results()


@given(st.text("abc -12", max_size=12), st.text("abc -12", max_size=40))
def test_whatever_is_a_piece_of_a_text_fits_it(query: str, text: str) -> None:
    piece = text[: len(text) // 2]
    assert score(piece, text) is not None
    found = best(query, [text, piece], 2)
    assert len(found) == len(set(found)) <= 2
