"""The charts screen: several signals, one range of time, zoom while they stream, gaps as gaps, history behind live."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.plant import Tag
from app.domain.samples import Quality
from app.live.feed import FeedStatus
from app.plant import House
from app.store.history import FILE_NAME, HistoryWriter
from tests.ui.plant import run_machines, sample
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.curve_kind import LINE, CurveKind, groups
from ui.models.curves import from_buckets
from ui.models.preferences import remember
from ui.models.tag_list import TagList
from ui.screens.charts import ChartsScreen
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

VIBRATION = "CNC-2/vibration"


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, live: LiveDesk) -> Iterator[ChartsScreen]:
    run_machines(live, 60)
    for key in ("charts/last", "charts/events"):
        remember("Ada Boss", key, "")
    made = ChartsScreen(desk, live)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    yield made
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


def _as_line(_tag: Tag) -> CurveKind:
    return LINE


def settle(qtbot: QtBot, desk: Desk) -> None:
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


def test_signals_of_one_unit_share_a_chart_and_units_stand_under_each_other(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk
) -> None:
    screen.open_with([VIBRATION, "ROB-3/vibration", "IMM-1/temperature"])
    settle(qtbot, desk)
    assert [chart.series_keys() for chart in screen.stack.charts] == [
        [VIBRATION, "ROB-3/vibration"],
        ["IMM-1/temperature"],
    ]
    screen.tags.set_ticked([VIBRATION])
    assert [chart.series_keys() for chart in screen.stack.charts] == [[VIBRATION]]


def test_no_chart_gets_more_curves_than_there_are_colours(live: LiveDesk) -> None:
    plain = [tag for tag in live.plant.tags if not tag.unit]
    assert len(plain) > 6
    assert next(len(members) for members in groups(plain, _as_line).values()) == 6


def test_ticking_a_machine_ticks_its_signals_and_the_filter_keeps_what_is_ticked(live: LiveDesk) -> None:
    model = TagList()
    model.set_plant(live.plant)
    model.toggle(0)
    code = live.plant.equipment[0].code
    assert set(model.ticked()) == {t.name for t in live.plant.tags if t.equipment == code}
    ticked = model.ticked()
    model.set_filter("welding gas")
    assert all("gas" in model.tag_at(r) for r in range(model.rowCount()) if model.tag_at(r))
    assert model.ticked() == ticked


def test_history_lies_behind_the_live_curve(qtbot: QtBot, desk: Desk, live: LiveDesk, house: House) -> None:
    now = datetime.now(UTC)
    with HistoryWriter(house.folder / FILE_NAME) as writer:
        writer.write([sample(VIBRATION, 1.0 + m / 100, now - timedelta(minutes=m)) for m in range(50, 2, -1)])
    live.take_samples([sample(VIBRATION, 2.2)])
    screen = ChartsScreen(desk, live)
    qtbot.addWidget(screen)
    screen.show()
    screen.open_with(VIBRATION)
    screen.range.span_chosen.emit(3600.0)
    tag = live.plant.tag(VIBRATION)
    assert tag is not None

    def reaches_back() -> bool:
        curve = screen._curves.trace(tag)
        return len(curve) > 40 and bool(curve.t[0] < now.timestamp() - 2900) and bool(2.2 in curve.hi)

    qtbot.waitUntil(reaches_back, timeout=5000)
    settle(qtbot, desk)
    assert screen.stack.charts[0].view()[1] - screen.stack.charts[0].view()[0] == pytest.approx(3600, abs=2)


def test_a_lost_value_is_a_gap_and_the_crosshair_says_no_data(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, live: LiveDesk
) -> None:
    now = datetime.now(UTC)
    tag = "IMM-1/pressure"
    live.take_samples(
        [
            sample(tag, 55.0, now + timedelta(seconds=1)),
            sample(tag, None, now + timedelta(seconds=2), Quality.BAD_NO_COMMUNICATION),
            sample(tag, 56.0, now + timedelta(seconds=9)),
        ]
    )
    screen.open_with(tag)
    settle(qtbot, desk)
    chart = screen.stack.charts[0]
    chart.set_crosshair(now.timestamp() + 5)
    assert "no data" in chart.readout()
    chart.set_crosshair(now.timestamp() + 1.5)
    assert "55" in chart.readout()


def test_zooming_freezes_all_charts_while_samples_keep_coming_and_live_brings_them_back(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, live: LiveDesk
) -> None:
    screen.open_with([VIBRATION, "IMM-1/temperature"])
    settle(qtbot, desk)
    first, second = screen.stack.charts
    screen.toggle_freeze()
    first.zoom_in()
    assert not first.following
    assert not second.following
    assert second.view() == pytest.approx(first.view())
    view = first.view()
    live.take_samples([sample(VIBRATION, 1.5), sample(VIBRATION, 1.6)])
    qtbot.waitUntil(lambda: "+2 points" in screen.state.text(), timeout=3000)
    assert first.view() == pytest.approx(view)
    assert screen.range.currentText() != "Last 15 min"
    screen.go_live()
    assert first.following
    assert second.following
    assert screen.state.text() == ""


def test_the_picker_and_the_charts_say_the_same_range(qtbot: QtBot, screen: ChartsScreen, desk: Desk) -> None:
    screen.open_with(VIBRATION)
    screen.range.span_chosen.emit(300.0)
    assert screen.range.currentText() == "Last 5 min"
    start, end = screen.stack.charts[0].view()
    assert end - start == pytest.approx(300, abs=1)
    screen.stack.charts[0].zoom_out()
    assert screen.range.currentText() == "Last 8 min"
    screen.handling.ask_range()
    card = screen.findChild(DialogCard, "range-card")
    assert card is not None
    form = card.content
    assert isinstance(form, Form)
    now = datetime.now(UTC).replace(microsecond=0)
    form.set_values({"start": now, "end": now - timedelta(hours=1)})
    form.submit()
    assert form.error("end")
    form.set_values({"start": now - timedelta(hours=2), "end": now - timedelta(hours=1)})
    form.submit()
    start, end = screen.stack.charts[0].view()
    assert end - start == pytest.approx(3600, abs=61)
    assert not screen.window_of_time.following
    settle(qtbot, desk)


def test_space_freezes_and_l_runs_on(qtbot: QtBot, screen: ChartsScreen, desk: Desk) -> None:
    screen.open_with(VIBRATION)
    chart = screen.stack.charts[0]
    with qtbot.waitActive(screen):
        screen.activateWindow()
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_Space)
    assert not screen.window_of_time.following
    QTest.keyClick(chart, Qt.Key.Key_L)
    assert screen.window_of_time.following
    settle(qtbot, desk)


def test_what_is_not_known_any_more_is_hatched(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, live: LiveDesk
) -> None:
    screen.open_with(VIBRATION)
    settle(qtbot, desk)
    screen.stack.tick(datetime.now(UTC).timestamp())
    assert screen.stack.charts[0].plot.stale_from is None
    live._on_status(FeedStatus(False, "The connection to the collector is lost."))
    screen.stack.tick(datetime.now(UTC).timestamp())
    since = screen.stack.charts[0].plot.stale_from
    assert since is not None
    assert abs(since - datetime.now(UTC).timestamp()) < 30
    assert "Stored curves can still be looked at" in screen.banner.text()


def test_data_and_picture_are_written(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, house: House, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    with HistoryWriter(house.folder / FILE_NAME) as writer:
        writer.write([sample(VIBRATION, 1.0 + s / 10, now - timedelta(seconds=60 - s)) for s in range(10)])
    screen.open_with(VIBRATION)
    target = tmp_path / "samples.csv"
    screen.export.export_data(str(target))
    qtbot.waitUntil(lambda: "10 samples written" in screen.banner.text(), timeout=5000)
    with target.open(encoding="utf-8-sig") as file:
        lines = list(csv.reader(file))
    assert lines[0][2:6] == ["tag", "value", "unit", "quality"]
    assert lines[1][2:6] == [VIBRATION, "1.0", "mm/s", "good"]
    image = tmp_path / "charts.png"
    screen.export.export_picture(str(image))
    qtbot.waitUntil(image.exists, timeout=5000)
    settle(qtbot, desk)


def test_a_bucket_that_ends_without_value_breaks_the_line(house: House, live: LiveDesk) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with HistoryWriter(house.folder / FILE_NAME) as writer:
        writer.write(
            [
                sample(VIBRATION, 1.0, now - timedelta(seconds=40)),
                sample(VIBRATION, None, now - timedelta(seconds=30), Quality.BAD_NO_COMMUNICATION),
                sample(VIBRATION, 2.0, now - timedelta(seconds=10)),
            ]
        )
    buckets = live.history.buckets(VIBRATION, now - timedelta(seconds=60), now, 3)
    curve = from_buckets(buckets, (now - timedelta(seconds=60)).timestamp())
    known = np.isfinite(curve.mean)
    assert known.tolist()[0]
    assert known.tolist()[-1]
    assert not known.all()


def test_without_a_tick_the_screen_says_what_to_do(screen: ChartsScreen) -> None:
    assert "Tick signals" in screen.empty.text()
    assert screen.empty.isVisible()
    assert screen.actions_set.reason("charts.freeze") == "Tick a signal first."
