"""Alarms in words, whatever raised them; never the raw key."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from app.domain.alarms import Kind, Limit, alarm_words, condition_words, key_of, tags_called
from app.domain.plant import (
    AlarmSettings,
    DeviationRule,
    DigitalRule,
    Equipment,
    Limits,
    Plant,
    RateRule,
    Tag,
)
from app.domain.samples import Value

ALARM = AlarmSettings(deviation=DeviationRule(200.0, 10), rate=RateRule(2.0), stale=60)
OVEN = Tag(
    "OVEN-2/temp_1", "OVEN-2", "c", "a", "°C", limits=Limits(hihi=225), alarm=ALARM, label="temperature"
)
MODE = Tag("OVEN-2/mode", "OVEN-2", "c", "b", states=((3, "fault"),))
ARC = Tag("OVEN-2/arc", "OVEN-2", "c", "d", alarm=AlarmSettings(digital=DigitalRule((False,))))
PLANT = Plant((Equipment("OVEN-2", "Oven 2"),), (), (OVEN, MODE, ARC))


@dataclass
class Raised:
    kind: Kind
    limit: Limit | None = None
    value: Value = None
    tag: str = OVEN.name

    @property
    def key(self) -> str:
        return key_of(self.tag, self.kind)


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (Raised(Kind.VALUE, Limit.HIHI, 231.0), "Oven 2 temperature very high 231 °C (limit 225)"),
        (Raised(Kind.VALUE, Limit.LO, 1.0, "OLD-1/flow_rate"), "OLD-1 flow rate low 1"),
        (
            Raised(Kind.DEVIATION, Limit.DEVIATION, -12.5),
            "Oven 2 temperature 12.5 °C below its target (limit 10)",
        ),
        (Raised(Kind.RATE, Limit.RATE, 3.2), "Oven 2 temperature rises 3.2 °C/s (limit 2)"),
        (Raised(Kind.DIGITAL, Limit.STATE, 3, MODE.name), "Oven 2 mode is fault"),
        (Raised(Kind.DIGITAL, Limit.STATE, True, "X/door"), "X door is on"),
        (Raised(Kind.STALE, Limit.STALE, 20.0), "Oven 2 temperature stands still at 20 °C"),
        (Raised(Kind.COMMUNICATION, Limit.COMM), "Oven 2: no good values arrive"),
        (Raised(Kind.COMMUNICATION, Limit.COMM, tag=MODE.name), "Oven 2 mode: no good values arrive"),
        (Raised(Kind.DIGITAL, Limit.STATE, 0, ARC.name), "Oven 2 arc is off"),
        (Raised(Kind.VALUE), "Oven 2 temperature (limit alarm)"),
        (Raised(Kind.SYSTEM, Limit.SYSTEM, "The disk is full.", ""), "The disk is full."),
    ],
)
def test_an_alarm_is_named_by_machine_signal_and_what_is_wrong(raised: Raised, words: str) -> None:
    assert alarm_words(raised, PLANT) == words
    assert condition_words(raised, PLANT) in words


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("OVEN-2/temp_1", "Oven 2 temperature (limit alarm)"),
        ("OVEN-2/temp_1!comm", "Oven 2 temperature (communication alarm)"),
        ("OVEN-2/temp_1!stale", "Oven 2 temperature (standstill alarm)"),
        ("WELD-2/arc_on!state", "WELD-2 arc on (state alarm)"),
        ("system!disk-full", "Lineside: disk full"),
    ],
)
def test_a_key_alone_says_which_alarm_it_is(key: str, words: str) -> None:
    assert alarm_words(key, PLANT) == words


def test_tags_are_found_by_what_people_call_them() -> None:
    assert tags_called(PLANT, "oven 2") == [OVEN.name, MODE.name, ARC.name]
    assert tags_called(PLANT, "TEMPERATURE") == [OVEN.name]
    assert tags_called(PLANT, "press") == []
