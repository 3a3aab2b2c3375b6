"""The alarm desk: records follow their alarms, people's acts are applied once, nothing is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.alarms.verbs import Verb
from app.domain.plant import AlarmSettings, Connection, Equipment, Limits, Plant, SuppressionRule, Tag
from app.domain.samples import Quality, Sample, Value
from app.live.alarm_desk import AlarmDesk
from app.live.source import AlarmAction
from app.store.history import AlarmRecord, Settled

T0 = datetime(2026, 3, 4, tzinfo=UTC)
HOT = Tag(
    "M/t", "M", "c", "hr:0", limits=Limits(hihi=85, hi=80), alarm=AlarmSettings(on_delay=1.0, comm_delay=5.0)
)
PLANT = Plant((Equipment("M", "M"),), (Connection("c", "modbus-tcp", "tcp://x"),), (HOT,))


class Board:
    """A desk, and everything that it told."""

    def __init__(self) -> None:
        numbers = count(1)
        self.told: list[AlarmRecord] = []
        self.desk = AlarmDesk(lambda _: UUID(int=next(numbers)), self.told.append)
        self.acts = 0

    def see(self, second: float, value: Value, quality: int = Quality.GOOD) -> None:
        time = T0 + timedelta(seconds=second)
        self.desk.observe(Sample("M/t", time, time, value, quality))

    def tick(self, second: float) -> None:
        self.desk.tick(T0 + timedelta(seconds=second))

    def act(self, second: float, verb: Verb, target: str, **more: object) -> None:
        self.acts += 1
        at = T0 + timedelta(seconds=second)
        self.desk.act(AlarmAction(str(self.acts), verb, target, "anna", at, **more))  # type: ignore[arg-type]  # two fields


@pytest.fixture
def board() -> Board:
    made = Board()
    made.desk.configure(PLANT, T0)
    return made


def raise_it(board: Board, second: float = 0.0) -> AlarmRecord:
    board.see(second, 86.0)
    board.tick(second + 1)
    return board.told[-1]


def test_a_raised_alarm_is_told_and_stored_with_what_a_person_needs(board: Board) -> None:
    record = raise_it(board)
    assert (record.tag, record.kind, record.limit, record.value) == ("M/t", Kind.VALUE, Limit.HIHI, 86.0)
    assert (record.phase, record.urgency, record.raised_at) == (
        Phase.UNACK,
        Urgency.CRITICAL,
        T0 + timedelta(seconds=1),
    )
    batch = board.desk.take_batch()
    assert list(batch.records) == [record]
    assert [line.event for line in batch.journal] == ["raised"]
    assert not board.desk.take_batch()


def test_an_acknowledgement_settles_the_record_and_older_ones_of_the_same_alarm(board: Board) -> None:
    first = raise_it(board)
    board.see(5, 20.0)
    second = raise_it(board, 6)
    assert first.id != second.id
    assert [(r.id, r.unseen) for r in board.desk.open_records()] == [(second.id, 2)]
    board.act(9, Verb.ACKNOWLEDGE, first.id, reason="on my way")
    batch = board.desk.take_batch()
    newest = {r.id: r for r in batch.records}[second.id]
    assert (newest.phase, newest.acked_by, newest.comment) == (Phase.ACKED, "anna", "on my way")
    assert list(batch.settled) == [Settled("M/t", 2, T0 + timedelta(seconds=9), "anna", "on my way")]
    assert [(r.id, r.unseen) for r in board.desk.open_records()] == [(second.id, 0)]


def test_an_act_that_makes_no_sense_is_passed_over_and_counted_as_done(board: Board) -> None:
    board.act(0, Verb.ACKNOWLEDGE, "M/t")
    board.act(0, Verb.ACKNOWLEDGE, "nothing")
    board.act(0, Verb.SHELVE, "M/t", until=T0 + timedelta(hours=1), reason="")
    batch = board.desk.take_batch()
    assert (batch.acts, list(batch.records)) == (["1", "2", "3"], [])


def test_a_shelved_alarm_shows_as_shelved_and_rings_when_the_time_is_over(board: Board) -> None:
    board.act(0, Verb.SHELVE, "M/t", until=T0 + timedelta(seconds=60), reason="sensor is moved")
    record = raise_it(board, 10)
    assert record.phase is Phase.SHELVED
    board.tick(61)
    assert board.told[-1].phase is Phase.UNACK
    board.act(62, Verb.SHELVE, record.id, until=T0 + timedelta(seconds=99), reason="again")
    board.act(63, Verb.UNSHELVE, record.id)
    assert board.told[-1].phase is Phase.UNACK


def test_the_communication_alarm_rises_after_its_delay(board: Board) -> None:
    board.see(0, None, Quality.BAD_NO_COMMUNICATION)
    board.tick(4)
    assert board.told == []
    board.tick(5)
    assert (board.told[-1].key, board.told[-1].kind) == ("M/t!comm", Kind.COMMUNICATION)
    board.see(6, 20.0)
    assert board.told[-1].phase is Phase.RTN_UNACK


def test_alarms_survive_a_restart_with_their_records(board: Board) -> None:
    first = raise_it(board)
    board.see(5, 20.0)
    second = raise_it(board, 6)
    batch = board.desk.take_batch()
    again = Board()
    again.desk.restore(batch.states, [replace(first, phase=Phase.RTN_UNACK), second])
    again.desk.configure(PLANT, T0)
    again.see(20, 86.0)
    assert again.told == []
    assert [(r.id, r.unseen) for r in again.desk.open_records()] == [(second.id, 2)]
    again.act(21, Verb.ACKNOWLEDGE, first.id)
    assert [(r.id, r.phase) for r in again.told] == [(second.id, Phase.ACKED)]
    assert [(s.key, s.below) for s in again.desk.take_batch().settled] == [("M/t", 2)]


def test_an_alarm_of_a_tag_that_is_gone_waits_to_be_seen_and_is_then_forgotten(board: Board) -> None:
    record = raise_it(board)
    board.desk.configure(Plant(), T0 + timedelta(seconds=9))
    assert [(r.id, r.phase) for r in board.desk.open_records()] == [(record.id, Phase.RTN_UNACK)]
    board.act(10, Verb.ACKNOWLEDGE, "M/t")
    assert board.told[-1].phase is Phase.NORMAL
    assert board.desk.open_records() == []


def test_changed_limits_apply_to_the_next_value_and_keep_the_state(board: Board) -> None:
    raise_it(board)
    wider = replace(HOT, limits=Limits(hi=95))
    board.desk.configure(replace(PLANT, tags=(wider,)), T0)
    board.see(9, 86.0)
    assert board.told[-1].phase is Phase.RTN_UNACK


def test_what_the_disk_refused_is_offered_again_with_what_came_since(board: Board) -> None:
    record = raise_it(board)
    refused = board.desk.take_batch()
    board.see(9, 20.0)
    board.desk.give_back(refused)
    batch = board.desk.take_batch()
    assert [(r.id, r.phase) for r in batch.records] == [(record.id, Phase.RTN_UNACK)]
    assert [line.event for line in batch.journal] == ["raised", "returned"]


SUPPRESSED = replace(HOT, alarm=AlarmSettings(suppress=SuppressionRule("M/on", (False,))))
WITH_SWITCH = replace(PLANT, tags=(SUPPRESSED, Tag("M/on", "M", "c", "co:0")))


def switch(board: Board, second: float, on: bool) -> None:
    time = T0 + timedelta(seconds=second)
    board.desk.observe(Sample("M/on", time, time, on, Quality.GOOD))


def test_a_suppression_survives_a_restart_although_nothing_was_wrong_when_it_began() -> None:
    board = Board()
    board.desk.configure(WITH_SWITCH, T0)
    switch(board, 0, False)
    again = Board()
    again.desk.restore(board.desk.take_batch().states, [])
    again.desk.configure(WITH_SWITCH, T0)
    again.see(1, 90.0)
    assert [(r.phase, r.aside_reason) for r in again.told] == [(Phase.SUPPRESSED, "M/on is off")]
    switch(again, 2, True)
    assert again.told[-1].phase is Phase.UNACK


def test_a_new_suppression_knows_at_once_what_its_tag_last_said(board: Board) -> None:
    board.desk.configure(replace(WITH_SWITCH, tags=(HOT, WITH_SWITCH.tags[1])), T0)
    switch(board, 0, False)
    raise_it(board, 1)
    board.desk.configure(WITH_SWITCH, T0 + timedelta(seconds=5))
    board.desk.configure(PLANT, T0 + timedelta(seconds=6))
    assert [r.phase for r in board.told[-2:]] == [Phase.SUPPRESSED, Phase.UNACK]


def test_an_alarm_put_aside_while_nothing_is_wrong_is_listed_until_it_is_brought_back(board: Board) -> None:
    board.act(0, Verb.TAKE_OUT, "M/t", reason="new probe", permit="P-17")
    (out,) = board.desk.open_records()
    assert (out.phase, out.occurrence, out.aside_by, out.aside_reason, out.permit) == (
        Phase.OUT_OF_SERVICE, 0, "anna", "new probe", "P-17",
    )  # fmt: skip
    raised = raise_it(board, 10)
    assert [(r.id, r.phase) for r in board.desk.open_records()] == [(raised.id, Phase.OUT_OF_SERVICE)]
    board.act(20, Verb.PUT_BACK, "M/t")
    assert [(r.id, r.phase, r.permit) for r in board.desk.open_records()] == [(raised.id, Phase.UNACK, "")]


def test_a_shelf_whose_time_was_over_before_anybody_heard_of_it_is_passed_over(board: Board) -> None:
    record = raise_it(board)
    board.tick(100)
    board.act(5, Verb.SHELVE, record.id, until=T0 + timedelta(seconds=60), reason="late")
    assert board.desk.open_records()[0].phase is Phase.UNACK


def test_lineside_itself_can_raise_an_alarm_that_survives_a_restart_and_is_cleared(board: Board) -> None:
    board.desk.raise_system("disk-full", "3 samples given up.", now=T0)
    board.desk.raise_system("disk-full", "9 samples given up.", now=T0 + timedelta(seconds=1))
    (record,) = board.desk.open_records()
    assert (record.key, record.kind, record.value) == ("system!disk-full", Kind.SYSTEM, "9 samples given up.")
    again = Board()
    again.desk.restore(board.desk.take_batch().states, [record])
    again.desk.configure(PLANT, T0)
    again.desk.clear_system("disk-full", now=T0 + timedelta(seconds=2))
    again.desk.clear_system("clock", now=T0 + timedelta(seconds=2))
    assert [(r.id, r.phase) for r in again.desk.open_records()] == [(record.id, Phase.RTN_UNACK)]
    again.act(3, Verb.ACKNOWLEDGE, "system!disk-full")
    assert again.desk.open_records() == []


@pytest.mark.parametrize("packed", [b"nonsense", None], ids=["of another version", "lost"])
def test_a_state_that_cannot_be_read_leaves_its_record_waiting(board: Board, packed: bytes | None) -> None:
    record = raise_it(board)
    again = Board()
    again.desk.restore({} if packed is None else {"M/t": (packed, record.id)}, [record])
    again.desk.configure(PLANT, T0)
    again.see(20, 20.0)
    assert [(r.id, r.phase) for r in again.desk.open_records()] == [(record.id, Phase.RTN_UNACK)]
    again.act(21, Verb.ACKNOWLEDGE, record.id)
    assert again.desk.open_records() == []


def test_a_record_that_was_lost_is_written_anew_from_its_state(board: Board) -> None:
    raise_it(board)
    again = Board()
    again.desk.restore(board.desk.take_batch().states, [])
    again.desk.configure(PLANT, T0)
    assert [(r.key, r.phase) for r in again.told] == [("M/t", Phase.UNACK)]
