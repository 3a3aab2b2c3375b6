"""From the settings of a tag to its alarms: which there are, what each is called, when it rises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf

from app.domain.alarms.shapes import Kind, Limit
from app.domain.plant import AlarmSettings, Limits, Plant, SuppressionRule, Tag

SYSTEM = "system"
_SUFFIXES = {
    Kind.DEVIATION: "!deviation",
    Kind.RATE: "!rate",
    Kind.DIGITAL: "!state",
    Kind.STALE: "!stale",
    Kind.COMMUNICATION: "!comm",
}


def key_of(tag: str, kind: Kind) -> str:
    """What an alarm is called in the plant: the name of its tag for a limit alarm, `M/t!rate` for others."""
    return f"{tag}{_SUFFIXES.get(kind, '')}"


def system_key(name: str) -> str:
    """What an alarm of Lineside itself is called."""
    return f"{SYSTEM}!{name}"


def at_station(key: str, station: str) -> str:
    """The key by which other stations know an alarm of the Lineside on `station`; of a machine's alarm the same key."""
    return f"{key}@{station}" if key.startswith(f"{SYSTEM}!") and "@" not in key else key


def home_of(key: str) -> tuple[str, str]:
    """What `at_station` was made of: the key on the station itself and its name, empty where none is named."""
    if not key.startswith(f"{SYSTEM}!"):
        return key, ""
    own, _, station = key.rpartition("@")
    return (own, station) if own else (key, "")


