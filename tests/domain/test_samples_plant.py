"""plant.yaml: read, checked with the place of the mistake, written back without loss."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.plant import (
    ADDRESSING,
    COUNTERS,
    DRIVERS,
    PARITIES,
    SECURITY,
    AlarmSettings,
    Connection,
    Counter,
    DeadbandRule,
    DeviationRule,
    DigitalRule,
    Equipment,
    Limits,
    Plant,
    RateRule,
    Scale,
    SerialLine,
    SuppressionRule,
    Tag,
    Writing,
)
from app.domain.plant_file import check_connection, check_tag, dump_plant, parse_plant
from app.domain.samples import Quality, is_good
from tests.chance import examples

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
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=8
).filter(lambda s: bool(s.strip()))
maybe_text = st.just("") | text
number = st.floats(-1e6, 1e6)
amount = st.floats(1e-3, 1e3)
duration = st.floats(0.01, 1e4)
delay = st.just(0.0) | duration
discrete = st.lists(st.booleans() | st.integers(-9, 9) | text, min_size=1, max_size=3).map(tuple)
two_steps = st.sampled_from([(1.5, None), (None, 2.0), (0.25, 4.0)])


def connections(name: str) -> st.SearchStrategy[Connection]:
    driver = st.sampled_from(sorted(DRIVERS)).flatmap(
        lambda d: st.tuples(st.just(d), st.sampled_from(DRIVERS[d]))
    )
    rest = st.builds(
        Connection, st.just(name), st.just("modbus-tcp"), st.just("tcp://10.0.0.1"),
        security=st.sampled_from(SECURITY), trusted=st.sampled_from(["", "0a" * 32]), user=maybe_text,
        unit=st.integers(0, 255), addressing=st.sampled_from(ADDRESSING), gap=st.integers(0, 125),
        max_words=st.integers(1, 125), qos=st.integers(0, 2), client_id=maybe_text, ca_file=maybe_text,
        line=st.builds(SerialLine, st.integers(300, 115200), st.sampled_from(PARITIES), st.integers(1, 2)),
        status_topic=maybe_text, status_offline=maybe_text, timeout=duration, enabled=st.booleans(),
    )  # fmt: skip
    return st.builds(lambda c, d: replace(c, driver=d[0], url=f"{d[1]}://10.0.0.1"), rest, driver)


def alarms(others: st.SearchStrategy[str]) -> st.SearchStrategy[AlarmSettings]:
    return st.builds(
        AlarmSettings,
        priority=st.integers(1, 4), on_delay=delay, off_delay=delay, hysteresis=st.floats(0, 9),
        comm_delay=delay, count=st.integers(0, 50), window=duration, re_alarm=delay, latching=st.booleans(),
        stale=delay, consequence=maybe_text, response=maybe_text, link=maybe_text,
        deviation=st.none() | st.builds(lambda t, w: DeviationRule(t, *w), number | others, two_steps),
        rate=st.none() | st.builds(lambda w, d: RateRule(w[0], w[1], d), two_steps, duration),
        digital=st.none() | st.builds(DigitalRule, discrete, st.booleans()),
        suppress=st.none() | st.builds(SuppressionRule, others, discrete),
    )  # fmt: skip


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    codes = draw(st.lists(text, unique=True, min_size=1, max_size=2))
    names = draw(st.lists(text, unique=True, min_size=1, max_size=2))
    tag_names = draw(st.lists(text, unique=True, min_size=2, max_size=3))
    tags = []
    for name in tag_names:
        lolo, lo, hi, hihi = draw(st.lists(number, min_size=4, max_size=4, unique=True).map(sorted))
        others = st.sampled_from([n for n in tag_names if n != name])
        writings = [None, Writing(), Writing(low=lo), Writing(high=hi), Writing(lo, hi)]
        states = st.dictionaries(st.integers(-5, 5), text, max_size=2).map(lambda d: tuple(d.items()))
        counters = st.builds(Counter, st.sampled_from(COUNTERS), st.none() | amount, st.none() | number)
        scales = st.builds(Scale, st.just(0.0), st.floats(1, 9), number, number, st.booleans())
        tags.append(
            Tag(
                name,
                draw(st.sampled_from(codes)),
                draw(st.sampled_from(names)),
                draw(text),
                draw(maybe_text),
                draw(duration),
                DeadbandRule(draw(st.floats(0, 100)), draw(st.booleans()), draw(duration), draw(duration)),
                draw(st.none() | scales),
                Limits(hihi, hi, lo, lolo),
                draw(alarms(others)),
                label=draw(maybe_text),
                discrete=draw(st.booleans()),
                states=draw(states),
                invalid=tuple(draw(st.lists(number, max_size=2))),
                freshness=draw(delay),
                writing=draw(st.sampled_from(writings)),
                counter=draw(st.none() | counters),
            )
        )
    machines = tuple(Equipment(c, draw(text), draw(maybe_text), draw(maybe_text)) for c in codes)
    return Plant(machines, tuple(draw(connections(n)) for n in names), tuple(tags))


@given(plants())
@examples(60)
def test_a_plant_survives_being_written_and_read(plant: Plant) -> None:
    again = parse_plant(dump_plant(plant))
    assert again == plant
    assert repr(again) == repr(plant)  # true is not 1, and 1.0 is not 1


@given(plants())
@examples(30)
def test_a_tag_or_connection_that_a_file_may_hold_passes_the_check_of_a_single_one(plant: Plant) -> None:
    assert all(check_tag(tag) == tag for tag in plant.tags)
    assert all(check_connection(connection) == connection for connection in plant.connections)


EVERYTHING = """
equipment: [{code: M}]
connections:
  - {name: line, driver: modbus-rtu, url: "serial:///dev/ttyUSB0", line: {baud: 9600, parity: none, stop_bits: 2}}
