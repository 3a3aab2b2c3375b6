"""The machine side of the tour: alarms, a new connection, a value that is sent, one machine, its curves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.demo.traces import VIEW
from app.demo.workshop import DEMO_PASSWORD, SUPERVISOR, TECHNICIAN
from ui.window.tour_stand import LAPTOP, Stand

if TYPE_CHECKING:
    from PySide6.QtCore import QModelIndex

    from ui.screens.machines.browse_page import BrowsePage
    from ui.screens.machines.wizard import Wizard

_NEW_CONNECTION = "recipe-plc"
_ENCRYPTED = "Basic256Sha256/SignAndEncrypt"
_SERVER = "line-opcua"
_CONVEYOR, _SCANNER = "CONV-1", "QCS-1"
_WRITTEN = {"value": "1520", "reason": "Thin sheet runs faster"}


async def see_alarms(stand: Stand) -> None:
    """The machines overheat within seconds; acknowledge the first alarm, then look at the other pages."""
    from ui.screens.alarms import AlarmsScreen
    from ui.screens.alarms.screen import ASIDE, JOURNAL, LOAD

    await stand.until(lambda: any(count.unacked for count in stand.live.alarm_counts.values()), "an alarm")
    screen = stand.open("alarms", AlarmsScreen)
    screen.select_next_unacked()
    await stand.seen("alarm-active")
    screen.select_next_unacked()
    screen.acknowledge()
    for page, name in ((ASIDE, "alarms-aside"), (JOURNAL, "alarms-journal"), (LOAD, "alarms-load")):
        screen.tabs.setCurrentIndex(page)
        if page == ASIDE:
            screen.aside_table.selectRow(0)
        await stand.seen(name)
    screen.tabs.setCurrentIndex(0)


async def bring_in_a_machine(stand: Stand) -> None:
    """As the technician: an encrypted server from its address to saved tags."""
    from ui.screens.machines import MachinesScreen

    await stand.enter(TECHNICIAN, DEMO_PASSWORD)
    screen = stand.open("machines", MachinesScreen)
    screen.new()
    wizard = screen.wizard
    assert wizard is not None
    server = next(c for c in stand.live.plant.connections if c.name == _SERVER)
    wizard.address_page.protocol.set_value("opcua")
    wizard.address_page.form.set_values({"name": _NEW_CONNECTION, "url": server.url, "security": _ENCRYPTED})
    await stand.seen("wizard-address")
    wizard.next()
    await stand.until(wizard.try_page.trust.isVisible, "the certificate of the machine")
    await stand.seen("wizard-trust")
    wizard.try_page.trust.button.click()
    await stand.until(lambda: wizard.try_page.answered, "an answer of the machine")
    await stand.seen("wizard-test")
    await _choose_values(stand, wizard)
    await _name_and_save(stand, wizard)
    await stand.until(lambda: screen.wizard is None, "the saved connection")
    await stand.seen("connection-saved")
    await stand.enter(SUPERVISOR, DEMO_PASSWORD)


async def _choose_values(stand: Stand, wizard: Wizard) -> None:
    wizard.next()
    page = wizard.browse_page
    await stand.until(lambda: page.model.rowCount() > 2, "what the machine offers")
    recipe = _folder(page, "Recipe")
    page.tree.expand(page._filtered.mapFromSource(recipe))
    await stand.until(lambda: page.model.rowCount(recipe) > 1, "the values of the recipe")
    for row in range(page.model.rowCount(recipe)):
        page.model.tick(page.model.index(row, 0, recipe), True)
    await stand.seen("wizard-choose")


def _folder(page: BrowsePage, name: str) -> QModelIndex:
    """The entry at the top that carries this name."""
    tops = (page.model.index(row, 0) for row in range(page.model.rowCount()))
    found = next((index for index in tops if name in str(index.data())), None)
    if found is None:
        raise LookupError(f"the machine does not offer {name}")
    return found


async def _name_and_save(stand: Stand, wizard: Wizard) -> None:
    wizard.next()
    addresses = list(wizard.draft.picks)
    await stand.until(lambda: all(wizard.preview.latest(a) for a in addresses), "values of the machine")
    await stand.seen("wizard-preview")
    wizard.next()
    wizard.tags_page.machine_name.setText("Recipe of line 1")
    await stand.seen("wizard-names")
    wizard.next()


async def send_a_value(stand: Stand) -> None:
    """In two steps: check, then say so; the machine answers."""
    from ui.models.write_card import WriteCard
    from ui.screens.equipment import EquipmentScreen

    screen = stand.open("equipment", EquipmentScreen, _CONVEYOR)
    await stand.seen("machine-detail")
    screen.actions_set.trigger("equipment.write")
    card = await stand.child(WriteCard, screen)
    card.form.set_values(_WRITTEN)
    card.form.submitted.emit()
    await stand.seen("write-checked", card)
    card.form.submitted.emit()
    await stand.until(partial(_is_answered, card), "an answer to the value that was sent")
    await stand.seen("write-answered", card)
    card.close()


def _is_answered(card: object) -> bool:
    from ui.models.write_card import WriteCard

    return isinstance(card, WriteCard) and card.answer.text()[:1] in ("✔", "✖")


async def measure_curves(stand: Stand) -> None:
    """A saved view, two cursors, another time laid under it, a stretch left out, the table behind the curves."""
    from ui.models.compared import before
    from ui.screens.charts import ChartsScreen

    stand.window.resize(*LAPTOP)
    await stand.see("equipment", "machine-forecast", _SCANNER)
    screen = stand.open("charts", ChartsScreen)
    await stand.settled()
    screen.open_with(VIEW)
    await stand.seen("charts-view")
    window = screen.window_of_time
    window.freeze()
    start, end = window.range()
    window.set_cursor("A", start + 0.42 * (end - start))
    window.set_cursor("B", start + 0.58 * (end - start))
    await stand.seen("charts-cursors")
    screen.show_comparison(before(start, end))
    await stand.seen("charts-compared")
    screen.show_comparison(None)
    await _leave_out(stand, screen)
    screen.toggle_table()
    await stand.seen("charts-table")
    screen.toggle_table()
    window.clear_cursors()
    screen.go_live()


async def _leave_out(stand: Stand, screen: object) -> None:
    """The stretch between the cursors is corrected: nothing measured is lost, the curve leaves it out."""
    from ui.screens.charts import ChartsScreen

    assert isinstance(screen, ChartsScreen)
    screen.handling.ask_correction()
    form = screen.handling.cards.form
    assert form is not None
    form.set_values({"reason": "Sensor was unplugged for its calibration"})
    await stand.seen("charts-correction", form.window())
    performed: list[object] = []
    stand.window.desk.performed.connect(performed.append)
    form.submitted.emit()
    await stand.until(lambda: bool(performed), "the correction")
    await stand.seen("charts-corrected")
