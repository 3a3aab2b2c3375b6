"""Edits of the plant: each one change that can be undone, checked as a plant file is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.domain.errors import Denied, Refused, Stale
from app.domain.people import Actor, Role
from app.domain.plant import (
    AlarmSettings,
    Connection,
    DeviationRule,
    DigitalRule,
    Equipment,
    Limits,
    Plant,
    SerialLine,
    SuppressionRule,
    Tag,
    Writing,
)
from app.operations.change import Intent
from app.operations.plant import (
    apply_plant,
    delete_connection,
    delete_tags,
    enable_connection,
    rename_tag,
    save_equipment,
    save_machine,
    save_tags,
    set_limits,
)
from app.operations.plant_check import address_trouble
from app.operations.undo import undo
from app.plant import House
from app.store.queries.plant import read_plant
from app.store.tables import Tag as TagRow

OVEN = Equipment("OVEN-2", "Curing oven 2", "Hall A", "oven")
PLC = Connection("plc", "modbus-tcp", "tcp://10.0.0.1:502", unit=3)
RUNNING = Tag("OVEN-2/running", "OVEN-2", "plc", "coil:1", states=((0, "stopped"), (1, "running")))
TEMPERATURE = Tag(
    "OVEN-2/temperature",
    "OVEN-2",
    "plc",
    "hr:100:float32",
    "°C",
    limits=Limits(hi=80.0),
    alarm=AlarmSettings(
        suppress=SuppressionRule("OVEN-2/running", (0, False, "off")),
        digital=DigitalRule((True, "open")),
        deviation=DeviationRule(60.5, 5.0),
        consequence="The batch is lost.",
    ),
    writing=Writing(0.0, 200.0),
    invalid=(-1.0,),
)

Do = Callable[[Intent[Any]], Any]


@pytest.fixture
def do(house: House, admin: Actor) -> Do:
    return lambda intent: house.door.perform(intent, admin)


def plant_of(house: House) -> Plant:
    with house.store.reader() as session:
        return read_plant(session)


@pytest.fixture
def oven(do: Do) -> Do:
    """An oven with two tags over one connection."""
    do(save_machine(connection=PLC, equipment=[OVEN], tags=[RUNNING, TEMPERATURE]))
    return do


def test_a_machine_its_connection_and_its_tags_are_one_change_and_read_back_the_same(
    house: House, do: Do
) -> None:
    line = Connection("line", "modbus-rtu", "serial:///dev/ttyUSB0", line=SerialLine(9600, "none", 2))
    outcome = do(save_machine(connection=PLC, equipment=[OVEN], tags=[TEMPERATURE, RUNNING]))
    assert outcome.label == "Added the connection plc with 2 tags"
    do(save_machine(connection=line))
    assert plant_of(house) == Plant((OVEN,), (line, PLC), (RUNNING, TEMPERATURE))
    do(undo(change_id=outcome.change_id))
    assert plant_of(house) == Plant((), (line,), ())


def test_setting_limits_touches_this_tag_alone(house: House, oven: Do) -> None:
    with house.store.reader() as session:
        before = {row.name: row.version for row in session.query(TagRow)}
    oven(set_limits(tag="OVEN-2/temperature", hihi=95, hi=90))
    with house.store.reader() as session:
        after = {row.name: row.version for row in session.query(TagRow)}
    assert {name for name in after if after[name] != before[name]} == {"OVEN-2/temperature"}
    changed = plant_of(house).tag("OVEN-2/temperature")
    assert changed == replace(TEMPERATURE, limits=Limits(95, 90))


@pytest.mark.parametrize(
    ("intent", "sentence"),
    [
        (set_limits(tag="OVEN-2/temperature", hi=5, lo=9), "OVEN-2/temperature.limits.hi: hi (5) must be"),
        (save_tags(tags=[replace(RUNNING, address="hr:1:float33")]), "“float33” is not one of"),
        (save_tags(tags=[replace(RUNNING, address="40001")]), "OVEN-2/running.address: “40001” is not an"),
        (save_tags(tags=[replace(RUNNING, equipment="OVEN-9")]), "there is no equipment “OVEN-9”"),
        (save_tags(tags=[replace(RUNNING, scan=0.0)]), "the shortest scan is 10ms"),
        (save_tags(tags=[]), "There are no tags to save."),
        (delete_tags(tags=["OVEN-2/running"]), "1 tag cannot be deleted, because another tag's alarm"),
        (delete_tags(tags=["gone"]), "There is no tag gone."),
        (rename_tag(tag="OVEN-2/running", name="OVEN-2/temperature"), "There is a tag OVEN-2/temperature already"),
        (save_machine(connection=replace(PLC, driver="opcua", url="opc.tcp://h")), "write it like ns=2;s="),
        (save_machine(connection=replace(PLC, url="tcp://:502")), "has no host name"),
        (save_machine(connection=replace(PLC, name="other"), connection_was="gone"), "There is no connection gone"),
        (save_equipment(equipment=replace(OVEN, code=" ")), "this is empty"),
        (delete_connection(connection="gone"), "There is no connection gone."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(
    house: House, oven: Do, intent: Intent[Any], sentence: str
) -> None:
    before = plant_of(house)
    with pytest.raises(Refused) as refusal:
        oven(intent)
    assert sentence in refusal.value.sentence
    assert plant_of(house) == before


def test_a_whole_plant_with_an_address_that_no_driver_can_read_is_refused_with_its_place(do: Do) -> None:
    with pytest.raises(Refused, match=r"tags\[1\]\.address: “ns=2” is not an address") as refusal:
        do(apply_plant(plant=Plant((OVEN,), (PLC,), (RUNNING, replace(TEMPERATURE, address="ns=2")))))
    assert refusal.value.field == "tags[1].address"


def test_another_name_of_a_connection_keeps_its_tags(house: House, oven: Do) -> None:
    done = oven(save_machine(connection=replace(PLC, name="oven-plc"), connection_was="plc"))
    plant = plant_of(house)
    assert [c.name for c in plant.connections] == ["oven-plc"]
    assert {t.connection for t in plant.tags} == {"oven-plc"}
    oven(undo(change_id=done.change_id))
    assert {t.connection for t in plant_of(house).tags} == {"plc"}


def test_another_name_of_a_tag_is_followed_by_the_rules_that_look_at_it(house: House, oven: Do) -> None:
    oven(rename_tag(tag="OVEN-2/running", name="OVEN-2/on"))
    tag = plant_of(house).tag("OVEN-2/temperature")
    assert tag is not None
    assert tag.alarm.suppress == SuppressionRule("OVEN-2/on", (0, False, "off"))


def test_a_deleted_connection_takes_its_tags_along_and_an_undo_brings_both_back(
    house: House, oven: Do
) -> None:
    before = plant_of(house)
    done = oven(delete_connection(connection="plc"))
    assert done.label == "Deleted the connection plc and its 2 tags"
    assert plant_of(house) == Plant((OVEN,), (), ())
    oven(undo(change_id=done.change_id))
    assert plant_of(house) == before


def test_what_others_set_while_tags_were_edited_stays(house: House, oven: Do) -> None:
    oven(set_limits(tag=TEMPERATURE.name, hi=90.0))
    mine = replace(TEMPERATURE, label="Upper zone")
    oven(save_tags(tags=[mine], seen=[TEMPERATURE]))
    now = plant_of(house).tag(TEMPERATURE.name)
    assert now is not None
    assert (now.label, now.limits.hi) == ("Upper zone", 90.0)
    with pytest.raises(Stale, match="set limits of OVEN-2/temperature anew"):
        oven(save_tags(tags=[replace(mine, limits=Limits(hi=70.0))], seen=[TEMPERATURE]))
    oven(delete_tags(tags=[TEMPERATURE.name]))
    with pytest.raises(Stale, match="took OVEN-2/temperature away"):
        oven(save_tags(tags=[mine], seen=[TEMPERATURE]))
    assert plant_of(house).tag(TEMPERATURE.name) is None


def test_a_connection_that_got_tags_since_does_not_vanish_with_its_creation(house: House, do: Do) -> None:
    made = do(save_machine(connection=PLC, equipment=[OVEN]))
    do(save_tags(tags=[RUNNING]))
    with pytest.raises(Stale, match="OVEN-2/running was added to this"):
        do(undo(change_id=made.change_id))
    assert plant_of(house).tags == (RUNNING,)


def test_a_connection_is_switched_off_and_on(house: House, oven: Do) -> None:
    assert oven(enable_connection(connection="plc", enabled=False)).label == "plc is switched off"
    assert not plant_of(house).connections[0].enabled
    assert oven(enable_connection(connection="plc", enabled=True)).label == "plc is read again"


def test_who_may_not_configure_is_refused(house: House, oven: Do, person: Callable[[Role], Actor]) -> None:
    with pytest.raises(Denied):
        house.door.perform(set_limits(tag="OVEN-2/temperature"), person(Role.OPERATOR))


@pytest.mark.parametrize(
    ("driver", "good", "bad"),
    [
        ("opcua", ["ns=2;s=Oven2.Temp", "i=2258", "ns=4;s=Arr[3]", "nsu=urn:x;s=A"], ["Oven2.Temp", "ns=2", "i=x"]),
        ("modbus-rtu", ["hr:0:float32:cdab", "coil:7", "hr:4.15"], ["hr:70000", "xx:1", "hr:4.16"]),
        ("mqtt", ["plant/oven2#temp.value", "plant/oven2"], ["plant/+/x", "a#b[", ""]),
        ("sparkplug", ["g/n/d:temp", "g/n:temp"], ["g/n", "temp", "g/+/d:x"]),
    ],
)  # fmt: skip
def test_an_address_is_judged_as_its_driver_would(driver: str, good: list[str], bad: list[str]) -> None:
    connection = Connection("c", driver, "tcp://h")
    assert [address_trouble(connection, address) for address in good] == [""] * len(good)
    assert all(address_trouble(connection, address).endswith(".") for address in bad)
