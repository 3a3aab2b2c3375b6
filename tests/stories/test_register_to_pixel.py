"""A register changes in a machine; seconds later the picture of that machine does, over the whole real path."""

from __future__ import annotations

import asyncio

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.domain.alarms import Phase
from app.domain.equipment import EquipmentState
from app.domain.people import Actor
from app.operations.plant import apply_plant
from app.plant import House
from tests.stories.machines import ModbusMachines, modbus_machines
from tests.ui.qt_loop import on_qt_loop, until
from ui.bridge.collector import CollectorKeeper
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.alarms import AlarmsScreen
from ui.screens.equipment import EquipmentScreen


def tile(screen: EquipmentScreen, code: str) -> QImage:
    box = screen.tiles.box_of(code)
    assert box is not None
    return screen.tiles.viewport().grab(box).toImage()


def alarm_red(image: QImage) -> int:
    """How many pixels have the colour of a critical alarm."""
    colours = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(c.red() > 180 and c.green() < 40 and c.blue() < 70 for c in colours)


async def follow(
    machines: ModbusMachines, live: LiveDesk, machine: EquipmentScreen, alarms: AlarmsScreen
) -> None:
    def temperature() -> object:
        sample = live.latest("CONV-1/temperature")
        return None if sample is None else sample.value

    await until(lambda: temperature() == 44.0, 40, "the first value of the register")
    await until(lambda: _state(live) is EquipmentState.OPERATIONAL, 10, "an operational machine")
    machine.refresh()
    before = tile(machine, "CONV-1")
    assert alarm_red(before) == 0
    machines.set("CONV-1", "temperature", 91.0)
    await until(lambda: temperature() == 91.0, 10, "the new value")
    await until(lambda: tile(machine, "CONV-1") != before, 5, "another picture")
    await until(lambda: alarm_red(tile(machine, "CONV-1")) > 60, 15, "the colour of a critical alarm")
    await until(lambda: _state(live) is EquipmentState.CRITICAL, 5, "a critical machine")

    await until(lambda: alarms.model.rowCount() == 1, 5, "one row in the alarm list")
    alarms.table.selectRow(0)
    alarms.acknowledge()
    await until(lambda: live.board.open()[0].phase is Phase.ACKED, 10, "the acknowledgement to come back")
    assert live.board.open()[0].acked_by == "Ada Boss"
    assert not live.is_pending("CONV-1/temperature")


def _state(live: LiveDesk) -> EquipmentState | None:
    machine = live.machine("CONV-1")
    return None if machine is None else machine.state


def test_a_register_that_changes_changes_the_picture_and_an_alarm_is_acknowledged(
    qapp: QApplication, desk: Desk, house: House, admin: Actor
) -> None:
    async def body(machines: ModbusMachines) -> None:
        live = LiveDesk(desk)
        keeper = CollectorKeeper(live, house.folder)
        screen, alarms = EquipmentScreen(desk, live), AlarmsScreen(desk, live)
        screen.resize(1100, 700)
        screen.show()
        alarms.show()  # a list that nobody sees is not kept up to date
        live.start(asyncio.get_running_loop())
        keeper.start()
        try:
            await follow(machines, live, screen, alarms)
        finally:
            keeper.stop()
            await live.stop()
            await until(lambda: desk.tasks.idle)
            for window in (screen, alarms):
                window.close()
                window.deleteLater()

    with modbus_machines() as machines:
        machines.set("CONV-1", "temperature", 44.0)
        house.door.perform(apply_plant(plant=machines.plant), admin)
        on_qt_loop(body(machines), qapp)
