"""How much the alarms ask of people: rates, floods, worst sources, chattering, standing alarms, priority mix.

Targets and definitions are those of EEMUA 191 (as a public table gives them) and of ANSI/ISA-18.2, the latter from
memory of the standard; each figure says which.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from app.domain.errors import Refused

WINDOW = timedelta(minutes=10)
FLOOD_ABOVE = 10  # raisings in ten minutes; from memory of ISA-18.2
FLOOD_ENDS_BELOW = 5  # from memory of ISA-18.2
CHATTER_COUNT = 3  # raisings of one alarm within CHATTER_WITHIN; from memory of ISA-18.2
CHATTER_WITHIN = timedelta(minutes=1)
FLEETING_BELOW = timedelta(seconds=10)  # gone before anybody could do anything; our own choice
STANDING_LONG = timedelta(hours=24)  # ISA-18.2, from memory: a stale alarm
TOP = 10
_MINUTES_A_WINDOW = WINDOW // timedelta(minutes=1)
_MINUTES_AN_HOUR = 60


class Source(StrEnum):
    """Where a target comes from, to be shown beside it."""

    EEMUA = "EEMUA 191"
    ISA = "ISA-18.2, from memory of the standard"


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should not exceed (a mix: should be near), and who says so."""

    amount: float
    source: Source


