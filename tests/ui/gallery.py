"""Renders every widget in both schemes: `python tests/ui/gallery.py DIRECTORY` writes PNGs to look at."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.theme import Density, Scheme, Theme, install_theme
from ui.widgets.alarm_strip import AlarmCount, AlarmStrip
from ui.widgets.analog_bar import AnalogBar, Limits
from ui.widgets.board_view import BoardCard, BoardColumn, BoardView
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.chart import EventPin, LimitLine, TrendChart
from ui.widgets.filter_field import FilterField
from ui.widgets.form import Form
from ui.widgets.glyphs import STATES, PriorityGlyph, StateGlyph
from ui.widgets.kpi import KpiBar, KpiLine, KpiTile
from ui.widgets.list_view import ListView
from ui.widgets.palette import CommandPalette, PaletteItem
from ui.widgets.roles import (
    ColumnKeyRole,
    ColumnWidthRole,
    ErrorRole,
    GlyphRole,
    MutedRole,
    TintRole,
    UnsentRole,
)
from ui.widgets.sparkline import Sparkline
from ui.widgets.states import Banner, EmptyState, ErrorState, LoadingBar
from ui.widgets.status_strip import StatusStrip
from ui.widgets.undo_bar import UndoBar

LIMITS = Limits(lolo=10, lo=20, hi=80, hihi=90)


def glyphs() -> QWidget:
    page = QWidget()
    grid = QGridLayout(page)
    for row, acked in enumerate((False, True)):
        for priority in (1, 2, 3, 4):
            grid.addWidget(PriorityGlyph(priority, acked, 20), row, priority - 1)
            grid.addWidget(PriorityGlyph(priority, acked, 40), row, priority + 3)
    for column, state in enumerate(STATES):
        grid.addWidget(StateGlyph(state, 20), 2, column)
        grid.addWidget(StateGlyph(state, 40), 3, column)
        grid.addWidget(QLabel(state), 4, column)
    return page


def bars() -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    for value, stale in (
        (50.0, False),
        (84.0, False),
        (95.0, False),
        (15.0, False),
        (5.0, False),
        (50.0, True),
    ):
        bar = AnalogBar()
        bar.set_range(0, 100, LIMITS)
        bar.set_value(value, stale)
        layout.addWidget(bar)
    layout.addWidget(AnalogBar())
    t, y = wave()
    for band, stale in (((-0.5, 0.5), False), (None, False), ((-0.5, 0.5), True)):
        line = Sparkline()
        line.set_points(t, y, band, stale=stale)
        layout.addWidget(line)
    layout.addWidget(Sparkline())
    page.resize(320, 420)
    return page


def wave(points: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(points, dtype=np.float64) + 1.79e9
    y = np.sin(np.arange(points) / 80) + np.random.default_rng(1).normal(0, 0.05, points)
    y[points // 2 : points // 2 + points // 8] = np.nan
    return t, y


def tiles() -> QWidget:
    page = QWidget()
    layout = QGridLayout(page)
    t, y = wave()
    plain, bar, line, stale, alarm = (
        KpiTile(name)
        for name in (
            "Orders at risk",
            "Oven 2 temperature",
            "Line A output with a rather long title",
            "Press 4 vibration",
            "Oven 3",
        )
    )
    plain.set_value("3", "orders", note="WO-1042 −4 h", age="1 s")
    bar.set_value("71.4", "°C", age="1 s")
    bar.set_bar(KpiBar(71.4, 0, 100, LIMITS))
    line.set_value("46", "pieces/h", note="needs 52", age="2 s")
    line.set_line(KpiLine(t, y, (-0.5, 0.5)))
    stale.set_value("2.1", "mm/s", age="4 min", note="no answer", stale=True)
    stale.set_bar(KpiBar(2.1, 0, 10, Limits(hi=7)))
    alarm.set_value("95.2", "°C", age="1 s", note="HIHI 90", priority=1)
    alarm.set_bar(KpiBar(95.2, 0, 100, LIMITS))
    alarm.set_line(KpiLine(t, y, (-0.5, 0.5)))
    for index, tile in enumerate((plain, bar, line, stale, alarm, KpiTile("Nothing yet"))):
        layout.addWidget(tile, index // 3, index % 3)
    return page


def strips() -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    busy, quiet = AlarmStrip(), AlarmStrip()
    busy.set_counts({1: AlarmCount(1, 1), 2: AlarmCount(2, 0), 3: AlarmCount(13, 2)})
    busy.set_newest("Oven 2 temperature HIHI 231 °C > 225 °C", "42 s", 1)
    quiet.set_quiet_text("No active alarms · last cleared 13:58 · source age 1 s")
    status = StatusStrip()
    status.set_segment("sync", "3 to send", "attention", "3 changes wait for the server")
    status.set_segment("live", "live 1 s")
    status.set_segment("user", "K. Osei")
    status.set_fault("oven", "Oven PLC does not answer since 13:52.")
    status.set_fault("disk", "The disk has 2 GB left.")
    undo = UndoBar()
    undo.offer("c1", "Moved WO-1042 to Paint")
    loading = LoadingBar(cancellable=True)
    loading.start("Reading plan.xlsx")
    loading.set_progress(0.62, "7,700 of 12,380 rows")
    loading._appear()
    field = FilterField("Filter orders")
    field.set_count(12408, True)
    for widget in (
        busy,
        quiet,
        undo,
        Banner("Offline since 13:52 · editing works · 3 to send", "Sync now"),
        loading,
        field,
        buttons(),
        status,
    ):
        layout.addWidget(widget)
    page.resize(900, 380)
    return page


def buttons() -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    grey = ActionButton("Release")
    grey.refuse("Only a planner may release an order.")
    for widget in (
        ActionButton("New order", primary=True, icon="plus"),
        ActionButton("Import…", icon="upload-simple"),
        grey,
        IconButton("gear", "Settings"),
        IconButton("magnifying-glass", "Search"),
    ):
        layout.addWidget(widget)
    layout.addStretch(1)
    return row


def states() -> QWidget:
    page = QWidget()
    layout = QHBoxLayout(page)
    layout.addWidget(
        EmptyState("No work orders yet. Import a plan or create the first one.", "New work order")
    )
    layout.addWidget(
        ErrorState("The alarm list could not be read.", "Charts and orders still work.", "trace")
    )
    page.resize(760, 240)
    return page


class Orders(QAbstractTableModel):
    """A few rows with every kind of cell."""

    COLUMNS = (
        ("alarm", "!", 44),
        ("number", "Order", 110),
        ("product", "Product", 180),
        ("stage", "Stage", 130),
        ("quantity", "Done", 120),
        ("due", "Due", 90),
        ("slip", "Slip", 80),
    )

    def __init__(self, rows: int = 12) -> None:
        super().__init__()
        self.rows = rows

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return self.rows

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return len(self.COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        key, title, width = self.COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        if role == Qt.ItemDataRole.TextAlignmentRole and key in ("quantity", "slip"):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return {ColumnKeyRole: key, ColumnWidthRole: width}.get(role)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        row, key = index.row(), self.COLUMNS[index.column()][0]
        if role == Qt.ItemDataRole.DisplayRole:
            return {
                "alarm": "",
                "number": f"WO-{1042 + row}",
                "product": "Frame M with a very long product name",
                "stage": "Paint",
                "quantity": f"{row * 5}/60",
                "due": "Fri 12",
                "slip": f"−{row} h",
            }[key]
        if role == GlyphRole:
            glyphs = {
                "alarm": ("priority", (row % 4 + 1, row % 2 == 0)) if row < 6 else None,
                "stage": ("state", STATES[row % len(STATES)]),
                "quantity": ("progress", (row * 5, 60)),
            }
            return glyphs.get(key)
        return {
            ErrorRole: "Due must be a date" if (row, key) == (4, "due") else None,
            MutedRole: row == 9,
            UnsentRole: row == 2,
            TintRole: row + 1 if row < 4 else None,
        }.get(role)


def orders() -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    view = ListView()
    model = Orders()
    model.setParent(view)
    view.setModel(model)
    view.set_sort("due", True)
    view.selectRow(5)
    empty = ListView()
    none = Orders(0)
    none.setParent(empty)
    empty.setModel(none)
    empty.set_empty("No order is late.", "Show all orders")
    layout.addWidget(view, 3)
    layout.addWidget(empty, 1)
    page.resize(820, 640)
    return page


def cards(column: str, count: int) -> list[BoardCard]:
    return [
        BoardCard(f"{column}{n}", f"WO-{1042 + n}", "Frame M, welded, left side", (n * 7 % 60, 60), "Fri 12 Apr",
                  "−4 h" if n % 2 else "+2 h", bool(n % 2), "K. Osei", ("⇅",) if n == 1 else (),
                  "Waits for material" if n == 2 else None, 2 if n == 3 else None,
                  "Only a supervisor may move it." if n == 4 else None, f"{n} h")
        for n in range(count)
    ]  # fmt: skip


def board() -> QWidget:
    view = BoardView()
    view.resize(1100, 560)
    view.set_can_drop(refuse_inspect)
    view.set_columns(
        [
            BoardColumn("cut", "Cut", 8, cards("cut", 6)),
            BoardColumn("weld", "Weld", 3, cards("weld", 4)),
            BoardColumn("paint", "Paint", 6),
            BoardColumn("inspect", "Inspect", None, cards("in", 2)),
        ]
    )
    view.show()
    view.set_current_card("weld1")
    view.setFocus()
    start = view.card_rect("cut0").center()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(30, 30))
    QTest.mouseMove(view.viewport(), view.column_rect("inspect").center())
    return view


def refuse_inspect(card: str, column: str) -> str | None:
    return "The weld inspection is still missing." if column == "inspect" else None


def form() -> QWidget:
    page = Form("Create order")
    page.add_text("number", "Order", hint="WO-1042")
    page.add_choice("product", "Product", [("m", "Frame M"), ("s", "Rail S")])
    page.add_whole("quantity", "Quantity", low=1, unit="pieces")
    page.add_decimal("weight", "Weight in kg")
    page.add_moment("due", "Due")
    page.add_tick("urgent", "Urgent")
    page.add_long_text("note", "Note", hint="What the floor should know")
    page.set_values({"number": "WO-1042", "product": "m", "quantity": 60, "weight": "4O"})
    page.show()
    page.set_error("weight", "“4O” is not a number. Did you mean 40?")
    page.set_error(None, "The order was not created.")
    page.resize(520, 560)
    return page


def palette() -> QWidget:
    page = QWidget()
    page.resize(760, 420)
    popup = CommandPalette(page)
    popup.set_items([
        PaletteItem("orders", "Work orders", "Go to", "G O"), PaletteItem("new", "New work order", "Orders", "Ctrl+N"),
        PaletteItem("del", "Delete work order", "Orders", "Del", False, "Only a planner may delete orders."),
        PaletteItem("oven", "Oven 2", "Machine · Hall A"), PaletteItem("theme", "Switch to dark", "View"),
    ])  # fmt: skip
    page.show()
    popup.open_palette("or")
    return page


def chart() -> QWidget:
    view = TrendChart()
    view.resize(900, 380)
    t, y = wave(600)
    for index, (key, label) in enumerate(
        (("a", "Oven 2 temperature"), ("b", "Oven 3"), ("c", "Paint booth humidity"))
    ):
        view.set_series(key, label, "°C")
        value = 70 + y * 8 + index * 6
        view.set_data(key, t, value - 0.4, value + 0.4)
    view.set_limits([LimitLine(90, "HI"), LimitLine(96, "HIHI")], (60, 85))
    view.set_events([EventPin(t[100], "tool change"), EventPin(t[480], "HI", 2)])
    view.set_now(float(t[-1]) + 20)
    view.set_stale(float(t[-1]) + 4)
    view.set_view(float(t[0]), float(t[-1]) + 20)
    view.set_crosshair(float(t[310]))
    return view


PAGES: dict[str, Callable[[], QWidget]] = {
    "glyphs": glyphs,
    "bars": bars,
    "tiles": tiles,
    "strips": strips,
    "states": states,
    "orders": orders,
    "board": board,
    "form": form,
    "palette": palette,
    "chart": chart,
}


def render(theme: Theme, folder: Path, name: str, make: Callable[[], QWidget]) -> None:
    page = make()
    page.show()
    QTest.qWait(40)
    page.grab().save(str(folder / f"{name}-{theme.tokens.name}-{theme.density.value}.png"))
    page.close()
    page.deleteLater()


def main(folder: Path, only: list[str]) -> None:
    app = cast(QApplication, QApplication.instance() or QApplication([]))
    folder.mkdir(parents=True, exist_ok=True)
    theme = install_theme(app)
    schemes: list[Scheme] = ["light", "dark"]
    for density in Density:
        theme.set_density(density)
        for scheme in schemes:
            theme.set_scheme(scheme)
            for name, make in PAGES.items():
                if not only or name in only:
                    render(theme, folder, name, make)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
