"""Reads and writes plant.yaml; every mistake is answered with one sentence that names its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from app.domain.errors import Refused
from app.domain.plant import (
    ADDRESSING,
    DRIVERS,
    SECURITY,
    AlarmSettings,
    Connection,
    DeadbandRule,
    Equipment,
    Limits,
    Plant,
    Scale,
    Tag,
)

_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)\s*")
# user:password@ before the host; a number and a slash after the colon are a port with its path.
_PASSWORD_IN_URL = re.compile(r"[^:/]+://[^/:\[]*:(?![0-9]+/).*@", re.DOTALL)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse(text: str) -> Plant:
    """The plant that `text` (YAML) describes; raises Refused with the place of the first mistake."""
    import yaml  # 40 ms that a start without a plant file must not pay for

    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "the file"
        raise Refused(
            f"{place}: this is not valid YAML ({getattr(error, 'problem', None) or 'unreadable'})."
        ) from error
    root = _Node("the file", {} if data is None else data)
    root.only("equipment", "connections", "tags")
    plant = Plant(
        equipment=tuple(_equipment(node) for node in root.items("equipment")),
        connections=tuple(_connection(node) for node in root.items("connections")),
        tags=tuple(_tag(node) for node in root.items("tags")),
    )
    check_plant(plant)
    return plant


def check_plant(plant: Plant) -> None:
    """Raises Refused when a name occurs twice or a reference leads nowhere."""
    codes = _unique("equipment", "code", (e.code for e in plant.equipment))
    names = _unique("connections", "name", (c.name for c in plant.connections))
    _unique("tags", "name", (t.name for t in plant.tags))
    for i, tag in enumerate(plant.tags):
        if tag.equipment not in codes:
            _refuse(
                f"tags[{i}].equipment",
                f"there is no equipment “{tag.equipment}”" + _meant(tag.equipment, codes),
            )
        if tag.connection not in names:
            _refuse(
                f"tags[{i}].connection",
                f"there is no connection “{tag.connection}”" + _meant(tag.connection, names),
            )


def parse_duration(text: str) -> float:
    """Seconds of "250ms", "1s", "2m", "1h"; raises ValueError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text}” is not a duration; write it like 250ms, 1s, 2m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


def dump(plant: Plant) -> str:
    """YAML that `parse` turns back into an equal plant; what has its default value is left out."""
    import yaml

    data = {
        "equipment": [
            _drop({"code": e.code, "name": e.name, "area": e.area, "type": e.type}) for e in plant.equipment
        ],
        "connections": [_dump_connection(c) for c in plant.connections],
        "tags": [_dump_tag(t) for t in plant.tags],
    }
    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110))


def _refuse(place: str, why: str) -> None:
    raise Refused(f"{place}: {why}" if why.endswith("?") else f"{place}: {why}.", field=place)


