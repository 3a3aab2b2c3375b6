"""What people do with charts: measure, compare, note, correct, save views, reorder, read the numbers, take them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.domain.corrections import CorrectionKind
from app.domain.people import Role
from app.domain.plant import Tag
from app.domain.samples import Quality
from app.operations.notes import write_note
from app.plant import House
from app.store.history import FILE_NAME, HistoryWriter
from tests.ui.plant import alarm, run_machines, sample
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.compared import YESTERDAY
from ui.models.curve_kind import kind_of
from ui.models.preferences import remember
from ui.models.tag_list import TAGS
from ui.models.text_runs import runs
from ui.screens.charts import ChartsScreen
from ui.screens.charts.arrangement import Arrangement, arrangement_of
from ui.screens.charts.picture import charts_picture
from ui.screens.charts.range_picker import SHIFT, TODAY, beginning
from ui.widgets.chart_marks import EventPin
from ui.widgets.chart_series import TextRun
from ui.widgets.chart_trace import BAD, CORRECTED, LOST, UNCERTAIN

VIBRATION, HEAT = "CNC-2/vibration", "IMM-1/temperature"
HOUR = timedelta(hours=1)


@pytest.fixture
def now(house: House) -> datetime:
    """An hour of a rising curve is stored, and the same hour of yesterday, 1 lower."""
    moment = datetime.now(UTC).replace(microsecond=0)
    with HistoryWriter(house.folder / FILE_NAME) as writer:
        for back, lower in ((timedelta(days=1), 1.0), (timedelta(0), 0.0)):
            writer.write(
                [
                    sample(
                        VIBRATION,
                        2.0 + step / 100 - lower,
                        moment - back - HOUR + step * timedelta(seconds=36),
                    )
                    for step in range(100)
                ]
            )
    return moment


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, now: datetime, live: LiveDesk) -> Iterator[ChartsScreen]:
    for key in ("charts/last", "charts/events"):
        remember("Ada Boss", key, "")
    made = ChartsScreen(desk, live)
    qtbot.addWidget(made)
    made.resize(1176, 680)
    made.show()
    made.open_with([VIBRATION])
    made.window_of_time.show((now - HOUR).timestamp(), now.timestamp())
    settle(qtbot, desk)
    qtbot.waitUntil(lambda: len(made.stack.charts[0].series[0].trace) >= 100, timeout=10_000)
    yield made
    settle(qtbot, desk)


def settle(qtbot: QtBot, desk: Desk) -> None:
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=10_000)


def test_two_cursors_give_figures_of_the_stretch_between_them(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, now: datetime
) -> None:
    assert screen.panel.isHidden()
    start = (now - HOUR).timestamp()
    screen.window_of_time.set_cursor("A", start + 360)
    screen.window_of_time.set_cursor("B", start + 1800)
    qtbot.waitUntil(lambda: desk.tasks.idle and bool(screen.figures._exact), timeout=10_000)
    (line,) = screen.panel.lines
    assert line.name == "CNC-2 Vibration (mm/s)"
    assert line.cells == ("2.100", "2.500", "+0.400", "2.100", "2.295", "2.490", "100 %", "+0.0167 /min")
    assert "24 min 00 s" in screen.panel.text()
    screen.actions_set.trigger("charts.no-cursors")
    assert screen.panel.isHidden()


def test_yesterday_lies_under_the_present_range_with_its_difference(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, now: datetime
) -> None:
    screen.compare.chosen.emit(YESTERDAY)
    series = screen.stack.charts[0].series[0]
    qtbot.waitUntil(lambda: series.compared is not None, timeout=10_000)
    screen.window_of_time.set_crosshair((now - HOUR / 2).timestamp())
    assert screen.stack.charts[0]._labels.labels[0].remark == "Δ +1 mm/s"
    assert "lighter: yesterday" in screen.state.text()
    screen.compare.menu.actions()[0].trigger()
    assert series.compared is None


@pytest.mark.qt_log_ignore("grabbing the keyboard", extend=True)
def test_notes_and_alarms_are_pins_that_can_be_hidden_and_opened(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, house: House, live: LiveDesk, now: datetime
) -> None:
    actor = desk.actor
    assert actor is not None
    at = now - HOUR / 2
    house.door.perform(write_note(at=at, text="Tool changed", equipment="CNC-2"), actor)
    house.door.perform(write_note(at=at, text="Elsewhere", equipment="OVEN"), actor)
    live.take_alarms([alarm(VIBRATION, ago=600.0, priority=1), alarm(HEAT, ago=500.0, priority=3)])
    plot = screen.stack.charts[0].plot
    qtbot.waitUntil(lambda: len(plot.pins) == 2, timeout=10_000)
    assert ["Tool changed" in plot.pins[0].text, plot.pins[1].priority] == [True, 1]
    screen.events.menu.actions()[0].trigger()
    assert [pin.kind for pin in plot.pins] == ["note"]
    screen.events.menu.actions()[0].trigger()
    with qtbot.waitSignal(screen.open_requested) as opened:
        screen.handling.open_pins([plot.pins[1]], QPoint())
    assert opened.args == ["alarms", VIBRATION]
    screen.window_of_time.set_crosshair((now - HOUR).timestamp() + 1)
    screen.actions_set.trigger("charts.event-after")
    assert screen.window_of_time.crosshair == at.timestamp()
    assert "Tool changed" in screen.state.text()
    assert isinstance(plot.chosen_pin, EventPin)
    screen.actions_set.trigger("charts.open-event")
    menu = next(m for m in screen.findChildren(QMenu) if m.isVisible())
    assert [action.text() for action in menu.actions()][1:] == ["Change…", "Delete"]
    menu.actions()[2].trigger()
    menu.close()
    qtbot.waitUntil(lambda: len(plot.pins) == 1, timeout=10_000)


def test_n_writes_a_note_where_the_crosshair_is(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, now: datetime
) -> None:
    screen.window_of_time.set_crosshair((now - HOUR / 4).timestamp())
    screen.actions_set.trigger("charts.note")
    form = screen.handling.cards.form
    assert form is not None
    form.submit()
    qtbot.waitUntil(lambda: form.error("text") is not None, timeout=5000)
    form.set_values({"text": "Coolant refilled"})
    form.submit()
    qtbot.waitUntil(lambda: len(screen.stack.charts[0].plot.pins) == 1, timeout=10_000)
    assert screen.stack.charts[0].plot.pins[0].t == (now - HOUR / 4).timestamp()


def test_a_stretch_is_corrected_between_the_cursors_and_marked(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, now: datetime, as_role: Callable[[Role], object]
) -> None:
    screen.actions_set.trigger("charts.correct")
    assert screen.handling.cards.form is None
    start = (now - HOUR).timestamp()
    screen.window_of_time.set_cursor("A", start + 360)
    screen.window_of_time.set_cursor("B", start + 720)
    screen.actions_set.trigger("charts.correct")
    form = screen.handling.cards.form
    assert form is not None
    form.set_values({"kind": CorrectionKind.OFFSET.value, "amount": 10, "reason": "The sensor was loose"})
    form.submit()

    def is_corrected() -> bool:
        trace = screen.stack.charts[0].series[0].trace
        inside = (trace.t >= start + 360) & (trace.t < start + 720)
        marked = (trace.flags[inside] & CORRECTED) != 0
        return bool(inside.any() and (trace.mean[inside] > 11).all() and marked.all())

    qtbot.waitUntil(is_corrected, timeout=10_000)
    qtbot.waitUntil(lambda: "sensor was loose" in str(screen.stack.charts[0].plot.pins), timeout=10_000)
    as_role(Role.OPERATOR)
    assert screen.actions_set.reason("charts.correct") is not None


def test_a_view_is_saved_by_name_opened_again_and_what_was_shown_last_is_restored(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, live: LiveDesk
) -> None:
    screen.tags.set_ticked([VIBRATION, HEAT])
    screen.handling.move_chart(1)
    screen.stack.set_value_range("mm/s", (0.0, 5.0))
    screen.views.ask_name()
    card = next(c for c in screen.children() if c.objectName() == "view-card")
    card.content.set_values({"name": "Both", "shared": True})  # type: ignore[attr-defined]  # a DialogCard
    card.content.submit()  # type: ignore[attr-defined]  # a DialogCard
    qtbot.waitUntil(lambda: [line.name for line in screen.views.lines] == ["Both"], timeout=10_000)
    before = [chart.series_keys() for chart in screen.stack.charts]
    assert before == [[HEAT], [VIBRATION]]
    screen.clear()
    screen.open_with("Both")
    assert [chart.series_keys() for chart in screen.stack.charts] == before
    assert screen.stack.charts[1].plot.fixed_values == (0.0, 5.0)
    screen.ranges.show_span(300.0)
    screen.tags.set_ticked([HEAT])
    again = ChartsScreen(desk, live)
    qtbot.addWidget(again)
    assert again.tags.ticked() == [HEAT]
    settle(qtbot, desk)


def test_an_arrangement_survives_being_kept_and_nonsense_is_taken_as_new() -> None:
    wanted = Arrangement(
        ("a", "b"), 3600.0, "today", (1.0, 2.0), True, ("x",), {"x": (0.0, 1.0)}, YESTERDAY, ("NOTE",)
    )
    assert arrangement_of(wanted.content()) == wanted
    nonsense = {"tags": 5, "span": "x", "standing": [2, 1], "values": [1], "compare": {"days": "?"}}
    assert arrangement_of(nonsense) == Arrangement()


def test_a_signal_dropped_onto_the_charts_joins_them(qtbot: QtBot, screen: ChartsScreen, desk: Desk) -> None:
    data = QMimeData()
    data.setData(TAGS, HEAT.encode())
    middle = screen.stack.rect().center()
    drop = QDropEvent(
        QPointF(middle),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    screen.stack.dropEvent(drop)
    assert screen.tags.ticked() == [VIBRATION, HEAT]
    index = screen.tags.index(next(r for r in range(screen.tags.rowCount()) if screen.tags.tag_at(r) == HEAT))
    assert bytes(screen.tags.mimeData([index]).data(TAGS).data()).decode() == HEAT


def test_the_table_says_what_the_crosshair_says(qtbot: QtBot, screen: ChartsScreen, now: datetime) -> None:
    screen.actions_set.trigger("charts.table")
    assert screen.twin.isVisible()
    model = screen.twin.model
    assert model.rowCount() >= 100
    moment = model._times[40]
    screen.window_of_time.set_crosshair(moment)
    said = model.index(40, 1).data()
    assert f"Vibration {said}" in screen.stack.charts[0].readout()
    screen.twin.list.selectRow(40)
    screen.actions_set.trigger("charts.copy")
    assert str(said) in QGuiApplication.clipboard().text()
    screen.actions_set.trigger("charts.table")
    assert screen.stack.isVisible()


def test_too_many_curves_suggest_a_chart_for_each(qtbot: QtBot, screen: ChartsScreen, live: LiveDesk) -> None:
    heats = [tag.name for tag in live.plant.tags if tag.unit == "°C"]
    many = [tag.name for tag in live.plant.tags][:14]
    screen.tags.set_ticked(many)
    assert screen.stack.crowded is None or screen.hint.isVisible()
    screen.actions_set.trigger("charts.multiples")
    assert len(screen.stack.charts) == 14
    assert not screen.hint.isVisible()
    assert heats


def test_a_cancelled_export_leaves_no_file(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, tmp_path: Path
) -> None:
    target = tmp_path / "samples.csv"
    said: list[str] = []
    desk.refused.connect(said.append)
    screen.export.export_data(str(target))
    screen.cancel_job("chart-export")
    settle(qtbot, desk)
    qtbot.waitUntil(lambda: bool(said) or "written" in screen.banner.text(), timeout=10_000)
    assert target.exists() == ("written" in screen.banner.text())


def test_a_workbook_and_a_sharp_picture_are_written(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, tmp_path: Path
) -> None:
    target = tmp_path / "samples.xlsx"
    screen.export.export_data(str(target))
    qtbot.waitUntil(lambda: "100 samples written" in screen.banner.text(), timeout=10_000)
    assert target.exists()
    one, two = (charts_picture(screen.stack.charts, "Title", "range", scale) for scale in (1, 2))
    assert (two.width(), two.height()) == (one.width() * 2, one.height() * 2)
    screen.actions_set.trigger("charts.copy")
    assert "clipboard" in screen.banner.text()


def test_home_goes_to_the_oldest_sample_and_backspace_back(
    qtbot: QtBot, screen: ChartsScreen, desk: Desk, now: datetime
) -> None:
    before = screen.window_of_time.range()
    screen.actions_set.trigger("charts.home")
    oldest = (now - timedelta(days=1) - HOUR).timestamp()
    qtbot.waitUntil(lambda: screen.window_of_time.range()[0] == oldest, timeout=10_000)
    screen.actions_set.trigger("charts.back")
    assert screen.window_of_time.range() == before


@pytest.mark.parametrize(
    ("of", "now", "begins"),
    [
        (SHIFT, "2026-11-21 03:30", "2026-11-20 22:00"),
        (TODAY, "2026-11-21 03:30", "2026-11-21 00:00"),
        (SHIFT, "2026-11-21 14:00", "2026-11-21 14:00"),
    ],
)
def test_the_shift_and_the_day_begin_by_the_clock_on_the_wall(of: str, now: str, begins: str) -> None:
    moment, wanted = (datetime.fromisoformat(text).astimezone().timestamp() for text in (now, begins))
    assert beginning(of, moment) == wanted


def test_this_shift_grows_and_a_zoom_makes_it_a_range(screen: ChartsScreen) -> None:
    screen.range.since_chosen.emit(TODAY)
    assert screen.range.currentText() == "Today"
    start = screen.window_of_time.range()[0]
    screen.window_of_time.set_now(screen.window_of_time.now + 60)
    assert screen.window_of_time.range()[0] == start
    screen.actions_set.trigger("charts.zoom-in")
    assert screen.range.currentText() != "Today"


def test_signals_are_drawn_by_what_they_are() -> None:
    plain = Tag("x/y", "x", "c", "a")
    assert kind_of(plain, 1.5).kind == "line"
    assert kind_of(plain, True).states == {0: "off", 1: "on"}
    assert kind_of(plain, "Recipe A").kind == "texts"
    named = Tag("x/y", "x", "c", "a", states=((0, "Idle"), (1, "Run")))
    assert (kind_of(named, 1).kind, kind_of(named, 1).states[1]) == ("steps", "Run")
    assert kind_of(Tag("x/y", "x", "c", "a", discrete=True), None).kind == "steps"


def test_texts_become_runs_and_a_lost_text_is_a_run_without_words() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    samples = [
        sample("t", "A", start),
        sample("t", "A", start + timedelta(seconds=5)),
        sample("t", None, start + timedelta(seconds=9), Quality.BAD),
        sample("t", "B", start + timedelta(seconds=12)),
    ]
    t = start.timestamp()
    assert runs(samples, t + 20) == [
        TextRun(t, t + 9, "A"),
        TextRun(t + 9, t + 12, ""),
        TextRun(t + 12, t + 20, "B"),
    ]


def test_quality_of_live_samples_is_told(qtbot: QtBot, screen: ChartsScreen, live: LiveDesk) -> None:
    moment = datetime.now(UTC)
    live.take_samples(
        [
            sample(HEAT, 1.0, moment, Quality.UNCERTAIN_LAST_USABLE),
            sample(HEAT, None, moment + timedelta(seconds=1), Quality.BAD_SENSOR_FAILURE),
            sample(HEAT, 3.0, moment + timedelta(seconds=2), Quality.GOOD | 0x480),
        ]
    )
    ring = live.ring(HEAT)
    assert ring is not None
    assert ring.newest(3)[2].tolist() == [UNCERTAIN, BAD, LOST]
    tag = live.plant.tag(HEAT)
    assert tag is not None
    trace = screen._curves.trace(tag)
    assert trace.flags[-3:].tolist() == [UNCERTAIN, BAD, LOST]
    length = len(trace)
    live.take_samples([sample(HEAT, 4.0, moment + timedelta(seconds=3))])
    assert screen._curves.trace(tag) is trace
    assert len(trace) == length + 1
    assert np.isfinite(trace.mean[-1])


def test_frames_are_drawn_only_while_the_charts_are_seen(
    qtbot: QtBot, screen: ChartsScreen, live: LiveDesk
) -> None:
    run_machines(live, 5)
    assert screen.stack._frame.isActive()
    screen.hide()
    assert not screen.stack._frame.isActive()
    screen.show()
    assert screen.stack._frame.isActive()
