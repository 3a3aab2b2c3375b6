"""plant.yaml: read, checked with the place of the mistake, written back without loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.plant import (
    AlarmSettings,
    Connection,
    DeadbandRule,
    Equipment,
    Limits,
    Plant,
    Scale,
    Tag,
    dump_plant,
    parse_plant,
)
from app.domain.samples import Quality, is_good

EXAMPLE = """
equipment:
  - {code: OVEN-2, name: Curing oven 2, area: Hall A / Line 1, type: oven}
connections:
  - {name: oven-plc, driver: opcua, url: "opc.tcp://127.0.0.1:4840/plant", security: None}
  - {name: press-plc, driver: modbus-tcp, url: "tcp://127.0.0.1:5020", unit: 7}
tags:
  - name: OVEN-2/temperature
    equipment: OVEN-2
    connection: oven-plc
    address: "ns=2;s=Oven2.Temp"
    unit: °C
    scan: 250ms
    deadband: "1%"
    scale: {raw: [0, 4095], eu: [0, 200]}
    limits: {hihi: 85, hi: 80, lo: 10, lolo: 5}
    alarm: {priority: 2, on_delay: 2s, off_delay: 2s, hysteresis: 0.5}
"""


def test_the_example_of_the_manual_is_understood() -> None:
    plant = parse_plant(EXAMPLE)
    tag = plant.tag("OVEN-2/temperature")
    assert tag is not None
    assert (tag.scan, tag.unit, tag.deadband) == (0.25, "°C", DeadbandRule(1.0, percent=True))
    assert tag.limits == Limits(85, 80, 10, 5)
    assert tag.alarm == AlarmSettings(2, 2.0, 2.0, 0.5)
    assert plant.connections[1].unit == 7
    assert parse_plant(dump_plant(plant)) == plant


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("scan: 250ms", "scan: 250", "tags[0].scan: give the unit as well, like 250s or 250ms."),
        (
            "scan: 250ms",
            "scan: soon",
            "tags[0].scan: “soon” is not a duration; write it like 250ms, 1s, 2m or 1h.",
        ),
        ("scan: 250ms", "scann: 1s", "tags[0].scann: this key is not known; did you mean “scan”?"),
        ("connection: oven-plc", "connection: oven", "tags[0].connection: there is no connection “oven”"),
        ("equipment: OVEN-2", "equipment: OVEN-3", "did you mean “OVEN-2”?"),
        ("hi: 80,", "hi: 90,", "tags[0].limits.hihi: hihi (85) must be above hi (90)."),
        ("raw: [0, 4095]", "raw: [5, 5]", "tags[0].scale.raw: the two ends of the raw range are the same."),
        (
            "driver: opcua",
            "driver: opc",
            "connections[0].driver: “opc” is not one of opcua, modbus-tcp, modbus-rtu, mqtt, sparkplug.",
        ),
        (
            '"opc.tcp://127.0.0.1:4840/plant"',
            "http://x",
            "connections[0].url: the address of a opcua connection",
        ),
        ("unit: 7", "unit: 700", "connections[1].unit: expected a whole number from 0 to 255."),
        (
            "name: press-plc",
            "name: oven-plc",
            "connections[1].name: “oven-plc” is already used by connections[0].",
        ),
        ("priority: 2", "priority: high", "tags[0].alarm.priority: expected a whole number from 1 to 4."),
        ("limits: {hihi: 85", "limits: {hihi: warm", "tags[0].limits.hihi: expected a number"),
        ("    unit: °C\n", "    unit: [1]\n", "tags[0].unit: expected text, found a list."),
        ("equipment:\n  -", "equipment:\n  - 5\n  -", "equipment[0]: expected keys with values"),
        ("tags:\n", "tags: {\n", "this is not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_plant(EXAMPLE.replace(old, new, 1))
    assert sentence in refusal.value.sentence


def test_an_empty_file_is_an_empty_plant() -> None:
    assert parse_plant("") == Plant()


@pytest.mark.parametrize(
    "rest",
    ["u:geheim@h:4840/plant", "u:ge/heim@h", "u:ge@heim@h", ":geheim@h", "ada@plant:geheim@h", "u:4geheim@h"],
)
def test_an_address_with_a_password_is_refused_without_repeating_it(rest: str) -> None:
    with pytest.raises(Refused, match=r"connections\[0\]\.url: an address holds no password") as refusal:
        parse_plant(EXAMPLE.replace("127.0.0.1:4840/plant", rest))
    assert "geheim" not in refusal.value.sentence


@pytest.mark.parametrize("rest", ["h:4840/a@b", "h/a:b", "[fe80::1]:4840/a@b", "h:4840", "u@h:4840/plant"])
def test_an_address_without_a_password_is_taken(rest: str) -> None:
    plant = parse_plant(EXAMPLE.replace("127.0.0.1:4840/plant", rest))
    assert plant.connections[0].url == f"opc.tcp://{rest}"


def test_a_sentence_that_asks_ends_with_its_question_mark() -> None:
    with pytest.raises(Refused) as refusal:
        parse_plant(EXAMPLE.replace("scan: 250ms", "scann: 1s"))
    assert refusal.value.sentence.endswith("did you mean “scan”?")


def test_a_clamped_value_says_so_in_its_quality() -> None:
    scale = Scale(0, 100, 0, 10, clamp=True)
    assert scale.apply(50, 0) == (5.0, 0)
    value, quality = scale.apply(120, Quality.GOOD)
    assert (value, quality & 0x300, is_good(quality)) == (10.0, 0x200, True)
    assert scale.apply("text", 0) == ("text", 0)


text = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12
).filter(lambda s: bool(s.strip()))
number = st.floats(-1e6, 1e6)
duration = st.floats(0.01, 1e4)


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    codes = draw(st.lists(text, unique=True, min_size=1, max_size=3))
    names = draw(st.lists(text, unique=True, min_size=1, max_size=3))
    connections = tuple(
        Connection(
            n, "modbus-tcp", "tcp://10.0.0.1", unit=draw(st.integers(0, 255)), user=draw(st.just("") | text),
            addressing=draw(st.sampled_from(["raw", "one-based"])), timeout=draw(duration), enabled=draw(st.booleans()),
        )
        for n in names
    )  # fmt: skip
    tags = []
    for name in draw(st.lists(text, unique=True, max_size=3)):
        lolo, lo, hi, hihi = sorted(draw(st.lists(number, min_size=4, max_size=4, unique=True)))
        tags.append(
            Tag(
                name,
                draw(st.sampled_from(codes)),
                draw(st.sampled_from(names)),
                draw(text),
                draw(st.just("") | text),
                draw(duration),
                DeadbandRule(draw(st.floats(0, 100)), draw(st.booleans()), draw(duration), draw(duration)),
                draw(
                    st.none() | st.builds(Scale, st.just(0.0), st.floats(1, 9), number, number, st.booleans())
                ),
                Limits(hihi, hi, lo, lolo),
                AlarmSettings(
                    draw(st.integers(1, 4)),
                    draw(duration),
                    draw(duration),
                    draw(st.floats(0, 9)),
                    draw(duration),
                ),
            )
        )
    return Plant(tuple(Equipment(c, draw(text), "", "") for c in codes), connections, tuple(tags))


@given(plants())
def test_a_plant_survives_being_written_and_read(plant: Plant) -> None:
    assert parse_plant(dump_plant(plant)) == plant
