"""Forwarding as a part of the collector: samples of a machine reach the server, windows hear of it, a backlog rings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from app.domain.alarms import Phase
from app.domain.forwarding import ForwardFigures, ForwardState
from app.domain.identity import uuid7
from app.domain.plant import Plant
from app.live.alarm_desk import AlarmDesk
from app.live.backlog import Backlog
from app.live.collector import Collector
from app.live.forward_watch import ForwardWatch
from app.live.messages import Forwarding as Told
from app.live.saving import Saving
from app.live.source import MemoryPlantSource
from app.store.history import AlarmRecord, HistoryWriter
from app.sync.machines.forwarding import Forwarding
from app.sync.machines.pace import Pace
from tests.live.conftest import until
from tests.sync.conftest import ServerDatabase
from tests.sync.readings.stand import START, Station, assert_same, on_server, samples

NOW = datetime(2026, 4, 1, tzinfo=UTC)


async def test_what_the_collector_writes_is_forwarded(tmp_path: Path, server: ServerDatabase) -> None:
    station = Station(tmp_path / "07", server)
    work = Forwarding(station.folder, station.line, shares=lambda: True, share=1.0)
    collector = Collector(MemoryPlantSource(Plant()), station.folder, forwarder=work)
    task = asyncio.create_task(collector.run())
    try:
        await asyncio.wait_for(collector.ready.wait(), 30)
        collector.intake.backlog.add(samples(500, Random(1)))
        await until(lambda: work.keep_from() == (1, 501), 30)
        assert work.figures().state is ForwardState.UP_TO_DATE
        told = collector.forwarding.messages()
        assert [type(message) for message in told] == [Told]
    finally:
        collector.stop()
        await task
    assert_same(on_server(server), station.content())


async def test_a_folder_that_joins_later_is_forwarded_from_its_first_sample_on(
    tmp_path: Path, server: ServerDatabase
) -> None:
    station = Station(tmp_path / "07", server)
    joined: list[str] = []
    station.write(samples(200, Random(2)))
    work = Forwarding(station.folder, station.line, shares=lambda: bool(joined), share=1.0)
    with station.writer() as writer:
        work.begin(writer)
        assert work.keep_from() is None
        assert work.figures().state is ForwardState.ALONE
        joined.append("07")
        try:
            await until(lambda: len(on_server(server)) == 200, 30)
            joined.clear()
            await until(lambda: work.figures().state is ForwardState.ALONE, 30)
            assert work.keep_from() is None
        finally:
            work.end()


@dataclass
class ToldForwarder:
    """Says what a test has it say."""

    told: ForwardFigures = field(default_factory=ForwardFigures)

    def begin(self, writer: HistoryWriter, busy: Callable[[], bool]) -> None: ...

    def end(self) -> None: ...

    def keep_from(self) -> tuple[int, int] | None:
        return None

    def figures(self) -> ForwardFigures:
        return self.told


def test_a_backlog_of_more_than_a_day_rings_until_the_server_takes_it() -> None:
    records: list[AlarmRecord] = []
    desk = AlarmDesk(uuid7, records.append, clock=lambda: NOW)
    forwarder = ToldForwarder()

    async def never(*_arguments: object) -> object:
        raise AssertionError("nothing is written")

    watch = ForwardWatch(forwarder, desk, Saving(Backlog(), desk, lambda: NOW, never))
    offline = ForwardFigures(ForwardState.OFFLINE, "The cable is out.", None, NOW - timedelta(hours=23), 5000)
    forwarder.told = offline
    assert watch.look(NOW) == [Told(offline)]
    assert records == []
    watch.look(NOW + timedelta(hours=50))
    assert [(r.value, r.phase) for r in records] == [
        ("5,000 samples of the last 3 days are not on the shared server yet: The cable is out.", Phase.UNACK)
    ]
    forwarder.told = ForwardFigures(
        ForwardState.CATCHING_UP, "", None, NOW - timedelta(hours=23), 5000, 900.0
    )
    watch.look(NOW + timedelta(hours=51))
    assert [r.phase for r in records] == [Phase.UNACK, Phase.RTN_UNACK]


@pytest.mark.parametrize(("share", "longest"), [(1.0, 0.0), (0.5, 1.0), (0.1, 9.0)])
def test_a_thread_that_may_have_a_part_of_a_processor_rests_the_other_part(
    share: float, longest: float
) -> None:
    pauses: list[float] = []
    pace = Pace(lambda: share, pauses.append)
    pace.begin()
    worked = sum(n * n for n in range(300_000))
    pace.rest()
    assert worked
    assert bool(pauses) == (longest > 0)
    pace.rest()  # nothing was done since
    assert len(pauses) <= 1


def test_a_long_backlog_does_not_keep_a_batch_from_the_disk(tmp_path: Path, server: ServerDatabase) -> None:
    station = Station(tmp_path / "07", server)
    chance = Random(3)
    station.write(*[samples(2000, chance, START + timedelta(hours=n)) for n in range(10)])
    with station.writer() as writer, station.forwarding(writer, 100) as work:
        written = 0
        while (work.keep_from() or (1, 0))[1] < 20_000:
            writer.write(samples(50, chance))
            written += 1
            work.figures()
        station.wait(work)
    assert written > 3
    assert_same(on_server(server), station.content())
