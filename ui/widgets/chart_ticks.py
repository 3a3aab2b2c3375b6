"""Where the axes of a chart have their marks and what stands there; local time that survives a change of clocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

_FINE = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
         1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)  # fmt: skip
_HOURS = (1, 2, 3, 6, 12)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 3, 6, 12, 60, 120)


@dataclass(frozen=True)
class TimeTick:
    """A mark at `t` (epoch seconds); `day` stands below it where another day begins."""

    t: float
    text: str
    day: str = ""


def local(moment: float, zone: tzinfo | None = None) -> datetime:
    """The wall clock at a moment; without `zone` that of this computer."""
    return (
        datetime.fromtimestamp(moment, zone)
        if zone is not None
        else datetime.fromtimestamp(moment).astimezone()
    )


@lru_cache(maxsize=16)
def zone_words(start: float, end: float, zone: tzinfo | None = None) -> str:
    """Name of the zone, both names when the clocks are changed within the range."""
    names = [local(start, zone).tzname() or "", local(end, zone).tzname() or ""]
    return names[0] if names[0] == names[1] else " → ".join(names)


@lru_cache(maxsize=16)
def time_ticks(start: float, end: float, most: int, zone: tzinfo | None = None) -> tuple[TimeTick, ...]:
    """At most about `most` marks at round local times; linked charts ask for the same ones in every frame.

    An hour that is skipped by the clocks has no mark; one that comes twice has two, the second with its zone.
    """
    return tuple(_time_ticks(start, end, most, zone))


def _time_ticks(start: float, end: float, most: int, zone: tzinfo | None) -> list[TimeTick]:
    wish = (end - start) / max(most, 1)
    fine = next((step for step in _FINE if step >= wish), None)
    if fine is not None:
        return _fine_ticks(start, end, fine, zone)
    hours = next((step for step in _HOURS if step * 3600 >= wish), None)
    if hours is not None:
        return _wall_ticks(start, end, _hourly(local(start, zone), hours), zone, "%H:%M")
    days = next((step for step in _DAYS if step * 86400 >= wish), None)
    if days is not None:
        return _wall_ticks(start, end, _daily(local(start, zone), days), zone, "%d %b")
    months = next((step for step in _MONTHS if step * 30.4 * 86400 >= wish), _MONTHS[-1])
    pattern = "%b %Y" if months < 12 else "%Y"
    return _wall_ticks(start, end, _monthly(local(start, zone), months), zone, pattern)


def _fine_ticks(start: float, end: float, step: float, zone: tzinfo | None) -> list[TimeTick]:
    """Steps of up to half an hour; zones lie quarters of an hour apart, so wall time is round where UTC plus is."""
    offset = local(start, zone).utcoffset() or timedelta(0)
    shift = offset.total_seconds() % step if step >= 60 else 0.0
    number = math.ceil((start + shift) / step - 1e-9)
    ticks: list[TimeTick] = []
    shown_day = ""
    while (t := number * step - shift) <= end:
        wall = local(t, zone)
        text = wall.strftime("%H:%M" if step >= 60 else "%H:%M:%S")
        if step < 1:
            text = wall.strftime("%S") + f"{t % 1:.3f}"[1:]
        day = wall.strftime("%a %d %b")
        ticks.append(TimeTick(t, text, day if day != shown_day else ""))
        shown_day, number = day, number + 1
    return ticks


def _wall_ticks(
    start: float, end: float, walls: Iterator[datetime], zone: tzinfo | None, pattern: str
) -> list[TimeTick]:
    ticks: list[TimeTick] = []
    shown_day = ""
    for wall in walls:
        for number, t in enumerate(_moments(wall, zone)):
            if t > end:
                return ticks
            if t < start:
                continue
            text = wall.strftime(pattern)
            if number:
                text = f"{text} {local(t, zone).tzname()}"
            day = (
                wall.strftime("%a %d %b")
                if "%H" in pattern
                else wall.strftime("%Y")
                if "%d" in pattern
                else ""
            )
            ticks.append(TimeTick(t, text, day if day != shown_day else ""))
            shown_day = day
    return ticks


def _moments(wall: datetime, zone: tzinfo | None) -> list[float]:
    """When the clock on the wall shows `wall` (naive): never, once, or twice."""
    found = []
    for fold in (0, 1):
        t = wall.replace(tzinfo=zone, fold=fold).timestamp()
        if local(t, zone).replace(tzinfo=None, fold=0) == wall and t not in found:
            found.append(t)
    return found


def _midnight(wall: datetime) -> datetime:
    return wall.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)


def _hourly(start: datetime, hours: int) -> Iterator[datetime]:
    wall = _midnight(start)
    while True:
        yield wall
        wall += timedelta(hours=hours)


def _daily(start: datetime, days: int) -> Iterator[datetime]:
    """Counted from the first of each month, so that a pan does not move the marks."""
    wall = _midnight(start)
    if days > 1:
        wall = wall.replace(day=1)
    while True:
        yield wall
        following = wall + timedelta(days=days)
        crosses = days > 1 and (following + timedelta(days=days / 2)).month != wall.month
        wall = _month_later(wall.replace(day=1), 1) if crosses else following


def _monthly(start: datetime, months: int) -> Iterator[datetime]:
    month = start.year * 12 + start.month - 1
    wall = _month_later(_midnight(start).replace(day=1), -(month % months))
    while True:
        yield wall
        wall = _month_later(wall, months)


def _month_later(first: datetime, months: int) -> datetime:
    month = first.year * 12 + first.month - 1 + months
    return first.replace(year=month // 12, month=month % 12 + 1)


def value_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round values from `low` to `high` and their words, all with the same digits."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return []
    wish = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(wish))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if power * factor >= wish * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)]
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 1e7 or (0 < largest < 1e-4):
        return [(value, f"{value:.3g}".replace("-", "−")) for value in values]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step * 10**decimals, 6) % 1:
        decimals += 1
    return [(value, f"{value:,.{decimals}f}".replace("-", "−")) for value in values]


def shift_days(moment: float, days: int, zone: tzinfo | None = None) -> float:
    """The same time on the wall so many days later (earlier when negative), whatever the clocks did between."""
    wall = local(moment, zone)
    there = wall.replace(tzinfo=None) + timedelta(days=days)
    return there.replace(tzinfo=zone, fold=wall.fold).timestamp()
