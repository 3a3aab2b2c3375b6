"""Turns the entries of a plant file into equipment, connections and tags, each with its checks."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import pairwise

from app.domain.plant import (
    ADDRESSING,
    COUNTERS,
    DRIVERS,
    PARITIES,
    SECURITY,
    TAKEOVERS,
    Connection,
    Counter,
    DeadbandRule,
    Equipment,
    Limits,
    Scale,
    SerialLine,
    Tag,
    Writing,
)
from app.domain.plant_alarm_reading import read_alarm
from app.domain.plant_node import Node, kind_of, refuse

# user:password@ before the host; a number and a slash after the colon are a port with its path.
_PASSWORD_IN_URL = re.compile(r"[^:/]+://[^/:\[]*:(?![0-9]+/).*@", re.DOTALL)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SHORTEST_SCAN = 0.01
_MOST_WORDS = 125  # Modbus application protocol V1.1b3, 6.3: registers in one answer
_CONNECTION_KEYS = Connection.__slots__
_TAG_KEYS = Tag.__slots__


def read_equipment(node: Node) -> Equipment:
    """One entry of `equipment`."""
    node.only(Equipment.__slots__)
    code = node.text("code")
    return Equipment(code, node.text("name", code), node.text("area", ""), node.text("type", ""))


def read_connection(node: Node) -> Connection:
    """One entry of `connections`."""
    node.only(_CONNECTION_KEYS)
    driver = node.choice("driver", DRIVERS)
    timeout = node.seconds("timeout", 4.0)
    if not timeout > 0:
        refuse(node.at("timeout"), "the timeout must be longer than nothing")
    return Connection(
        name=node.text("name"),
        driver=driver,
        url=_url(node, driver),
        security=node.choice("security", SECURITY, "None"),
        trusted=_fingerprint(node),
        user=node.text("user", ""),
        unit=node.integer("unit", 1, 0, 255),
        addressing=node.choice("addressing", ADDRESSING, "raw"),
        gap=node.integer("gap", 16, 0, _MOST_WORDS),
        max_words=node.integer("max_words", _MOST_WORDS, 1, _MOST_WORDS),
        line=_line(node.child("line")),
        qos=node.integer("qos", 1, 0, 2),
        client_id=node.text("client_id", ""),
        ca_file=node.text("ca_file", ""),
        status_topic=node.text("status_topic", ""),
        status_offline=node.text("status_offline", "offline"),
        timeout=timeout,
        enabled=node.truth("enabled", True),
        takeover=node.choice("takeover", TAKEOVERS, "auto"),
        station=node.text("station", ""),
    )


def _url(node: Node, driver: str) -> str:
    url = node.text("url")
    scheme, found, rest = url.partition("://")
    if not found or scheme not in DRIVERS[driver] or not rest.strip("/"):
        beginnings = " or ".join(f"{scheme}://" for scheme in DRIVERS[driver])
        refuse(node.at("url"), f"the address of a {driver} connection starts with {beginnings}")
    if _PASSWORD_IN_URL.match(url):
        refuse(
            node.at("url"),
            "an address holds no password; name the person under “user” and give the password for the connection "
            "itself, where it is kept apart from this file",
        )
    return url


def _fingerprint(node: Node) -> str:
    text = node.text("trusted", "")
    digits = text.replace(":", "").lower()
    if digits and not _FINGERPRINT.fullmatch(digits):
        refuse(node.at("trusted"), "the SHA-256 fingerprint of a certificate has 64 hexadecimal digits")
    return digits


def _line(node: Node | None) -> SerialLine:
    if node is None:
        return SerialLine()
    node.only(SerialLine.__slots__)
    return SerialLine(
        baud=node.integer("baud", 19200, 300, 4_000_000),
        parity=node.choice("parity", PARITIES, "even"),
        stop_bits=node.integer("stop_bits", 1, 1, 2),
    )


def read_tag(node: Node) -> Tag:
    """One entry of `tags`; whether its references lead somewhere is for `check_plant`."""
    node.only(_TAG_KEYS)
    scan = node.seconds("scan", 1.0)
    if scan < _SHORTEST_SCAN:
        refuse(node.at("scan"), "the shortest scan is 10ms")
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
        alarm=read_alarm(node.child("alarm")),
        label=node.text("label", ""),
        discrete=node.truth("discrete", False),
        states=_state_names(node),
        invalid=node.numbers("invalid"),
        freshness=node.seconds("freshness", 0.0),
        writing=_writing(node),
        counter=_counter(node),
    )
    if tag.deadband.percent and tag.span() is None:
        refuse(node.at("deadband"), "a percent deadband needs a range; give the tag a scale or limits")
    return tag


def _deadband(node: Node) -> DeadbandRule:
    value = node.data.get("deadband")
    if value is None:
        return DeadbandRule()
    if isinstance(value, Mapping):
        inner = Node(node.at("deadband"), value)
        inner.only(("amount", "min_interval", "max_interval"))
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
        refuse(place, "expected a number like 0.1 or a share like 1%")
    if not 0 <= amount < math.inf or (percent and amount > 100):
        refuse(place, "a deadband is not negative and at most 100%")
    return amount, percent


def _scale(node: Node | None) -> Scale | None:
    if node is None:
        return None
    node.only(("raw", "eu", "clamp"))
    raw, eu = node.pair("raw"), node.pair("eu")
    if raw[0] == raw[1]:
        refuse(node.at("raw"), "the two ends of the raw range are the same")
    return Scale(*raw, *eu, clamp=node.truth("clamp", False))


def _limits(node: Node | None) -> Limits:
    if node is None:
        return Limits()
    node.only(Limits.__slots__)
    limits = Limits(**{key: node.maybe_number(key) for key in Limits.__slots__})
    order = [(k, v) for k in ("lolo", "lo", "hi", "hihi") if (v := getattr(limits, k)) is not None]
    for (low_key, low), (high_key, high) in pairwise(order):
        if not low < high:
            refuse(node.at(high_key), f"{high_key} ({high:g}) must be above {low_key} ({low:g})")
    return limits


def _state_names(node: Node) -> tuple[tuple[int, str], ...]:
    named = node.child("states")
    if named is None:
        return ()
    for number in named.data:
        if isinstance(number, bool) or not isinstance(number, int):
            refuse(named.place, f"a state is a whole number with its name, found {kind_of(number)}")
    texts = {number: str(number) for number in named.data}
    words = Node(named.place, {texts[number]: word for number, word in named.data.items()})
    return tuple((number, words.text(text)) for number, text in texts.items())


def _writing(node: Node) -> Writing | None:
    value = node.data.get("writing")
    if isinstance(value, bool) or value is None:
        return Writing() if value else None
    bounds = Node(node.at("writing"), value)
    bounds.only(Writing.__slots__)
    low, high = bounds.maybe_number("low"), bounds.maybe_number("high")
    if low is not None and high is not None and not low < high:
        refuse(bounds.at("high"), f"high ({high:g}) must be above low ({low:g})")
    return Writing(low, high)


def _counter(node: Node) -> Counter | None:
    value = node.data.get("counter")
    if value is None:
        return None
    counter = Node(node.at("counter"), {"kind": value} if isinstance(value, str) else value)
    counter.only(Counter.__slots__)
    rollover = counter.amount("rollover")
    return Counter(
        counter.choice("kind", COUNTERS, "cycles"), rollover, counter.maybe_number("running_above")
    )
