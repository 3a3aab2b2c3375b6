"""Whatever happens in whatever order, over restarts too: an alarm that rang is listed until somebody has seen it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.domain.alarms import Event, Phase, pack, unpack
from app.domain.alarms.verbs import Verb
from app.domain.plant import (
    AlarmSettings,
    Connection,
    DeviationRule,
    Equipment,
    Limits,
    Plant,
    RateRule,
    SuppressionRule,
    Tag,
)
from app.domain.samples import Quality, Sample, Value
from app.live.alarm_desk import AlarmDesk
from app.live.source import AlarmAction
from app.store.history import AlarmRecord, JournalLine
from tests.chance import examples

T0 = datetime(2026, 3, 4, tzinfo=UTC)
TAGS = ("M/t", "M/u", "M/on")
KEYS = ("M/t", "M/t!comm", "M/t!deviation", "M/t!rate", "M/t!stale", "M/u", "system!disk")
RINGS = {Event.RAISED.value, Event.ESCALATED.value, Event.RANG_AGAIN.value}


def plant_with(alarm: AlarmSettings, limit: float) -> Plant:
    return Plant(
        (Equipment("M", "Mill"),),
        (Connection("c", "modbus-tcp", "tcp://x"),),
        (
            Tag("M/t", "M", "c", "1", limits=Limits(hihi=limit + 5, hi=limit), alarm=alarm),
            Tag("M/u", "M", "c", "2", limits=Limits(lo=limit)),
            Tag("M/on", "M", "c", "3"),
        ),
    )


class Disk:
    """What the history would hold, without the time that a file takes."""

    def __init__(self) -> None:
        self.records: dict[str, AlarmRecord] = {}
        self.states: dict[str, tuple[bytes, str | None]] = {}
        self.journal: list[JournalLine] = []
        self.closed: set[str] = set()

    def store(self, desk: AlarmDesk) -> None:
        batch = desk.take_batch()
        self.records.update({r.id: r for r in batch.records})
        for line in batch.settled:
            for r in self.records.values():
                if r.key == line.key and r.phase is not Phase.NORMAL and r.occurrence < line.below:
                    self.closed.add(r.id)
        self.states.update(batch.states)
        self.journal += batch.journal

    def open(self) -> list[AlarmRecord]:
        return [r for r in self.records.values() if r.phase is not Phase.NORMAL and r.id not in self.closed]

    def last_of_each(self) -> list[AlarmRecord]:
        ordered = sorted(self.open(), key=lambda r: r.occurrence)
        return list({r.key: r for r in ordered}.values())


class Memory(RuleBasedStateMachine):
    """`owed` are the raisings that people could see ringing and that nobody has acknowledged since, by alarm."""

    @initialize(
        alarm=st.builds(
            AlarmSettings,
            on_delay=st.sampled_from([0.0, 3.0]),
            off_delay=st.sampled_from([0.0, 3.0]),
            hysteresis=st.sampled_from([0.0, 4.0]),
            comm_delay=st.just(5.0),
            count=st.sampled_from([0, 2]),
            re_alarm=st.sampled_from([0.0, 20.0]),
            latching=st.booleans(),
            stale=st.sampled_from([0.0, 15.0]),
            deviation=st.sampled_from([None, DeviationRule("M/u", 10.0, 20.0)]),
            rate=st.sampled_from([None, RateRule(2.0, window=4.0)]),
            suppress=st.sampled_from([None, SuppressionRule("M/on", (0,))]),
        )
    )
    def begin(self, alarm: AlarmSettings) -> None:
        self.numbers, self.acts = count(1), count(1)
        self.plant, self.now, self.disk = plant_with(alarm, 80.0), T0, Disk()
        self.told: list[AlarmRecord] = []
        self.owed: dict[str, set[str]] = {}
        self.rang: dict[str, datetime] = {}
        self.read, self.disk_full = 0, False
        self.desk = self.fresh()
        self.desk.configure(self.plant, self.now)

    def fresh(self) -> AlarmDesk:
        return AlarmDesk(lambda _: UUID(int=next(self.numbers)), self.told.append)

    def follow(self) -> None:
        """Take down what rang since the last look."""
        if self.disk_full:
            self.desk.give_back(self.desk.take_batch())
        self.disk.store(self.desk)
        for record in self.told:
            if record.phase.unacked:
                self.owed.setdefault(record.key, set()).add(record.id)
        self.told.clear()
        for line in self.disk.journal[self.read :]:
            if line.event in RINGS or (line.phase is Phase.UNACK and line.event != Event.ACKNOWLEDGED.value):
                self.rang[line.key] = line.at
        self.read = len(self.disk.journal)

    @rule(seconds=st.sampled_from([0.25, 1.0, 4.0, 16.0]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.desk.tick(self.now)
        self.follow()

    @rule(
        tag=st.sampled_from(TAGS),
        value=st.sampled_from([0.0, 1.0, 76.0, 79.0, 80.0, 90.0, float("nan")]),
        quality=st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.BAD_DEVICE_FAILURE]),
    )
    def sample(self, tag: str, value: Value, quality: int) -> None:
        self.now += timedelta(seconds=0.5)
        self.desk.observe(Sample(tag, self.now, self.now, value, quality))
        self.follow()

    def act(self, key: str, verb: Verb, at: datetime, minutes: float = 0, twice: bool = False) -> None:
        number = next(self.acts)
        until = at + timedelta(minutes=minutes) if minutes else None
        action = AlarmAction(str(number), verb, key, "anna", at, until, "because")
        for _ in range(2 if twice else 1):
            self.desk.act(action)
        self.follow()

    @rule(key=st.sampled_from(KEYS), late=st.sampled_from([0.0, 0.0, 3.0]), twice=st.booleans())
    def acknowledge(self, key: str, late: float, twice: bool) -> None:
        at = self.now - timedelta(seconds=late)
        self.act(key, Verb.ACKNOWLEDGE, at, twice=twice)
        if key in self.rang and self.rang[key] <= at:
            self.owed.pop(key, None)

    @rule(
        key=st.sampled_from(KEYS),
        verb=st.sampled_from([Verb.RESET, Verb.UNSHELVE, Verb.TAKE_OUT, Verb.PUT_BACK]),
        twice=st.booleans(),
    )
    def handle(self, key: str, verb: Verb, twice: bool) -> None:
        self.act(key, verb, self.now, twice=twice)

    @rule(
        key=st.sampled_from(KEYS),
        verb=st.sampled_from([Verb.SHELVE, Verb.SHELVE_ONCE]),
        minutes=st.floats(0.1, 1),
    )
    def shelve(self, key: str, verb: Verb, minutes: float) -> None:
        self.act(key, verb, self.now, minutes)

    @rule(sentence=st.sampled_from(["The disk is full.", ""]))
    def trouble(self, sentence: str) -> None:
        if sentence:
            self.desk.raise_system("disk", sentence, now=self.now)
        else:
            self.desk.clear_system("disk", now=self.now)
        self.follow()

    @rule(limit=st.sampled_from([70.0, 80.0, None]))
    def reconfigure(self, limit: float | None) -> None:
        plant = Plant() if limit is None else plant_with(self.plant.tags[0].alarm, limit)
        self.desk.configure(plant, self.now)
        self.follow()

    @rule(seconds=st.sampled_from([-3.0, 3600.0]))
    def set_the_clock(self, seconds: float) -> None:
        if seconds > 0:
            self.now += timedelta(seconds=seconds)
        self.desk.time_jumped(self.now)
        self.follow()

    @rule()
    def disk_refuses(self) -> None:
        """From now on every other time, as a disk that is full."""
        self.disk_full = not self.disk_full

    @rule()
    def restart(self) -> None:
        self.now += timedelta(seconds=2)
        self.desk = self.fresh()
        self.desk.restore(self.disk.states, self.disk.last_of_each())
        self.desk.configure(self.plant, self.now)
        self.follow()

    @invariant()
    def what_rang_is_listed_until_it_was_seen(self) -> None:
        listed = {r.key: r for r in self.desk.open_records()}
        on_disk = {r.id for r in self.disk.open()}
        for key, ids in self.owed.items():
            assert key in listed, key
            assert listed[key].phase.unacked or listed[key].phase.aside
            assert listed[key].unseen >= len(ids)
            assert ids <= on_disk, (key, ids - on_disk)

    @invariant()
    def what_was_seen_is_over(self) -> None:
        listed = {r.key: r for r in self.desk.open_records()}
        for record in self.disk.open():
            assert record.key in listed, record.key
            last = listed[record.key]
            assert record.id == last.id or last.unseen > 1

    @invariant()
    def the_list_and_the_journal_say_the_same(self) -> None:
        listed = {r.key: r.phase for r in self.desk.open_records()}
        last = {line.key: line for line in self.disk.journal}
        for key, line in last.items():
            assert listed.get(key, Phase.NORMAL) is line.phase, (key, line)

    @invariant()
    def every_state_can_be_packed(self) -> None:
        for packed, _ in self.disk.states.values():
            assert pack(unpack(packed)) == packed


Memory.TestCase.settings = settings(examples(100), stateful_step_count=40)
TestAlarmsAreNeverLost = Memory.TestCase


def test_a_raising_that_was_seen_is_over_when_its_alarm_rings_anew_under_a_shelf() -> None:
    state = Memory()
    state.begin(alarm=AlarmSettings())
    state.trouble(sentence="The disk is full.")
    state.acknowledge(key="system!disk", late=0.0, twice=False)
    state.shelve(key="system!disk", minutes=1.0, verb=Verb.SHELVE)
    state.trouble(sentence="")
    state.trouble(sentence="The disk is full.")
    state.what_rang_is_listed_until_it_was_seen()
    state.what_was_seen_is_over()
    state.teardown()
