"""The trend chart shows gaps as gaps, freezes when touched, and follows the theme."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.widgets.pictures import columns_with, has_colour, widget_pixels
from ui.theme import DARK, LIGHT, Theme
from ui.widgets.chart import EventPin, LimitLine, TrendChart
from ui.widgets.chart_data import Floats, Series

START = 1_790_000_000.0


def _samples(count: int = 1000) -> tuple[Floats, Floats]:
    t = START + np.arange(count, dtype=np.float64)
    return t, 70 + 5 * np.sin(np.arange(count) / 50)


def _chart(qtbot: QtBot) -> TrendChart:
    chart = TrendChart()
    qtbot.addWidget(chart)
    chart.resize(900, 400)
    chart.set_series("oven", "Oven 2", "°C")
    chart.show()
    qtbot.waitExposed(chart)
    return chart


def _curve_columns(chart: TrendChart, t0: float, t1: float) -> list[bool]:
    """Whether the curve's colour is found at each pixel between two moments."""
    picture = widget_pixels(chart._plot.viewport())
    frame = chart._overlay.frame
    return [bool(x) for x in columns_with(picture, LIGHT.series[0])[round(frame.x(t0)) : round(frame.x(t1))]]


def test_a_gap_in_the_data_is_a_gap_in_the_curve_and_the_crosshair_says_no_data(
    theme: Theme, qtbot: QtBot
) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    y[400:600] = np.nan
    chart.set_data("oven", t, y, y)
    chart.set_view(START, START + 1000)
    assert all(_curve_columns(chart, START + 20, START + 390))
    assert not any(_curve_columns(chart, START + 406, START + 594))
    assert all(_curve_columns(chart, START + 610, START + 980))
    chart.set_crosshair(START + 500)
    assert "Oven 2 no data" in chart.readout()
    chart.set_crosshair(START + 100)
    assert "Oven 2 74.55 °C" in chart.readout()


def test_missing_rows_longer_than_the_longest_gap_break_the_line(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    chart.set_series("oven", "Oven 2", "°C", max_gap=3)
    t, y = _samples()
    keep = np.r_[0:400, 600:1000]
    chart.set_data("oven", t[keep], y[keep], y[keep])
    chart.set_view(START, START + 1000)
    assert not any(_curve_columns(chart, START + 408, START + 592))
    chart.set_crosshair(START + 500)
    assert "no data" in chart.readout()


def test_the_lowest_and_highest_of_a_bucket_are_both_drawn(theme: Theme) -> None:
    series = Series("k", "K", "", 0)
    series.t, series.lo, series.hi = np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([5.0, 6.0])
    x, y = series.line()
    assert x.tolist() == [0, 0, 1, 1]
    assert y.tolist() == [1, 5, 6, 2]
    assert series.extent(0, 1) == (1, 6)


def test_the_wheel_freezes_the_view_while_data_keeps_coming(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    chart.set_data("oven", t, y, y)
    chart.set_now(START + 1000)
    assert chart.following
    viewport = chart._plot.viewport()
    at = QPointF(viewport.rect().center())
    wheel = QWheelEvent(at, QPointF(viewport.mapToGlobal(at.toPoint())), QPoint(0, 0), QPoint(0, 240),
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
                        Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    with qtbot.waitSignal(chart.view_changed) as changed:
        QApplication.sendEvent(viewport, wheel)
    assert changed.args is not None
    assert changed.args[2] is True
    assert not chart.following
    frozen = chart.view()
    later = np.append(t, START + 1300.0)
    chart.set_data("oven", later, np.append(y, 71.0), np.append(y, 71.0))
    assert chart.view() == frozen
    chart.go_live()
    assert chart.view()[1] == chart._now


def test_keys_zoom_undo_freeze_and_go_live(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    chart.set_view(START, START + 100)
    QTest.keyClick(chart, Qt.Key.Key_Plus)
    assert chart.view() == (START + 50 - 31.25, START + 50 + 31.25)
    QTest.keyClick(chart, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert chart.view() == (START, START + 100)
    QTest.keyClick(chart, Qt.Key.Key_L)
    assert chart.following
    QTest.keyClick(chart, Qt.Key.Key_Space)
    assert not chart.following


def test_two_cursors_give_the_differences(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t = START + np.arange(100, dtype=np.float64)
    chart.set_data("oven", t, t - START, t - START)
    chart.set_cursor("A", START + 10)
    chart.set_cursor("B", START + 78)
    assert "Δt 68.0 s" in chart.readout()
    assert "Δ Oven 2 68 °C" in chart.readout()


def test_a_curve_keeps_its_colour_when_others_come_and_go(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    for key in ("b", "c"):
        chart.set_series(key, key)
    chart.remove_series("b")
    chart.set_series("d", "d")
    colours = {key: chart._series[key].colour_index for key in chart.series_keys()}
    assert colours == {"oven": 0, "c": 2, "d": 1}


def test_the_value_axis_has_a_fixed_width(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    left = chart._overlay.frame.box.left()
    for factor in (1.0, 1e-6, 1e9):
        chart.set_data("oven", t, y * factor, y * factor)
        chart.set_view(START, START + 1000)
        widget_pixels(chart)
        assert chart._overlay.frame.box.left() == left


def test_after_a_change_of_scheme_no_colour_of_the_old_one_is_left(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    chart.set_data("oven", t, y, y)
    chart.set_limits([LimitLine(80, "HI")], (60, 78))
    chart.set_events([EventPin(START + 300, "tool change")])
    chart.set_view(START, START + 1000)
    assert has_colour(widget_pixels(chart), LIGHT.base).sum() > 10_000
    theme.set_scheme("dark")
    qtbot.waitUntil(lambda: chart.palette().window().color() == DARK.canvas)
    picture = widget_pixels(chart)
    for old in (LIGHT.base, LIGHT.band, LIGHT.canvas, LIGHT.text, LIGHT.text2, LIGHT.series[0]):
        assert has_colour(picture, old).sum() < 60, old.name()  # smoothed letters may hit a colour by chance
    assert has_colour(picture, DARK.series[0]).any()


def test_a_million_points_are_drawn_reduced_with_their_only_spike(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t = START + np.arange(1_000_000, dtype=np.float64)
    y = np.zeros(1_000_000)
    y[512_345] = 100.0
    chart.set_data("oven", t, y, y)
    chart.set_view(START, START + 1_000_000)
    assert len(chart._curves["oven"].getData()[0]) < 20_000
    picture = widget_pixels(chart._plot.viewport())
    top = round(chart._overlay.frame.y(60.0))
    assert has_colour(picture[:top], LIGHT.series[0]).any()


def test_a_stale_edge_is_hatched_and_a_picture_can_be_kept(
    theme: Theme, qtbot: QtBot, tmp_path: Path
) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    chart.set_data("oven", t, y, y)
    chart.set_view(START, START + 1100)
    before = widget_pixels(chart)
    chart.set_stale(START + 1000)
    assert (widget_pixels(chart) != before).any()
    chart.export_picture(tmp_path / "chart.png")
    assert not QImage(str(tmp_path / "chart.png")).isNull()
