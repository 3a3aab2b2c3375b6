"""The live side of the window: fed by a real collector process, stale when it is gone, never blank."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from app.domain.alarms import Phase, alarm_words
from app.domain.people import Actor
from app.operations.plant import apply_plant
from app.plant import House
from tests.ui.plant import alarm, demo_plant, sample
from tests.ui.qt_loop import on_qt_loop, until
from ui.bridge.alarm_board import AlarmBoard, urgency_order
from ui.bridge.collector import CollectorKeeper
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.bridge.rings import Ring
from ui.bridge.stored_values import newer_plant
from ui.widgets.alarm_strip import AlarmCount


def test_a_ring_keeps_the_last_quarter_of_an_hour_in_order() -> None:
    ring = Ring(span=100.0)
    for second in range(1000):
        ring.add(float(second), second * 2.0)
    ring.add(500.0, -1.0)
    t, y = ring.view(950.0)
    assert np.all(np.diff(t) >= 0)
    assert (t[-1], y[-1]) == (999.0, -1.0)
    assert len(ring) < 600
    assert ring.taken == 1001


def test_stored_samples_go_before_the_live_ones_without_overlap() -> None:
    ring = Ring()
    ring.add(10.0, 1.0)
    ring.put_before(np.array([8.0, 9.0, 10.0, 11.0]), np.array([0.0, 0.5, 7.0, 7.0]))
    t, y = ring.view()
    assert t.tolist() == [8.0, 9.0, 10.0]
    assert y.tolist() == [0.0, 0.5, 1.0]


def test_alarms_are_counted_by_priority_and_shelved_ones_are_not() -> None:
    board = AlarmBoard()
    board.take(
        [
            alarm("CNC-2/vibration", priority=1),
            alarm("IMM-1/temperature", priority=2, phase=Phase.ACKED),
            alarm("CONV-1/speed", priority=2, phase=Phase.RTN_UNACK),
            alarm("ROB-3/vibration", priority=2, phase=Phase.SHELVED),
        ]
    )
    assert board.counts() == {1: AlarmCount(1, 1), 2: AlarmCount(2, 1)}
    newest = board.newest()
    assert newest is not None
    words = "CNC Milling Machine #2 vibration very high 2.61 mm/s (limit 2.5)"
    assert alarm_words(alarm("CNC-2/vibration"), demo_plant()) == words


def test_a_new_raising_takes_the_place_of_the_old_one_whatever_the_order() -> None:
    old, new = alarm("CNC-2/vibration", phase=Phase.RTN_UNACK), alarm("CNC-2/vibration", occurrence=2)
    for order in ([old, new], [new, old]):
        board = AlarmBoard()
        board.take(order)
        assert [r.id for r in board.open()] == [new.id]


def test_the_rate_counts_every_raising_also_of_an_alarm_that_comes_again_and_again() -> None:
    board, now = AlarmBoard(), datetime.now(UTC)
    for n in range(1, 31):
        board.take([alarm("CNC-2/vibration", phase=Phase.RTN_UNACK, occurrence=n, ago=300 - n)])
    board.take([alarm("CNC-2/vibration", occurrence=30, ago=270)])
    board.take([alarm("IMM-1/temperature", ago=4000)])
    assert board.raised_since(now - timedelta(minutes=10)) == 30


def test_a_collector_that_counts_anew_replaces_what_it_has_not_confirmed() -> None:
    """As after a restored history: its first raising is newer than the ninth that this window knew."""
    board = AlarmBoard()
    before, after = alarm("CNC-2/vibration", occurrence=9), alarm("CNC-2/vibration", occurrence=1)
    board.take([before])
    board.take([after])
    assert [r.id for r in board.open()] == [before.id]
    board.take([replace(after, value=3.0)], doubtful={before.id})
    assert [r.id for r in board.open()] == [after.id]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4), st.sampled_from(list(Phase))), max_size=60))
def test_the_board_keeps_the_order_of_urgency_whatever_happens(
    moves: list[tuple[int, int, Phase]],
) -> None:
    board = AlarmBoard()
    for tag, occurrence, phase in moves:
        board.take([alarm(f"M/{tag}", priority=1 + tag % 3, phase=phase, occurrence=occurrence, ago=tag)])
        found = board.open()
        assert [r.id for r in found] == [r.id for r in sorted(found, key=urgency_order)]
        assert len({r.key for r in found}) == len(found)
        assert all(r.phase is not Phase.NORMAL for r in found)
        assert {r.id for r in board.wanted()} | {r.id for r in board.aside()} == {r.id for r in found}


def test_the_plant_is_read_again_only_when_it_is_another_one(
    qapp: QApplication, house: House, admin: Actor
) -> None:
    house.door.perform(apply_plant(plant=demo_plant()), admin)
    with house.store.reader() as session:
        read = newer_plant(session, None)
        assert read is not None
        assert read.plant.tags
        assert newer_plant(session, read.stamp) is None
    plant = demo_plant()
    house.door.perform(apply_plant(plant=replace(plant, tags=plant.tags[:-1])), admin)
    with house.store.reader() as session:
        changed = newer_plant(session, read.stamp)
        assert changed is not None
        assert len(changed.plant.tags) == len(plant.tags) - 1


def test_what_is_cleared_is_remembered_with_its_time() -> None:
    board = AlarmBoard()
    back = datetime.now(UTC) - timedelta(seconds=5)
    board.take([alarm("CNC-2/vibration")])
    assert board.take([alarm("CNC-2/vibration", phase=Phase.NORMAL, returned_at=back)])
    assert board.open() == []
    assert board.last_cleared() == back


@pytest.fixture
def plant_house(house: House, admin: Actor) -> House:
    """A store with the demo plant, whose machines nobody has switched on."""
    house.door.perform(apply_plant(plant=demo_plant()), admin)
    return house


def test_the_window_starts_a_collector_notices_its_death_and_starts_another(
    qapp: QApplication, desk: Desk, plant_house: House
) -> None:
    async def body() -> None:
        live = LiveDesk(desk)
        keeper = CollectorKeeper(live, plant_house.folder, first_pause_ms=200)
        faults: dict[str, object] = {}

        def note(key: str, sentence: object) -> None:
            faults[key] = sentence

        desk.fault.connect(note)
        live.start(asyncio.get_running_loop())
        keeper.start()
        try:
            await until(lambda: live.collector_state.live, 30, "a live collector")
            first = keeper.pid
            assert first is not None
            psutil.Process(first).kill()
            await until(lambda: not live.collector_state.live, 10, "the loss to be noticed")
            assert live.machines()
            assert all(not m.heard for m in live.machines())
            await until(lambda: live.collector_state.live, 30, "another collector")
            assert keeper.pid not in (None, first)
            assert faults.get("collector") is None
        finally:
            keeper.stop()
            await live.stop()
            await until(lambda: desk.tasks.idle)

    on_qt_loop(body(), qapp)


def test_a_second_window_uses_the_collector_that_runs_and_leaves_it_running(
    qapp: QApplication, desk: Desk, plant_house: House
) -> None:
    async def body() -> None:
        command = (sys.executable, "-m", "app", "--data-dir", str(plant_house.folder))
        running = await asyncio.create_subprocess_exec(*command)
        live = LiveDesk(desk)
        keeper = CollectorKeeper(live, plant_house.folder)
        try:
            await until((plant_house.folder / "collector.json").exists, 30, "collector.json")
            live.start(asyncio.get_running_loop())
            keeper.start()
            await until(lambda: live.collector_state.live, 10, "the running collector")
            assert keeper.pid is None
            keeper.stop()
            assert running.returncode is None
        finally:
            keeper.stop()
            await live.stop()
            await until(lambda: desk.tasks.idle)
            running.terminate()
            assert await running.wait() == 0

    on_qt_loop(body(), qapp)


def test_values_from_the_last_run_are_there_before_the_collector_is(
    qapp: QApplication, desk: Desk, plant_house: House
) -> None:
    from app.store.history import FILE_NAME, HistoryWriter

    with HistoryWriter(plant_house.folder / FILE_NAME) as writer:
        moment = datetime.now(UTC) - timedelta(minutes=3)
        writer.write([sample("CNC-2/vibration", 1.25, moment)])

    async def body() -> None:
        live = LiveDesk(desk)
        live.start(asyncio.get_running_loop())
        await until(lambda: live.latest("CNC-2/vibration") is not None, 10, "the stored value")
        machine = live.machine("CNC-2")
        assert machine is not None
        vibration = next(s for s in machine.signals if s.tag.name == "CNC-2/vibration")
        assert vibration.stale
        assert vibration.age is not None
        assert 170 < vibration.age < 200
        await live.stop()
        await until(lambda: desk.tasks.idle)

    on_qt_loop(body(), qapp)