def _meant(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean “{near[0]}”?" if near else ""


def _unique(section: str, key: str, names: Iterable[str]) -> set[str]:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in seen:
            _refuse(f"{section}[{i}].{key}", f"“{name}” is already used by {section}[{seen[name]}]")
        seen[name] = i
    return set(seen)


class _Node:
    """A mapping of the file together with its place, so that a mistake can be named."""

    def __init__(self, place: str, data: object) -> None:
        self.place = place
        if not isinstance(data, Mapping):
            raise Refused(f"{place}: expected keys with values, found {_kind(data)}.", field=place)
        self.data: Mapping[Any, Any] = data

    def at(self, key: str) -> str:
        return key if self.place == "the file" else f"{self.place}.{key}"

    def only(self, *known: str) -> None:
        for key in self.data:
            if key not in known:
                _refuse(self.at(str(key)), "this key is not known" + _meant(str(key), known))

    def items(self, key: str) -> Iterator[_Node]:
        entries = self.data.get(key) or []
        if not isinstance(entries, list):
            raise Refused(f"{self.at(key)}: expected a list, found {_kind(entries)}.", field=self.at(key))
        for i, entry in enumerate(entries):
            yield _Node(f"{key}[{i}]", entry)

    def child(self, key: str) -> _Node | None:
        value = self.data.get(key)
        return None if value is None else _Node(self.at(key), value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.data.get(key)
        if value is None:
            if default is None:
                raise Refused(f"{self.at(key)}: this is missing.", field=self.at(key))
            return default
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise Refused(f"{self.at(key)}: expected text, found {_kind(value)}.", field=self.at(key))
        if default is None and not str(value).strip():
            raise Refused(f"{self.at(key)}: this is empty.", field=self.at(key))
        return str(value)

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        word, known = self.text(key, default), list(known)
        if word not in known:
            _refuse(self.at(key), f"“{word}” is not one of {', '.join(known)}")
        return word

    def number(self, key: str, default: float | None = None) -> float:
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Refused(f"{self.at(key)}: expected a number, found {_kind(value)}.", field=self.at(key))
        return float(value)

    def maybe_number(self, key: str) -> float | None:
        return None if self.data.get(key) is None else self.number(key)

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Refused(
                f"{self.at(key)}: expected a whole number from {low} to {high}.", field=self.at(key)
            )
        return value

    def seconds(self, key: str, default: float) -> float:
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            _refuse(self.at(key), f"give the unit as well, like {value}s or {value}ms")
        try:
            return parse_duration(str(value))
        except ValueError as error:
            raise Refused(f"{self.at(key)}: {error}.", field=self.at(key)) from error

    def truth(self, key: str, default: bool) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise Refused(
                f"{self.at(key)}: expected true or false, found {_kind(value)}.", field=self.at(key)
            )
        return value

    def pair(self, key: str) -> tuple[float, float]:
        value = self.data.get(key)
        ok = isinstance(value, list) and len(value) == 2
        if not ok or any(isinstance(x, bool) or not isinstance(x, (int, float)) for x in value or ()):
            raise Refused(f"{self.at(key)}: expected two numbers like [0, 100].", field=self.at(key))
        assert isinstance(value, list)
        return float(value[0]), float(value[1])


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    names = {dict: "keys with values", list: "a list", str: f"the text “{value}”", bool: "true or false"}
    return names.get(type(value), f"“{value}”")


def _equipment(node: _Node) -> Equipment:
    node.only("code", "name", "area", "type")
    code = node.text("code")
    return Equipment(code, node.text("name", code), node.text("area", ""), node.text("type", ""))


def _connection(node: _Node) -> Connection:
    node.only("name", "driver", "url", "security", "user", "unit", "addressing", "timeout", "enabled")
    driver, url = node.choice("driver", DRIVERS), node.text("url")
    if url.partition("://")[0] not in DRIVERS[driver] or "://" not in url:
        beginnings = " or ".join(f"{scheme}://" for scheme in DRIVERS[driver])
        _refuse(node.at("url"), f"the address of a {driver} connection starts with {beginnings}")
    if _PASSWORD_IN_URL.match(url):
        _refuse(
            node.at("url"),
            "an address holds no password; name the person under “user” and "
            "put the password into the environment as LINESIDE_MACHINE_PASSWORD",
        )
    timeout = node.seconds("timeout", 4.0)
    if not timeout > 0:
        _refuse(node.at("timeout"), "the timeout must be longer than nothing")
    return Connection(
        name=node.text("name"),
        driver=driver,
        url=url,
        security=node.choice("security", SECURITY, "None"),
        user=node.text("user", ""),
        unit=node.integer("unit", 1, 0, 255),
        addressing=node.choice("addressing", ADDRESSING, "raw"),
        timeout=timeout,
        enabled=node.truth("enabled", True),
    )


def _tag(node: _Node) -> Tag:
    node.only(
        "name", "equipment", "connection", "address", "unit", "scan", "deadband", "scale", "limits", "alarm"
    )  # fmt: skip
    scan = node.seconds("scan", 1.0)
    if scan < 0.01:
        _refuse(node.at("scan"), "the shortest scan is 10ms")
    tag = Tag(
        name=node.text("name"),
        equipment=node.text("equipment"),
        connection=node.text("connection"),
        address=node.text("address"),
        unit=node.text("unit", ""),
        scan=scan,
        deadband=_deadband(node),
        scale=_scale(node.child("scale")),
        limits=_limits(node.child("limits")),
        alarm=_alarm(node.child("alarm")),
    )
    if tag.deadband.percent and tag.span() is None:
        _refuse(node.at("deadband"), "a percent deadband needs a range; give the tag a scale or limits")
    return tag


def _deadband(node: _Node) -> DeadbandRule:
    value = node.data.get("deadband")
    if value is None:
        return DeadbandRule()
    if isinstance(value, Mapping):
        inner = _Node(node.at("deadband"), value)
        inner.only("amount", "min_interval", "max_interval")
        amount, percent = _amount(inner.at("amount"), value.get("amount", 0))
        return DeadbandRule(
            amount, percent, inner.seconds("min_interval", 0.0), inner.seconds("max_interval", 600.0)
        )
    return DeadbandRule(*_amount(node.at("deadband"), value))


def _amount(place: str, value: object) -> tuple[float, bool]:
    text = "" if isinstance(value, bool) else str(value).strip()
    percent = text.endswith("%")
    try:
        amount = float(text.removesuffix("%"))
    except ValueError:
        raise Refused(f"{place}: expected a number like 0.1 or a share like 1%.", field=place) from None
    if not 0 <= amount < math.inf or (percent and amount > 100):
        _refuse(place, "a deadband is not negative and at most 100%")
    return amount, percent


def _scale(node: _Node | None) -> Scale | None:
    if node is None:
        return None
    node.only("raw", "eu", "clamp")
    raw, eu = node.pair("raw"), node.pair("eu")
    if raw[0] == raw[1]:
        _refuse(node.at("raw"), "the two ends of the raw range are the same")
    return Scale(*raw, *eu, clamp=node.truth("clamp", False))


def _limits(node: _Node | None) -> Limits:
    if node is None:
        return Limits()
    node.only("hihi", "hi", "lo", "lolo")
    limits = Limits(**{key: node.maybe_number(key) for key in ("hihi", "hi", "lo", "lolo")})
    order = [(k, v) for k in ("lolo", "lo", "hi", "hihi") if (v := getattr(limits, k)) is not None]
    for (low_key, low), (high_key, high) in pairwise(order):
        if not low < high:
            _refuse(node.at(high_key), f"{high_key} ({high:g}) must be above {low_key} ({low:g})")
    return limits


def _alarm(node: _Node | None) -> AlarmSettings:
    if node is None:
        return AlarmSettings()
    node.only("priority", "on_delay", "off_delay", "hysteresis", "comm_delay")
    hysteresis = node.number("hysteresis", 0.0)
    if hysteresis < 0:
        _refuse(node.at("hysteresis"), "the hysteresis is not negative")
    return AlarmSettings(
        priority=node.integer("priority", 3, 1, 4),
        on_delay=node.seconds("on_delay", 0.0),
        off_delay=node.seconds("off_delay", 0.0),
        hysteresis=hysteresis,
        comm_delay=node.seconds("comm_delay", 30.0),
    )


def _drop(data: dict[str, Any]) -> dict[str, Any]:
    """Without the empty texts and Nones: they are defaults."""
    return {key: value for key, value in data.items() if value is not None and value != ""}


def _changed(data: dict[str, Any], default: object) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value != getattr(default, key)}


def _duration(seconds: float) -> str:
    """The shortest writing that reads back as exactly the same number of seconds."""
    for unit in ("s", "ms"):
        text = f"{seconds / _SECONDS[unit]:.15g}{unit}"
        if "e" not in text and parse_duration(text) == seconds:
            return text
    return f"{seconds:.20f}s"


def _dump_connection(c: Connection) -> dict[str, Any]:
    default = Connection("", "", "")
    extra = {k: getattr(c, k) for k in ("security", "user", "unit", "addressing", "timeout", "enabled")}
    data = {"name": c.name, "driver": c.driver, "url": c.url, **_changed(extra, default)}
    if "timeout" in data:
        data["timeout"] = _duration(c.timeout)
    return data


def _dump_tag(t: Tag) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": t.name,
        "equipment": t.equipment,
        "connection": t.connection,
        "address": t.address,
    }
    if t.unit:
        data["unit"] = t.unit
    data["scan"] = _duration(t.scan)
    if t.deadband != DeadbandRule():
        data["deadband"] = _dump_deadband(t.deadband)
    if t.scale is not None:
        s = t.scale
        data["scale"] = {"raw": [s.raw_lo, s.raw_hi], "eu": [s.eu_lo, s.eu_hi]} | (
            {"clamp": True} if s.clamp else {}
        )
    if t.limits:
        data["limits"] = _drop({k: getattr(t.limits, k) for k in ("hihi", "hi", "lo", "lolo")})
    alarm = _changed({k: getattr(t.alarm, k) for k in AlarmSettings.__slots__}, AlarmSettings())
    if alarm:
        data["alarm"] = {
            k: _duration(v) if k in ("on_delay", "off_delay", "comm_delay") else v for k, v in alarm.items()
        }
    return data


def _dump_deadband(rule: DeadbandRule) -> object:
    amount: object = f"{rule.amount!r}%" if rule.percent else rule.amount
    if rule == DeadbandRule(rule.amount, rule.percent):
        return amount
    return {
        "amount": amount,
        "min_interval": _duration(rule.min_interval),
        "max_interval": _duration(rule.max_interval),
    }
