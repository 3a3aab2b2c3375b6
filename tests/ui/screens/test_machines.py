"""From an unknown machine to tags: the wizard against real servers, the list of connections, a value sent."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.machine_news import LinkState, LinkStatus, WriteAnswered
from app.domain.people import Actor, Role
from app.domain.plant import Connection, Limits, Plant, Tag, Writing
from app.domain.plant_file import parse_plant
from app.drivers.certificates import own_certificate
from app.drivers.faults import ServerCertificate
from app.drivers.simulator import SimulatedPlant
from app.operations.plant import save_tags
from app.plant import House
from app.store.queries.plant import read_plant
from app.store.tables import MachineTakeover, Meta
from tests.drivers.opcua_machine import SECURE, Machine, machine
from tests.ui.plant import link, sample
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.bridge.machines import SignalNow
from ui.models.machine_words import signal_words
from ui.models.write_card import WriteCard
from ui.screens.machines import MachinesScreen
from ui.screens.machines.draft import Pick, new_tags, short_name
from ui.screens.machines.tag_cells import BY_KEY, COLUMNS, parse_scale, scale_text
from ui.screens.machines.tag_form import build_tag_form, read_tag_form
from ui.screens.machines.tree_model import TreeModel
from ui.screens.machines.try_page import TrustPanel
from ui.screens.machines.wizard import CHOOSE, LOOK, NAME, TRY, Wizard
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

PATIENCE = 20_000


@pytest.fixture
def server_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A thread with an event loop for the servers of a test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="servers", daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE / 1000)
    loop.close()


@pytest.fixture
def servers(server_loop: asyncio.AbstractEventLoop) -> Iterator[SimulatedPlant]:
    """The demo plant's real servers."""
    plant = SimulatedPlant(rate=5.0)
    asyncio.run_coroutine_threadsafe(plant.start(), server_loop).result(PATIENCE / 1000)
    yield plant
    asyncio.run_coroutine_threadsafe(plant.stop(), server_loop).result(PATIENCE / 1000)


@pytest.fixture
def encrypted(server_loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Iterator[Machine]:
    """An OPC UA server that shows a certificate."""
    served = machine(policies=SECURE, own=own_certificate(tmp_path / "theirs", "machine"))
    yield asyncio.run_coroutine_threadsafe(_entered(served), server_loop).result(PATIENCE / 1000)
    asyncio.run_coroutine_threadsafe(_left(served), server_loop).result(PATIENCE / 1000)


async def _entered(served: AbstractAsyncContextManager[Machine]) -> Machine:
    return await served.__aenter__()


async def _left(served: AbstractAsyncContextManager[Machine]) -> None:
    await served.__aexit__(None, None, None)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


Shown = Callable[[LiveDesk], MachinesScreen]


@pytest.fixture
def shown(qtbot: QtBot, desk: Desk) -> Iterator[Shown]:
    """Opens the screen over a live desk."""

    def make(live: LiveDesk) -> MachinesScreen:
        screen = MachinesScreen(desk, live)
        qtbot.addWidget(screen)
        screen.resize(1200, 760)
        screen.show()
        return screen

    yield make
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=PATIENCE)


def plant_of(house: House) -> Plant:
    with house.store.reader() as session:
        return read_plant(session)


def share(house: House, station: str) -> None:
    """As if this folder were a station of a shared server."""

    def write(session: Session) -> None:
        session.merge(Meta(key="sync.station", value=station))

    house.store.submit(write).result()


def begin(screen: MachinesScreen, driver: str, **values: object) -> Wizard:
    """The wizard with its first step filled in."""
    screen.actions_set.trigger("machines.new")
    wizard = screen.wizard
    assert wizard is not None
    wizard.address_page.protocol.set_value(driver)
    wizard.address_page.form.set_values(values)  # type: ignore[arg-type]  # whatever the fields take
    return wizard


