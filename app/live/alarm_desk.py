"""Judges every sample by the alarm rules of its tag, and remembers each alarm until it is dealt with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from uuid import UUID

import structlog

from app.domain.alarms import (
    AlarmRule,
    AlarmState,
    AlarmTransition,
    Kind,
    Phase,
    Step,
    Urgency,
    announce,
    due,
    home_of,
    pack,
    retire,
    rules_of,
    split_key,
    step,
    system_key,
    system_rule,
    unpack,
    unsuppress,
    unwatched,
)
from app.domain.errors import Refused
from app.domain.plant import Plant
from app.domain.samples import Sample
from app.live.alarm_acts import acted
from app.live.alarm_ledger import AlarmLedger
from app.live.alarm_seats import (
    Seat,
    begin_record,
    faced,
    follow,
    record_left,
    rule_left,
    settled,
    state_left,
)
from app.live.source import AlarmAction
from app.store.fellows import AlarmNews, PackedStates
from app.store.history import AlarmBatch, AlarmRecord, JournalLine

log = structlog.get_logger(__name__)
_SET_BACK = timedelta(seconds=1)  # what two readings of one clock may differ by


def _everywhere(_connection: str) -> bool:
    return True


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AlarmDesk:
    """All alarms of the plant. Changes are collected for the history and told to `on_change` as they happen.

    What is told and listed is one record an alarm, that of its last raising, which counts how many before it wait
    for the same acknowledgement (`unseen`); those are on the disk. Nothing here costs more for more open alarms.
    """

    def __init__(
        self,
        new_id: Callable[[datetime], UUID],
        on_change: Callable[[AlarmRecord], None],
        *,
        clock: Callable[[], datetime] = _utc_now,
        ledger: AlarmLedger | None = None,
    ) -> None:
        self._new_id, self._on_change, self._clock = new_id, on_change, clock
        self._seats: dict[str, Seat] = {}
        self._by_tag: dict[str, tuple[Seat, ...]] = {}
        self._by_record: dict[str, Seat] = {}
        self._listed: dict[str, Seat] = {}
        self._latest: dict[str, Sample] = {}
        self._due: list[tuple[datetime, int, Seat]] = []
        self._order = count()
        self._now: datetime | None = None
        self._stored: dict[str, tuple[bytes, str | None]] = {}
        self._open: dict[str, list[AlarmRecord]] = {}
        self._ledger = ledger or AlarmLedger()

    # The plant --------------------------------------------------------------------------------------------------------

    def restore(self, states: PackedStates, open_records: Iterable[AlarmRecord]) -> None:
        """Take over what an earlier collector left; call before `configure`."""
        self._stored = dict(states)
        own = [
            record for record in open_records if not home_of(record.key)[1]
        ]  # not the trouble of another Lineside
        for record in sorted(own, key=lambda r: r.raised_at):
            self._open.setdefault(record.key, []).append(record)

    def inherit(self, alarms: Iterable[AlarmNews]) -> None:
        """Take over where another station left alarms; call before they are configured here."""
        for news in alarms:
            if news.state is not None:
                self._stored[news.key] = (news.state, news.record.id if news.record is not None else None)
            if news.record is not None:
                still = news.record.phase is not Phase.NORMAL
                self._open[news.key] = [news.record] if still else []

    def configure(self, plant: Plant, now: datetime, here: Callable[[str], bool] = _everywhere) -> None:
        """Follow a new plant: known alarms keep their state, alarms of vanished tags end but wait to be seen.

        Alarms of machines whose connection is not driven `here` are judged by another station: nothing is done to them.
        """
        self._now = now
        elsewhere = {tag.name for tag in plant.tags if not here(tag.connection)}
        rules = {rule.key: rule for rule in rules_of(plant) if rule.tag not in elsewhere}
        for key in [key for key in self._seats if split_key(key)[0] in elsewhere]:
            self._hand_over(self._seats.pop(key))
        for key in [key for key in self._open if key not in rules and split_key(key)[0] not in elsewhere]:
            self._seats[key] = self._seat_of(rule_left(key, self._open[key][-1]), now)
        for key, seat in list(self._seats.items()):
            if key not in rules and seat.rule.kind is not Kind.SYSTEM and not seat.orphan:
                seat.orphan = True
                self._apply(seat, retire(seat.rule, seat.state, now))
                self._let_go(seat)
        by_tag: dict[str, list[Seat]] = {}
        for key, rule in rules.items():
            seat = self._seats.get(key) or self._seat_of(rule, now)
            self._seats[key] = seat
            self._rule_changed(seat, rule, now)
            for tag in rule.listens_to:
                by_tag.setdefault(tag, []).append(seat)
        self._by_tag = {tag: tuple(seats) for tag, seats in by_tag.items()}

    def _rule_changed(self, seat: Seat, rule: AlarmRule, now: datetime) -> None:
        """Judge by another rule from now on; what other tags last said is made known to it at once."""
        before, seat.rule, seat.orphan = seat.rule, rule, False
        known = {limit for limit, _ in rule.limits}
        if not known.issuperset(seat.state.conditions):
            conditions = {limit: c for limit, c in seat.state.conditions.items() if limit in known}
            seat.state = replace(seat.state, conditions=conditions)
        if rule.target != before.target:
            seat.state = replace(seat.state, against=None)
        if rule.suppress is None and seat.state.suppressed:
            self._apply(seat, unsuppress(rule, seat.state, now))
        for tag in rule.listens_to[1:]:
            if tag in self._latest:
                self._apply(seat, step(rule, seat.state, self._latest[tag], now))
        self._expect(seat)

    def _seat_of(self, rule: AlarmRule, now: datetime) -> Seat:
        """A place for an alarm, with the state and the records that an earlier collector left of it."""
        seat = Seat(rule)
        packed, current = self._stored.pop(rule.key, (None, None))
        records = self._open.pop(rule.key, [])
        seat.record = next((r for r in records if r.id == current), records[-1] if records else None)
        if packed is not None:
            try:
                seat.state = unwatched(unpack(packed), now)
            except ValueError as error:
                log.warning("alarm state not understood", alarm=rule.key, reason=str(error))
        if seat.open and seat.state.listed is Phase.NORMAL:
            seat.state = state_left(seat.record)
        for record in records:
            self._by_record[record.id] = seat
            if record is not seat.record:
                seat.older.append(record.id)
        if seat.record is None and seat.state.listed is not Phase.NORMAL:
            seat.record = record_left(seat, str(self._new_id(now)), now)
            self._by_record[seat.record.id] = seat
            self._put(seat, seat.record)
        if seat.open:
            self._listed[rule.key] = seat
        return seat

    def _hand_over(self, seat: Seat) -> None:
        """Another station judges this alarm from now on: it is forgotten here as it is."""
        self._listed.pop(seat.rule.key, None)
        seat.expected = None
        for id in [*seat.older, *([seat.record.id] if seat.record is not None else [])]:
            self._by_record.pop(id, None)

    def _let_go(self, seat: Seat) -> None:
        """An alarm that the plant no longer has is forgotten as soon as nobody has to acknowledge it."""
        if seat.orphan and not seat.open:
            self._seats.pop(seat.rule.key, None)
            self._ledger.forgotten(seat)

    # Samples and time -------------------------------------------------------------------------------------------------

    def observe(self, sample: Sample) -> None:
        """Judge one sample, at the time it was received."""
        self._latest[sample.tag] = sample
        if self._now is None or sample.receive_time > self._now:
            self._now = sample.receive_time
        for seat in self._by_tag.get(sample.tag, ()):
            result = step(seat.rule, seat.state, sample, sample.receive_time)
            if result[0] is not seat.state:
                self._apply(seat, result)

    def tick(self, now: datetime) -> None:
        """Let time pass for alarms that wait for something."""
        if self._now is not None and now < self._now - _SET_BACK:
            self.time_jumped(now)
        self._now = now
        over: list[Seat] = []
        while self._due and self._due[0][0] <= now:
            at, _, seat = heappop(self._due)
            if seat.expected == at:
                seat.expected = None
                over.append(seat)
        for seat in over:
            self._apply(seat, step(seat.rule, seat.state, None, now))
            self._expect(seat)

    def time_jumped(self, now: datetime) -> None:
        """The clock was set, or the computer slept: every delay that was running begins anew at `now`."""
        self._now = now
        self._due.clear()
        for seat in self._seats.values():
            seat.state, seat.expected = unwatched(seat.state, now), None
            self._expect(seat)

    def _expect(self, seat: Seat) -> None:
        """Have an alarm looked at when the passing of time may next move it."""
        at = due(seat.rule, seat.state)
        if at is not None and (seat.expected is None or at < seat.expected):
            seat.expected = at
            heappush(self._due, (at, next(self._order), seat))

    # People and Lineside itself ---------------------------------------------------------------------------------------

    def act(self, action: AlarmAction) -> None:
        """Apply what a person did; an act that no longer makes sense, or comes twice, is passed over."""
        self._ledger.acted(action.id)
        seat = self._seats.get(action.target) or self._by_record.get(action.target)
        try:
            if seat is None:
                raise Refused("There is no such alarm (any more).")
            self._apply(seat, acted(seat.rule, seat.state, action, self._now))
            self._let_go(seat)
            log.info("alarm acted upon", alarm=seat.rule.key, did=action.verb.value, action=action.id)
        except Refused as refusal:
            log.info(
                "alarm action passed over",
                action=action.id,
                target=action.target,
                reason=refusal.sentence,
            )

    def raise_system(
        self,
        key: str,
        sentence: str,
        urgency: Urgency = Urgency.WARNING,
        *,
        priority: int = 2,
        now: datetime | None = None,
    ) -> None:
        """Lineside itself has trouble: an alarm like all others, `key` a short name such as `disk-full`.

        Said again it rings only when it is more urgent; a new sentence takes the place of the old one. It stays, over
        restarts too, until `clear_system`, and then until somebody acknowledges it.
        """
        self._announce(key, sentence, urgency, priority, now or self._clock())

    def clear_system(self, key: str, *, now: datetime | None = None) -> None:
        """The trouble is over; nothing happens when there was none."""
        self._announce(key, "", Urgency.NONE, 2, now or self._clock())

    def _announce(self, key: str, sentence: str, urgency: Urgency, priority: int, now: datetime) -> None:
        full, self._now = system_key(key), max(now, self._now or now)
        seat = self._seats.get(full)
        if seat is None:
            if urgency is Urgency.NONE and full not in self._open:
                return
            seat = self._seats[full] = self._seat_of(system_rule(full, priority), now)
        self._apply(seat, announce(seat.rule, seat.state, sentence, urgency, now))

    # What follows from it ---------------------------------------------------------------------------------------------

    def _apply(self, seat: Seat, result: Step) -> None:
        state, transitions = result
        before, seat.state = seat.state, state
        if state is before:
            return
        for transition in transitions:
            self._record(seat, before, transition)
        if seat.record is not None and (seat.open or transitions):
            now_faced = faced(seat, seat.record)
            if now_faced != seat.record or transitions:
                seat.record = now_faced
                self._put(seat, now_faced)
        if transitions or state.suppressed != before.suppressed:
            self._ledger.changed(seat)
        self._expect(seat)

    def _record(self, seat: Seat, before: AlarmState, transition: AlarmTransition) -> None:
        """Write a transition down: in the journal, and in the record that it belongs to."""
        closed = begin_record(seat, transition, lambda: str(self._new_id(transition.at)))
        if closed is not None:
            self._put(seat, closed)
        record = seat.record
        if record is not None:
            self._by_record[record.id] = seat
            seat.record = record = follow(record, transition)
        older = settled(seat, before, transition)
        if older is not None:
            self._ledger.settled.append(older)
        self._ledger.journal.append(
            JournalLine(
                transition.at, seat.rule.key, record.id if record else None, transition.event.value,
                transition.phase, transition.urgency, transition.limit, transition.value, transition.actor,
                transition.reason,
            )
        )  # fmt: skip

    def _put(self, seat: Seat, record: AlarmRecord) -> None:
        self._ledger.record(record)
        if record.phase is Phase.NORMAL:
            self._by_record.pop(record.id, None)
        if seat.open:
            self._listed[seat.rule.key] = seat
        else:
            self._listed.pop(seat.rule.key, None)
        self._on_change(record)

    def open_records(self) -> list[AlarmRecord]:
        """The record of every alarm that still wants something of somebody, oldest first."""
        found = [seat.record for seat in self._listed.values() if seat.record is not None]
        return sorted(found, key=lambda r: r.raised_at)

    def knows(self, target: str) -> bool:
        """Whether an alarm of this key, or with this record, is judged here."""
        return target in self._seats or target in self._by_record

    def note(self, record: AlarmRecord) -> None:
        """Keep what another station says of an alarm that it judges, for the lists of this one."""
        self._ledger.record(record)

    def dealt_with(self, acts: Iterable[str]) -> None:
        """Remember that another station has dealt with these acts."""
        for act in acts:
            self._ledger.acted(act)

    def news_of(self, batch: AlarmBatch) -> list[AlarmNews]:
        """Where the alarms of a batch stand now, without those that others judge."""
        last = {record.key: record for record in batch.records}
        keys = [key for key in {**last, **batch.states} if key in self._seats or key in batch.states]
        return [
            self._news(self._seats[key])
            if key in self._seats
            else AlarmNews(key, last.get(key), batch.states[key][0])
            for key in keys
        ]

    def all_news(self) -> list[AlarmNews]:
        """Where every alarm stands that anything ever happened to."""
        return [self._news(seat) for seat in self._seats.values() if seat.record or seat.state.occurrence]

    def _news(self, seat: Seat) -> AlarmNews:
        return AlarmNews(seat.rule.key, seat.record, pack(seat.state))

    def take_batch(self) -> AlarmBatch:
        """What happened since the last time, to be stored; `give_back` when that failed."""
        return self._ledger.take()

    @property
    def given_up(self) -> int:
        """Lines of the journal and records of earlier raisings that were lost because the disk did not take them."""
        return self._ledger.given_up

    def give_back(self, batch: AlarmBatch) -> None:
        """Keep an unstored batch for the next time, behind nothing that is newer."""
        self._ledger.give_back(batch)
