"""The machines screen says how each machine is doing, since when and why, and never shows silence as health."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.alarms import Phase
from app.domain.equipment import EquipmentState
from app.domain.machine_news import LinkState
from app.domain.people import Actor, Role
from app.live.feed import FeedStatus
from app.live.messages import Welcome
from app.operations.plant import apply_plant
from app.plant import House
from app.store.history import HistoryWriter
from tests.ui.plant import alarm, link, run_machines, sample, station_falls_silent
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.equipment import EquipmentScreen
from ui.widgets.themed import RoleLabel


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, live: LiveDesk) -> Iterator[EquipmentScreen]:
    run_machines(live, 120)
    made = EquipmentScreen(desk, live)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    yield made
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


def picture(screen: EquipmentScreen, code: str) -> QImage:
    box = screen.tiles.box_of(code)
    assert box is not None
    return screen.tiles.viewport().grab(box).toImage()


def saturated(image: QImage) -> int:
    """How many pixels carry a strong colour."""
    colours = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(c.hsvSaturationF() > 0.6 and c.valueF() > 0.3 for c in colours)


def test_machines_stand_in_their_areas_with_state_and_health(screen: EquipmentScreen, live: LiveDesk) -> None:
    assert len(screen.tiles.codes()) == len(live.plant.equipment)
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.OPERATIONAL
    assert machine.health.score == 100
    assert screen.filter is not None
    assert screen.filter.count_text() == f"{len(live.plant.equipment)} machines"


def test_a_quiet_machine_is_grey(screen: EquipmentScreen) -> None:
    assert saturated(picture(screen, "CNC-2")) == 0


def test_a_new_value_changes_the_picture_of_its_tile(
    qtbot: QtBot, screen: EquipmentScreen, live: LiveDesk
) -> None:
    before = picture(screen, "CNC-2")
    with qtbot.waitSignal(live.ticked, timeout=2000):
        live.take_samples([sample("CNC-2/vibration", 1.93)])
    assert picture(screen, "CNC-2") != before


def test_a_value_over_its_limit_gives_the_only_colour_and_says_why_with_points(
    qtbot: QtBot, screen: EquipmentScreen, live: LiveDesk
) -> None:
    live.take_samples([sample("CNC-2/vibration", 2.61)])
    live.take_alarms([alarm("CNC-2/vibration")])
    screen.tiles.choose("CNC-2")
    screen.refresh()
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.CRITICAL
    assert screen.detail.losses()[0] == "−40 Vibration 2.61 mm/s is above its critical limit 2.5."
    assert saturated(picture(screen, "CNC-2")) > 100
    with qtbot.waitSignal(screen.open_requested, timeout=2000) as asked:
        screen.detail.chart_requested.emit("CNC-2/vibration")
    assert asked.args == ["charts", "CNC-2/vibration"]


def test_a_silent_machine_has_no_colour_keeps_its_last_values_and_says_why(
    screen: EquipmentScreen, live: LiveDesk
) -> None:
    live.take_samples([sample("CNC-2/vibration", 2.61)])
    live.take_alarms([alarm("CNC-2/vibration")])
    link(live, "line-opcua", LinkState.OFFLINE, "The server does not answer.")
    live.take_samples(
        sample(tag.name, None, quality=0x80310000) for tag in live.plant.tags if tag.equipment == "CNC-2"
    )
    screen.refresh()
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.OFFLINE
    assert machine.silent == "The server does not answer."
    vibration = next(s for s in machine.signals if s.tag.name == "CNC-2/vibration")
    assert vibration.stale
    assert vibration.sample is not None
    assert vibration.sample.value == 2.61
    assert saturated(picture(screen, "CNC-2")) == 0


def test_without_collector_everything_is_unknown_and_nothing_is_blank(
    screen: EquipmentScreen, live: LiveDesk
) -> None:
    live._on_status(FeedStatus(False, "The connection to the collector is lost."))
    screen.refresh()
    assert {m.state for m in live.machines()} == {EquipmentState.UNKNOWN}
    assert all(s.sample is not None and s.age is not None for m in live.machines() for s in m.signals)
    assert all(m.health.score is None for m in live.machines())
    assert "connection to the collector is lost" in screen.banner.text()


def test_a_machine_whose_station_is_not_heard_is_not_said_to_run(
    screen: EquipmentScreen, live: LiveDesk
) -> None:
    an_hour_ago = live.now() - timedelta(hours=1)
    live.take_samples([sample(t.name, 2.61, an_hour_ago) for t in live.plant.tags_of("line-opcua")])
    live.take_alarms([alarm("CNC-2/vibration")])
    station_falls_silent(live, "line-opcua", "07", minutes=3)
    screen.tiles.choose("CNC-2")
    screen.refresh()
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.UNKNOWN
    assert machine.health.score is None
    heard = (live.now() - timedelta(minutes=3)).astimezone()
    words = screen.tiles.accessibleDescription()
    assert re.search(
        rf"no data since {heard:%H:%M}\. Station 07 is not heard; it reads this machine\.", words
    ), words
    assert all(s.stale and s.age is not None and s.age >= 179 for s in machine.signals)
    assert saturated(picture(screen, "CNC-2")) == 0
    assert live.links_lost.unheard == "station 07"
    screen.open_with("unknown")
    assert "CNC-2" in screen.tiles.codes()
    run_machines(live, 5)
    link(live, "line-opcua", LinkState.ONLINE, "By station 07: Connected.", station="07")
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.heard


def test_a_machine_that_nobody_talks_to_yet_is_not_said_to_run(
    screen: EquipmentScreen, live: LiveDesk
) -> None:
    link(live, "line-opcua", LinkState.CONNECTING, "No station talks to this machine yet.")
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.UNKNOWN
    assert machine.silent == "No station talks to this machine yet."
    assert screen.state_of(machine).startswith("No data since ")


def test_what_an_earlier_collector_said_is_no_news_of_the_next_one(live: LiveDesk) -> None:
    run_machines(live, 5)
    before = live.machine("CNC-2")
    assert before is not None
    assert before.state is EquipmentState.OPERATIONAL
    live._on_message(Welcome(live.now()))
    link(live, "line-opcua", LinkState.ONLINE, "Connected.")
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.UNKNOWN
    live.take_samples([sample(s.tag.name, 1.0) for s in machine.signals])
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.heard


def test_a_broker_without_a_last_will_does_not_vouch_for_a_machine_for_long(
    house: House, admin: Actor, live: LiveDesk, qtbot: QtBot
) -> None:
    plant = live.plant
    line = next(c for c in plant.connections if c.name == "line-opcua")
    broker = replace(line, driver="mqtt", url="mqtt://broker")
    others = tuple(c for c in plant.connections if c is not line)
    house.door.perform(apply_plant(plant=replace(plant, connections=(*others, broker))), admin)
    live.reload_plant()
    qtbot.waitUntil(lambda: broker in live.plant.connections, timeout=5000)
    for minutes, state in ((14, EquipmentState.OPERATIONAL), (16, EquipmentState.UNKNOWN)):
        moment = live.now() - timedelta(minutes=minutes)
        live.take_samples([sample(t.name, 1.0, moment) for t in live.plant.tags_of("line-opcua")])
        machine = live.machine("CNC-2")
        assert machine is not None
        assert machine.state is state
    assert machine is not None
    assert machine.silent == "no message arrived for long"
    live.take_samples([sample("CNC-2/vibration", 1.0)])  # the others tell of changes only
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.OPERATIONAL


def test_a_value_that_stood_still_is_as_old_as_the_last_word_of_its_machine(live: LiveDesk) -> None:
    """Not as old as its last change: until the line was cut it was known to hold."""
    long_ago = live.now() - timedelta(hours=2)
    live.take_samples([sample(t.name, 1.0, long_ago) for t in live.plant.tags_of("line-opcua")])
    live._values.heard_at = live.now() - timedelta(minutes=1)
    live._on_status(FeedStatus(False, "The connection to the collector is lost."))
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.age is not None
    assert 59 < machine.age < 90
    live._on_status(FeedStatus(True, "Live."))
    live._on_message(Welcome(live.now()))
    link(live, "line-opcua", LinkState.OFFLINE, "The server does not answer.")
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.OFFLINE
    assert machine.age is not None
    assert 59 < machine.age < 90


def test_counts_by_state_filter_the_tiles(screen: EquipmentScreen, live: LiveDesk) -> None:
    live.take_samples([sample("CNC-2/vibration", 2.61)])
    live.take_alarms([alarm("CNC-2/vibration", phase=Phase.ACKED)])
    screen.refresh()
    screen.open_with("critical")
    assert screen.tiles.codes() == ["CNC-2"]
    screen.open_with("IMM-1")
    assert screen.tiles.current == "IMM-1"
    assert len(screen.tiles.codes()) == len(live.plant.equipment)


def test_the_arrow_keys_walk_over_the_tiles_and_c_opens_the_charts(
    qtbot: QtBot, screen: EquipmentScreen
) -> None:
    screen.tiles.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(screen.tiles, key)
    assert screen.tiles.current == screen.tiles.codes()[1]
    QTest.keyClick(screen.tiles, Qt.Key.Key_Home)
    assert screen.tiles.current == screen.tiles.codes()[0]
    with qtbot.waitSignal(screen.open_requested, timeout=2000) as asked:
        QTest.keyClick(screen.tiles, Qt.Key.Key_Return)
    assert asked.args[0] == "charts"
    assert len(asked.args[1]) == 4


def test_a_machine_is_taken_out_for_maintenance_and_put_back(
    qtbot: QtBot, screen: EquipmentScreen, live: LiveDesk
) -> None:
    screen.tiles.choose("CNC-2")
    screen.toggle_maintenance()
    qtbot.waitUntil(lambda: "CNC-2" in live.maintenance, timeout=5000)
    machine = live.machine("CNC-2")
    assert machine is not None
    assert machine.state is EquipmentState.MAINTENANCE
    screen.toggle_maintenance()
    qtbot.waitUntil(lambda: "CNC-2" not in live.maintenance, timeout=5000)


def test_an_operator_is_told_why_maintenance_is_not_theirs(
    screen: EquipmentScreen, as_role: Callable[[Role], object]
) -> None:
    screen.tiles.choose("CNC-2")
    as_role(Role.OPERATOR)
    assert screen.actions_set.reason("equipment.maintenance")


def test_without_machines_the_screen_says_how_to_get_some(
    qtbot: QtBot, desk: Desk, bare_live: LiveDesk
) -> None:
    screen = EquipmentScreen(desk, bare_live)
    qtbot.addWidget(screen)
    screen.show()
    assert "lineside plant apply" in screen.empty.text()
    assert screen.empty.isVisible()


def test_the_panel_says_what_was_counted_today_and_which_limit_is_ahead(
    screen: EquipmentScreen, live: LiveDesk, qtbot: QtBot
) -> None:
    now = live.now()
    ages = [timedelta(minutes=24 * 60 - minute) for minute in range(24 * 60)]
    drift = [
        sample("CNC-2/vibration", 1.0 + 0.0006 * i + 0.003 * (i % 5), now - age) for i, age in enumerate(ages)
    ]
    running = [sample("CNC-2/running", i % 2 == 0, now - age) for i, age in enumerate(ages)]
    with HistoryWriter(live.history.path) as writer:
        writer.write([*drift, *running])
    with qtbot.waitSignal(live.outlook.changed, timeout=15_000):
        live.outlook.look()
    screen.tiles.choose("CNC-2")
    qtbot.waitUntil(lambda: any("reaches its warning limit 2" in line for line in screen.detail.losses()))
    counters = screen.detail.findChild(RoleLabel, "machine-counters")
    assert counters is not None
    assert re.search(r"Running: [\d.]+ h", counters.text())
