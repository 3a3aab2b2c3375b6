"""Turns the `alarm` keys of a tag into its settings, with their checks."""

from __future__ import annotations

from app.domain.plant import (
    AlarmSettings,
    DeviationRule,
    DigitalRule,
    RateRule,
    SuppressionRule,
)
from app.domain.plant_node import Node, is_number, kind_of, refuse

_MOST_COUNT = 10_000


def read_alarm(node: Node | None) -> AlarmSettings:
    """How a tag alarms; without the key, as every tag does."""
    if node is None:
        return AlarmSettings()
    node.only(AlarmSettings.__slots__)
    hysteresis = node.number("hysteresis", 0.0)
    if hysteresis < 0:
        refuse(node.at("hysteresis"), "the hysteresis is not negative")
    window = node.seconds("window", 60.0)
    if not window > 0:
        refuse(node.at("window"), "the window must be longer than nothing")
    return AlarmSettings(
        priority=node.integer("priority", 3, 1, 4),
        on_delay=node.seconds("on_delay", 0.0),
        off_delay=node.seconds("off_delay", 0.0),
        hysteresis=hysteresis,
        comm_delay=node.seconds("comm_delay", 30.0),
        count=node.integer("count", 0, 0, _MOST_COUNT),
        window=window,
        re_alarm=node.seconds("re_alarm", 0.0),
        latching=node.truth("latching", False),
        stale=node.seconds("stale", 0.0),
        deviation=_deviation(node.child("deviation")),
        rate=_rate(node.child("rate")),
        digital=_digital(node.child("digital")),
        suppress=_suppression(node.child("suppress")),
        consequence=node.text("consequence", ""),
        response=node.text("response", ""),
        link=node.text("link", ""),
    )


def _deviation(node: Node | None) -> DeviationRule | None:
    if node is None:
        return None
    node.only(DeviationRule.__slots__)
    target = node.data.get("target")
    if not is_number(target) and not (isinstance(target, str) and target.strip()):
        refuse(node.at("target"), f"expected a number or the name of a tag, found {kind_of(target)}")
    aim = target if isinstance(target, str) else node.number("target")
    return DeviationRule(aim, *_two_steps(node))


def _two_steps(node: Node) -> tuple[float | None, float | None]:
    warning, critical = node.amount("warning"), node.amount("critical")
    if warning is None and critical is None:
        refuse(node.place, "give a number for warning, for critical or for both")
    if warning is not None and critical is not None and not warning < critical:
        refuse(node.at("critical"), f"critical ({critical:g}) must be above warning ({warning:g})")
    return warning, critical


def _rate(node: Node | None) -> RateRule | None:
    if node is None:
        return None
    node.only(RateRule.__slots__)
    window = node.seconds("window", 10.0)
    if not window > 0:
        refuse(node.at("window"), "the window must be longer than nothing")
    return RateRule(*_two_steps(node), window)


def _digital(node: Node | None) -> DigitalRule | None:
    if node is None:
        return None
    node.only(DigitalRule.__slots__)
    return DigitalRule(node.states("values"), node.truth("critical", False))


def _suppression(node: Node | None) -> SuppressionRule | None:
    if node is None:
        return None
    node.only(SuppressionRule.__slots__)
    return SuppressionRule(node.text("when"), node.states("values"))
