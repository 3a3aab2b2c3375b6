"""How values become words on the screen: local times, slips, quantities, choices."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Any

NONE = "–"
MINUS = "−"


def moment(value: datetime | None, now: datetime | None = None) -> str:
    """A local time: `Fri 12 Dec 14:05`, with the year when it is not this year's."""
    if value is None:
        return NONE
    local = value.astimezone()
    this_year = (now.astimezone() if now else datetime.now().astimezone()).year
    return local.strftime("%a %d %b %H:%M" if local.year == this_year else "%d %b %Y %H:%M")


def day(value: datetime | None) -> str:
    """A local day: `Fri 12 Dec`."""
    return NONE if value is None else value.astimezone().strftime("%a %d %b")


def duration(span: timedelta) -> str:
    """The two largest units of a time span: `2 d 4 h`, `42 min`, `12 s`."""
    seconds = int(abs(span.total_seconds()))
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes = rest // 60
    if days:
        return f"{days:,} d {hours} h" if hours and days < 10 else f"{days:,} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def rough(span: timedelta) -> str:
    """The largest unit of a time span alone, where there is little room: `2 d`, `4 h`."""
    return " ".join(duration(span).split(" ")[:2])


def age(since: datetime, now: datetime) -> str:
    """How long ago: `12 s`, `3 min`."""
    return duration(now - since)


def slip(hours: float | None) -> str:
    """Against the plan: `+2 d 4 h` is late, `−3 h` is time left."""
    if hours is None:
        return NONE
    return f"{'+' if hours > 0 else MINUS}{duration(timedelta(hours=abs(hours)))}"


def percent(share: float | None) -> str:
    if share is None:
        return NONE
    return f"{share * 100:.0f} %" if share < 10 else "over 999 %"


def number(value: float | int | None, decimals: int = 2) -> str:
    """A number without needless zeros and with a real minus."""
    if value is None:
        return NONE
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def cell(value: Any) -> str:
    """Any value of a list as text."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Enum):
        return str(value.value).replace("_", " ")
    if isinstance(value, int | float):
        return number(value)
    return str(value)
