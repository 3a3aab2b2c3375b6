"""Judges every sample by the alarm rules of its tag, and remembers each alarm until it is dealt with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from app.domain.alarms import (
    AlarmRule,
    AlarmState,
    AlarmTransition,
    Event,
    Phase,
    Step,
    acknowledge,
    rules_for,
    shelve,
    step,
    unshelve,
)
from app.domain.errors import Refused
from app.domain.plant import Plant
from app.domain.samples import Sample
from app.live.source import AlarmAction, Verb
from app.store.history import AlarmBatch, AlarmRecord, JournalLine

log = structlog.get_logger(__name__)
_pack = msgspec.msgpack.Encoder()
_unpack = msgspec.msgpack.Decoder(AlarmState)


@dataclass(slots=True)
class _Seat:
    """One alarm: its rule, its state, the record of its last raising, and older ones nobody acknowledged."""

    rule: AlarmRule
    state: AlarmState = field(default_factory=AlarmState)
    record: AlarmRecord | None = None
    older: list[AlarmRecord] = field(default_factory=list)


class AlarmDesk:
    """All alarms of the plant. Changes are collected for the history and told to `on_change` as they happen."""

    def __init__(self, new_id: Callable[[datetime], UUID], on_change: Callable[[AlarmRecord], None]) -> None:
        self._new_id, self._on_change = new_id, on_change
        self._seats: dict[str, _Seat] = {}
        self._by_tag: dict[str, tuple[_Seat, ...]] = {}
        self._restless: dict[str, _Seat] = {}
        self._stored: dict[str, tuple[bytes, str | None]] = {}
        self._open: dict[str, list[AlarmRecord]] = {}
        self._records: dict[str, AlarmRecord] = {}
        self._journal: list[JournalLine] = []
        self._states: dict[str, tuple[bytes, str | None]] = {}
        self._actions_until: int | None = None

    def restore(
        self, states: Mapping[str, tuple[bytes, str | None]], open_records: Iterable[AlarmRecord]
    ) -> None:
        """Take over what an earlier collector left; call before `configure`."""
        self._stored = dict(states)
        for record in sorted(open_records, key=lambda r: r.raised_at):
            self._open.setdefault(record.key, []).append(record)

    def configure(self, plant: Plant, now: datetime) -> None:
        """Follow a new plant: known alarms keep their state, alarms of vanished tags are closed."""
        rules = {rule.key: rule for rule in _rules(plant)}
        for key in [key for key in self._seats if key not in rules]:
            self._close(self._seats.pop(key), now)
        by_tag: dict[str, list[_Seat]] = {}
        for key, rule in rules.items():
            seat = self._seats.get(key) or self._seat_of(rule)
            seat.rule = rule
            self._seats[key] = seat
            self._settle(seat)
            by_tag.setdefault(rule.tag, []).append(seat)
        self._by_tag = {tag: tuple(seats) for tag, seats in by_tag.items()}

    def _seat_of(self, rule: AlarmRule) -> _Seat:
        seat = _Seat(rule)
        packed, current = self._stored.pop(rule.key, (None, None))
        if packed is not None:
            try:
                seat.state = _unpack.decode(packed)
            except msgspec.DecodeError:
                log.warning("alarm state of another version forgotten", alarm=rule.key)
        for record in self._open.pop(rule.key, []):
            if record.id == current:
                seat.record = record
            else:
                seat.older.append(record)
        return seat

    def _close(self, seat: _Seat, now: datetime) -> None:
        """Its tag is gone: nobody will ever clear or acknowledge it."""
        self._restless.pop(seat.rule.key, None)
        for record in [*seat.older, *([seat.record] if seat.record else [])]:
            if record.phase is not Phase.NORMAL:
                self._put(replace(record, phase=Phase.NORMAL, returned_at=record.returned_at or now))
        self._states[seat.rule.key] = (_pack.encode(AlarmState(occurrence=seat.state.occurrence)), None)

    def observe(self, sample: Sample) -> None:
        """Judge one sample, at the time it was received."""
        for seat in self._by_tag.get(sample.tag, ()):
            self._apply(seat, step(seat.rule, seat.state, sample, sample.receive_time))

    def tick(self, now: datetime) -> None:
        """Let time pass for alarms that wait for a delay or lie on the shelf."""
        for seat in list(self._restless.values()):
            self._apply(seat, step(seat.rule, seat.state, None, now))

    def act(self, action: AlarmAction) -> None:
        """Apply what a person did; an act that no longer makes sense is noted and passed over."""
        self._actions_until = max(action.number, self._actions_until or 0)
        seat = self._find(action.target)
        try:
            if seat is None:
                raise Refused("There is no such alarm (any more).")
            self._apply(seat, self._acted(seat, action), action)
        except Refused as refusal:
            log.info(
                "alarm action passed over",
                action=action.number,
                target=action.target,
                reason=refusal.sentence,
            )

    def _acted(self, seat: _Seat, action: AlarmAction) -> Step:
        if action.verb is Verb.ACKNOWLEDGE:
            return acknowledge(seat.rule, seat.state, action.actor, action.at)
        if action.verb is Verb.UNSHELVE:
            return unshelve(seat.rule, seat.state, action.actor, action.at)
        return shelve(
            seat.rule, seat.state, action.until or action.at, action.reason, action.actor, action.at
        )

    def _find(self, target: str) -> _Seat | None:
        if target in self._seats:
            return self._seats[target]
        for seat in self._seats.values():
            if any(r.id == target for r in (seat.record, *seat.older) if r is not None):
                return seat
        return None

    def _apply(self, seat: _Seat, result: Step, action: AlarmAction | None = None) -> None:
        state, transitions = result
        if state is seat.state:
            return
        seat.state = state
        self._settle(seat)
        for transition in transitions:
            self._record(seat, transition, action)
        if transitions:
            current = seat.record.id if seat.record else None
            self._states[seat.rule.key] = (_pack.encode(state), current)

    def _settle(self, seat: _Seat) -> None:
        """Only alarms that can change by themselves are looked at when time passes."""
        state = seat.state
        waits = any(c.turning_since is not None for c in state.conditions.values())
        if waits or state.shelved_until is not None:
            self._restless[seat.rule.key] = seat
        else:
            self._restless.pop(seat.rule.key, None)

    def _record(self, seat: _Seat, transition: AlarmTransition, action: AlarmAction | None) -> None:
        at, event, rule = transition.at, transition.event, seat.rule
        if event is Event.RAISED:
            if seat.record is not None and seat.record.phase is not Phase.NORMAL:
                seat.older.append(seat.record)
            seat.record = AlarmRecord(
                id=str(self._new_id(at)),
                key=rule.key,
                tag=rule.tag,
                kind=rule.kind,
                occurrence=transition.occurrence,
                priority=rule.priority,
                urgency=transition.urgency,
                limit=transition.limit,
                value=transition.value,
                phase=transition.phase,
                raised_at=at,
                shelved_until=seat.state.shelved_until,
            )
            self._put(seat.record)
        elif seat.record is not None:
            self._follow(seat, seat.record, transition)
        self._journal.append(
            JournalLine(
                at, rule.key, seat.record.id if seat.record else None, event.value, transition.phase,
                transition.urgency, transition.limit, transition.value, transition.actor, transition.reason,
            )
        )  # fmt: skip
        log.info("alarm", alarm=rule.key, happened=event.value, action=action.number if action else None)

    def _follow(self, seat: _Seat, record: AlarmRecord, transition: AlarmTransition) -> None:
        """Bring the record of the last raising up to date, and with an acknowledgement the older ones too."""
        at, event = transition.at, transition.event
        changed = replace(record, phase=transition.phase, shelved_until=seat.state.shelved_until)
        if event is Event.ESCALATED:
            changed = replace(
                changed, urgency=transition.urgency, limit=transition.limit, value=transition.value
            )
        if event in (Event.RETURNED, Event.CLEARED):
            changed = replace(changed, returned_at=at)
        if event is Event.ACKNOWLEDGED:
            changed = replace(changed, acked_at=at, acked_by=transition.actor)
            for older in seat.older:
                self._put(replace(older, phase=Phase.NORMAL, acked_at=at, acked_by=transition.actor))
            seat.older.clear()
        seat.record = changed
        self._put(changed)

    def _put(self, record: AlarmRecord) -> None:
        self._records[record.id] = record
        self._on_change(record)

    def open_records(self) -> list[AlarmRecord]:
        """Every record that still wants something of somebody, oldest first."""
        found = [
            r for s in self._seats.values() for r in (*s.older, s.record) if r and r.phase is not Phase.NORMAL
        ]
        return sorted(found, key=lambda r: r.raised_at)

    def take_batch(self) -> AlarmBatch:
        """What happened since the last time, to be stored; `give_back` when that failed."""
        batch = AlarmBatch(list(self._records.values()), self._journal, self._states, self._actions_until)
        self._records, self._journal, self._states, self._actions_until = {}, [], {}, None
        return batch

    def give_back(self, batch: AlarmBatch) -> None:
        """Keep an unstored batch for the next time, behind nothing that is newer."""
        self._records = {r.id: r for r in batch.records} | self._records
        self._journal = [*batch.journal, *self._journal]
        self._states = {**batch.states, **self._states}
        until = [n for n in (batch.actions_until, self._actions_until) if n is not None]
        self._actions_until = max(until, default=None)


def _rules(plant: Plant) -> Iterable[AlarmRule]:
    """The rules of all tags; the first tag of a machine on a connection speaks for it when all of it is gone."""
    spoken_for: set[tuple[str, str]] = set()
    for tag in plant.tags:
        machine = (tag.connection, tag.equipment)
        yield from rules_for(tag.name, tag.limits, tag.alarm, speaks_for_machine=machine not in spoken_for)
        spoken_for.add(machine)