def test_an_opc_ua_server_becomes_tags_in_five_steps(
    qtbot: QtBot, shown: Shown, house: House, bare_live: LiveDesk, servers: SimulatedPlant
) -> None:
    screen = shown(bare_live)
    wizard = begin(screen, "opcua", name="oven-plc", url=f"127.0.0.1:{servers.opcua_port}/lineside")
    wizard.next()
    qtbot.waitUntil(lambda: wizard.try_page.answered, timeout=PATIENCE)
    assert "The server answers" in wizard.try_page.verdict
    wizard.next()
    page = wizard.browse_page
    qtbot.waitUntil(lambda: page.model.rowCount() > 2, timeout=PATIENCE)
    machine = folder_of_machines(page.model)
    page.model.fetchMore(machine)
    qtbot.waitUntil(lambda: page.model.rowCount(machine) > 1, timeout=PATIENCE)
    assert wizard.blocked() == "Choose at least one value."
    for row in (0, 1):
        page.model.tick(page.model.index(row, 0, machine), True)
    wizard.next()
    addresses = list(wizard.draft.picks)
    qtbot.waitUntil(lambda: all(wizard.preview.latest(a) for a in addresses), timeout=PATIENCE)
    assert wizard.preview_page.model.index(0, 4).data() == "good"
    wizard.next()
    assert wizard.step == NAME
    wizard.tags_page.machine.setEditText("OVEN-9")
    wizard.tags_page.machine_name.setText("Oven nine")
    table = wizard.tags_page.table
    assert table.setData(table.index(0, 1 + list(BY_KEY).index("hi")), "80,5")
    assert wizard.blocked() == ""
    with qtbot.waitSignal(wizard.saved, timeout=PATIENCE):
        wizard.next()
    plant = plant_of(house)
    assert [(e.code, e.name) for e in plant.equipment] == [("OVEN-9", "Oven nine")]
    assert {t.address for t in plant.tags} == set(addresses)
    assert {t.limits for t in plant.tags} == {Limits(), Limits(hi=80.5)}
    with qtbot.waitSignal(screen.open_requested, timeout=PATIENCE) as asked:
        screen.banner.action_requested.emit()
    place, names = asked.args or ["", []]
    assert (place, sorted(names)) == ("charts", [t.name for t in plant.tags])


def folder_of_machines(model: TreeModel) -> QModelIndex:
    """The first entry at the top that belongs to the simulated plant."""
    tops = [model.index(row, 0) for row in range(model.rowCount())]
    return next(i for i in tops if (node := model.node(i)) and node.address.startswith("ns=2"))


def test_registers_are_read_live_in_every_way_and_chosen(
    qtbot: QtBot, shown: Shown, house: House, bare_live: LiveDesk, servers: SimulatedPlant
) -> None:
    tag = next(t for t in servers.plant.tags if t.address.startswith("hr:"))
    unit = next(c for c in servers.plant.connections if c.name == tag.connection).unit
    wizard = begin(
        shown(bare_live), "modbus-tcp", name="press", host="127.0.0.1", port=servers.modbus_port, unit=unit
    )
    wizard.next()
    qtbot.waitUntil(lambda: wizard.try_page.answered, timeout=PATIENCE)
    wizard.next()
    page = wizard.register_page
    page.start_field.setValue(int(tag.address.split(":")[1]))
    page.count_field.setValue(8)
    qtbot.waitUntil(lambda: len(page.words.rows()) == 8 and bool(page.ways.rows()), timeout=PATIENCE)
    assert len({row[0] for row in page.ways.rows()}) > 20
    page.choose()
    wizard.next()
    wizard.next()
    assert wizard.step == NAME
    with qtbot.waitSignal(wizard.saved, timeout=PATIENCE):
        wizard.next()
    assert [(t.equipment, t.connection) for t in plant_of(house).tags] == [("PRESS", "press")]


def test_a_machine_that_is_not_there_is_said_and_can_be_saved_all_the_same(
    qtbot: QtBot, shown: Shown, house: House, bare_live: LiveDesk, free_port: int
) -> None:
    screen = shown(bare_live)
    wizard = begin(screen, "modbus-tcp", name="press", host="127.0.0.1", port=free_port)
    wizard.next()
    qtbot.waitUntil(wizard.try_page.again.isVisible, timeout=PATIENCE)
    assert "refuses the connection" in wizard.try_page.verdict
    assert wizard.blocked() == "The machine has to answer first."
    with qtbot.waitSignal(wizard.saved, timeout=PATIENCE):
        wizard.save_connection()
    assert [c.name for c in plant_of(house).connections] == ["press"]


def test_a_test_that_gets_no_answer_is_stopped_at_once(
    qtbot: QtBot, shown: Shown, bare_live: LiveDesk, silent_port: int
) -> None:
    wizard = begin(shown(bare_live), "opcua", name="plc", url=f"opc.tcp://127.0.0.1:{silent_port}")
    wizard.address_page.form.set_values({"timeout": "60"})
    wizard.next()
    assert wizard.step == TRY
    wizard.try_page.cancel()
    assert wizard.try_page.verdict == "The test was stopped."
    wizard.leave()


