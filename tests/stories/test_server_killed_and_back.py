"""A machine's server dies and comes back: nothing shows old values as new, and nobody has to help."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from PySide6.QtWidgets import QApplication

from app.domain.alarms import Kind
from app.domain.equipment import EquipmentState
from app.domain.people import Actor
from app.operations.plant import apply_plant
from app.plant import House
from app.store.history import FILE_NAME, HistoryReader
from tests.stories.machines import ModbusMachines, modbus_machines
from tests.ui.qt_loop import on_qt_loop, until
from ui.bridge.collector import CollectorKeeper
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.bridge.machines import MachineNow
from ui.screens.equipment import EquipmentScreen


def conveyor(live: LiveDesk) -> MachineNow:
    machine = live.machine("CONV-1")
    assert machine is not None
    return machine


async def lose_and_find(machines: ModbusMachines, live: LiveDesk, screen: EquipmentScreen) -> None:
    await until(lambda: live.latest("CONV-1/speed") is not None, 40, "the first value")
    await until(lambda: conveyor(live).state is EquipmentState.OPERATIONAL, 10, "an operational machine")
    screen.tiles.choose("CONV-1")
    speed = live.latest("CONV-1/speed")
    assert speed is not None

    machines.switch_off()
    await until(lambda: conveyor(live).state is EquipmentState.OFFLINE, 15, "the loss to be noticed")
    lost = next(s for s in conveyor(live).signals if s.tag.name == "CONV-1/speed")
    assert lost.stale
    assert lost.sample is not None
    assert lost.sample.value == speed.value
    assert conveyor(live).silent
    assert conveyor(live).health.score is None
    assert live.collector_state.live
    first_age = lost.age or 0.0
    await until(lambda: _comm_alarm(live), 20, "the communication alarm")
    age = next(s.age for s in conveyor(live).signals if s.tag.name == "CONV-1/speed")
    assert age is not None
    assert age > first_age + 1

    machines.switch_on()
    machines.set("CONV-1", "speed", 1511.0)
    await until(lambda: conveyor(live).state is not EquipmentState.OFFLINE, 40, "the machine to be back")
    await until(lambda: _value(live) == 1511.0, 10, "a fresh value")
    fresh = next(s for s in conveyor(live).signals if s.tag.name == "CONV-1/speed")
    assert not fresh.stale
    assert fresh.age is not None
    assert fresh.age < 5
    assert conveyor(live).health.score is not None


def _comm_alarm(live: LiveDesk) -> bool:
    return any(r.kind is Kind.COMMUNICATION and r.tag.startswith("CONV-1/") for r in live.board.open())


def _value(live: LiveDesk) -> object:
    sample = live.latest("CONV-1/speed")
    return None if sample is None else sample.value


def test_a_server_that_dies_and_comes_back_is_said_and_then_live_again(
    qapp: QApplication, desk: Desk, house: House, admin: Actor
) -> None:
    async def body(machines: ModbusMachines) -> None:
        live = LiveDesk(desk)
        keeper = CollectorKeeper(live, house.folder)
        screen = EquipmentScreen(desk, live)
        screen.show()
        live.start(asyncio.get_running_loop())
        keeper.start()
        try:
            await lose_and_find(machines, live, screen)
        finally:
            keeper.stop()
            await live.stop()
            await until(lambda: desk.tasks.idle)
            screen.close()
            screen.deleteLater()

    with modbus_machines() as machines:
        machines.set("CONV-1", "speed", 1490.0)
        house.door.perform(apply_plant(plant=machines.plant), admin)
        on_qt_loop(body(machines), qapp)

    with HistoryReader(house.folder / FILE_NAME) as history:
        now = datetime.now(UTC)
        stored = history.samples("CONV-1/speed", now - timedelta(minutes=5), now + timedelta(seconds=5))
    bad = [s for s in stored if s.bad]
    assert stored[0].good
    assert len([s for s in bad if s.source_time < stored[-1].source_time]) == 1
