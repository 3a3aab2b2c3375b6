"""The list asks for orders, copies what is selected, keeps its columns, and says when it is empty."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.widgets.pictures import has_colour, widget_pixels
from ui.theme import LIGHT, Density, Theme
from ui.widgets import list_view
from ui.widgets.list_view import ListView
from ui.widgets.roles import ColumnKeyRole, ColumnWidthRole, ErrorRole, GlyphRole, TintRole, UnsentRole

Index = QModelIndex | QPersistentModelIndex


class Orders(QAbstractTableModel):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows
        self.asked = 0

    def rowCount(self, parent: Index | None = None) -> int:
        return self.rows

    def columnCount(self, parent: Index | None = None) -> int:
        return 3

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return ("Order", "Product", "Done")[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return {ColumnKeyRole: ("number", "product", "done")[section], ColumnWidthRole: 120}.get(role)

    def data(self, index: Index, role: int = 0) -> object:
        self.asked += 1
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (f"WO-{row}", "Frame\tM\nleft", str(row))[column]
        if role == GlyphRole and column == 0 and row == 1:
            return ("priority", (1, False))
        if role == GlyphRole and column == 2:
            return ("progress", (row, 10))
        return {ErrorRole: "wrong" if (row, column) == (3, 1) else None, TintRole: 2 if row == 4 else None,
                UnsentRole: row == 0}.get(role)  # fmt: skip


def _view(qtbot: QtBot, rows: int = 20, settings: QSettings | None = None) -> ListView:
    view = ListView(settings=settings)
    qtbot.addWidget(view)
    view.setObjectName("orders")
    model = Orders(rows)
    model.setParent(view)
    view.setModel(model)
    view.resize(600, 400)
    view.show()
    qtbot.waitExposed(view)
    return view


def _click_header(view: ListView, column: int) -> None:
    header = view.horizontalHeader()
    at = QPoint(header.sectionViewportPosition(column) + 30, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)


def test_a_click_on_a_header_asks_for_an_order_and_a_second_for_the_reverse(
    theme: Theme, qtbot: QtBot
) -> None:
    view = _view(qtbot)
    for descending in (False, True, False):
        with qtbot.waitSignal(view.sort_requested) as asked:
            _click_header(view, 1)
        assert asked.args == ["product", descending]
    assert view.sort() == ("product", False)


def test_copy_gives_headers_and_the_selected_rows_as_tab_separated_text(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot)
    view.selectRow(2)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Order\tProduct\tDone\nWO-2\tFrame M left\t2"


def test_copy_follows_the_order_of_columns_on_the_screen(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot)
    view.horizontalHeader().moveSection(2, 0)
    view.selectRow(1)
    view.copy_selection()
    assert QGuiApplication.clipboard().text().splitlines()[1] == "1\tWO-1\tFrame M left"


def test_a_copy_that_is_too_large_is_refused_in_words(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot, list_view.COPY_LIMIT + 1)
    view.selectAll()
    with qtbot.waitSignal(view.copy_refused) as refused:
        view.copy_selection()
    assert "50,001 rows are too many" in refused.args[0]


def test_widths_and_order_of_columns_come_back_by_name(theme: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    settings = QSettings(str(tmp_path / "layout.ini"), QSettings.Format.IniFormat)
    view = _view(qtbot, settings=settings)
    view.horizontalHeader().resizeSection(0, 77)
    view.horizontalHeader().moveSection(1, 0)
    view.save_columns()
    again = _view(qtbot, settings=settings)
    assert again.columnWidth(0) == 77
    assert again.horizontalHeader().logicalIndex(0) == 1


def test_keys_walk_select_peek_and_open(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot)
    QTest.keyClick(view, Qt.Key.Key_J)
    QTest.keyClick(view, Qt.Key.Key_J)
    assert view.currentIndex().row() == 1
    QTest.keyClick(view, Qt.Key.Key_K)
    assert view.currentIndex().row() == 0
    QTest.keyClick(view, Qt.Key.Key_X)
    assert view.selected_rows() == []
    with qtbot.waitSignal(view.peek_requested) as peeked:
        QTest.keyClick(view, Qt.Key.Key_Space)
    with qtbot.waitSignal(view.activated_row) as opened:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert peeked.args == opened.args == [0]


def test_an_empty_list_says_why_and_offers_one_button(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot, 0)
    view.set_empty("No order is late.", "Show all")
    assert view._empty.isVisible()
    with qtbot.waitSignal(view.empty_action_requested):
        view._empty._button.click()
    model = view.model()
    assert isinstance(model, Orders)
    model.beginInsertRows(QModelIndex(), 0, 0)
    model.rows = 1
    model.endInsertRows()
    assert not view._empty.isVisible()


def test_a_million_rows_cost_only_what_is_seen(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot, 1_000_000)
    model = view.model()
    assert isinstance(model, Orders)
    model.asked = 0
    view.scrollToBottom()
    view.grab()
    assert 0 < model.asked < 2_000


def test_errors_tints_and_glyphs_are_painted(theme: Theme, qtbot: QtBot) -> None:
    picture = widget_pixels(_view(qtbot))
    assert has_colour(picture, LIGHT.row_tint(2)).sum() > 5_000
    assert has_colour(picture, LIGHT.alarm(1).fill).sum() > 300


def test_rows_take_the_height_of_the_density(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot)
    assert view.rowHeight(0) == 28
    theme.set_density(Density.TOUCH)
    assert view.rowHeight(0) == 64


def test_typing_letters_never_searches_a_million_rows(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot, 1_000_000)
    model = view.model()
    assert isinstance(model, Orders)
    model.asked = 0
    QTest.keyClick(view, Qt.Key.Key_W)
    assert model.asked < 100


def test_columns_are_fitted_until_somebody_sets_a_width_and_then_stay(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot)
    header = view.horizontalHeader()
    view.resize(260, 400)
    qtbot.waitUntil(lambda: header.length() <= view.viewport().width())
    header.resizeSection(0, 222)
    view.resize(700, 400)
    view.resize(300, 400)
    assert header.sectionSize(0) == 222


def test_the_row_with_the_focus_is_the_chosen_one_while_none_is_selected(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot)
    assert view.chosen_rows() == []
    view.selectionModel().setCurrentIndex(
        view.model().index(3, 0), view.selectionModel().SelectionFlag.NoUpdate
    )
    assert view.chosen_rows() == [3]
    view.selectRow(5)
    assert view.chosen_rows() == [5]


def test_a_hidden_last_column_is_no_wish_for_widths(theme: Theme, qtbot: QtBot) -> None:
    view = _view(qtbot)
    header = view.horizontalHeader()
    header.setStretchLastSection(True)
    last = header.count() - 1
    view.resize(640, 300)
    view.setColumnHidden(last, True)
    view.setColumnHidden(last, False)
    view.setColumnHidden(last, True)
    view.resize(500, 300)
    assert not view._own_widths