@pytest.mark.parametrize(
    ("driver", "values", "field", "sentence"),
    [
        ("opcua", {"url": "opc.tcp://h"}, "name", "Give the connection a name."),
        ("opcua", {"name": "plc"}, "url", "Say where the machine is."),
        ("opcua", {"name": "plc", "url": "opc.tcp://me:pw@h"}, "url", "An address holds no password"),
        ("mqtt", {"name": "b", "host": "h", "timeout": "0"}, "timeout", "Give a number of seconds"),
    ],
)
def test_what_is_wrong_with_an_address_stands_beside_its_field(
    shown: Shown, bare_live: LiveDesk, driver: str, values: dict[str, str], field: str, sentence: str
) -> None:
    wizard = begin(shown(bare_live), driver, **values)
    wizard.next()
    assert sentence in (wizard.address_page.form.error(field) or "")


@pytest.mark.parametrize("driver", ["opcua", "modbus-tcp", "modbus-rtu", "mqtt", "sparkplug"])
def test_every_protocol_shows_a_connection_as_it_was_entered(
    shown: Shown, bare_live: LiveDesk, driver: str
) -> None:
    places = {"url": "opc.tcp://10.0.0.1:4840", "host": "10.0.0.1", "port_name": "/dev/ttyUSB7"}
    wizard = begin(shown(bare_live), driver, name="it")
    form = wizard.address_page.form
    form.set_values({key: value for key, value in places.items() if key in form.values()})
    assert wizard.address_page.take()
    again = Wizard(wizard._desk, bare_live.plant, wizard.draft.connection)
    assert again.address_page.take()
    assert again.draft.connection == wizard.draft.connection
    again.deleteLater()


@pytest.mark.parametrize("driver", ["opcua", "modbus-tcp", "modbus-rtu", "mqtt", "sparkplug"])
def test_stations_that_share_a_server_are_asked_who_reads_a_machine_and_who_follows(
    qtbot: QtBot, shown: Shown, house: House, bare_live: LiveDesk, driver: str
) -> None:
    share(house, "08")
    screen = shown(bare_live)
    qtbot.waitUntil(lambda: screen.station == "08", timeout=PATIENCE)
    places = {"url": "opc.tcp://10.0.0.1:4840", "host": "10.0.0.1", "port_name": "/dev/ttyUSB7"}
    form = begin(screen, driver, name="it", station="07", takeover="ask").address_page.form
    form.set_values({key: value for key, value in places.items() if key in form.values()})
    assert screen.wizard is not None
    assert screen.wizard.address_page.take()
    known = screen.wizard.draft.connection
    assert known is not None
    assert (known.station, known.takeover) == ("07", "ask")
    again = Wizard(bare_live.desk, bare_live.plant, known, shared=True)
    assert again.address_page.take()
    assert again.draft.connection == known
    again.address_page.form.set_values({"station": "", "takeover": "never"})
    assert again.address_page.take()
    assert again.draft.connection == replace(known, station="", takeover="never")
    again.deleteLater()


def test_a_computer_that_shares_nothing_is_not_asked_about_stations(
    shown: Shown, bare_live: LiveDesk
) -> None:
    wizard = begin(shown(bare_live), "opcua", name="it", url="opc.tcp://10.0.0.1:4840")
    assert not {"station", "takeover"} & set(wizard.address_page.form.values())


def test_a_machine_of_another_station_is_taken_over_with_a_reason(
    qtbot: QtBot, shown: Shown, house: House, live: LiveDesk
) -> None:
    screen = shown(live)
    take = screen.actions_set.action("machines.takeover")
    name = screen.model.rows[0].connection.name
    assert take.toolTip() == "No other station talks to this machine."
    live.take_link(LinkStatus(name, LinkState.ONLINE, "By station 07: ok.", datetime.now(UTC), station="07"))
    screen.refresh()
    assert screen.model.rows[0].station == "07"
    screen.actions_set.trigger("machines.takeover")
    card = screen.findChild(DialogCard, "card-takeover") or screen.window().findChild(
        DialogCard, "card-takeover"
    )
    assert card is not None
    form = card.findChild(Form)
    assert form is not None
    assert form.submit_button.text() == "Take over from station 07"
    form.set_values({"reason": "07 is being repaired"})
    form.submit()
    qtbot.waitUntil(lambda: bool(orders_of(house)), timeout=PATIENCE)
    assert orders_of(house) == [(house.door.station, "07 is being repaired", "Ada Boss")]


