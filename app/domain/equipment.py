"""State and health of a machine, derived from the latest values, qualities and alarms of its tags, with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.alarms import Phase, Urgency
from app.domain.plant import Limits
from app.domain.samples import Quality, Value, describe_quality, is_bad, is_good, is_left_over
from app.domain.trend import Forecast

SOON, FAR = timedelta(days=1), timedelta(days=7)  # a forecast limit that costs ten points, and five
STALE_AFTER = timedelta(minutes=15)  # longer than the slowest heartbeat of a value that stands still
_NO_LIMITS = Limits()
_NEAR = 0.1  # share of the way from one limit to its opposite, or of the limit itself, that counts as close


class EquipmentState(StrEnum):
    """How a machine is shown; unknown and offline count as nothing, never as healthy."""

    OPERATIONAL = "operational"
    WARNING = "warning"
    CRITICAL = "critical"
    MAINTENANCE = "maintenance"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TagView:
    """What is known about one tag now; `quality` is None as long as nothing was ever received.

    `vouched` says that somebody who reads the machine is heard, so that a change would be told.
    """

    tag: str
    label: str = ""
    unit: str = ""
    value: Value = None
    quality: int | None = None
    source_time: datetime | None = None
    limits: Limits = _NO_LIMITS
    phase: Phase = Phase.NORMAL
    urgency: Urgency = Urgency.NONE
    forecast: Forecast | None = None
    vouched: bool = True

    @property
    def holds(self) -> bool:
        """Whether this is how it is now, good or bad, and not only what was said last."""
        if self.quality is None or self.quality == Quality.BAD_WAITING_FOR_INITIAL_DATA:
            return False
        return self.vouched and not is_left_over(self.quality)

    @property
    def name(self) -> str:
        """Words for a sentence: the label, or the last part of the tag's name."""
        return self.label or self.tag.rsplit("/", 1)[-1].replace("_", " ")


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a machine is not at 100: points lost, a plain sentence, the tag to look at."""

    points: int
    sentence: str
    tag: str


@dataclass(frozen=True, slots=True)
class Health:
    """0 to 100 with the reason for every point lost; `score` is None when there is no data to judge by."""

    score: int | None
    losses: tuple[Loss, ...] = ()

    @property
    def sentence(self) -> str:
        """The most important thing to say."""
        if self.score is None:
            return "Nothing is known about this machine: no values arrive."
        return self.losses[0].sentence if self.losses else "All values are within their limits."


def equipment_state(views: Sequence[TagView], *, in_maintenance: bool = False) -> EquipmentState:
    """The state of a machine; people's word (maintenance) comes first, then missing data, then alarms.

    Values that nobody vouches for any more, or that are too old by their own word, never make it look healthy.
    """
    if in_maintenance:
        return EquipmentState.MAINTENANCE
    heard = [v for v in views if v.holds]
    if not heard:
        return EquipmentState.UNKNOWN
    if all(is_bad(v.quality or 0) for v in heard):
        return EquipmentState.OFFLINE
    worst = max((v.urgency for v in heard if v.phase in (Phase.UNACK, Phase.ACKED)), default=Urgency.NONE)
    if worst is Urgency.CRITICAL:
        return EquipmentState.CRITICAL
    missing = any(is_bad(v.quality or 0) for v in heard) or any(_is_lost(v) for v in views)
    if worst is Urgency.WARNING or missing:
        return EquipmentState.WARNING
    return EquipmentState.OPERATIONAL


def _is_lost(view: TagView) -> bool:
    """Whether a value was there of which nobody tells any more."""
    return view.quality is not None and not view.vouched


def health(views: Iterable[TagView], now: datetime) -> Health:
    """100 minus what each tag costs; unknown, never zero and never 100, when no tag has a usable value."""
    views = list(views)
    if not any(v.holds and not is_bad(v.quality or 0) for v in views):
        return Health(None, tuple(loss for v in views if v.quality is not None for loss in _losses(v, now)))
    losses = sorted((loss for v in views for loss in _losses(v, now)), key=lambda x: -x.points)
    return Health(max(0, 100 - sum(x.points for x in losses)), tuple(losses))


def _losses(view: TagView, now: datetime) -> list[Loss]:
    """At most one loss for the data of a tag and one for its value."""
    if view.quality is None:
        return [Loss(10, f"{_capital(view.name)}: no value has arrived yet.", view.tag)]
    if not view.vouched:
        return [Loss(15, f"{_capital(view.name)}: no data now, this is its last value.", view.tag)]
    if is_bad(view.quality):
        return [Loss(15, f"{_capital(view.name)}: {describe_quality(view.quality)}.", view.tag)]
    found: list[Loss] = []
    if not is_good(view.quality):
        found.append(
            Loss(8, f"{_capital(view.name)} is uncertain: {describe_quality(view.quality)}.", view.tag)
        )
    elif view.source_time is not None and now - view.source_time > STALE_AFTER:
        minutes = int((now - view.source_time).total_seconds() // 60)
        found.append(
            Loss(10, f"{_capital(view.name)} has not changed or been heard for {minutes} minutes.", view.tag)
        )
    return found + _value_loss(view)


def _value_loss(view: TagView) -> list[Loss]:
    limits, value = view.limits, view.value
    if isinstance(value, (bool, str)) or value is None:
        return []
    shown = f"{_capital(view.name)} {value:.4g} {view.unit}".rstrip()
    for limit, side, points, word in (
        (limits.hihi, 1, 40, "critical"),
        (limits.lolo, -1, 40, "critical"),
        (limits.hi, 1, 20, "warning"),
        (limits.lo, -1, 20, "warning"),
    ):
        if limit is not None and (value - limit) * side >= 0:
            where = "above" if side > 0 else "below"
            return [Loss(points, f"{shown} is {where} its {word} limit {limit:g}.", view.tag)]
    if view.phase in (Phase.UNACK, Phase.ACKED):
        points = 40 if view.urgency is Urgency.CRITICAL else 20
        return [Loss(points, f"{shown}: its alarm is still active.", view.tag)]
    if view.phase is Phase.RTN_UNACK:
        return [Loss(5, f"{shown} is back in range; its alarm is not acknowledged yet.", view.tag)]
    for limit, side in ((limits.hi, 1), (limits.lo, -1)):
        if limit is not None and (limit - value) * side <= _margin(limits, limit):
            return [Loss(5, f"{shown} is close to its warning limit {limit:g}.", view.tag)]
    return _forecast_loss(view, shown)


def _forecast_loss(view: TagView, shown: str) -> list[Loss]:
    """What lies ahead costs less than what is there, and only when it is near."""
    seen = view.forecast
    if seen is None or seen.expected > FAR.total_seconds():
        return []
    points = 10 if seen.expected <= SOON.total_seconds() else 5
    until = f"within {_span(seen.expected)} ({_interval(seen)})"
    word = "critical" if seen.limit in ("hihi", "lolo") else "warning"
    return [Loss(points, f"{shown} reaches its {word} limit {seen.at:g} {until}.", view.tag)]


def _interval(seen: Forecast) -> str:
    """The 95 % interval of a forecast, in words."""
    soonest, latest = _span(seen.soonest), "never" if seen.latest is None else _span(seen.latest)
    return "95 % sure" if soonest == latest else f"95 % sure: {soonest} to {latest}"


def _span(seconds: float) -> str:
    """A length of time in its largest unit: 40 min, 7 h, 3 days."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size or unit == "min":
            return f"{max(1, round(seconds / size))} {unit}"
    raise AssertionError("minutes take every length")


def _margin(limits: Limits, limit: float) -> float:
    """How near is close: a tenth of the band between the warning limits, or 2.5 % of a single limit."""
    if limits.hi is not None and limits.lo is not None:
        return (limits.hi - limits.lo) * _NEAR
    return abs(limit) * _NEAR / 4


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