TARGETS: dict[str, Target] = {
    "average_per_window": Target(1, Source.EEMUA),
    "average_per_day": Target(150, Source.ISA),
    "peak_hour": Target(15, Source.EEMUA),
    "peak_window": Target(10, Source.EEMUA),
    "flood_share": Target(0.01, Source.ISA),
    "busy_window_share": Target(0.01, Source.ISA),
    "top_share": Target(0.05, Source.ISA),
    "chattering": Target(0, Source.ISA),
    "fleeting": Target(0, Source.ISA),
    "standing_per_day": Target(5, Source.ISA),
}
"""By the name of a figure of `AlarmLoad`."""
MIX_TARGET: Mapping[int, float] = {1: 0.05, 2: 0.15, 3: 0.80}
"""EEMUA 191: the share of high (1), medium (2) and low (3 and below) priority."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One raising of an alarm."""

    key: str
    priority: int
    raised_at: datetime
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Raisings of one alarm at one priority: how many, how many of them chattering, how many fleeting."""

    key: str
    priority: int
    count: int
    chattering: int = 0
    fleeting: int = 0


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """What is counted of the raisings from `start` to `end`: by minute since `start`, by source; who stood for long."""

    start: datetime
    end: datetime
    minutes: Mapping[int, int] = field(default_factory=dict)
    sources: tuple[SourceCounts, ...] = ()
    standing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceShare:
    """One alarm among the worst: how often, and which share of all raisings (0 to 1)."""

    key: str
    count: int
    share: float
    chattering: int
    fleeting: int


@dataclass(frozen=True, slots=True)
class AlarmLoad:
    """The load of alarms from `start` to `end`.

    `windows` are the raisings of each ten minutes, oldest first; `floods` the times (start, end) of floods and
    `flood_share` the share of time within them; `busy_window_share` the share of windows with more than ten.
    `chattering` and `fleeting` count raisings, `standing` are alarms that stood for more than 24 hours.
    `mix` is the share of priorities 1, 2, and 3 with everything below; empty without any alarm.
    """

    start: datetime
    end: datetime
    count: int
    windows: tuple[int, ...]
    average_per_window: float
    average_per_day: float
    peak_window: int
    peak_hour: int
    peak_hour_at: datetime | None
    floods: tuple[tuple[datetime, datetime], ...]
    flood_share: float
    busy_window_share: float
    top: tuple[SourceShare, ...]
    top_share: float
    chattering: int
    fleeting: int
    standing: tuple[str, ...]
    standing_per_day: float
    mix: Mapping[int, float]

    def exceeds(self, figure: str) -> bool:
        """Whether a figure of `TARGETS` is beyond its target."""
        return float(getattr(self, figure)) > TARGETS[figure].amount


def alarm_load(raisings: Iterable[Raised], start: datetime, end: datetime) -> AlarmLoad:
    """The load figures of these raisings; those outside the time count only for what stood for long."""
    return summarise(count_raisings(raisings, start, end))


def count_raisings(raisings: Iterable[Raised], start: datetime, end: datetime) -> LoadCounts:
    """Count by minute and by source; a history counts the same inside its database."""
    minutes: Counter[int] = Counter()
    by_source: dict[tuple[str, int], list[int]] = {}
    last: dict[str, deque[datetime]] = {}
    standing: list[str] = []
    for raised in sorted(raisings, key=lambda r: r.raised_at):
        gone = raised.returned_at or end
        if (
            gone >= start
            and gone - raised.raised_at > STANDING_LONG
            and end - raised.raised_at > STANDING_LONG
        ):
            standing.append(raised.key)
        if not start <= raised.raised_at < end:
            continue
        minutes[(raised.raised_at - start) // timedelta(minutes=1)] += 1
        counts = by_source.setdefault((raised.key, raised.priority), [0, 0, 0])
        counts[0] += 1
        times = last.setdefault(raised.key, deque(maxlen=CHATTER_COUNT))
        times.append(raised.raised_at)
        counts[1] += len(times) == CHATTER_COUNT and times[-1] - times[0] <= CHATTER_WITHIN
        counts[2] += raised.returned_at is not None and raised.returned_at - raised.raised_at < FLEETING_BELOW
    sources = tuple(SourceCounts(key, priority, *counts) for (key, priority), counts in by_source.items())
    return LoadCounts(start, end, minutes, sources, tuple(standing))


def summarise(counts: LoadCounts) -> AlarmLoad:
    """The figures of a load report; raises Refused when the time ends before it begins."""
    start, end = counts.start, counts.end
    if end <= start:
        raise Refused("An alarm report needs a time that ends after it begins.")
    total = sum(counts.minutes.values())
    windows = _windows(counts)
    days = (end - start) / timedelta(days=1)
    peak, peak_minute = _peak(counts.minutes, _MINUTES_AN_HOUR)
    floods = _floods(windows, start, end)
    top = _top(counts.sources, total)
    return AlarmLoad(
        start=start,
        end=end,
        count=total,
        windows=windows,
        average_per_window=total / ((end - start) / WINDOW),
        average_per_day=total / days,
        peak_window=_peak(counts.minutes, _MINUTES_A_WINDOW)[0],
        peak_hour=peak,
        peak_hour_at=None if peak_minute is None else start + timedelta(minutes=peak_minute),
        floods=floods,
        flood_share=sum(((b - a) / (end - start) for a, b in floods), 0.0),
        busy_window_share=sum(count > FLOOD_ABOVE for count in windows) / len(windows),
        top=top,
        top_share=sum(source.share for source in top),
        chattering=sum(source.chattering for source in counts.sources),
        fleeting=sum(source.fleeting for source in counts.sources),
        standing=counts.standing,
        standing_per_day=len(counts.standing) / max(days, 1.0),
        mix=_mix(counts.sources, total),
    )


def _windows(counts: LoadCounts) -> tuple[int, ...]:
    """Raisings of each ten minutes from the start on; the last window may be cut short by the end."""
    windows = [0] * -(-(counts.end - counts.start) // WINDOW)
    for minute, count in counts.minutes.items():
        windows[minute // _MINUTES_A_WINDOW] += count
    return tuple(windows)


def _peak(minutes: Mapping[int, int], length: int) -> tuple[int, int | None]:
    """The most raisings within `length` minutes in a row, wherever they begin, and the minute where they begin."""
    best, where, within = 0, None, 0
    recent: deque[tuple[int, int]] = deque()
    for minute, count in sorted(minutes.items()):
        recent.append((minute, count))
        within += count
        while recent[0][0] <= minute - length:
            within -= recent.popleft()[1]
        if within > best:
            best, where = within, recent[0][0]
    return best, where


def _floods(
    windows: tuple[int, ...], start: datetime, end: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """A flood begins with a window of more than ten raisings and ends before one of fewer than five."""
    found: list[tuple[datetime, datetime]] = []
    began: datetime | None = None
    for number, count in enumerate(windows):
        at = start + number * WINDOW
        if began is None and count > FLOOD_ABOVE:
            began = at
        elif began is not None and count < FLOOD_ENDS_BELOW:
            found.append((began, at))
            began = None
    if began is not None:
        found.append((began, end))
    return tuple(found)


def _top(sources: Iterable[SourceCounts], total: int) -> tuple[SourceShare, ...]:
    """The alarms that were raised most often; of equal ones the first by name."""
    merged: dict[str, list[int]] = {}
    for source in sources:
        counts = merged.setdefault(source.key, [0, 0, 0])
        for i, more in enumerate((source.count, source.chattering, source.fleeting)):
            counts[i] += more
    ordered = sorted(merged.items(), key=lambda item: (-item[1][0], item[0]))[:TOP]
    return tuple(
        SourceShare(key, count, count / total, chattering, fleeting)
        for key, (count, chattering, fleeting) in ordered
    )


def _mix(sources: Iterable[SourceCounts], total: int) -> dict[int, float]:
    if not total:
        return {}
    found = dict.fromkeys(MIX_TARGET, 0)
    for source in sources:
        found[min(max(source.priority, 1), 3)] += source.count
    return {priority: count / total for priority, count in found.items()}


@dataclass(frozen=True, slots=True)
class Flood:
    """A flood that goes on: since when, and how many were raised in the last ten minutes."""

    since: datetime
    count: int


class FloodWatch:
    """Notices a flood as it happens: more than ten raisings in the last ten minutes, until fewer than five."""

    def __init__(self) -> None:
        self._times: deque[datetime] = deque()
        self._since: datetime | None = None

    def raised(self, at: datetime) -> None:
        """One more raising; call in the order of time."""
        self._times.append(at)
        self._look(at)

    def now(self, now: datetime) -> Flood | None:
        """The flood that goes on at this moment, or None."""
        self._look(now)
        return None if self._since is None else Flood(self._since, len(self._times))

    def lately(self, now: datetime) -> int:
        """How many were raised in the last ten minutes."""
        self._look(now)
        return len(self._times)

    def _look(self, now: datetime) -> None:
        while self._times and self._times[0] <= now - WINDOW:
            self._times.popleft()
        if self._since is None and len(self._times) > FLOOD_ABOVE:
            self._since = now
        elif self._since is not None and len(self._times) < FLOOD_ENDS_BELOW:
            self._since = None


def first_out(raised: Iterable[tuple[str, str, datetime]]) -> dict[str, str]:
    """Of alarms (id, machine, raised at) the id of the first of each machine: most often the cause of the others.

    A gap of more than ten minutes begins a new series: the first of the newest series counts.
    """
    by_machine: dict[str, list[tuple[datetime, str]]] = {}
    for alarm, machine, at in raised:
        by_machine.setdefault(machine, []).append((at, alarm))
    found: dict[str, str] = {}
    for machine, times in by_machine.items():
        times.sort()
        found[machine] = times[0][1]
        for (before, _), (at, alarm) in pairwise(times):
            if at - before > WINDOW:
                found[machine] = alarm
    return found
