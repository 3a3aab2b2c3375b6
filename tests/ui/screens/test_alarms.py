"""The alarms screen: the urgent first, nothing moves under the pointer, acts are marked until they are taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.domain.alarms import Phase
from app.domain.people import Role
from app.live.feed import FeedStatus
from app.live.messages import LinkState
from app.plant import House
from app.store.tables import AlarmAction
from tests.ui.plant import alarm, link, sample
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.alarms import AlarmsScreen
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, live: LiveDesk) -> Iterator[AlarmsScreen]:
    made = AlarmsScreen(desk, live)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    yield made
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


def tags(screen: AlarmsScreen) -> list[str]:
    return [r.tag for r in screen.model.records()]


def cell(screen: AlarmsScreen, row: int, column: str) -> str:
    return str(screen.model.index(row, screen.table.column_keys().index(column)).data())


def acts(house: House) -> list[tuple[str, str, str]]:
    with house.store.reader() as session:
        rows = session.execute(select(AlarmAction).order_by(AlarmAction.at)).scalars()
        return [(row.action, row.alarm, row.comment) for row in rows]


def test_priority_comes_first_then_unacknowledged_then_newest(screen: AlarmsScreen, live: LiveDesk) -> None:
    live.take_alarms(
        [
            alarm("CONV-1/speed", priority=3, ago=5),
            alarm("IMM-1/temperature", priority=2, phase=Phase.ACKED, ago=10),
            alarm("IMM-1/pressure", priority=2, ago=300),
            alarm("CNC-2/vibration", priority=1, phase=Phase.ACKED, ago=900),
            alarm("CNC-2/speed", priority=2, ago=20),
            alarm("ROB-3/vibration", priority=1, phase=Phase.SHELVED),
        ]
    )
    screen.refresh()
    assert tags(screen) == [
        "CNC-2/vibration",
        "CNC-2/speed",
        "IMM-1/pressure",
        "IMM-1/temperature",
        "CONV-1/speed",
    ]
    assert screen.tabs.tabText(0) == "Active 5 · unacknowledged 3"
    assert screen.tabs.tabText(1) == "Shelved 1"


def test_a_row_says_what_is_wrong_how_it_stands_now_and_what_to_do(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_samples([sample("CNC-2/vibration", 2.55)])
    live.take_alarms([alarm("CNC-2/vibration", ago=42)])
    screen.refresh()
    assert cell(screen, 0, "machine") == "CNC Milling Machine #2"
    assert cell(screen, 0, "what") == "vibration very high 2.61 mm/s (limit 2.5)"
    assert cell(screen, 0, "now") == "2.55 mm/s"
    assert cell(screen, 0, "age") == "42 s"
    assert "Stop or unload" in cell(screen, 0, "advice")


def test_an_acknowledgement_is_marked_as_under_way_until_the_collector_took_it(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk, house: House
) -> None:
    live.take_alarms([alarm("CNC-2/vibration")])
    screen.refresh()
    screen.table.selectRow(0)
    screen.acknowledge()
    qtbot.waitUntil(lambda: cell(screen, 0, "state") == "being acknowledged…", timeout=5000)
    assert acts(house) == [("acknowledge", "CNC-2/vibration", "")]
    live.take_alarms([alarm("CNC-2/vibration", phase=Phase.ACKED, acked_by="Ada Boss")])
    qtbot.waitUntil(lambda: cell(screen, 0, "state") == "active, seen", timeout=5000)


def test_all_visible_are_acknowledged_and_the_ones_that_wait_are_not(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk, house: House
) -> None:
    live.take_alarms([alarm("CNC-2/vibration"), alarm("IMM-1/temperature")])
    screen.refresh()
    screen.toggle_pause()
    live.take_alarms([alarm("CONV-1/speed", priority=1)])
    screen.refresh()
    assert screen.more.text() == "+1 new"
    assert screen.more.isVisible()
    screen.acknowledge_visible()
    qtbot.waitUntil(lambda: len(acts(house)) == 2, timeout=5000)
    assert {alarm for _, alarm, _ in acts(house)} == {"CNC-2/vibration", "IMM-1/temperature"}
    QTest.mouseClick(screen.more, Qt.MouseButton.LeftButton)
    assert tags(screen)[0] == "CONV-1/speed"
    assert not screen.more.isVisible()


def test_nothing_moves_while_the_list_is_paused_but_states_are_kept_up_to_date(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_alarms([alarm("CNC-2/vibration", ago=10), alarm("IMM-1/temperature", ago=5)])
    screen.refresh()
    before = tags(screen)
    screen.toggle_pause()
    live.take_alarms([alarm(before[0], phase=Phase.NORMAL, ago=10)])
    screen.refresh()
    assert tags(screen) == before
    assert cell(screen, 0, "state") == "over"
    screen.toggle_pause()
    assert tags(screen) == before[1:]


def test_the_list_keeps_still_under_a_moving_pointer(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_alarms([alarm("IMM-1/temperature")])
    screen.refresh()
    QTest.mouseMove(screen.table.viewport(), screen.table.visualRect(screen.model.index(0, 1)).center())
    assert screen.model.held
    live.take_alarms([alarm("CNC-2/vibration", priority=1)])
    screen.refresh()
    assert tags(screen) == ["IMM-1/temperature"]
    assert screen.more.text() == "+1 new"


def test_the_selection_stays_on_its_alarm_when_a_worse_one_comes(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    tester = QAbstractItemModelTester(screen.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    live.take_alarms([alarm("IMM-1/temperature"), alarm("CONV-1/speed", priority=3)])
    screen.refresh()
    screen.table.selectRow(1)
    live.take_alarms([alarm("CNC-2/vibration", priority=1)])
    screen.refresh()
    assert [r.tag for r in screen.selected()] == ["CONV-1/speed"]
    assert tester.model() is screen.model


def test_shelving_asks_for_minutes_and_a_reason(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk, house: House
) -> None:
    live.take_alarms([alarm("CNC-2/vibration")])
    screen.refresh()
    screen.table.selectRow(0)
    screen.ask_shelf()
    card = screen.findChild(DialogCard, "shelve-card")
    assert card is not None
    form = card.content
    assert isinstance(form, Form)
    form.submit()
    assert form.error("reason") == "Say why the alarm is shelved."
    form.set_values({"minutes": 45, "reason": "bearing is ordered"})
    form.submit()
    qtbot.waitUntil(
        lambda: acts(house) == [("shelve", "CNC-2/vibration", "bearing is ordered")], timeout=5000
    )


def test_a_shelved_alarm_is_on_its_own_page_and_can_be_brought_back(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk, house: House
) -> None:
    until = datetime.now(UTC) + timedelta(minutes=20)
    live.take_alarms([alarm("CNC-2/vibration", phase=Phase.SHELVED, shelved_until=until)])
    screen.refresh()
    assert tags(screen) == []
    screen.tabs.setCurrentIndex(1)
    screen.shelf_table.selectRow(0)
    assert screen.actions_set.reason("alarms.shelve")
    screen.actions_set.trigger("alarms.unshelve")
    qtbot.waitUntil(lambda: acts(house) == [("unshelve", "CNC-2/vibration", "")], timeout=5000)


def test_silence_proves_that_somebody_watches(screen: AlarmsScreen, live: LiveDesk) -> None:
    back = datetime.now(UTC) - timedelta(minutes=3)
    live.take_alarms([alarm("CNC-2/vibration", phase=Phase.NORMAL, returned_at=back)])
    link(live, "line-opcua", LinkState.ONLINE, "Connected.")
    screen.refresh()
    words = screen.table._empty.text()
    assert words.startswith("No active alarms · last cleared")
    assert words.endswith("source age 1 s")
    live._on_status(FeedStatus(False, "The collector is not running."))
    assert "nobody is watching" in screen.table._empty.text()


def test_the_filter_narrows_and_f8_finds_the_next_unseen(screen: AlarmsScreen, live: LiveDesk) -> None:
    live.take_alarms(
        [
            alarm("CNC-2/vibration", priority=1, phase=Phase.ACKED),
            alarm("IMM-1/temperature"),
            alarm("CONV-1/speed"),
        ]
    )
    screen.refresh()
    screen.open_with("next")
    first = screen.selected()[0]
    screen.select_next_unacked()
    assert {first.tag, screen.selected()[0].tag} == {"IMM-1/temperature", "CONV-1/speed"}
    screen.open_with("conveyor")
    assert screen.filter is not None
    screen.filter._emit()
    assert tags(screen) == ["CONV-1/speed"]


def test_who_may_not_acknowledge_is_told_why(
    screen: AlarmsScreen, live: LiveDesk, as_role: Callable[[Role], object]
) -> None:
    live.take_alarms([alarm("CNC-2/vibration")])
    screen.refresh()
    screen.table.selectRow(0)
    as_role(Role.INSPECTOR)
    assert screen.actions_set.reason("alarms.shelve")


def test_three_thousand_alarms_are_updated_within_a_quarter_of_a_second(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_alarms(alarm(f"CNC-2/s{n}", ago=n, priority=1 + n % 4) for n in range(3000))
    screen.refresh()
    live.take_alarms(
        alarm(f"CNC-2/s{n}", ago=n, priority=1 + n % 4, phase=Phase.ACKED) for n in range(0, 3000, 6)
    )
    began = time.perf_counter()
    screen.refresh()
    assert time.perf_counter() - began < 0.25
    assert screen.model.rowCount(QModelIndex()) == 3000