def orders_of(house: House) -> list[tuple[str, str, str]]:
    with house.store.reader() as session:
        return [(o.station, o.reason, o.actor) for o in session.scalars(select(MachineTakeover))]


def test_an_encrypted_server_is_trusted_by_a_person_and_only_then_asked(
    qtbot: QtBot, shown: Shown, house: House, bare_live: LiveDesk, encrypted: Machine
) -> None:
    wizard = begin(
        shown(bare_live), "opcua", name="oven", url=encrypted.url, security="Basic256Sha256/SignAndEncrypt"
    )
    wizard.next()
    page = wizard.try_page
    qtbot.waitUntil(page.trust.isVisible, timeout=PATIENCE)
    assert wizard.blocked() == "The machine has to answer first."
    page.trust.button.click()
    qtbot.waitUntil(lambda: page.answered, timeout=PATIENCE)
    with qtbot.waitSignal(wizard.saved, timeout=PATIENCE):
        wizard.save_connection()
    (connection,) = plant_of(house).connections
    assert len(connection.trusted) == 64


def test_a_certificate_is_shown_whole_before_it_is_trusted(qtbot: QtBot, desk: Desk) -> None:
    panel = TrustPanel()
    qtbot.addWidget(panel)
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    panel.show_certificate(ServerCertificate("ab" * 32, "CN=Oven", moment, moment), changed=True)
    assert panel._values["Fingerprint (SHA-256)"].text().replace("\n", ":").count("AB") == 32
    assert "another certificate" in panel._head.text()
    with qtbot.waitSignal(panel.trusted) as trusted:
        panel.button.click()
    assert trusted.args == ["ab" * 32]


def test_the_list_says_how_each_connection_is_doing(qtbot: QtBot, shown: Shown, live: LiveDesk) -> None:
    screen = shown(live)
    name = live.plant.connections[0].name
    link(live, name, LinkState.OFFLINE, "10.0.0.1 does not answer: check the cable.")
    live.take_samples([sample(live.plant.tags_of(name)[0].name, 1.0)])
    screen.refresh()
    row = next(r for r in screen.model.rows if r.connection.name == name)
    assert (row.state, row.glyph, row.tags) == ("silent", "stopped", len(live.plant.tags_of(name)))
    assert row.why == "10.0.0.1 does not answer: check the cable."
    assert row.good == "1 s"
    assert screen.filter is not None
    screen.filter.set_text("modbus talks")
    qtbot.waitUntil(
        lambda: {r.connection.driver for r in screen.model.rows} == {"modbus-tcp"}, timeout=PATIENCE
    )


def test_limits_typed_once_go_to_all_selected_tags_and_are_one_change(
    qtbot: QtBot, shown: Shown, house: House, live: LiveDesk
) -> None:
    screen = shown(live)
    name = live.plant.connections[0].name
    screen.actions_set.trigger("machines.tags")
    editor = screen.editor
    assert editor is not None
    editor.page.list.selectAll()
    table = editor.page.table
    column = 1 + list(BY_KEY).index("lolo")
    assert table.setData(table.index(0, column), "-1000")
    assert not table.setData(table.index(0, column), "cold")
    assert "“cold” is not a number." in editor.page.banner.text()
    with qtbot.waitSignal(editor.left, timeout=PATIENCE):
        editor.save()
    assert {t.limits.lolo for t in plant_of(house).tags_of(name)} == {-1000.0}


def test_a_connection_is_switched_off_deleted_and_exported(
    qtbot: QtBot, shown: Shown, house: House, live: LiveDesk, tmp_path: Path
) -> None:
    screen = shown(live)
    name = screen.model.rows[0].connection.name
    screen.actions_set.trigger("machines.enable")
    qtbot.waitUntil(lambda: screen.model.rows[0].state == "switched off", timeout=PATIENCE)
    screen.actions_set.trigger("machines.delete")
    qtbot.waitUntil(lambda: name not in [r.connection.name for r in screen.model.rows], timeout=PATIENCE)
    screen.write_plant_file(str(tmp_path / "plant.yaml"))
    qtbot.waitUntil(lambda: (tmp_path / "plant.yaml").exists() and live.desk.tasks.idle, timeout=PATIENCE)
    assert set(parse_plant((tmp_path / "plant.yaml").read_text("utf-8")).tags) == set(plant_of(house).tags)


