"""Alarms in the words of people: `Oven 2 temperature very high 231 °C (limit 225)`, never the raw key."""

from __future__ import annotations

from typing import Protocol

from app.domain.alarms.rules import home_of, rule_of, split_key
from app.domain.alarms.shapes import Kind, Limit
from app.domain.plant import Plant, Tag
from app.domain.samples import Value

LINESIDE = "Lineside"
_LIMITS = {Limit.HIHI: "very high", Limit.HI: "high", Limit.LO: "low", Limit.LOLO: "very low"}
_KINDS = {
    Kind.VALUE: "limit",
    Kind.DEVIATION: "deviation",
    Kind.RATE: "rate of change",
    Kind.DIGITAL: "state",
    Kind.STALE: "standstill",
    Kind.COMMUNICATION: "communication",
}


class Raising(Protocol):
    """What the words need of an alarm's record."""

    @property
    def key(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def limit(self) -> Limit | None: ...
    @property
    def value(self) -> Value: ...


def machine_of(plant: Plant, tag: str) -> str:
    """The machine of a tag by its name; the first part of the tag's name when the plant does not know it."""
    if not tag:
        return LINESIDE
    known = plant.tag(tag)
    code = known.equipment if known is not None else tag.split("/", 1)[0]
    return next((e.name for e in plant.equipment if e.code == code), code)


def signal_of(plant: Plant, tag: str) -> str:
    """The signal by its label; the last part of the tag's name when it has none."""
    known = plant.tag(tag)
    label = known.label if known is not None else ""
    return label or tag.rsplit("/", 1)[-1].replace("_", " ")


def alarm_words(what: Raising | str, plant: Plant) -> str:
    """Machine and condition in one line; of a key alone, which alarm it is: `Oven 2 temperature (limit alarm)`."""
    if not isinstance(what, str):
        if what.kind is Kind.SYSTEM:
            return condition_words(what, plant)
        machine = machine_of(plant, what.tag)
        between = ":" if _is_of_whole_machine(what, plant) else ""
        return f"{machine}{between} {condition_words(what, plant)}"
    tag, kind = split_key(what)
    if kind is Kind.SYSTEM:
        own, station = home_of(what)
        return f"{LINESIDE}{f' on {station}' if station else ''}: {own.split('!', 1)[1].replace('-', ' ')}"
    return f"{machine_of(plant, tag)} {signal_of(plant, tag)} ({_KINDS[kind]} alarm)"


def limit_words(limit: Limit | None) -> str:
    """A condition by itself: `very high`, `deviation critical`; empty while nothing was wrong."""
    return "" if limit is None else _LIMITS.get(limit, limit.value.replace("-", " "))


def condition_words(raising: Raising, plant: Plant) -> str:
    """What is wrong, without the machine: `temperature very high 86.2 °C (limit 85)`."""
    if raising.kind is Kind.SYSTEM:
        return str(raising.value or raising.key.split("!", 1)[-1].replace("-", " "))
    tag, signal = plant.tag(raising.tag), signal_of(plant, raising.tag)
    if raising.limit is None:  # put aside while nothing was wrong
        return f"{signal} ({_KINDS[raising.kind]} alarm)"
    if raising.kind is Kind.COMMUNICATION:
        return f"{'' if _is_of_whole_machine(raising, plant) else f'{signal}: '}no good values arrive"
    if raising.kind is Kind.DIGITAL:
        return f"{signal} is {alarm_state_words(raising.key, raising.value, plant)}"
    words = _measured(raising, signal, tag.unit if tag is not None else "")
    at = _broken_limit(raising, plant)
    return words if at is None else f"{words} (limit {at:g})"


def _is_of_whole_machine(raising: Raising, plant: Plant) -> bool:
    """Whether it says that a machine is silent, and not only one of its signals."""
    if raising.kind is not Kind.COMMUNICATION or raising.limit is None or plant.tag(raising.tag) is None:
        return False
    rule = rule_of(plant, raising.key)
    return rule is not None and rule.speaks_for_machine


def alarm_state_words(key: str, value: Value, plant: Plant) -> str:
    """The state that a state alarm is about; what is on or off is kept as 1 or 0 in the history."""
    rule = rule_of(plant, key)
    if rule is not None and value in (0, 1) and any(isinstance(one, bool) for one in rule.values):
        value = bool(value)
    return state_words(value, plant.tag(split_key(key)[0]))


def state_words(value: Value, tag: Tag | None) -> str:
    """A discrete value by the name that the tag gives it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    names = dict(tag.states) if tag is not None else {}
    if isinstance(value, int | float):
        return names.get(int(value), f"{value:g}")
    return value or "unknown"


def _measured(raising: Raising, signal: str, unit: str) -> str:
    """A number that is too high, too far away, too fast, or always the same."""
    value, below = raising.value, isinstance(raising.value, float) and raising.value < 0
    if raising.kind is Kind.STALE:
        return f"{signal} stands still at {_amount(value, unit)}".removesuffix(" at ")
    if raising.kind is Kind.DEVIATION:
        return f"{signal} {_amount(value, unit, signed=False)} {'below' if below else 'above'} its target"
    if raising.kind is Kind.RATE:
        return f"{signal} {'falls' if below else 'rises'} {_amount(value, f'{unit}/s', signed=False)}"
    how = _LIMITS.get(raising.limit, "high") if raising.limit is not None else "high"
    return f"{signal} {how} {_amount(value, unit)}".rstrip()


def _broken_limit(raising: Raising, plant: Plant) -> float | None:
    """The number that was exceeded, where the plant still has it."""
    if raising.limit is None or raising.kind is Kind.STALE:
        return None
    rule = rule_of(plant, raising.key)
    return None if rule is None else dict(rule.limits).get(raising.limit)


def _amount(value: Value, unit: str, *, signed: bool = True) -> str:
    """A number with its unit, a text as it is, nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, str) else ""
    return f"{value if signed else abs(value):.4g} {unit}".rstrip()


def tags_called(plant: Plant, word: str) -> list[str]:
    """The tags whose machine or signal goes by a name with this word in it, in any case."""
    wanted = word.casefold()
    machines = {e.code for e in plant.equipment if wanted in f"{e.code} {e.name}".casefold()}
    return [
        tag.name
        for tag in plant.tags
        if tag.equipment in machines or wanted in signal_of(plant, tag.name).casefold()
    ]