tags:
  - {name: M/running, equipment: M, connection: line, address: "coil:1", states: {0: stopped, 1: running}}
  - name: M/setpoint
    equipment: M
    connection: line
    address: "hr:2"
    writing: true
    counter: run-hours
    alarm:
      deviation: {target: M/running, warning: 2}
      rate: {critical: 3}
      digital: {values: [true, 4]}
      suppress: {when: M/running, values: [0]}
"""


def test_the_short_ways_of_writing_mean_what_they_say() -> None:
    plant = parse_plant(EVERYTHING)
    assert plant.connections[0].line == SerialLine(9600, "none", 2)
    assert plant.tags[0].states == ((0, "stopped"), (1, "running"))
    tag = plant.tags[1]
    assert (tag.writing, tag.counter) == (Writing(), Counter("run-hours"))
    assert tag.alarm.deviation == DeviationRule("M/running", 2.0)
    assert tag.alarm.rate == RateRule(critical=3.0)
    assert tag.alarm.suppress == SuppressionRule("M/running", (0,))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("parity: none", "parity: odd-ish", "connections[0].line.parity: “odd-ish” is not one of"),
        ("1: running", "1: on", "tags[0].states.1: expected text, found true or false; put such a word"),
        ("0: stopped", "off: stopped", "tags[0].states: a state is a whole number with its name"),
        (
            "writing: true",
            "writing: {low: 5, high: 5}",
            "tags[1].writing.high: high (5) must be above low (5)",
        ),
        ("counter: run-hours", "counter: hours", "tags[1].counter.kind: “hours” is not one of cycles"),
        (
            "target: M/running",
            "target: M/runing",
            "tags[1].alarm.deviation.target: there is no tag “M/runing”",
        ),
        ("target: M/running", "target: M/setpoint", "a tag cannot look at itself here"),
        ("when: M/running", "when: M/run", "tags[1].alarm.suppress.when: there is no tag “M/run”"),
        (", warning: 2", "", "tags[1].alarm.deviation: give a number for warning, for critical or for both."),
        ("values: [true, 4]", "values: []", "tags[1].alarm.digital.values: expected a list of values"),
        ("serial:///dev/ttyUSB0", "serial://", "connections[0].url: the address of a modbus-rtu connection"),
    ],
)
def test_a_mistake_in_the_newer_keys_is_told_with_its_place(old: str, new: str, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_plant(EVERYTHING.replace(old, new, 1))
    assert sentence in refusal.value.sentence
