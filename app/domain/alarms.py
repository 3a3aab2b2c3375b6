"""Alarm logic after ISA-18.2: limits with delays and hysteresis, acknowledgement, shelving; decides, does nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from app.domain.errors import Refused
from app.domain.plant import AlarmSettings, Limits
from app.domain.samples import Quality, Sample, Value, is_good

MAX_SHELF = timedelta(hours=8)
# Qualities that say that a whole machine is gone; one alarm is enough for that, not one for each of its tags.
_WHOLE_MACHINE = {
    Quality.BAD_COMMUNICATION_ERROR,
    Quality.BAD_NO_COMMUNICATION,
    Quality.BAD_NOT_CONNECTED,
    Quality.BAD_OUT_OF_SERVICE,
}


class Phase(StrEnum):
    """States of ISA-18.2 (figure letters). E and F (latching) come with their feature."""

    NORMAL = "normal"  # A
    UNACK = "unacknowledged"  # B
    ACKED = "acknowledged"  # C
    RTN_UNACK = "returned-unacknowledged"  # D
    SHELVED = "shelved"  # G, shown instead of the phase underneath
    SUPPRESSED = "suppressed"  # H
    OUT_OF_SERVICE = "out-of-service"  # I


class Urgency(IntEnum):
    """How bad a condition is."""

    NONE = 0
    WARNING = 1
    CRITICAL = 2


class Kind(StrEnum):
    """What raises the alarm: the value of a tag, or the absence of good values."""

    VALUE = "value"
    COMMUNICATION = "communication"


class Limit(StrEnum):
    """Which condition is meant."""

    HIHI = "hihi"
    HI = "hi"
    LO = "lo"
    LOLO = "lolo"
    COMM = "comm"


_URGENCY = {
    Limit.HIHI: Urgency.CRITICAL,
    Limit.LOLO: Urgency.CRITICAL,
    Limit.HI: Urgency.WARNING,
    Limit.LO: Urgency.WARNING,
    Limit.COMM: Urgency.WARNING,
}


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One alarm of one tag. `key` is unique in the plant; delays are seconds; hysteresis in the tag's unit.

    Of the communication alarms of a machine only one speaks for the whole machine; the others rise when their own
    tag is bad while the machine is there.
    """

    key: str
    tag: str
    kind: Kind
    limits: tuple[tuple[Limit, float], ...] = ()
    priority: int = 3
    on_delay: float = 0.0
    off_delay: float = 0.0
    hysteresis: float = 0.0
    speaks_for_machine: bool = True


def rules_for(
    tag: str, limits: Limits, settings: AlarmSettings, *, speaks_for_machine: bool = True
) -> tuple[AlarmRule, ...]:
    """The value alarm of a tag, if it has limits, and its communication alarm."""
    found = tuple((limit, v) for limit in Limit if (v := getattr(limits, limit.value, None)) is not None)
    comm = AlarmRule(
        key=f"{tag}!comm",
        tag=tag,
        kind=Kind.COMMUNICATION,
        limits=((Limit.COMM, 0.0),),
        priority=settings.priority,
        on_delay=settings.comm_delay,
        speaks_for_machine=speaks_for_machine,
    )
    if not found:
        return (comm,)
    value = AlarmRule(
        key=tag,
        tag=tag,
        kind=Kind.VALUE,
        limits=found,
        priority=settings.priority,
        on_delay=settings.on_delay,
        off_delay=settings.off_delay,
        hysteresis=settings.hysteresis,
    )
    return value, comm


@dataclass(frozen=True, slots=True)
class Condition:
    """One limit: whether it counts as exceeded, and since when the opposite has been observed."""

    active: bool = False
    turning_since: datetime | None = None


