"""What the history keeps about alarms: each raising, what happened to it, and where every alarm stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.samples import Value


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """One raising of an alarm, from its beginning to its acknowledgement; `phase` is what people see now."""

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


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One thing that happened to an alarm; `alarm` is the id of the record it belongs to."""

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


@dataclass(frozen=True, slots=True)
class AlarmBatch:
    """What one commit says about alarms; `states` maps an alarm's key to its packed state and current record."""

    records: Sequence[AlarmRecord] = ()
    journal: Sequence[JournalLine] = ()
    states: Mapping[str, tuple[bytes, str | None]] = field(default_factory=dict)
    actions_until: int | None = None

    def __bool__(self) -> bool:
        return bool(self.records or self.journal or self.states or self.actions_until is not None)
