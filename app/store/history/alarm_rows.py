"""What the history keeps about alarms: each raising, what happened to it, and where every alarm stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.samples import Value


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """One raising of an alarm, from its beginning to its acknowledgement; `phase` is what people see now.

    An `occurrence` of 0 stands for an alarm that was put aside while nothing was wrong. `unseen` counts the raisings
    that wait for the same acknowledgement, this one included, the first of them at `unseen_since`. While the alarm is
    shelved, suppressed or out of service, `aside_reason` says why, for people's acts also who, since when, until
    when, and with which work permit. The value of a system alarm is its sentence.
    """

    id: str
    key: str
    tag: str
    kind: Kind
    occurrence: int
    priority: int
    urgency: Urgency
    limit: Limit | None
    value: Value
    phase: Phase
    raised_at: datetime
    returned_at: datetime | None = None
    acked_at: datetime | None = None
    acked_by: str = ""
    shelved_until: datetime | None = None
    comment: str = ""
    unseen: int = 0
    unseen_since: datetime | None = None
    one_shot: bool = False
    aside_since: datetime | None = None
    aside_by: str = ""
    aside_reason: str = ""
    permit: str = ""


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One thing that happened to an alarm; `alarm` is the id of the record it belongs to.

    `n` is the number of the line, growing with time, and `priority` that of the alarm: both only of a line that was
    read.
    """

    at: datetime
    key: str
    alarm: str | None
    event: str
    phase: Phase
    urgency: Urgency
    limit: Limit | None
    value: Value
    actor: str = ""
    reason: str = ""
    n: int = field(default=0, compare=False)
    priority: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """Earlier raisings of an alarm, those of an occurrence `below`, are over, acknowledged `at` by somebody.

    `at` is None when they came and went while the alarm was hidden on purpose.
    """

    key: str
    below: int
    at: datetime | None = None
    by: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class AlarmBatch:
    """What one commit says about alarms; `states` maps an alarm's key to its packed state and current record.

    `acts` are the ids of what people did that is dealt with.
    """

    records: Sequence[AlarmRecord] = ()
    journal: Sequence[JournalLine] = ()
    states: Mapping[str, tuple[bytes, str | None]] = field(default_factory=dict)
    acts: Sequence[str] = ()
    settled: Sequence[Settled] = ()

    def __bool__(self) -> bool:
        return bool(self.records or self.journal or self.states or self.settled or self.acts)
