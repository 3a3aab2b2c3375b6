"""What an alarm can be: its states after ISA-18.2, its kinds and limits, and everything that happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from app.domain.samples import Value


class Phase(StrEnum):
    """The nine states of ISA-18.2, with the letters of its figure."""

    NORMAL = "normal"  # A
    UNACK = "unacknowledged"  # B
    ACKED = "acknowledged"  # C
    RTN_UNACK = "returned-unacknowledged"  # D
    LATCHED_UNACK = "latched-unacknowledged"  # E: gone, wants an acknowledgement and then a reset
    LATCHED_ACKED = "latched-acknowledged"  # F: gone and seen, wants a reset
    SHELVED = "shelved"  # G, shown instead of the phase underneath, as are H and I
    SUPPRESSED = "suppressed"  # H
    OUT_OF_SERVICE = "out-of-service"  # I

    @property
    def active(self) -> bool:
        """Whether the condition is there now and nobody hides it."""
        return self in _ACTIVE

    @property
    def unacked(self) -> bool:
        """Whether somebody still has to acknowledge."""
        return self in _UNACKED

    @property
    def latched(self) -> bool:
        """Whether the condition is gone and a person has to reset the alarm."""
        return self in (Phase.LATCHED_UNACK, Phase.LATCHED_ACKED)

    @property
    def aside(self) -> bool:
        """Whether the alarm is hidden on purpose: shelved, suppressed or out of service."""
        return self in (Phase.SHELVED, Phase.SUPPRESSED, Phase.OUT_OF_SERVICE)


_ACTIVE = frozenset({Phase.UNACK, Phase.ACKED})
_UNACKED = frozenset({Phase.UNACK, Phase.RTN_UNACK, Phase.LATCHED_UNACK})


class Urgency(IntEnum):
    """How bad a condition is."""

    NONE = 0
    WARNING = 1
    CRITICAL = 2


class Kind(StrEnum):
    """What raises the alarm."""

    VALUE = "value"  # beyond a limit
    DEVIATION = "deviation"  # too far from a number or from another tag's value
    RATE = "rate"  # rises or falls too fast
    DIGITAL = "digital"  # is in a state that it should not be in
    STALE = "stale"  # stands still for too long
    COMMUNICATION = "communication"  # no good values arrive
    SYSTEM = "system"  # Lineside itself has something to say


class Limit(StrEnum):
    """Which condition is meant."""

    HIHI = "hihi"
    HI = "hi"
    LO = "lo"
    LOLO = "lolo"
    DEVIATION = "deviation"
    DEVIATION_CRITICAL = "deviation-critical"
    RATE = "rate"
    RATE_CRITICAL = "rate-critical"
    STATE = "state"
    STATE_CRITICAL = "state-critical"
    STALE = "stale"
    COMM = "comm"
    SYSTEM = "system"
    SYSTEM_CRITICAL = "system-critical"

    @property
    def urgency(self) -> Urgency:
        """How bad it is when this condition holds."""
        return Urgency.CRITICAL if self in _CRITICAL else Urgency.WARNING


_CRITICAL = frozenset(
    {
        Limit.HIHI,
        Limit.LOLO,
        Limit.DEVIATION_CRITICAL,
        Limit.RATE_CRITICAL,
        Limit.STATE_CRITICAL,
        Limit.SYSTEM_CRITICAL,
    }
)


class Event(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    ESCALATED = "escalated"
    RANG_AGAIN = "rang-again"  # acknowledged, still active, and the re-alarm time is over
    RETURNED = "returned"  # the condition is gone, somebody still has to acknowledge or reset
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    TAKEN_OUT = "taken-out-of-service"
    PUT_BACK = "back-in-service"


@dataclass(frozen=True, slots=True)
class Condition:
    """One limit: whether it counts as exceeded, since when the opposite has been observed, when excesses began."""

    active: bool = False
    turning_since: datetime | None = None
    excesses: tuple[datetime, ...] = ()

    @property
    def calm(self) -> bool:
        """Whether there is nothing to remember."""
        return not self.active and self.turning_since is None and not self.excesses


CALM = Condition()


@dataclass(frozen=True, slots=True)
class Aside:
    """What people did to be left alone by an alarm: `phase` is SHELVED or OUT_OF_SERVICE.

    A shelf ends at `until`, a one-shot shelf also when the alarm returns to normal; out of service ends only by hand.
    """

    phase: Phase
    since: datetime | None = None
    by: str = ""
    reason: str = ""
    until: datetime | None = None
    one_shot: bool = False
    permit: str = ""


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Everything that must survive a restart. `phase` is the phase underneath; `shown` is what people see.

    `occurrence` counts the times that the alarm was raised, `unseen` those since the last acknowledgement, the first
    of them at `unseen_since`. `urgency` is the highest seen until acknowledgement. `rang_at` is when it last called
    for somebody. `unknown` says that the value is not good and the state therefore frozen. `owed` is the phase that
    the alarm had when it was put aside, for what came before must not be lost there. `seen` and `against` are the
    last values of the tag and of the tag that it is compared with; `moved_at` is when the value last changed;
    `trail` holds points (source time in seconds since 1970, value) for the rate of change, the newest heard at
    `heard_at`.
    """

    phase: Phase = Phase.NORMAL
    urgency: Urgency = Urgency.NONE
    occurrence: int = 0
    limit: Limit | None = None
    value: Value = None
    raised_at: datetime | None = None
    unknown: bool = False
    conditions: dict[Limit, Condition] = field(default_factory=dict)
    unseen: int = 0
    unseen_since: datetime | None = None
    rang_at: datetime | None = None
    acked_at: datetime | None = None
    aside: Aside | None = None
    suppressed: bool = False
    owed: Phase = Phase.NORMAL
    seen: Value = None
    against: float | None = None
    moved_at: datetime | None = None
    heard_at: datetime | None = None
    trail: tuple[tuple[float, float], ...] = ()

    @property
    def shown(self) -> Phase:
        """The phase that people see."""
        if self.aside is not None:
            return self.aside.phase
        return Phase.SUPPRESSED if self.suppressed else self.phase

    @property
    def listed(self) -> Phase:
        """As `shown`, but an alarm that is merely suppressed by logic while nothing is wrong concerns nobody."""
        return Phase.NORMAL if self.aside is None and self.phase is Phase.NORMAL else self.shown

    @property
    def covered(self) -> bool:
        """Whether the alarm is hidden on purpose; it keeps being evaluated underneath."""
        return self.aside is not None or self.suppressed

    @property
    def active(self) -> bool:
        """Whether the condition is there now, seen or not."""
        return self.phase in _ACTIVE

    @property
    def unacked(self) -> bool:
        """Whether somebody still has to acknowledge."""
        return self.phase in _UNACKED


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
