"""Turns equipment, connections and tags into the entries of a plant file; what has its default value is left out."""

from __future__ import annotations

from typing import Any

from app.domain.plant import AlarmSettings, Connection, DeadbandRule, Equipment, Scale, Tag
from app.domain.plant_node import SECONDS, parse_duration

Entry = dict[str, Any]
_ALARM_DURATIONS = ("on_delay", "off_delay", "comm_delay", "window", "re_alarm", "stale")


def equipment_entry(e: Equipment) -> Entry:
    """What `read_equipment` turns back into an equal machine."""
    return {"code": e.code, "name": e.name} | _filled({"area": e.area, "type": e.type})


def connection_entry(c: Connection) -> Entry:
    """What `read_connection` turns back into an equal connection."""
    entry: Entry = {"name": c.name, "driver": c.driver, "url": c.url}
    entry |= _changed(c, Connection("", c.driver, c.url))
    entry["name"] = c.name
    if "timeout" in entry:
        entry["timeout"] = duration_text(c.timeout)
    if "line" in entry:
        entry["line"] = {"baud": c.line.baud, "parity": c.line.parity, "stop_bits": c.line.stop_bits}
    return entry


def tag_entry(t: Tag) -> Entry:
    """What `read_tag` turns back into an equal tag."""
    entry: Entry = {
        "name": t.name,
        "equipment": t.equipment,
        "connection": t.connection,
        "address": t.address,
    }
    entry |= _filled({"label": t.label, "unit": t.unit})
    entry["scan"] = duration_text(t.scan)
    if t.deadband != DeadbandRule():
        entry["deadband"] = _deadband(t.deadband)
    if t.scale is not None:
        entry["scale"] = _scale(t.scale)
    if t.limits:
        entry["limits"] = _filled({k: getattr(t.limits, k) for k in t.limits.__slots__})
    if t.discrete:
        entry["discrete"] = True
    if t.states:
        entry["states"] = dict(t.states)
    if t.invalid:
        entry["invalid"] = list(t.invalid)
    if t.freshness:
        entry["freshness"] = duration_text(t.freshness)
    if t.writing is not None:
        entry["writing"] = _filled({"low": t.writing.low, "high": t.writing.high}) or True
    if t.counter is not None:
        entry["counter"] = _filled({k: getattr(t.counter, k) for k in t.counter.__slots__})
    alarm = _alarm(t.alarm)
    return entry | ({"alarm": alarm} if alarm else {})


def _filled(entry: Entry) -> Entry:
    """Without the empty texts and Nones: they are defaults."""
    return {key: value for key, value in entry.items() if value is not None and value != ""}


def _changed(item: Any, default: Any) -> Entry:
    return {k: value for k in type(item).__slots__ if (value := getattr(item, k)) != getattr(default, k)}


def duration_text(seconds: float) -> str:
    """The shortest writing that reads back as exactly the same number of seconds."""
    for unit in ("s", "ms"):
        text = f"{seconds / SECONDS[unit]:.15g}{unit}"
        if "e" not in text and parse_duration(text) == seconds:
            return text
    for digits in (20, 60, 340):  # the last writes any double without an exponent
        text = f"{seconds:.{digits}f}s"
        if parse_duration(text) == seconds:
            break
    return text


def _deadband(rule: DeadbandRule) -> object:
    amount: object = f"{rule.amount!r}%" if rule.percent else rule.amount
    if rule == DeadbandRule(rule.amount, rule.percent):
        return amount
    return {
        "amount": amount,
        "min_interval": duration_text(rule.min_interval),
        "max_interval": duration_text(rule.max_interval),
    }


def _scale(s: Scale) -> Entry:
    entry: Entry = {"raw": [s.raw_lo, s.raw_hi], "eu": [s.eu_lo, s.eu_hi]}
    return entry | ({"clamp": True} if s.clamp else {})


def _alarm(alarm: AlarmSettings) -> Entry:
    entry = _changed(alarm, AlarmSettings())
    for key in _ALARM_DURATIONS:
        if key in entry:
            entry[key] = duration_text(entry[key])
    if alarm.deviation is not None:
        entry["deviation"] = _filled({k: getattr(alarm.deviation, k) for k in alarm.deviation.__slots__})
    if alarm.rate is not None:
        rate = _filled({"warning": alarm.rate.warning, "critical": alarm.rate.critical})
        entry["rate"] = rate | {"window": duration_text(alarm.rate.window)}
    if alarm.digital is not None:
        entry["digital"] = {"values": list(alarm.digital.values), "critical": alarm.digital.critical}
    if alarm.suppress is not None:
        entry["suppress"] = {"when": alarm.suppress.when, "values": list(alarm.suppress.values)}
    return entry
