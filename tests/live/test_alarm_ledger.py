"""What the alarms have to tell a disk that refuses for long: bounded, counted, and nothing that rings is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.domain.alarms import Phase, unpack
from app.domain.alarms.verbs import Verb
from app.domain.identity import uuid7
from app.domain.plant import Connection, Equipment, Limits, Plant, Tag
from app.domain.samples import Quality, Sample
from app.live.alarm_desk import AlarmDesk
from app.live.alarm_ledger import AlarmLedger
from app.live.source import AlarmAction

T0 = datetime(2026, 3, 4, tzinfo=UTC)
LINES, RECORDS = 100, 40
ROUNDS = 200


def test_alarms_that_chatter_while_the_disk_refuses_need_no_more_room_and_stay_to_be_seen() -> None:
    tags = tuple(Tag(f"M/{i}", "M", "c", str(i), limits=Limits(hi=1)) for i in range(5))
    desk = AlarmDesk(uuid7, lambda _: None, ledger=AlarmLedger(LINES, RECORDS))
    desk.configure(Plant((Equipment("M", "Mill"),), (Connection("c", "modbus-tcp", "tcp://x"),), tags), T0)
    for second in range(2 * ROUNDS):
        at = T0 + timedelta(seconds=second)
        for tag in tags:
            desk.observe(Sample(tag.name, at, at, 2 * (1 - second % 2), Quality.GOOD))
        if second % 4 == 1:  # one of them is looked after all the time, and is well again at last
            desk.act(AlarmAction(str(second), Verb.ACKNOWLEDGE, "M/0", "anna", at))
        desk.tick(at)
        batch = desk.take_batch()
        desk.give_back(batch)
    kept = desk.take_batch()
    assert len(kept.journal) <= LINES
    assert len(kept.records) <= RECORDS
    raised = 5 * ROUNDS
    assert desk.given_up >= raised - RECORDS
    assert kept.acts == [str(second) for second in range(1, 2 * ROUNDS, 4)]
    by_id = {record.id: record for record in kept.records}
    for tag in tags[1:]:
        packed, current = kept.states[tag.name]
        state = unpack(packed)
        assert (state.phase, state.unseen) == (Phase.RTN_UNACK, ROUNDS)
        assert current is not None
        assert (by_id[current].phase, by_id[current].unseen_since) == (Phase.RTN_UNACK, T0)
    newest = max(line.at for line in kept.journal)
    assert newest == T0 + timedelta(seconds=2 * ROUNDS - 1)
