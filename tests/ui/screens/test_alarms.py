"""The alarms screen: the urgent first, nothing moves under the pointer, acts are marked until they are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.domain.alarms import Limit, Phase, Urgency
from app.domain.machine_news import LinkState, LinkStatus
from app.domain.people import Role
from app.domain.samples import Quality
from app.live.feed import FeedStatus
from app.plant import House
from app.store.history import AlarmBatch, HistoryWriter, JournalLine
from app.store.tables import AlarmAction
from tests.ui.plant import alarm, link, sample, station_falls_silent
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.alarm_journal import elsewhere_words
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
    assert screen.tabs.tabText(1) == "Put aside 1"


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
    assert "plan the bearing" in cell(screen, 0, "advice")


def test_an_alarm_of_a_station_that_is_not_heard_stays_and_is_marked(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_alarms([alarm("CNC-2/vibration")])
    screen.refresh()
    assert cell(screen, 0, "state") == "active"
    tag = live.plant.tag("CNC-2/vibration")
    assert tag is not None
    silent = LinkStatus(
        tag.connection, LinkState.OFFLINE, "Not heard.", datetime.now(UTC), station="07", heard=False
    )
    live.take_link(silent)
    live.take_samples(
        [sample("CNC-2/vibration", 2.55, quality=Quality.UNCERTAIN_NO_COMMUNICATION_LAST_USABLE)]
    )
    screen.refresh()
    assert cell(screen, 0, "state") == "active, as last heard"
    assert cell(screen, 0, "now").startswith("?")
    live.take_link(msgspec.structs.replace(silent, heard=True))
    assert cell(screen, 0, "state") == "active"


def test_the_journal_says_whose_lines_it_does_not_have(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk
) -> None:
    first = live.plant.connections[0].name
    live.take_link(LinkStatus(first, LinkState.ONLINE, "By station 07.", datetime.now(UTC), station="07"))
    screen.tabs.setCurrentIndex(2)
    words = "0 lines · about machines of station 07 only the journal there tells"
    qtbot.waitUntil(lambda: screen.journal._count.text() == words, timeout=5000)
    assert elsewhere_words([]) == ""
    assert elsewhere_words(["07", "09"]).startswith(" · about machines of stations 07, 09 ")


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


def test_an_alarm_that_rings_again_in_a_paused_list_is_shown_as_waiting_in_its_own_row(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_alarms([alarm("CNC-2/vibration", ago=10), alarm("IMM-1/temperature", ago=5)])
    screen.refresh()
    row = tags(screen).index("CNC-2/vibration")
    screen.toggle_pause()
    live.take_alarms([alarm("CNC-2/vibration", phase=Phase.NORMAL, ago=10)])
    screen.refresh()
    assert cell(screen, row, "state") == "over"
    live.take_alarms([alarm("CNC-2/vibration", occurrence=2, ago=1)])
    screen.refresh()
    assert tags(screen)[row] == "CNC-2/vibration"
    assert cell(screen, row, "state") == "active"
    assert not screen.more.isVisible()


def test_a_list_that_nobody_sees_is_brought_up_to_date_when_it_is_shown(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk
) -> None:
    screen.hide()
    with qtbot.waitSignal(live.alarms_changed):
        live.take_alarms([alarm("CNC-2/vibration")])
    assert tags(screen) == []
    screen.show()
    assert tags(screen) == ["CNC-2/vibration"]


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
    screen.aside_table.selectRow(0)
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
    station_falls_silent(live, "line-opcua", "07", minutes=3)
    screen.refresh()
    assert screen.table._empty.text().startswith("No alarms are known of, but nothing is heard of station 07")
    assert screen.banner.text().startswith("Nothing is heard of station 07")
    fence = (
        "Another copy of the data folder of station 01 is running and has its machines; stop one of the two."
    )
    link(live, "line-opcua", LinkState.OFFLINE, fence, heard=False)
    screen.refresh()
    assert screen.banner.text().startswith("Nothing is heard of 1 connection:")
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


def test_three_thousand_alarms_keep_their_order_and_the_selection_while_they_change(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_alarms(alarm(f"CNC-2/s{n}", ago=n, priority=1 + n % 4) for n in range(3000))
    screen.refresh()
    screen.table.selectRow(40)
    (chosen,) = screen.selected()
    live.take_alarms(
        alarm(f"CNC-2/s{n}", ago=n, priority=1 + n % 4, phase=Phase.ACKED) for n in range(0, 3000, 6)
    )
    screen.refresh()
    assert screen.model.rowCount(QModelIndex()) == 3000
    assert [r.id for r in screen.selected()] == [chosen.id]
    gone = [alarm(f"CNC-2/s{n}", phase=Phase.NORMAL) for n in range(100, 3000)]
    live.take_alarms(gone)
    screen.refresh()
    assert screen.model.rowCount(QModelIndex()) == 100


def test_a_latched_alarm_is_reset_and_one_out_of_service_is_put_back(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk, house: House
) -> None:
    live.take_alarms(
        [
            alarm("CNC-2/vibration", phase=Phase.LATCHED_ACKED),
            alarm("IMM-1/temperature", phase=Phase.OUT_OF_SERVICE, aside_reason="New sensor"),
        ]
    )
    screen.refresh()
    screen.table.selectRow(0)
    assert cell(screen, 0, "state") == "went away, to reset"
    screen.actions_set.trigger("alarms.reset")
    qtbot.waitUntil(lambda: ("reset", "CNC-2/vibration", "") in acts(house), timeout=5000)
    screen.tabs.setCurrentIndex(1)
    screen.aside_table.selectRow(0)
    assert "New sensor" in screen.guidance.story.text()
    screen.actions_set.trigger("alarms.put-back")
    qtbot.waitUntil(lambda: ("back-in-service", "IMM-1/temperature", "") in acts(house), timeout=5000)


def test_taking_an_alarm_out_of_service_asks_for_a_reason_and_notes_the_permit(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk, house: House
) -> None:
    live.take_alarms([alarm("CNC-2/vibration")])
    screen.refresh()
    screen.table.selectRow(0)
    screen.ask_out_of_service()
    card = screen.findChild(DialogCard, "out-of-service-card")
    assert card is not None
    form = card.findChild(Form)
    assert form is not None
    form.submit()
    assert form.error("reason") == "Say why the alarm is taken out of service."
    form.set_values({"reason": "Bearing is replaced", "permit": "WP-118"})
    form.submit()
    qtbot.waitUntil(
        lambda: acts(house) == [("out-of-service", "CNC-2/vibration", "Bearing is replaced")], timeout=5000
    )


def test_grouped_by_machine_the_first_that_was_raised_stands_on_top(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    live.take_alarms(
        [
            alarm("IMM-1/temperature", priority=1, ago=5),
            alarm("CNC-2/speed", priority=2, ago=30),
            alarm("CNC-2/vibration", priority=2, ago=60),
            alarm("IMM-1/pressure", priority=3, ago=20),
        ]
    )
    screen.refresh()
    screen.actions_set.trigger("alarms.group")
    assert tags(screen) == ["IMM-1/pressure", "IMM-1/temperature", "CNC-2/vibration", "CNC-2/speed"]
    assert cell(screen, 0, "what").startswith("first: ")
    screen.actions_set.trigger("alarms.group")
    assert tags(screen)[0] == "IMM-1/temperature"


def test_the_panel_says_what_it_means_and_what_to_do_and_who_has_seen_it(
    screen: AlarmsScreen, live: LiveDesk
) -> None:
    seen = datetime.now(UTC)
    live.take_alarms(
        [alarm("CNC-2/vibration", phase=Phase.ACKED, acked_at=seen, acked_by="Ada", comment="Heard it too")]
    )
    screen.refresh()
    screen.table.selectRow(0)
    assert "seize" in screen.guidance.means.text()
    assert "bearing" in screen.guidance.do.text()
    assert "Seen by Ada" in screen.guidance.story.text()
    assert "Heard it too" in screen.guidance.story.text()


def journal_of(live: LiveDesk, count: int) -> None:
    """Stored raisings and acknowledgements, a minute apart."""
    now = datetime.now(UTC)
    records, lines = [], []
    for n in range(count):
        tag, at = ("CNC-2/vibration", "IMM-1/temperature")[n % 2], now - timedelta(minutes=count - n)
        record = replace(alarm(tag, occurrence=n, priority=1 + n % 3, phase=Phase.NORMAL), raised_at=at)
        records.append(record)
        lines.append(
            JournalLine(at, tag, record.id, "raised", Phase.UNACK, Urgency.CRITICAL, Limit.HIHI, 2.6)
        )
        lines.append(
            JournalLine(
                at,
                tag,
                record.id,
                "acknowledged",
                Phase.ACKED,
                Urgency.CRITICAL,
                Limit.HIHI,
                2.6,
                "Ada",
                "Oiled",
            )
        )
    with HistoryWriter(live.history.path) as writer:
        writer.write([], AlarmBatch(records, lines))


def test_the_journal_is_searched_narrowed_and_scrolled_back(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk
) -> None:
    journal_of(live, 700)
    screen.tabs.setCurrentIndex(2)
    journal = screen.journal
    qtbot.waitUntil(lambda: journal.model.rowCount() == 1000, timeout=5000)
    journal.table.verticalScrollBar().setValue(journal.table.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: journal.model.rowCount() == 1400, timeout=5000)
    journal.events.set_value("seen")
    qtbot.waitUntil(lambda: journal.model.rowCount() == 700, timeout=5000)
    screen.open_with("milling oiled")
    assert screen.filter is not None
    screen.filter._emit()
    qtbot.waitUntil(lambda: journal.model.rowCount() == 350, timeout=5000)
    journal.priority.set_value("1")
    qtbot.waitUntil(lambda: 0 < journal.model.rowCount() < 350, timeout=5000)


@pytest.mark.parametrize("name", ["alarms.csv", "alarms.xlsx"])
def test_the_journal_is_saved_whole(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk, tmp_path: Path, name: str
) -> None:
    journal_of(live, 600)
    screen.tabs.setCurrentIndex(2)
    with qtbot.waitSignal(screen.journal.saved, timeout=15_000) as told:
        screen.journal.save(str(tmp_path / name))
    assert told.args == ["Saved 1,200 lines of the journal."]
    assert (tmp_path / name).stat().st_size > 10_000


def test_the_load_page_says_how_the_alarms_stand_against_their_targets(
    qtbot: QtBot, screen: AlarmsScreen, live: LiveDesk
) -> None:
    journal_of(live, 200)
    screen.tabs.setCurrentIndex(3)
    load = screen.load
    qtbot.waitUntil(lambda: load.top.rowCount() == 2, timeout=5000)
    assert "60 alarms" in load.tiles["peak_hour"].accessibleName()
    assert "over the target of 15" in load.tiles["peak_hour"].accessibleName()
    assert "high / medium / low" in load.mix.text()
    load.table.activated_row.emit(0)
    assert screen.tabs.currentIndex() == 2
    qtbot.waitUntil(lambda: screen.journal.model.rowCount() == 200, timeout=5000)
