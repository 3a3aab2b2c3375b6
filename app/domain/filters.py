"""The filter line of a list: `paint status:in_progress due<fri`, the same on screen and on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal

from app.domain.errors import Refused

Comparison = Literal["=", "!=", "<", "<=", ">", ">="]
ValueKind = Literal["text", "integer", "decimal", "time", "choice", "flag"]

_CONDITION = re.compile(r'(?P<field>[A-Za-z_][\w-]*)(?P<op><=|>=|!=|<|>|=|:)(?P<value>"[^"]*"|\S*)')
_TOKEN = re.compile(r'(?:[A-Za-z_][\w-]*(?:<=|>=|!=|<|>|=|:)(?:"[^"]*"|\S*))|"[^"]*"|\S+')
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a filter line; `value` is still text."""

    field: str
    comparison: Comparison
    value: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter line: every condition and every word must hold."""

    conditions: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()


def parse_filter(line: str, fields: Sequence[str]) -> Filter:
    """Split a filter line; a `word:rest` whose word is no field of the list stays a word to search for."""
    conditions: list[Condition] = []
    words: list[str] = []
    for token in _TOKEN.findall(line):
        match = _CONDITION.fullmatch(token)
        name = match["field"].replace("-", "_").casefold() if match else ""
        if match and name in fields:
            comparison: Any = "=" if match["op"] == ":" else match["op"]
            conditions.append(Condition(name, comparison, match["value"].strip('"')))
        elif token.casefold() != "and":
            words.append(token.strip('"'))
    return Filter(tuple(conditions), tuple(word for word in words if word))


def parse_value(
    condition: Condition, kind: ValueKind, choices: Mapping[str, Any], now: datetime, zone: tzinfo | None
) -> Any:
    """The value of a condition as `kind`. Raises `Refused` with what was expected."""
    text = condition.value
    try:
        if kind == "integer":
            return int(text.replace("\u00a0", "").replace(" ", ""))
        if kind == "decimal":
            return float(text.replace(",", "."))
        if kind == "time":
            return parse_day(text, now, zone)
        if kind == "flag":
            return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[
                text.casefold()
            ]
        if kind == "choice":
            return choices[text.casefold().replace(" ", "_").replace("-", "_")]
    except (ValueError, KeyError):
        expected = {
            "integer": "a whole number",
            "decimal": "a number",
            "time": "a day such as 2026-04-12, today, tomorrow, fri, nextweek or now",
            "flag": "yes or no",
            "choice": "one of " + ", ".join(choices),
        }[kind]
        raise Refused(
            f"{condition.field} cannot be compared with “{text}”; write {expected}.", field="filter"
        ) from None
    return text


def parse_day(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """The start of a local day as aware UTC: an ISO date or time, today, tomorrow, yesterday, the next weekday,
    nextweek (the coming Monday, never today); `now` is this moment."""
    word = text.casefold()
    if word == "now":
        return now
    today = now.astimezone(zone).date()
    relative = {"today": 0, "tomorrow": 1, "yesterday": -1}
    day: date
    if word in relative:
        day = today + timedelta(days=relative[word])
    elif word == "nextweek":
        day = today + timedelta(days=7 - today.weekday())
    elif word[:3] in _WEEKDAYS and word.isalpha():
        day = today + timedelta(days=(_WEEKDAYS.index(word[:3]) - today.weekday()) % 7)
    elif len(text) > 10:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else _localised(moment, zone)).astimezone(UTC)
    else:
        day = date.fromisoformat(text)
    return _localised(datetime.combine(day, time.min), zone).astimezone(UTC)


def _localised(naive: datetime, zone: tzinfo | None) -> datetime:
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
