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
from ui.theme import DARK, LIGHT, Theme, mix
from ui.widgets.chart import EventPin, LimitLine, TrendChart
from ui.widgets.chart_curves import zigzag
from ui.widgets.chart_series import Series, TextRun
from ui.widgets.chart_time import TimeWindow
from ui.widgets.chart_trace import BAD, LOST, UNCERTAIN, Floats, Trace

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
    picture = widget_pixels(chart.plot)
    frame = chart.plot.frame
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
    series.trace = Trace(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([5.0, 6.0]))
    series.look(0, 1, 100)
    assert series.seen is not None
    x, y = zigzag(series.seen)
    assert x.tolist() == [0, 0, 1, 1]
    assert y.tolist() == [1, 5, 6, 2]
    assert series.trace.extent(0, 1) == (1, 6)


def test_the_wheel_freezes_the_view_while_data_keeps_coming(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    chart.set_data("oven", t, y, y)
    chart.set_now(START + 1000)
    assert chart.following
    viewport = chart.plot
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
    assert chart.view()[1] == START + 1300.0


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
    widget_pixels(chart)
    left = chart.plot.frame.box.left()
    for factor in (1.0, 1e-6, 1e9):
        chart.set_data("oven", t, y * factor, y * factor)
        chart.set_view(START, START + 1000)
        widget_pixels(chart)
        assert chart.plot.frame.box.left() == left


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
    picture = widget_pixels(chart.plot)
    seen = chart.series[0].seen
    assert seen is not None
    assert len(seen) < 4 * chart.width()
    top = round(chart.plot.frame.y(60.0))
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


def test_steps_hold_their_value_and_states_have_names(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    chart.set_series("oven", "Oven 2", kind="steps", states={0: "Idle", 1: "Heating", 2: "Holding"})
    t = START + np.array([0.0, 400.0, 900.0])
    chart.set_data("oven", t, np.array([0.0, 2.0, 1.0]), np.array([0.0, 2.0, 1.0]))
    chart.set_view(START, START + 1000)
    picture = widget_pixels(chart.plot)
    frame = chart.plot.frame
    ink = has_colour(picture, LIGHT.series[0])
    assert ink[round(frame.y(0.0)) - 1 : round(frame.y(0.0)) + 2, round(frame.x(START + 390))].any()
    assert not ink[: round(frame.y(0.0)) - 3, round(frame.x(START + 200))].any()
    chart.set_crosshair(START + 500)
    assert "Oven 2 Holding" in chart.readout()
    assert chart._labels.labels[0].value == "Holding"


def test_texts_are_a_band_with_words(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    chart.set_series("oven", "Program", kind="texts")
    chart.set_texts(
        "oven", [TextRun(START, START + 300, "Recipe A"), TextRun(START + 400, START + 900, "Recipe B")]
    )
    chart.set_view(START, START + 1000)
    widget_pixels(chart)
    chart.set_crosshair(START + 100)
    assert "Program Recipe A" in chart.readout()
    chart.set_crosshair(START + 350)
    assert "Program no data" in chart.readout()


def test_bad_is_hatched_doubtful_is_said_and_lost_samples_are_marked(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    flags = np.zeros(1000, np.uint8)
    y[200:300] = np.nan
    flags[200:300], flags[500:600], flags[700] = BAD, UNCERTAIN, LOST
    plain = widget_pixels(chart.plot)
    chart.set_trace("oven", Trace(t, y, flags=flags))
    chart.set_view(START, START + 1000)
    picture = widget_pixels(chart.plot)
    frame = chart.plot.frame
    assert plain.shape == picture.shape
    hole = picture[
        30 : round(frame.box.bottom()) - 1, round(frame.x(START + 210)) : round(frame.x(START + 290))
    ]
    assert (hole != hole[0, 0]).any()
    chart.set_crosshair(START + 550)
    assert "uncertain" in chart.readout()
    chart.set_crosshair(START + 700.5)
    assert "samples lost before" in chart.readout()
    foot = picture[round(frame.box.bottom()) - 4, round(frame.x(START + 700))]
    ink = LIGHT.series[0]
    assert foot.tolist() == [ink.blue(), ink.green(), ink.red()]


def test_the_share_of_good_data_in_view_stands_at_each_curve(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    y[0:250] = np.nan
    chart.set_data("oven", t, y, y)
    chart.set_view(START, START + 999)
    widget_pixels(chart)
    assert chart._labels.labels[0].remark == "75 % good"
    chart.set_view(START + 500, START + 999)
    widget_pixels(chart)
    assert chart._labels.labels[0].remark == "100 % good"


def test_pins_that_would_overlap_stand_together_with_their_count(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    pins = [EventPin(START + 500 + n, f"event {n}", kind="stage") for n in range(5)]
    chart.set_events([*pins, EventPin(START + 900, "HIHI", 1)])
    chart.set_view(START, START + 1000)
    widget_pixels(chart)
    assert [len(spot.pins) for spot in chart.plot.spots] == [5, 1]
    assert "event 4" in chart.plot.spots[0].words
    with qtbot.waitSignal(chart.pins_opened) as opened:
        QTest.mouseClick(
            chart.plot, Qt.MouseButton.LeftButton, pos=chart.plot.spots[1].box.center().toPoint()
        )
    assert opened.args is not None
    assert opened.args[0] == (EventPin(START + 900, "HIHI", 1),)


def test_charts_of_one_window_share_range_and_cursors(theme: Theme, qtbot: QtBot) -> None:
    window = TimeWindow(600)
    first, second = TrendChart(window=window), TrendChart(window=window)
    for chart in (first, second):
        qtbot.addWidget(chart)
    first.set_view(START, START + 100)
    second.zoom_in()
    assert first.view() == second.view() == (START + 50 - 31.25, START + 50 + 31.25)
    second.set_cursor("A", START + 40)
    first.set_cursor("B", START + 60)
    assert first.readout() == second.readout()
    assert "Δt 20.0 s" in first.readout()


def test_a_compared_range_is_drawn_lighter_and_its_difference_is_said(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    chart.set_data("oven", t, y, y)
    chart.set_compared("oven", Trace(t, y - 3))
    chart.set_view(START, START + 999)
    pale = mix(LIGHT.base, LIGHT.series[0], 0.45)
    assert has_colour(widget_pixels(chart.plot), pale).any()
    chart.set_crosshair(START + 500.2)
    assert chart._labels.labels[0].remark == "Δ +3 °C"
    chart.set_compared("oven", None)
    assert not has_colour(widget_pixels(chart.plot), pale).any()


def test_a_chart_paints_only_when_something_changed(theme: Theme, qtbot: QtBot) -> None:
    chart = _chart(qtbot)
    t, y = _samples()
    chart.set_data("oven", t, y, y)
    chart.set_view(START, START + 999)
    chart.grab()
    kept = chart.plot._picture
    chart.set_crosshair(START + 300)
    chart.grab()
    assert chart.plot._picture is kept
    chart.set_events(list(chart.plot.pins))
    chart.set_stale(None)
    assert not chart.plot._dirty
    chart.extend("oven", t[-1:] + 1, y[-1:])
    assert chart.plot._dirty
