"""What is read from and written to the history besides samples: alarms, their journal, chart buckets, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.samples import Sample, Value

if TYPE_CHECKING:
    from numpy import bool_, float64, int64
    from numpy.typing import NDArray


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


@dataclass(frozen=True, slots=True)
class Buckets:
    """A curve reduced to at most one bucket a pixel; arrays of equal length, oldest first, empty buckets left out.

    `t` is the time of the first sample in the bucket (µs since 1970); `min` to `last` are over good numbers and NaN
    where there are none; `count` counts all samples, `good_fraction` the share of good ones. Where `ends_good` is
    False the value was lost at the end of the bucket: no line may lead on to the next one. `before` is the newest
    sample older than the range, which tells what held at its beginning.
    """

    t: NDArray[int64]
    min: NDArray[float64]
    max: NDArray[float64]
    mean: NDArray[float64]
    first: NDArray[float64]
    last: NDArray[float64]
    count: NDArray[int64]
    good_fraction: NDArray[float64]
    ends_good: NDArray[bool_]
    before: Sample | None = None


@dataclass(frozen=True, slots=True)
class HistoryStats:
    """How much is stored, for the status page and `lineside history stats`."""

    samples: int
    tags: int
    alarms: int
    bytes: int
    oldest: datetime | None
    newest: datetime | None

    @property
    def bytes_per_sample(self) -> float:
        """File size by the number of samples; 0 when there are none."""
        return self.bytes / self.samples if self.samples else 0.0
