"""Two stations, one machine, one server: who drives, what the other sees, and how a machine changes hands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

from app.domain.alarms import Phase
from app.domain.alarms.verbs import Verb
from app.domain.equipment import EquipmentState
from app.domain.machine_news import LinkState, LinkStatus, MachineFacts, WriteAnswered
from app.domain.samples import Quality, Sample
from app.live.collector import utc_now
from app.live.messages import SampleBatch
from app.store.fellows import AlarmNews
from app.store.history import FILE_NAME, AlarmRecord, HistoryReader
from tests.sync.machines.shop_floor import FEED, WELDER, Floor, Station, until
from ui.bridge.machine_states import MachineStates
from ui.bridge.machines import MachineNow
from ui.bridge.values_now import ValuesNow


async def test_one_station_drives_and_the_other_sees_values_links_and_answers(floor: Floor) -> None:
    async with floor.station("01") as first:
        await until(lambda: first.drives)
        async with floor.station("02") as second:
            floor.send(FEED, 700)
            await until(lambda: first.shows(700))
            await until(lambda: second.shows(700))
            sent = floor.send(FEED, 800)
            await until(lambda: second.shows(800))
            await until(lambda: sent in second.answers)
            assert second.answers[sent].ok
            assert not second.drives
            assert floor.lease() == ("01", 1)
            await until(lambda: second.links[WELDER].state is LinkState.ONLINE)
            assert second.links[WELDER].station == "01"
            assert second.links[WELDER].sentence.startswith("By station 01")


async def test_alarms_are_judged_once_and_dealt_with_from_anywhere(floor: Floor) -> None:
    async with floor.station("01") as first:
        await until(lambda: first.drives)
        async with floor.station("02") as second:
            floor.send(FEED, 1500)
            await until(lambda: second.phase() is Phase.UNACK)
            assert first.phase() is Phase.UNACK
            (theirs,), (ours,) = second.alarms, first.alarms
            assert theirs == ours
            floor.act(Verb.ACKNOWLEDGE, FEED, reason="on my way")
            await until(lambda: second.phase() is Phase.ACKED)
            assert second.alarms[theirs].acked_by == "anna"
            # A shelf that was made an hour ago without a network holds for what is left of it.
            made = datetime.now(UTC) - timedelta(hours=1)
            floor.act(Verb.SHELVE, FEED, at=made, until=made + timedelta(hours=2), reason="sensor is moved")
            await until(lambda: second.phase() is Phase.SHELVED)
            assert second.alarms[theirs].shelved_until == made + timedelta(hours=2)


async def test_two_people_who_act_at_once_and_one_who_comes_late_leave_one_alarm_that_rings(
    floor: Floor,
) -> None:
    async with floor.station("01") as first, floor.station("02") as second:
        await until(lambda: bool(floor.lease()[0]))
        floor.send(FEED, 1500)
        await until(lambda: first.phase() is Phase.UNACK and second.phase() is Phase.UNACK)
        floor.act(Verb.ACKNOWLEDGE, FEED, actor="anna")
        floor.act(Verb.ACKNOWLEDGE, FEED, actor="bert")
        await until(lambda: first.phase() is Phase.ACKED and second.phase() is Phase.ACKED)
        ours, theirs = (s.alarms[next(iter(s.alarms))] for s in (first, second))
        assert ours == theirs
        assert ours.acked_by == "anna"
        now = datetime.now(UTC)
        floor.act(Verb.SHELVE, FEED, at=now, until=now + timedelta(hours=1), reason="sensor is moved")
        await until(lambda: first.phase() is Phase.SHELVED and second.phase() is Phase.SHELVED)
        # Said offline before the shelf was made, and heard only now: at worst an alarm is back too soon, never hidden.
        floor.act(Verb.UNSHELVE, FEED, at=now - timedelta(minutes=5))
        await until(lambda: first.phase() is Phase.UNACK and second.phase() is Phase.UNACK)
        assert first.alarms.keys() == second.alarms.keys()


async def test_trouble_of_another_lineside_stays_its_own_over_a_restart(floor: Floor) -> None:
    def trouble(station: Station) -> list[Phase]:
        return [r.phase for r in station.alarms.values() if r.key == "system!disk@01"]

    async with floor.station("01") as first:
        first.collector.desk.raise_system("disk", "The disk is full.")
        async with floor.station("02") as second:
            await until(lambda: trouble(second) == [Phase.UNACK])
            with closing(HistoryReader(second.folder / FILE_NAME)) as stored:
                await until(lambda: bool(stored.alarms(active_only=True)))
        async with floor.station("02") as second:
            await until(lambda: trouble(second) == [Phase.UNACK])
            assert "system!disk@01" not in [r.key for r in second.collector.desk.open_records()]
            first.collector.desk.clear_system("disk")
            floor.act(Verb.ACKNOWLEDGE, "system!disk@01")
            await until(lambda: trouble(second) == [Phase.NORMAL])
        async with floor.station("02") as second:
            assert trouble(second) == []


async def test_a_machine_whose_holder_is_gone_is_taken_over_with_its_alarms(floor: Floor) -> None:
    async with floor.station("01") as first:
        await until(lambda: first.drives)
        floor.send(FEED, 1500)
        await until(lambda: first.phase() is Phase.UNACK)
        floor.act(Verb.ACKNOWLEDGE, FEED)
        await until(lambda: first.phase() is Phase.ACKED)
        async with floor.station("02") as second:
            await until(lambda: second.phase() is Phase.ACKED)
            known = set(second.alarms)
            first.collector.stop()
            await until(lambda: second.drives, 30)
            assert floor.lease() == ("02", 2)
            await until(lambda: second.shows(1500))
            assert set(second.alarms) == known, "it did not ring again"
            assert second.phase() is Phase.ACKED


async def test_what_people_do_while_nobody_has_the_machine_is_carried_out_by_whoever_takes_it(
    floor: Floor,
) -> None:
    floor.silence(3600)
    async with floor.station("02") as second:
        async with floor.station("01") as first:
            floor.order("01")
            await until(lambda: first.drives)
            floor.send(FEED, 1500)
            await until(lambda: second.phase() is Phase.UNACK)
        floor.act(Verb.ACKNOWLEDGE, FEED, reason="on my way")
        assert not second.drives
        floor.silence(2)
        await until(lambda: second.drives, 30)
        await until(lambda: second.phase() is Phase.ACKED)
        with closing(HistoryReader(second.folder / FILE_NAME)) as stored:
            await until(lambda: [(n.event, n.actor) for n in stored.journal()] == [("acknowledged", "anna")])


def shown(station: Station, floor: Floor) -> MachineNow:
    """The welder as a window of the station shows it, from what its collector has said so far."""
    values = ValuesNow(utc_now)
    states = MachineStates(values, clock=utc_now, alarms=dict, forecast=lambda _tag: None)
    values.follow(floor.plant)
    states.follow(floor.plant, frozenset())
    values.live = True
    for message in list(station.heard):
        values.heard_at = utc_now()
        if isinstance(message, SampleBatch):
            for wire in message.samples:
                values.take(wire.sample())
        elif isinstance(message, LinkStatus):
            values.take_link(message)
    machine = states.machine("WELD-1")
    assert machine is not None
    return machine


class NothingReadYet:
    """A collector that has just begun: it knows no value of its machines."""

    def everything(self) -> tuple[Sequence[Sample], Sequence[LinkStatus], Sequence[AlarmNews]]:
        return [], [], []

    def leases_moved(self) -> None: ...
    def lost(self, connection: str) -> None: ...
    def inherited(self, connection: str, alarms: Sequence[AlarmNews], acts: Iterable[str]) -> None: ...
    def samples_told(self, samples: Sequence[Sample]) -> None: ...
    def link_told(self, status: LinkStatus) -> None: ...
    def alarms_told(self, alarms: Sequence[AlarmRecord]) -> None: ...
    def answers_told(self, answers: Sequence[WriteAnswered]) -> None: ...
    async def answers(self, connection: str) -> bool:
        return True

    def listeners(self) -> int:
        return 0


async def test_a_holder_that_knows_no_value_yet_ends_what_was_told_before(floor: Floor) -> None:
    """Over a broker a value may not come for hours; what the collector before told of it may not hold any more."""
    fellows = floor.fellows("01", floor.folder / "01")
    with floor.server.connect() as db:
        db.execute(
            "INSERT INTO sync.live (name, connection, station, rev, t, r, v, q) VALUES (%s, %s, '01', 1, 1, 1, 700, 0)",
            (FEED, floor.ids[WELDER]),
        )

        def quality() -> int:
            row = db.execute("SELECT q FROM sync.live WHERE name = %s", (FEED,)).fetchone()
            assert row is not None
            return int(row[0])

        await fellows.begin(NothingReadYet())
        try:
            fellows.follow(floor.plant, MachineFacts(floor.ids, station="01"))
            await until(lambda: quality() == Quality.BAD_WAITING_FOR_INITIAL_DATA)
        finally:
            await fellows.end()


async def test_values_of_a_silent_holder_are_never_shown_as_good(floor: Floor) -> None:
    floor.silence(3600)
    async with floor.station("02") as second:
        async with floor.station("01") as first:
            floor.order("01")
            await until(lambda: first.drives)
            floor.send(FEED, 700)
            await until(lambda: second.shows(700))
            await until(lambda: shown(second, floor).state is EquipmentState.OPERATIONAL)
            left = utc_now()
        await until(lambda: second.samples[FEED].quality != Quality.GOOD)
        await until(lambda: second.links[WELDER].state is LinkState.OFFLINE)
        assert second.links[WELDER].sentence == "Station 01 is not heard; it reads this machine."
        machine = shown(second, floor)
        assert machine.state is EquipmentState.UNKNOWN
        assert machine.silent == second.links[WELDER].sentence
        assert all(signal.stale for signal in machine.signals)
        assert machine.known_until is not None
        assert abs(machine.known_until - left) < timedelta(seconds=20)
