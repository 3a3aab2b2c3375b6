"""What a screen shows of a machine now: state, health with reasons, signals with age and quality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.alarms import Phase, Urgency
from app.domain.equipment import EquipmentState, Health, TagView
from app.domain.plant import Equipment, Tag
from app.domain.samples import Quality, Sample, describe_quality, is_good
from app.domain.trend import Forecast
from app.store.history import AlarmRecord


@dataclass(frozen=True, slots=True)
class SignalNow:
    """One signal: its newest sample, how old the knowledge is (s), whether it can still be trusted, and why not.

    `station` is who reads it, empty when this station does.
    """

    tag: Tag
    sample: Sample | None
    age: float | None
    stale: bool
    reason: str = ""
    station: str = ""

    @property
    def words(self) -> str:
        """Name, what to think of the value, and which station read it."""
        by = f" · by station {self.station}" if self.station else ""
        return f"{self.tag.name} · {self.reason or 'good'}{by}"

    @property
    def usable(self) -> Sample | None:
        """The newest sample that carries a value."""
        return self.sample if self.sample is not None and self.sample.value is not None else None


@dataclass(frozen=True, slots=True)
class MachineNow:
    """One machine; `since` is when the state was entered, `since_start` says that it may have been earlier.

    `known_until` is when anything was last known of it, `silent` why nothing is known now.
    """

    equipment: Equipment
    state: EquipmentState
    since: datetime
    since_start: bool
    health: Health
    signals: tuple[SignalNow, ...]
    silent: str = ""
    known_until: datetime | None = None

    @property
    def heard(self) -> bool:
        """Whether the machine is heard at all."""
        return self.state not in (EquipmentState.OFFLINE, EquipmentState.UNKNOWN)

    @property
    def age(self) -> float | None:
        """Age of the youngest knowledge, in seconds."""
        return min((s.age for s in self.signals if s.age is not None), default=None)


def tag_view(
    tag: Tag,
    sample: Sample | None,
    quality: int | None,
    confirmed: datetime | None,
    alarm: AlarmRecord | None,
    ahead: Forecast | None = None,
    *,
    vouched: bool = True,
) -> TagView:
    """What health and state are judged by. `confirmed`: when the value was last known to hold."""
    return TagView(
        tag=tag.name,
        unit=tag.unit,
        value=None if sample is None else sample.value,
        quality=quality,
        source_time=confirmed,
        limits=tag.limits,
        phase=Phase.NORMAL if alarm is None else alarm.phase,
        urgency=Urgency.NONE if alarm is None else alarm.urgency,
        forecast=ahead,
        vouched=vouched,
    )


def why_stale(sample: Sample | None, link: str, collector: str) -> str:
    """Why a value cannot be trusted, from the outside in; empty when it can."""
    if collector:
        return collector
    if sample is None or sample.quality == Quality.BAD_WAITING_FOR_INITIAL_DATA:
        return link or "no value has arrived yet"
    return link or ("" if is_good(sample.quality) else describe_quality(sample.quality))
