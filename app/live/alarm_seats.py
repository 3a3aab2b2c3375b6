"""One alarm as the collector holds it: rule, state, the record of its last raising; how that record follows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.domain.alarms import (
    AlarmRule,
    AlarmState,
    AlarmTransition,
    Event,
    Kind,
    Phase,
    Urgency,
    split_key,
    suppression_words,
    system_rule,
)
from app.store.history import AlarmRecord, Settled

OLDER_KEPT = 32  # ids of earlier raisings by which an alarm can still be named before it is acknowledged
_WHAT = frozenset({Event.RAISED, Event.ESCALATED})
_PUT_ASIDE = frozenset({Event.SHELVED, Event.TAKEN_OUT})
_BACK = frozenset({Event.RETURNED, Event.CLEARED})


@dataclass(slots=True, eq=False)
class Seat:
    """One alarm. `older` names earlier raisings that wait for the same acknowledgement; they are on the disk.

    An `orphan` is an alarm that the plant does not have any more, and that somebody still has to acknowledge.
    `expected` is when the passing of time is next looked at for it.
    """

    rule: AlarmRule
    state: AlarmState = field(default_factory=AlarmState)
    record: AlarmRecord | None = None
    older: deque[str] = field(default_factory=lambda: deque(maxlen=OLDER_KEPT))
    orphan: bool = False
    expected: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether there is a record that still wants something of somebody."""
        return self.record is not None and self.record.phase is not Phase.NORMAL


def begin_record(seat: Seat, transition: AlarmTransition, new_id: Callable[[], str]) -> AlarmRecord | None:
    """A record for a new raising, or for an alarm that is put aside while nothing is wrong (occurrence 0).

    Returns what the new record takes the place of, closed: such a stand-in, or a raising that somebody has seen.
    """
    raised = transition.event is Event.RAISED
    if not raised and (transition.event not in _PUT_ASIDE or seat.open):
        return None
    before, closed = seat.record, None
    if before is not None and seat.open:
        if before.occurrence and seat.state.unseen > 1:
            seat.older.append(before.id)
        else:  # seen before it was hidden, and gone meanwhile: nobody waits for it any more
            gone = before.returned_at or transition.at
            closed = replace(before, phase=Phase.NORMAL, returned_at=gone)
    seat.record = AlarmRecord(
        id=new_id(),
        key=seat.rule.key,
        tag=seat.rule.tag,
        kind=seat.rule.kind,
        occurrence=transition.occurrence if raised else 0,
        priority=seat.rule.priority,
        urgency=max(transition.urgency, Urgency.WARNING),
        limit=transition.limit if raised else None,
        value=transition.value if raised else None,
        phase=transition.phase,
        raised_at=transition.at,
    )
    return closed


def follow(record: AlarmRecord, transition: AlarmTransition) -> AlarmRecord:
    """The record with what a transition says about times and people."""
    if transition.event in _WHAT:
        return replace(record, value=transition.value)
    if transition.event in _BACK:
        return replace(record, returned_at=transition.at)
    if transition.event is Event.ACKNOWLEDGED:
        return replace(record, acked_at=transition.at, acked_by=transition.actor, comment=transition.reason)
    return record


def faced(seat: Seat, record: AlarmRecord) -> AlarmRecord:
    """The record as its alarm looks now; equal to what it was when nothing changed."""
    state, rule = seat.state, seat.rule
    phase, aside = state.listed, state.aside
    over = phase is Phase.NORMAL or not record.occurrence
    hidden = phase is Phase.SUPPRESSED
    return replace(
        record,
        phase=phase,
        urgency=record.urgency if over else max(state.urgency, Urgency.WARNING),
        limit=record.limit if over else state.limit,
        value=state.value if rule.kind is Kind.SYSTEM and not over else record.value,
        unseen=state.unseen,
        unseen_since=state.unseen_since,
        shelved_until=aside.until if aside is not None else None,
        one_shot=aside is not None and aside.one_shot,
        aside_since=aside.since if aside is not None else None,
        aside_by=aside.by if aside is not None else "",
        aside_reason=aside.reason if aside is not None else suppression_words(rule) if hidden else "",
        permit=aside.permit if aside is not None else "",
    )


def settled(seat: Seat, before: AlarmState, transition: AlarmTransition) -> Settled | None:
    """What an acknowledgement, or the end of a cover, says about earlier raisings; None when there are none."""
    acknowledged = transition.event is Event.ACKNOWLEDGED
    if seat.record is None or not (seat.older or before.unseen > 1):
        return None
    if not acknowledged and transition.phase is not Phase.NORMAL:
        return None
    seat.older.clear()
    return Settled(
        key=seat.rule.key,
        below=seat.record.occurrence,
        at=transition.at if acknowledged else None,
        by=transition.actor if acknowledged else "",
        comment=transition.reason if acknowledged else "",
    )


def rule_left(key: str, record: AlarmRecord) -> AlarmRule:
    """The rule of an alarm of which only a record is left."""
    if split_key(key)[1] is Kind.SYSTEM:
        return system_rule(key, record.priority)
    return AlarmRule(key=key, tag=record.tag, kind=record.kind, priority=record.priority)


def state_left(record: AlarmRecord | None) -> AlarmState:
    """What a record says about the state of its alarm; one that was put aside rings rather than being forgotten."""
    if record is None or record.phase is Phase.NORMAL:
        return AlarmState()
    phase = Phase.RTN_UNACK if record.phase.aside else record.phase
    return AlarmState(
        phase=phase,
        urgency=record.urgency,
        occurrence=record.occurrence,
        limit=record.limit,
        value=record.value,
        raised_at=record.raised_at,
        unseen=1 if phase.unacked else 0,
        unseen_since=record.raised_at,
        rang_at=record.raised_at,
    )


def record_left(seat: Seat, id: str, now: datetime) -> AlarmRecord:
    """A record for an alarm of which only the state is left."""
    state, rule = seat.state, seat.rule
    return AlarmRecord(
        id=id,
        key=rule.key,
        tag=rule.tag,
        kind=rule.kind,
        occurrence=state.occurrence if state.phase is not Phase.NORMAL else 0,
        priority=rule.priority,
        urgency=max(state.urgency, Urgency.WARNING),
        limit=state.limit,
        value=state.value,
        phase=state.listed,
        raised_at=state.raised_at or now,
    )
