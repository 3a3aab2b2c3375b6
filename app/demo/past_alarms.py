"""Alarms of the two weeks before the demo begins: those that its curves show, and a thinner past before them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from app.domain.alarms import AlarmState, Event, Kind, Limit, Phase, pack
from app.domain.identity import uuid7
from app.domain.plant import Limits, Plant, Tag
from app.domain.samples import Sample
from app.store.history import AlarmBatch, AlarmRecord, JournalLine

_DAYS = 13
_A_DAY = 46
_BITS = 74
_COMMENTS = ("", "", "", "Filter blown out", "Watched it, came down by itself", "Maintenance is told")
# How often each signal made trouble in the days of which no curves are kept.
_TROUBLE = {
    "IMM-1/temperature": 8, "CNC-2/vibration": 9, "CONV-1/speed": 7, "IMM-1/pressure": 2, "WELD-1/current": 3,
    "WELD-2/current": 2, "ROB-3/axis_load": 3, "QCS-1/light": 1,
}  # fmt: skip
_CHATTERING = "ROB-3/axis_load"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A value was beyond a limit from `begin` to `end`; `worst` is the value furthest away."""

    tag: Tag
    limit: Limit
    worst: float
    begin: datetime
    end: datetime


def past_alarms(
    plant: Plant, samples: Sequence[Sample], people: Sequence[str], now: datetime, *, seed: int = 7
) -> AlarmBatch:
    """Raisings, journal and counts: whatever `samples` show beyond a limit, and made-up ones before the first of them.

    All are over and were acknowledged by one of `people` before `now`.
    """
    chance = Random(f"{seed}/alarms")
    first = min((s.source_time for s in samples), default=now)
    troubles = [*_shown(plant, samples), *_made_up(plant, first, chance)]
    counts: Counter[str] = Counter()
    records: list[AlarmRecord] = []
    journal: list[JournalLine] = []
    for trouble in sorted(troubles, key=lambda t: (t.begin, t.tag.name)):
        if trouble.end > now - timedelta(minutes=2):
            continue
        counts[trouble.tag.name] += 1
        record = _record(trouble, counts[trouble.tag.name], people, chance)
        records.append(record)
        journal += _lines(record)
    journal.sort(key=lambda line: line.at)
    states = {key: (pack(AlarmState(occurrence=count)), None) for key, count in counts.items()}
    return AlarmBatch(records, journal, states)


def _shown(plant: Plant, samples: Iterable[Sample]) -> Iterator[_Trouble]:
    """Every stretch of a curve beyond a limit."""
    open_: dict[str, _Trouble] = {}
    for sample in samples:
        tag = plant.tag(sample.tag)
        value = sample.value
        if tag is None or not tag.limits or not isinstance(value, int | float):
            continue
        known, limit = open_.get(tag.name), _beyond(tag.limits, value)
        if limit is None:
            if known is not None:
                yield open_.pop(tag.name)
        elif known is None:
            open_[tag.name] = _Trouble(tag, limit, value, sample.source_time, sample.source_time)
        else:
            worse = limit.urgency > known.limit.urgency
            open_[tag.name] = _Trouble(
                tag,
                limit if worse else known.limit,
                value if worse else known.worst,
                known.begin,
                sample.source_time,
            )


def _beyond(limits: Limits, value: float) -> Limit | None:
    """The worst limit that the value is beyond."""
    if limits.hihi is not None and value > limits.hihi:
        return Limit.HIHI
    if limits.lolo is not None and value < limits.lolo:
        return Limit.LOLO
    if limits.hi is not None and value > limits.hi:
        return Limit.HI
    return Limit.LO if limits.lo is not None and value < limits.lo else None


def _made_up(plant: Plant, until: datetime, chance: Random) -> Iterator[_Trouble]:
    """Some each day, most of them by day; on one afternoon too many at once, and one sensor that chattered."""
    names = list(_TROUBLE)
    for day in range(_DAYS, 0, -1):
        begin = until - timedelta(days=day)
        for _ in range(chance.randint(_A_DAY - 12, _A_DAY + 12)):
            name = chance.choices(names, list(_TROUBLE.values()))[0]
            yield _trouble(plant, name, begin + timedelta(hours=chance.triangular(0, 24, 11)), chance)
    rush = until - timedelta(days=2, hours=3)
    for _ in range(19):
        yield _trouble(plant, chance.choice(names), rush + timedelta(seconds=chance.uniform(0, 900)), chance)
    loose = until - timedelta(days=4, hours=5)
    for number in range(12):
        yield _trouble(plant, _CHATTERING, loose + timedelta(seconds=14 * number), chance, lasting=6.0)


def _trouble(
    plant: Plant, name: str, begin: datetime, chance: Random, *, lasting: float | None = None
) -> _Trouble:
    tag = plant.tag(name)
    assert tag is not None
    ways = [
        (limit, at, sign)
        for limit, at, sign in (
            (Limit.HI, tag.limits.hi, 1),
            (Limit.HI, tag.limits.hi, 1),
            (Limit.LO, tag.limits.lo, -1),
            (Limit.HIHI, tag.limits.hihi, 1),
        )
        if at is not None
    ]
    limit, at, sign = chance.choice(ways)
    seconds = chance.lognormvariate(4.2, 0.8) + 11 if lasting is None else lasting
    return _Trouble(
        tag,
        limit,
        at + sign * at * chance.uniform(0.002, 0.02),
        begin,
        begin + timedelta(seconds=min(seconds, 1500.0)),
    )


def _record(trouble: _Trouble, occurrence: int, people: Sequence[str], chance: Random) -> AlarmRecord:
    seen = trouble.begin + timedelta(seconds=chance.lognormvariate(3.4, 0.9))
    return AlarmRecord(
        id=str(uuid7(trouble.begin, chance.getrandbits(_BITS))),
        key=trouble.tag.name,
        tag=trouble.tag.name,
        kind=Kind.VALUE,
        occurrence=occurrence,
        priority=trouble.tag.alarm.priority,
        urgency=trouble.limit.urgency,
        limit=trouble.limit,
        value=round(trouble.worst, 2),
        phase=Phase.NORMAL,
        raised_at=trouble.begin,
        returned_at=trouble.end,
        acked_at=seen,
        acked_by=chance.choice(people),
        comment=chance.choice(_COMMENTS),
    )


def _lines(record: AlarmRecord) -> Iterator[JournalLine]:
    """Raised, seen, over: in the order in which it happened."""
    returned, acked = record.returned_at, record.acked_at
    assert returned is not None
    assert acked is not None
    yield _line(record, record.raised_at, Event.RAISED, Phase.UNACK)
    who = (record.acked_by, record.comment)
    if acked < returned:
        yield _line(record, acked, Event.ACKNOWLEDGED, Phase.ACKED, *who)
        yield _line(record, returned, Event.CLEARED, Phase.NORMAL)
    else:
        yield _line(record, returned, Event.RETURNED, Phase.RTN_UNACK)
        yield _line(record, acked, Event.ACKNOWLEDGED, Phase.NORMAL, *who)


def _line(
    record: AlarmRecord, at: datetime, event: Event, phase: Phase, actor: str = "", reason: str = ""
) -> JournalLine:
    return JournalLine(
        at,
        record.key,
        record.id,
        event.value,
        phase,
        record.urgency,
        record.limit,
        record.value,
        actor,
        reason,
    )