def split_key(key: str) -> tuple[str, Kind]:
    """The tag and the kind that a key names; the tag of a system alarm is empty."""
    if key.startswith(f"{SYSTEM}!"):
        return "", Kind.SYSTEM
    for kind, suffix in _SUFFIXES.items():
        if key.endswith(suffix):
            return key.removesuffix(suffix), kind
    return key, Kind.VALUE


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One alarm of one tag. `key` is unique in the plant; times are seconds; hysteresis in the tag's unit.

    `limits` pairs each condition with its number: a limit in the tag's unit, a distance from `target` (a number or
    the name of another tag), a rate in units per second judged over `rate_window`, an age in seconds; 0 where there
    is no number. `count` excesses within `count_window` raise the alarm although each was shorter than `on_delay`.
    A discrete value alarms while it is one of `values`. Of the communication alarms of a machine only one speaks for
    the whole machine; the others rise when their own tag is bad while the machine is there. `consequence`, `response`
    and `link` tell people what it means and what to do. Strictly within `band` no limit of the value is reached.
    """

    key: str
    tag: str
    kind: Kind
    limits: tuple[tuple[Limit, float], ...] = ()
    priority: int = 3
    on_delay: float = 0.0
    off_delay: float = 0.0
    hysteresis: float = 0.0
    speaks_for_machine: bool = True
    count: int = 0
    count_window: float = 60.0
    re_alarm: float = 0.0
    latching: bool = False
    target: float | str = 0.0
    rate_window: float = 10.0
    values: tuple[bool | int | str, ...] = ()
    suppress: SuppressionRule | None = None
    consequence: str = ""
    response: str = ""
    link: str = ""
    band: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        low = max((at for limit, at in self.limits if limit in (Limit.LO, Limit.LOLO)), default=-inf)
        high = min((at for limit, at in self.limits if limit in (Limit.HI, Limit.HIHI)), default=inf)
        object.__setattr__(self, "band", (low, high))

    @property
    def listens_to(self) -> tuple[str, ...]:
        """The tags whose samples this alarm has to see, its own first."""
        found = [self.tag]
        if isinstance(self.target, str):
            found.append(self.target)
        if self.suppress is not None:
            found.append(self.suppress.when)
        return tuple(dict.fromkeys(found))


def rules_for(
    tag: str, limits: Limits, settings: AlarmSettings, *, speaks_for_machine: bool = True
) -> tuple[AlarmRule, ...]:
    """All alarms of a tag: on its limits, its communication, and what else its settings ask for."""
    made = [_on_limits(tag, limits, settings), _on_communication(tag, settings, speaks_for_machine)]
    made += [_on_deviation(tag, settings), _on_rate(tag, settings), _on_state(tag, settings)]
    made.append(_on_standstill(tag, settings))
    return tuple(
        replace(
            rule,
            re_alarm=settings.re_alarm,
            suppress=settings.suppress,
            consequence=settings.consequence,
            response=settings.response,
            link=settings.link,
        )
        for rule in made
        if rule is not None
    )


def _delayed(
    tag: str, kind: Kind, limits: list[tuple[Limit, float | None]], settings: AlarmSettings
) -> AlarmRule | None:
    """An alarm on what a tag says, with the delays of its settings; None when no limit is set."""
    found = tuple((limit, at) for limit, at in limits if at is not None)
    if not found:
        return None
    return AlarmRule(
        key=key_of(tag, kind),
        tag=tag,
        kind=kind,
        limits=found,
        priority=settings.priority,
        on_delay=settings.on_delay,
        off_delay=settings.off_delay,
        count=settings.count,
        count_window=settings.window,
        latching=settings.latching,
    )


def _on_limits(tag: str, limits: Limits, settings: AlarmSettings) -> AlarmRule | None:
    numbers = [
        (Limit.HIHI, limits.hihi),
        (Limit.HI, limits.hi),
        (Limit.LO, limits.lo),
        (Limit.LOLO, limits.lolo),
    ]
    rule = _delayed(tag, Kind.VALUE, numbers, settings)
    return rule and replace(rule, hysteresis=settings.hysteresis)


def _on_deviation(tag: str, settings: AlarmSettings) -> AlarmRule | None:
    wanted = settings.deviation
    if wanted is None:
        return None
    numbers = [(Limit.DEVIATION_CRITICAL, wanted.critical), (Limit.DEVIATION, wanted.warning)]
    rule = _delayed(tag, Kind.DEVIATION, numbers, settings)
    return rule and replace(rule, target=wanted.target, hysteresis=settings.hysteresis)


def _on_rate(tag: str, settings: AlarmSettings) -> AlarmRule | None:
    wanted = settings.rate
    if wanted is None:
        return None
    numbers = [(Limit.RATE_CRITICAL, wanted.critical), (Limit.RATE, wanted.warning)]
    rule = _delayed(tag, Kind.RATE, numbers, settings)
    return rule and replace(rule, rate_window=wanted.window)


def _on_state(tag: str, settings: AlarmSettings) -> AlarmRule | None:
    wanted = settings.digital
    if wanted is None or not wanted.values:
        return None
    limit = Limit.STATE_CRITICAL if wanted.critical else Limit.STATE
    rule = _delayed(tag, Kind.DIGITAL, [(limit, 0.0)], settings)
    return rule and replace(rule, values=wanted.values)


def _on_standstill(tag: str, settings: AlarmSettings) -> AlarmRule | None:
    """A value that moves again is the end of it: no delays, nothing to reset."""
    if settings.stale <= 0:
        return None
    key, limits = key_of(tag, Kind.STALE), ((Limit.STALE, settings.stale),)
    return AlarmRule(key=key, tag=tag, kind=Kind.STALE, limits=limits, priority=settings.priority)


def _on_communication(tag: str, settings: AlarmSettings, speaks_for_machine: bool) -> AlarmRule:
    return AlarmRule(
        key=key_of(tag, Kind.COMMUNICATION),
        tag=tag,
        kind=Kind.COMMUNICATION,
        limits=((Limit.COMM, 0.0),),
        priority=settings.priority,
        on_delay=settings.comm_delay,
        speaks_for_machine=speaks_for_machine,
    )


def system_rule(key: str, priority: int = 2) -> AlarmRule:
    """The rule of an alarm of Lineside itself; `key` is from `system_key`."""
    limits = ((Limit.SYSTEM_CRITICAL, 0.0), (Limit.SYSTEM, 0.0))
    return AlarmRule(key=key, tag="", kind=Kind.SYSTEM, limits=limits, priority=priority)


def rules_of(plant: Plant) -> Iterator[AlarmRule]:
    """The alarms of all tags; see `Plant.speaks` for which of them is told when a whole machine is silent."""
    for tag in plant.tags:
        yield from _rules_of_tag(plant, tag)


def _rules_of_tag(plant: Plant, tag: Tag) -> tuple[AlarmRule, ...]:
    return rules_for(tag.name, tag.limits, tag.alarm, speaks_for_machine=plant.speaks(tag))


def rule_of(plant: Plant, key: str) -> AlarmRule | None:
    """The rule of one alarm as configured now, with its guidance; None when the plant has no such alarm (any more)."""
    name, kind = split_key(key)
    if kind is Kind.SYSTEM:
        return system_rule(key)
    tag = plant.tag(name)
    if tag is None:
        return None
    return next((rule for rule in _rules_of_tag(plant, tag) if rule.key == key), None)