def test_without_machines_there_is_one_button_and_only_for_those_who_may(
    shown: Shown, bare_live: LiveDesk, as_role: Callable[[Role], Actor]
) -> None:
    screen = shown(bare_live)
    assert screen.empty.isVisible()
    as_role(Role.OPERATOR)
    assert "may not change machines" in (screen.actions_set.reason("machines.new") or "")
    screen.empty.action_requested.emit()
    assert screen.wizard is None


def test_a_value_is_checked_then_sent_by_a_button_that_names_the_act(
    qtbot: QtBot, house: House, admin: Actor, shown: Shown, live: LiveDesk
) -> None:
    tag = next(t for t in live.plant.tags if t.unit == "°C")
    writable = Tag(**{**{k: getattr(tag, k) for k in tag.__slots__}, "writing": Writing(0, 200)})
    house.door.perform(save_tags(tags=[writable]), admin)
    card = WriteCard(live.desk, live, writable, shown(live))
    card.show_card()
    card.form.set_values({"value": "500"})
    card.form.submit()
    assert "outside what may be sent" in (card.form.error("value") or "")
    card.form.set_values({"value": "180", "reason": "trial"})
    card.form.submit()
    assert card.form.submit_button.text() == "Send 180 °C to CNC Milling Machine #2, temperature"
    card.form.submit()
    qtbot.waitUntil(lambda: card.answer.text().startswith("Sent."), timeout=PATIENCE)
    live.write_answered.emit(
        WriteAnswered(card._waiting, tag.name, True, "The machine took 180.", datetime.now(UTC), 180.0)
    )
    assert card.answer.text() == "✔ The machine took 180."
    card.close()


def test_cells_read_back_what_they_show() -> None:
    tag = Tag("A/b", "A", "c", "hr:1", "°C", scan=0.25, limits=Limits(3.5, 2.0), writing=Writing(0, 9.5))
    for column in COLUMNS:
        assert column.put(tag, column.shown(tag)) == tag, column.key
    scale = parse_scale("0..4095 = -20…200")
    assert scale_text(scale) == "0…4095 → -20…200"
    assert parse_scale(scale_text(scale)) == scale


def test_the_form_of_a_tag_reads_back_what_it_shows(qtbot: QtBot, live: LiveDesk) -> None:
    for tag in live.plant.tags:
        form = build_tag_form(tag)
        qtbot.addWidget(form)
        assert read_tag_form(form, tag) == tag
    form.set_values({"states": "0 = stopped, 1 = running", "rate": "2; 5", "digital": "on, 3, stuck"})
    changed = read_tag_form(form, tag)
    assert changed.states == ((0, "stopped"), (1, "running"))
    assert changed.alarm.rate is not None
    assert (changed.alarm.rate.warning, changed.alarm.rate.critical) == (2.0, 5.0)
    assert changed.alarm.digital is not None
    assert changed.alarm.digital.values == (True, 3, "stuck")


def test_names_become_tags() -> None:
    assert [short_name(n) for n in ("Oven2 Temp", "ZoneTemperature", "Öl °C", "///")] == [
        "oven2_temp", "zone_temperature", "ol_c", "value",
    ]  # fmt: skip


def test_the_wizard_is_walked_with_the_keyboard(shown: Shown, bare_live: LiveDesk) -> None:
    screen = shown(bare_live)
    screen.actions_set.action("machines.new").trigger()
    wizard = screen.wizard
    assert wizard is not None
    name = wizard.address_page.form.field("name")
    QTest.keyClicks(name, "plc")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert wizard.address_page.form.error("url") == "Say where the machine is."
    QTest.keyClick(wizard, Qt.Key.Key_Escape)
    assert screen.wizard is None
    assert (CHOOSE, LOOK) == (2, 3)


def test_a_connection_keeps_what_the_form_does_not_show(shown: Shown, bare_live: LiveDesk) -> None:
    known = Connection("plc", "opcua", "opc.tcp://h:1", trusted="ab" * 32, enabled=False)
    wizard = Wizard(bare_live.desk, Plant((), (known,), ()), known)
    assert wizard.address_page.take()
    assert wizard.draft.connection == known
    wizard.deleteLater()


def test_the_names_that_a_machine_gives_its_numbers_come_along_and_are_shown() -> None:
    (mode,) = new_tags([Pick("ns=2;s=Mode", "mode", ((1, "Manual"), (2, "Automatic")))], "OVEN", "oven", ())
    assert mode.discrete
    now = sample(mode.name, 2)
    assert signal_words(SignalNow(mode, now, 1.0, stale=False)) == "Automatic"
    assert signal_words(SignalNow(mode, sample(mode.name, 7), 1.0, stale=False)) == "7"
