"""Tags from a workbook: found by their headers in four languages, checked cell by cell, one change, and back again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.domain.people import Actor
from app.domain.plant import AlarmSettings, Connection, DeadbandRule, Equipment, Limits, Scale, Tag
from app.operations.import_runs import ImportChoices, ImportReport, import_file
from app.operations.plant import save_machine
from app.operations.undo import undo
from app.plant import House
from app.store.queries.exporting import export_tags
from app.store.queries.plant import read_plant
from app.store.workbooks import write_workbook

PLC = Connection("plc", "modbus-tcp", "tcp://10.0.0.1:502")
OVEN = Equipment("OVEN-2", "Oven")
HEADERS = {
    "en": ("Tag name", "Machine", "PLC", "Modbus address", "Unit", "Scan rate", "High limit", "HiHi"),
    "de": ("Signalname", "Maschine", "Steuerung", "Adresse", "Einheit", "Takt", "Obergrenze", "Alarm hoch"),
    "pl": ("Nazwa sygnału", "Maszyna", "Sterownik", "Adres", "Jednostka", "Okres", "Górny limit", "Alarm wysoki"),
    "fr": ("Nom du signal", "Machine", "Automate", "Adresse", "Unité", "Période", "Limite haute", "Très haut"),
}  # fmt: skip
ROWS = [
    ("OVEN-2/temperature", "OVEN-2", "plc", "hr:100:float32", "°C", "250ms", 80, 85),
    ("OVEN-2/pressure", "OVEN-3", "plc", "ir:7", "bar", "2", 6, ""),
]


@pytest.fixture
def shop_floor(house: House, admin: Actor) -> House:
    house.door.perform(save_machine(connection=PLC, equipment=[OVEN]), admin)
    return house


def read_in(
    house: House, admin: Actor, path: Path, *, into: str = "tags", answers: dict[str, str] | None = None
) -> ImportReport:
    choices = ImportChoices(into, answers=answers or {})
    return import_file(house.store, house.door, admin, path, choices)


def book(tmp_path: Path, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path = tmp_path / "signals.xlsx"
    write_workbook(path, [("Signals", headers, rows)])
    return path


@pytest.mark.parametrize("language", HEADERS)
def test_a_list_of_signals_becomes_tags_and_machines_in_one_change(
    shop_floor: House, admin: Actor, tmp_path: Path, language: str
) -> None:
    report = read_in(shop_floor, admin, book(tmp_path, HEADERS[language], ROWS))
    assert not report.plan.errors
    with shop_floor.store.reader() as session:
        plant = read_plant(session)
    assert plant.tags == (
        Tag("OVEN-2/pressure", "OVEN-3", "plc", "ir:7", "bar", 2.0, limits=Limits(hi=6.0)),
        Tag("OVEN-2/temperature", "OVEN-2", "plc", "hr:100:float32", "°C", 0.25, limits=Limits(85.0, 80.0)),
    )
    assert plant.equipment == (OVEN, Equipment("OVEN-3", "OVEN-3"))
    assert report.summary is not None
    shop_floor.door.perform(undo(change_id=report.summary.change_id), admin)
    with shop_floor.store.reader() as session:
        assert read_plant(session).tags == ()


def test_a_file_of_tags_is_known_without_being_told(shop_floor: House, admin: Actor, tmp_path: Path) -> None:
    report = read_in(shop_floor, admin, book(tmp_path, HEADERS["en"], ROWS), into="")
    assert report.plan.target.key == "tags"


@pytest.mark.parametrize(
    ("column", "value", "cell", "sentence"),
    [
        (3, "40001", "D2", "“40001” is not an address that can be read"),
        (2, "plcc", "C2", "There is no connection “plcc”; there is plc."),
        (5, "soon", "F2", "“soon” is not a duration"),
        (6, 90, "H2", "Hihi (85) must be above hi (90)."),
        (6, "warm", "G2", "“warm” is not a number."),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_written(
    shop_floor: House, admin: Actor, tmp_path: Path, column: int, value: object, cell: str, sentence: str
) -> None:
    first = (*ROWS[0][:column], value, *ROWS[0][column + 1 :])
    report = read_in(shop_floor, admin, book(tmp_path, HEADERS["en"], [first, ROWS[1]]))
    assert report.summary is None
    assert [(e.cell, sentence in e.sentence) for e in report.plan.errors] == [(cell, True)]
    with shop_floor.store.reader() as session:
        assert not read_plant(session).tags


def test_the_connection_of_a_file_without_one_is_chosen(
    shop_floor: House, admin: Actor, tmp_path: Path
) -> None:
    headers, rows = ("Tag", "Machine", "Address"), [("OVEN-2/on", "OVEN-2", "coil:3")]
    path = book(tmp_path, headers, rows)
    refused = read_in(shop_floor, admin, path)
    assert "There is no connection" in refused.plan.errors[0].sentence
    read_in(shop_floor, admin, path, answers={"missing:connection": "value:plc"})
    with shop_floor.store.reader() as session:
        assert read_plant(session).tags == (Tag("OVEN-2/on", "OVEN-2", "plc", "coil:3"),)


def test_what_is_exported_imports_again_without_a_change(
    shop_floor: House, admin: Actor, tmp_path: Path
) -> None:
    tag = Tag(
        "OVEN-2/t", "OVEN-2", "plc", "hr:1", "°C", 0.5, DeadbandRule(1.0, percent=True), Scale(0, 4095, -20, 200),
        Limits(90, 80, 10, 5), AlarmSettings(2, 3.0, hysteresis=0.5, consequence="Burnt.", response="Stop it."),
        label="Zone 1",
    )  # fmt: skip
    shop_floor.door.perform(
        save_machine(connection=PLC, tags=[tag, Tag("OVEN-2/u", "OVEN-2", "plc", "di:1")]), admin
    )
    for name in ("tags.xlsx", "tags.csv"):
        assert export_tags(shop_floor.store, tmp_path / name) == 2
        report = read_in(shop_floor, admin, tmp_path / name)
        assert not report.plan.errors
        assert report.plan.counts["same"] == 2
