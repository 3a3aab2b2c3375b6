"""Renders every widget in both schemes: `python tests/ui/gallery.py DIRECTORY` writes PNGs to look at."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.theme import Density, Scheme, Theme, install_theme
from ui.widgets.alarm_strip import AlarmCount, AlarmStrip
from ui.widgets.analog_bar import AnalogBar, Limits
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.filter_field import FilterField
from ui.widgets.glyphs import STATES, PriorityGlyph, StateGlyph
from ui.widgets.kpi import KpiBar, KpiLine, KpiTile
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
    for value, stale in ((50.0, False), (84.0, False), (95.0, False), (15.0, False), (5.0, False), (50.0, True)):
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
    plain, bar, line, stale, alarm = (KpiTile(name) for name in ("Orders at risk", "Oven 2 temperature",
                                      "Line A output with a rather long title", "Press 4 vibration", "Oven 3"))
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
    for widget in (busy, quiet, undo, Banner("Offline since 13:52 · editing works · 3 to send", "Sync now"),
                   loading, field, buttons(), status):
        layout.addWidget(widget)
    page.resize(900, 380)
    return page


def buttons() -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    grey = ActionButton("Release")
    grey.refuse("Only a planner may release an order.")
    for widget in (ActionButton("New order", primary=True, icon="plus"), ActionButton("Import…", icon="upload-simple"),
                   grey, IconButton("gear", "Settings"), IconButton("magnifying-glass", "Search")):
        layout.addWidget(widget)
    layout.addStretch(1)
    return row


def states() -> QWidget:
    page = QWidget()
    layout = QHBoxLayout(page)
    layout.addWidget(EmptyState("No work orders yet. Import a plan or create the first one.", "New work order"))
    layout.addWidget(ErrorState("The alarm list could not be read.", "Charts and orders still work.", "trace"))
    page.resize(760, 240)
    return page


PAGES: dict[str, Callable[[], QWidget]] = {
    "glyphs": glyphs, "bars": bars, "tiles": tiles, "strips": strips, "states": states,
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
    for scheme in schemes:
        theme.set_scheme(scheme)
        for name, make in PAGES.items():
            if not only or name in only:
                render(theme, folder, name, make)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
