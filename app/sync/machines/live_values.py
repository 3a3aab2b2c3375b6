"""Newest values on their way between stations: what is told is coalesced, what is heard is never believed for long."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from app.domain.samples import Quality, Sample, Value, is_bad
from app.store.history.schema import micros
from app.sync.machines.hearsay import NonsenseError, links_told, time_told, value_told

if TYPE_CHECKING:
    from psycopg import Connection

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 5000
HEARD_SECONDS = 6.0  # a station that says nothing for so long is not believed any more


@dataclass(frozen=True, slots=True)
class Told:
    """What one telling says: values with the connection each came over, and the links if they changed."""

    values: Sequence[tuple[UUID, Sample]] = ()
    links: str | None = None


class Outgoing:
    """The newest sample of each tag that others do not know yet."""

    def __init__(self) -> None:
        self._samples: dict[str, tuple[UUID, Sample]] = {}

    def add(self, connection: UUID, sample: Sample) -> None:
        """A newer value takes the place of one that still waits."""
        self._samples[sample.tag] = (connection, sample)

    def __len__(self) -> int:
        return len(self._samples)

    def take(self) -> list[tuple[UUID, Sample]]:
        """The next values to tell, oldest first."""
        some = list(self._samples)[:MOST_AT_ONCE]
        return [self._samples.pop(tag) for tag in some]

    def give_back(self, values: Iterable[tuple[UUID, Sample]]) -> None:
        """Values that were not told; a newer one that came meanwhile stays."""
        self._samples = {sample.tag: (connection, sample) for connection, sample in values} | self._samples


def put(connection: Connection[Any], told: Told, run: UUID | None = None) -> bool:
    """Tell the server; True when it remembers nothing of this station and wants everything."""
    columns: list[list[Any]] = [[] for _ in range(7)]
    for id, sample in told.values:
        number, text = _stored(sample.value)
        fields = (sample.tag, id, micros(sample.source_time), micros(sample.receive_time), number, text)
        for column, value in zip(columns, (*fields, sample.quality), strict=True):
            column.append(value)
    row = connection.execute(
        "SELECT sync.put_live(%s::text[], %s::uuid[], %s::bigint[], %s::bigint[], %s::float8[], %s::text[],"
        " %s::bigint[], %s::jsonb, %s)",
        (*columns, told.links, run),
    ).fetchone()
    return bool(row and row[0])


def _stored(value: Value) -> tuple[float | None, str | None]:
    """A real as it is, anything else as JSON; the picture of the character zero stands for it."""
    if isinstance(value, float):
        return value, None
    return None, None if value is None else json.dumps(value).replace("\\u0000", "␀")


@dataclass(frozen=True, slots=True)
class Speaker:
    """A station as it was last heard: seconds since it told anything, and how its links do."""

    rev: int
    age: float
    links_rev: int
    links: tuple[dict[str, Any], ...] = ()


@dataclass
class Heard:
    """What other stations say, as far as it was heard; `cursors` is how far for each."""

    speakers: dict[str, Speaker] = field(default_factory=dict)
    samples: dict[str, tuple[str, Sample]] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)

    def take(
        self, speakers: Mapping[str, Speaker], values: Iterable[tuple[str, int, Sample]]
    ) -> list[Sample]:
        """Bring in what was read; returns the samples that are new."""
        self.speakers = dict(speakers)
        for station, speaker in speakers.items():
            self.cursors[station] = max(self.cursors.get(station, 0), speaker.rev)
        news: list[Sample] = []
        for station, rev, sample in values:
            self.cursors[station] = max(self.cursors.get(station, 0), rev)
            known = self.samples.get(sample.tag)
            if known != (station, sample):
                self.samples[sample.tag] = (station, sample)
                news.append(sample)
        return news


def read(
    connection: Connection[Any], station: str, cursors: Mapping[str, int]
) -> tuple[dict[str, Speaker], list[tuple[str, int, Sample]]]:
    """All stations but this one as they are now, and the values since `cursors`."""
    heads = connection.execute(
        "SELECT station, rev, extract(epoch FROM clock_timestamp() - seen_at)::float8, links_rev, links::text"
        " FROM sync.live_station WHERE station <> %s",
        (station,),
    ).fetchall()
    speakers = {
        name: Speaker(rev, age, links_rev, links_told(name, text))
        for name, rev, age, links_rev, text in heads
    }
    moved = [name for name, speaker in speakers.items() if speaker.rev > cursors.get(name, 0)]
    if not moved:
        return speakers, []
    rows = connection.execute(
        "SELECT l.station, l.rev, l.name, l.t, l.r, l.v, l.s, l.q FROM sync.live l"
        " JOIN unnest(%s::text[], %s::bigint[]) AS c(station, rev) ON l.station = c.station AND l.rev > c.rev",
        (moved, [cursors.get(name, 0) for name in moved]),
    )
    values, nonsense = [], set()
    for name, rev, tag, t, r, v, s, q in rows:
        try:
            values.append((name, rev, Sample(tag, time_told(t), time_told(r), value_told(v, s), q)))
        except NonsenseError:
            nonsense.add(name)
    if nonsense:
        log.warning("values of other stations not understood", stations=sorted(nonsense))
    return speakers, values


def doubted(sample: Sample) -> Sample:
    """The sample as the last that was heard of a station that has fallen silent: shown, but never as good."""
    if is_bad(sample.quality):
        return sample
    if isinstance(sample.value, float) and math.isnan(sample.value):
        return replace(sample, value=None, quality=Quality.BAD_NO_COMMUNICATION)
    return replace(sample, quality=Quality.UNCERTAIN_NO_COMMUNICATION_LAST_USABLE)