_CALM = Condition()


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Everything that must survive a restart. `phase` is the phase underneath a shelf; `shown` is what people see.

    `occurrence` counts the times that the alarm was raised; `urgency` is the highest seen until acknowledgement;
    `unknown` says that the value is bad and the state therefore frozen.
    """

    phase: Phase = Phase.NORMAL
    urgency: Urgency = Urgency.NONE
    occurrence: int = 0
    limit: Limit | None = None
    value: Value = None
    raised_at: datetime | None = None
    unknown: bool = False
    shelved_until: datetime | None = None
    shelf_reason: str = ""
    unacked_before_shelf: bool = False
    conditions: dict[Limit, Condition] = field(default_factory=dict)

    @property
    def shown(self) -> Phase:
        """The phase that people see."""
        return Phase.SHELVED if self.shelved_until is not None else self.phase

    @property
    def active(self) -> bool:
        """Whether the condition is there now, seen or not."""
        return self.phase in (Phase.UNACK, Phase.ACKED)

    @property
    def unacked(self) -> bool:
        """Whether somebody still has to acknowledge."""
        return self.phase in (Phase.UNACK, Phase.RTN_UNACK)


class Event(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    ESCALATED = "escalated"
    RETURNED = "returned"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"


@dataclass(frozen=True, slots=True)
class AlarmTransition:
    """One line of the alarm journal; `occurrence` tells which raising of the alarm it belongs to."""

    key: str
    event: Event
    at: datetime
    occurrence: int
    phase: Phase
    urgency: Urgency
    limit: Limit | None
    value: Value
    actor: str = ""
    reason: str = ""


Step = tuple[AlarmState, tuple[AlarmTransition, ...]]


def step(rule: AlarmRule, state: AlarmState, sample: Sample | None, now: datetime) -> Step:
    """Evaluate a sample, or with None only the passing of time; returns the next state and what happened."""
    if sample is None:
        state, freed = _shelf_time(rule, state, now)
        state, happened = _settle(rule, _advance(rule, state, {}, now), now)
        return state, freed + happened
    if rule.kind is Kind.COMMUNICATION:
        other_speaks = not rule.speaks_for_machine and sample.quality in _WHOLE_MACHINE
        raw = {Limit.COMM: not is_good(sample.quality) and not other_speaks}
        return _settle(rule, _advance(rule, state, raw, now), now)
    number = _number(sample)
    if number is None:
        return (state if state.unknown else _freeze(state)), ()
    if state.unknown:
        state = replace(state, unknown=False)
    raw = _exceeded(rule, state, number)
    if _at_rest(state) and not any(raw.values()):
        return state, ()  # nearly every sample: the value is worth remembering only once a limit is reached
    if state.value != sample.value:
        state = replace(state, value=sample.value)
    return _settle(rule, _advance(rule, state, raw, now), now)


def _at_rest(state: AlarmState) -> bool:
    """Nobody waits for this alarm and nothing is about to turn."""
    return state.phase is Phase.NORMAL and not any(
        c.active or c.turning_since is not None for c in state.conditions.values()
    )


def _number(sample: Sample) -> float | None:
    """The value as a number, or None when nothing can be said about it."""
    value = sample.value
    if not sample.good or isinstance(value, str) or value is None or value != value:
        return None
    return float(value)


def _freeze(state: AlarmState) -> AlarmState:
    """Bad value: nothing that was about to turn may turn on the strength of no data."""
    conditions = {limit: Condition(c.active) for limit, c in state.conditions.items()}
    return replace(state, unknown=True, conditions=conditions)


def _exceeded(rule: AlarmRule, state: AlarmState, x: float) -> dict[Limit, bool]:
    """Each limit by itself: trips at the limit, returns only beyond the hysteresis."""
    raw: dict[Limit, bool] = {}
    for limit, at in rule.limits:
        held = limit in state.conditions and state.conditions[limit].active
        if limit in (Limit.HI, Limit.HIHI):
            raw[limit] = x >= at or (held and x >= at - rule.hysteresis)
        else:
            raw[limit] = x <= at or (held and x <= at + rule.hysteresis)
    return raw


def _advance(rule: AlarmRule, state: AlarmState, raw: dict[Limit, bool], now: datetime) -> AlarmState:
    """Apply the delays: a condition turns when the opposite was observed without a break for long enough.

    Without a fresh observation (`raw` empty) a turning condition keeps turning, unless the value is unknown.
    """
    changed: dict[Limit, Condition] = {}
    for limit, _ in rule.limits:
        old = state.conditions.get(limit, _CALM)
        if limit in raw and raw[limit] == old.active:
            if old.turning_since is None:
                continue
            new = Condition(old.active)
        elif limit in raw or old.turning_since is not None:
            since = old.turning_since or now
            delay = timedelta(seconds=rule.off_delay if old.active else rule.on_delay)
            new = Condition(not old.active) if now - since >= delay else Condition(old.active, since)
        else:
            continue
        if new != old:
            changed[limit] = new
    return replace(state, conditions=state.conditions | changed) if changed else state


def _worst(rule: AlarmRule, state: AlarmState) -> Limit | None:
    """The most urgent limit that counts as exceeded."""
    worst: Limit | None = None
    for limit, _ in rule.limits:
        if state.conditions.get(limit, _CALM).active and (worst is None or _URGENCY[limit] > _URGENCY[worst]):
            worst = limit
    return worst


def _settle(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    """Move between the phases according to the conditions."""
    worst = _worst(rule, state)
    if worst is None:
        if state.phase is Phase.UNACK:
            return _went(rule, replace(state, phase=Phase.RTN_UNACK), Event.RETURNED, now)
        if state.phase is Phase.ACKED:
            calm = replace(state, phase=Phase.NORMAL, urgency=Urgency.NONE)
            return _went(rule, calm, Event.CLEARED, now)
        return state, ()
    urgency = _URGENCY[worst]
    if not state.active:
        highest = max(urgency, state.urgency) if state.phase is Phase.RTN_UNACK else urgency
        raised = replace(
            state,
            phase=Phase.UNACK,
            urgency=highest,
            limit=worst,
            occurrence=state.occurrence + 1,
            raised_at=now,
        )
        return _went(rule, raised, Event.RAISED, now)
    if urgency > state.urgency:
        worse = replace(state, phase=Phase.UNACK, urgency=urgency, limit=worst)
        return _went(rule, worse, Event.ESCALATED, now)
    if state.phase is Phase.ACKED and (urgency < state.urgency or worst is not state.limit):
        return replace(state, urgency=urgency, limit=worst), ()
    return state, ()


def _went(
    rule: AlarmRule, state: AlarmState, event: Event, now: datetime, actor: str = "", reason: str = ""
) -> Step:
    transition = AlarmTransition(
        rule.key,
        event,
        now,
        state.occurrence,
        state.shown,
        state.urgency,
        state.limit,
        state.value,
        actor,
        reason,
    )
    return state, (transition,)


def acknowledge(rule: AlarmRule, state: AlarmState, actor: str, now: datetime) -> Step:
    """Somebody has seen it; allowed at any time while it is unacknowledged, refused otherwise."""
    if not state.unacked:
        raise Refused("This alarm is already acknowledged.")
    worst = _worst(rule, state)
    phase = Phase.ACKED if state.phase is Phase.UNACK else Phase.NORMAL
    urgency = _URGENCY[worst] if worst is not None and phase is Phase.ACKED else Urgency.NONE
    seen = replace(
        state, phase=phase, urgency=urgency, limit=worst or state.limit, unacked_before_shelf=False
    )
    return _went(rule, seen, Event.ACKNOWLEDGED, now, actor)


def shelve(
    rule: AlarmRule, state: AlarmState, until: datetime, reason: str, actor: str, now: datetime
) -> Step:
    """Hide the alarm until a time, with a reason; it keeps being evaluated underneath."""
    if state.shelved_until is not None:
        raise Refused("This alarm is already shelved.")
    if not reason.strip():
        raise Refused("Say why the alarm is shelved.", field="reason")
    if not now < until <= now + MAX_SHELF:
        raise Refused("An alarm can be shelved for up to 8 hours.", field="until")
    shelved = replace(
        state, shelved_until=until, shelf_reason=reason.strip(), unacked_before_shelf=state.unacked
    )
    return _went(rule, shelved, Event.SHELVED, now, actor, reason.strip())


def unshelve(rule: AlarmRule, state: AlarmState, actor: str, now: datetime) -> Step:
    """Bring the alarm back before its time; an active one rings again."""
    if state.shelved_until is None:
        raise Refused("This alarm is not shelved.")
    return _leave_shelf(rule, state, actor, now)


def _shelf_time(rule: AlarmRule, state: AlarmState, now: datetime) -> Step:
    if state.shelved_until is None or now < state.shelved_until:
        return state, ()
    return _leave_shelf(rule, state, "", now)


def _leave_shelf(rule: AlarmRule, state: AlarmState, actor: str, now: datetime) -> Step:
    """Active → unacknowledged; clear → normal, or returned-unacknowledged if it was unacknowledged before."""
    if state.active:
        phase = Phase.UNACK
    else:
        phase = Phase.RTN_UNACK if state.unacked_before_shelf else Phase.NORMAL
    urgency = Urgency.NONE if phase is Phase.NORMAL else max(state.urgency, Urgency.WARNING)
    back = replace(
        state, phase=phase, urgency=urgency, shelved_until=None, shelf_reason="", unacked_before_shelf=False
    )
    return _went(rule, back, Event.UNSHELVED, now, actor)
