"""Cards move by mouse and by key; what may not be dropped is refused in words."""

from __future__ import annotations

import time

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.widgets.pictures import has_colour, widget_pixels
from ui.theme import LIGHT, Theme
from ui.widgets.board_view import BoardCard, BoardColumn, BoardView

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier


def _cards(prefix: str, count: int) -> list[BoardCard]:
    return [
        BoardCard(f"{prefix}{n}", f"WO-{n}", "Frame M", (n, 60), "Fri", "−4 h", n % 2 == 1)
        for n in range(count)
    ]


def _board(qtbot: QtBot) -> BoardView:
    view = BoardView()
    qtbot.addWidget(view)
    view.resize(1100, 600)
    view.set_columns(
        [
            BoardColumn("cut", "Cut", 8, _cards("c", 30)),
            BoardColumn("weld", "Weld", 1, _cards("w", 2)),
            BoardColumn("paint", "Paint", 6),
            BoardColumn("inspect", "Inspect", None, _cards("i", 1)),
        ]
    )
    view.show()
    qtbot.waitExposed(view)
    view.activateWindow()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    return view


def _drag(view: BoardView, card: str, column: str, *, release: bool = True) -> None:
    start, end = view.card_rect(card).center(), view.column_rect(column).center()
    QTest.mousePress(view.viewport(), LEFT, PLAIN, start)
    QTest.mouseMove(view.viewport(), start + QPoint(20, 20))
    QTest.mouseMove(view.viewport(), end)
    if release:
        QTest.mouseRelease(view.viewport(), LEFT, PLAIN, end)


def test_a_card_dragged_to_another_column_is_dropped_there(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    with qtbot.waitSignal(view.card_dropped) as drop:
        _drag(view, "c1", "paint")
    assert drop.args == ["c1", "paint"]


def test_a_card_dropped_on_its_own_column_stays_without_a_signal(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    with qtbot.assertNotEmitted(view.card_dropped):
        _drag(view, "c1", "cut")
    assert view.current_card() == "c1"


def test_a_refused_drop_shows_its_reason_before_release_and_does_nothing(theme: Theme, qtbot: QtBot) -> None:
    view, asked = _board(qtbot), []

    def refuse(card: str, column: str) -> str | None:
        asked.append((card, column))
        return "The weld inspection is still missing."

    view.set_can_drop(refuse)
    with qtbot.assertNotEmitted(view.card_dropped):
        _drag(view, "c1", "paint", release=False)
        assert view._refusal_here() == "The weld inspection is still missing."
        QTest.mouseRelease(view.viewport(), LEFT, PLAIN, view.column_rect("paint").center())
    assert asked.count(("c1", "paint")) == 1


def test_a_card_that_this_person_may_not_move_refuses_every_column(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    columns = view.columns()
    locked = BoardCard("x", "WO-9", disabled_reason="Only a supervisor may move it.")
    view.set_columns([BoardColumn("cut", "Cut", 8, [locked]), *columns[1:]])
    with qtbot.assertNotEmitted(view.card_dropped):
        _drag(view, "x", "paint")


def test_escape_puts_a_lifted_card_back(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    with qtbot.assertNotEmitted(view.card_dropped):
        _drag(view, "c1", "paint", release=False)
        QTest.keyClick(view, Qt.Key.Key_Escape)
        QTest.mouseRelease(view.viewport(), LEFT, PLAIN, view.column_rect("paint").center())


def test_arrow_keys_walk_cards_and_skip_empty_columns(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    view.set_current_card("c0")
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.current_card() == "c1"
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.current_card() == "w1"
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.current_card() == "i0"
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.current_card() == "i0"
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert view.column_of(view.current_card()) == "weld"


def test_end_scrolls_its_column_to_the_last_card(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    view.set_current_card("c0")
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.current_card() == "c29"
    assert view.viewport().rect().contains(view.card_rect("c29"))


def test_move_open_and_peek_have_keys(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    view.set_current_card("w0")
    keys = (
        (Qt.Key.Key_M, view.move_requested),
        (Qt.Key.Key_Return, view.card_activated),
        (Qt.Key.Key_Space, view.card_peeked),
    )
    for key, signal in keys:
        with qtbot.waitSignal(signal) as caught:
            QTest.keyClick(view, key)
        assert caught.args == ["w0"]


def test_the_current_card_and_the_scroll_position_survive_a_refresh(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    view.set_current_card("c20")
    before = view.card_rect("c20")
    view.set_columns(view.columns())
    assert view.current_card() == "c20"
    assert view.card_rect("c20") == before


def test_when_the_current_card_vanishes_its_neighbour_takes_over(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    view.set_current_card("w1")
    columns = view.columns()
    columns[1] = BoardColumn("weld", "Weld", 1, columns[1].cards[:1])
    view.set_columns(columns)
    assert view.current_card() == "w0"


def test_a_column_over_its_limit_says_so_in_words(theme: Theme) -> None:
    assert BoardColumn("weld", "Weld", 1, _cards("w", 2)).count_text() == "2/1 ⚠ over"
    assert BoardColumn("cut", "Cut", 8, _cards("c", 2)).count_text() == "2/8"
    assert BoardColumn("cut", "Cut").count_text() == "0"


def test_a_card_describes_itself_in_one_sentence(theme: Theme) -> None:
    card = BoardCard("k", "WO-1", "Frame M", (3, 6), "Fri", "−4 h", True, "K. Osei", (), "no steel")
    assert (
        card.described() == "WO-1, Frame M, 3 of 6 done, due Fri, late −4 h, owner K. Osei, blocked: no steel"
    )


def test_two_thousand_cards_are_set_within_a_tenth_of_a_second(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    columns = [BoardColumn(f"s{c}", f"Stage {c}", 8, _cards(f"s{c}-", 200)) for c in range(10)]
    start = time.process_time()
    view.set_columns(columns)
    view.grab()
    assert time.process_time() - start < 0.1


def test_the_ring_of_the_current_card_is_seen_only_with_focus(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    view.set_current_card("w0")
    assert has_colour(widget_pixels(view), LIGHT.focus).sum() > 200
    view.clearFocus()
    assert has_colour(widget_pixels(view), LIGHT.focus).sum() == 0


def test_all_columns_of_a_usual_route_fit_a_small_screen(theme: Theme, qtbot: QtBot) -> None:
    view = _board(qtbot)
    view.set_columns([BoardColumn(f"stage{n}", f"Stage {n}", None, _cards(f"s{n}-", 3)) for n in range(6)])
    view.resize(1166, 600)
    qtbot.waitUntil(lambda: view.viewport().width() == 1166)
    assert view.horizontalScrollBar().maximum() == 0
    assert view.column_rect("stage5").right() <= 1166
