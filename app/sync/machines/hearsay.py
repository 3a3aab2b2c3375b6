"""Reads what other stations put on the server about their machines: whatever makes no sense is passed over."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
import structlog

from app.domain.decoding import convert
from app.domain.machine_news import WriteAnswered
from app.domain.samples import Value
from app.store.history.schema import moment

log = structlog.get_logger(__name__)

Link: TypeAlias = dict[str, Any]
"""How a link does, as its station told it; `connection` is the id of the connection."""


class NonsenseError(ValueError):
    """No station of ours says this."""


def parsed(text: str | None) -> Any:
    """JSON of another station; raises `NonsenseError`."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NonsenseError(str(error)) from error


def value_told(number: float | None, text: str | None) -> Value:
    """The value of a sample; raises `NonsenseError`."""
    if text is None:
        return number
    value = parsed(text)
    if value is not None and not isinstance(value, bool | int | float | str):
        raise NonsenseError("a value is a number or a text")
    told: Value = value
    return told


def time_told(microseconds: int) -> datetime:
    """A time since 1970; raises `NonsenseError` for one that no calendar has."""
    try:
        return moment(microseconds)
    except (OverflowError, ValueError, OSError) as error:
        raise NonsenseError(str(error)) from error


def links_told(station: str, text: str) -> tuple[Link, ...]:
    """The links of a station, those left out that make no sense."""
    try:
        told = parsed(text)
    except NonsenseError as error:
        log.warning("links of another station not understood", station=station, reason=str(error))
        return ()
    links = told if isinstance(told, list) else []
    return tuple(link for link in links if isinstance(link, dict) and isinstance(link.get("connection"), str))


def facts_told(text: str | None) -> dict[str, Any] | None:
    """An object as another station told it, None for what makes no sense."""
    try:
        told = parsed(text)
    except NonsenseError as error:
        log.warning("words of another station not understood", reason=str(error))
        return None
    return told if isinstance(told, dict) else None


def answer_told(text: str) -> WriteAnswered | None:
    """What became of a sent value, None for what makes no sense."""
    try:
        answer: WriteAnswered = convert(parsed(text), WriteAnswered)
    except (NonsenseError, msgspec.ValidationError) as error:
        log.warning("answer of another station not understood", reason=str(error))
        return None
    return answer
