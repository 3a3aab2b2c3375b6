"""Samples reach the server each once and in order, whatever happens to the connection, the server or the file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

import numpy as np
import pytest

from app.domain.forwarding import ForwardState
from app.domain.samples import Quality, Sample
from app.store.history import FILE_NAME
from app.store.history.forward import SampleStream
from app.sync.machines.sample_server import SampleServer, batch_of
from tests.sync.conftest import ServerDatabase
from tests.sync.readings.stand import (
    AT_ONCE,
    START,
    Station,
    assert_same,
    eventually,
    on_server,
    samples,
    seal,
)

DAY = timedelta(days=1)


@pytest.fixture
def station(tmp_path: Path, server: ServerDatabase) -> Station:
    return Station(tmp_path / "07", server)


def test_rows_and_chunks_arrive_whole_with_every_kind_of_value(station: Station) -> None:
    chance = Random(1)
    with station.writer() as writer:
        writer.write(samples(3000, chance))
        seal(writer)
        writer.write(samples(2000, chance))
    station.forward_all()
    expected = station.content()
    assert [n for n, _ in expected] == list(range(1, 5001))
    assert_same(on_server(station.server), expected)
    with station.server.connect() as connection:
        rows = connection.execute(
            "SELECT signal, value, text, quality, station, late FROM lineside.samples WHERE text = 'a␀b' LIMIT 1"
        ).fetchall()
        assert [row[:3] for row in rows] == [("M/0", None, "a␀b")]
        kinds = dict(connection.execute("SELECT name, kind FROM lineside.signal").fetchall())
        assert set(kinds) == {f"M/{n}" for n in range(7)}


def test_what_is_written_while_forwarding_follows_at_once(station: Station) -> None:
    chance = Random(2)
    with station.writer() as writer, station.forwarding(writer) as work:
        for _ in range(5):
            writer.write(samples(300, chance))
            station.wait(work)
        eventually(lambda: work.figures().state is ForwardState.UP_TO_DATE)
        assert (work.figures().waiting, work.figures().sentence) == (0, "")
        assert work.figures().until is not None
    assert_same(on_server(station.server), station.content())


def test_a_batch_offered_again_adds_nothing_and_a_gap_is_refused(station: Station) -> None:
    station.write(samples(300, Random(3)))
    with SampleStream(station.folder / FILE_NAME) as stream, station.connect() as connection:
        server = SampleServer(connection)
        stretch = stream.read(1, 0)
        assert stretch is not None
        names = stream.names()
        numbers = server.signals([names[t][0] for t in names], [names[t][1] for t in names])
        signals = np.array(numbers)[stretch.tags - 1]
        new = uuid4()
        assert server.open(new, 1, 1) == 0
        first, second, third = (batch_of(stretch, begin, begin + 100, signals) for begin in (0, 100, 200))
        assert server.forward(new, 1, first) == 100
        assert server.forward(new, 1, first) == 100
        assert server.forward(new, 1, third) == 100
        assert server.forward(new, 1, second) == 200
        assert server.forward(new, 1, first) == 200
        assert server.forward(new, 1, third) == 300
    assert_same(on_server(station.server), station.content())


def test_times_of_clocks_that_are_wrong_by_years_are_kept_as_well(station: Station) -> None:
    times = [START, START - 5000 * DAY, START + 9000 * DAY, START + 40 * DAY, START - 40 * DAY]
    station.write([Sample("M/x", at, at, float(n), Quality.GOOD) for n, at in enumerate(times)])
    station.forward_all()
    assert_same(on_server(station.server), station.content())
    with station.server.connect() as connection:
        rest = connection.execute("SELECT count(*) FROM lineside.reading_rest").fetchone()
        parts = connection.execute("SELECT count(*) FROM sync.reading_part").fetchone()
    assert (rest, parts) == ((2,), (3,))


def test_days_without_a_server_are_caught_up_oldest_first(station: Station) -> None:
    chance = Random(4)
    station.down = True
    with station.writer() as writer:
        for day in range(5):
            writer.write(samples(1500, chance, START + day * DAY))
            seal(writer)
        with station.forwarding(writer) as work:
            eventually(lambda: work.figures().waiting == 7500)
            figures = work.figures()
            assert (figures.state, figures.sentence) == (ForwardState.OFFLINE, "The cable is out.")
            assert figures.oldest_waiting is not None
            assert "7,500 samples of the last 5 days" in figures.backlog(START + 5 * DAY)
            assert figures.backlog(START + timedelta(hours=1)) == ""
            assert work.keep_from() == (1, 1)
            station.down = False
            station.wait(work)
            writer.write(samples(10, chance))
            station.wait(work)
    assert_same(on_server(station.server), station.content())


def test_a_server_that_was_put_back_is_offered_again_what_it_lost(station: Station) -> None:
    chance = Random(5)
    station.write(samples(1000, chance))
    station.forward_all()
    copy = station.server.copy()
    station.write(samples(1000, chance))
    station.forward_all()
    station.server.restore(copy)
    assert len(on_server(station.server)) == 1000
    with station.writer() as writer, station.forwarding(writer) as work:
        writer.write(samples(100, chance))
        eventually(lambda: len(on_server(station.server)) == 2100)
        station.wait(work)
    assert_same(on_server(station.server), station.content())


def test_a_server_put_back_while_samples_are_forwarded_is_noticed(station: Station) -> None:
    chance = Random(6)
    station.write(samples(500, chance))
    station.forward_all()
    copy = station.server.copy()
    with station.writer() as writer, station.forwarding(writer) as work:
        writer.write(samples(500, chance))
        station.wait(work)
        station.server.restore(copy)
        writer.write(samples(500, chance))
        eventually(lambda: len(on_server(station.server)) == 1500)
    assert_same(on_server(station.server), station.content())


def put_back(station: Station, copy: Path) -> None:
    for leftover in station.folder.glob("history.sqlite*"):
        leftover.unlink()
    shutil.copy(copy, station.folder / FILE_NAME)


def keep_copy(station: Station) -> Path:
    """The history as it is now; its writer is closed, so all of it is in one file."""
    copy = station.folder / "copy"
    shutil.copy(station.folder / FILE_NAME, copy)
    return copy


def test_a_history_that_was_put_back_goes_on_as_another_stream(station: Station) -> None:
    chance = Random(7)
    station.write(samples(1000, chance))
    station.forward_all()
    copy = keep_copy(station)
    station.write(samples(400, chance))
    station.forward_all()
    before = station.content()
    put_back(station, copy)
    station.write(samples(300, chance))  # under numbers that the server has of other samples
    after = station.content()
    station.forward_all()
    assert_same(sorted(on_server(station.server), key=repr), sorted([*before, *after[1000:]], key=repr))
    with SampleStream(station.folder / FILE_NAME) as stream:
        assert [(s.first_n, s.last_n) for s in stream.streams()] == [(1, 1000), (1001, None)]


def test_a_put_back_history_that_grew_beyond_the_server_loses_nothing_and_doubles_nothing(
    station: Station,
) -> None:
    chance = Random(8)
    station.write(samples(600, chance))
    station.forward_all()
    station.write(samples(200, chance))  # written, not forwarded yet, when the copy is made
    copy = keep_copy(station)
    station.forward_all()
    station.write(samples(200, chance))
    station.forward_all()
    before = station.content()
    put_back(station, copy)
    station.write(samples(3000, chance))
    after = station.content()
    station.forward_all()
    assert_same(sorted(on_server(station.server), key=repr), sorted([*before, *after[800:]], key=repr))


def test_a_divided_history_is_offered_whole_to_a_server_that_lost_all_of_it(station: Station) -> None:
    chance = Random(9)
    empty = station.server.copy()
    station.write(samples(500, chance))
    station.forward_all()
    copy = keep_copy(station)
    station.write(samples(50, chance))
    station.forward_all()
    put_back(station, copy)
    station.write(samples(500, chance))
    station.forward_all()
    station.server.restore(empty)
    assert on_server(station.server) == []
    with station.writer() as writer, station.forwarding(writer):
        eventually(lambda: len(on_server(station.server)) == 1000)
    assert_same(on_server(station.server), station.content())


def test_two_computers_that_go_on_with_one_history_lose_nothing(
    station: Station, tmp_path: Path, server: ServerDatabase
) -> None:
    chance = Random(10)
    station.write(samples(300, chance))
    station.forward_all()
    shutil.copytree(station.folder, tmp_path / "clone")
    clone = Station(tmp_path / "clone", server)
    with (
        station.writer() as writer,
        clone.writer() as other,
        station.forwarding(writer) as work,
        clone.forwarding(other) as others_work,
    ):
        for _ in range(4):
            writer.write(samples(100, chance))
            other.write(samples(130, chance))
            station.wait(work)
            clone.wait(others_work)
    everything = [*station.content(), *clone.content()[300:]]
    assert_same(sorted(on_server(server), key=repr), sorted(everything, key=repr))


def test_a_history_that_came_from_another_station_becomes_a_stream_of_this_one(
    station: Station, tmp_path: Path, server: ServerDatabase
) -> None:
    chance = Random(11)
    station.write(samples(300, chance))
    station.forward_all()
    shutil.copytree(station.folder, tmp_path / "08")
    heir = Station(tmp_path / "08", server, "08")
    heir.write(samples(200, chance))
    heir.forward_all()
    assert_same(on_server(server, "08"), heir.content()[300:])


def test_samples_that_are_gone_are_passed_over_and_counted(station: Station) -> None:
    tight = replace(AT_ONCE, keep=10 * DAY)
    with station.writer(tight) as writer:
        for day in range(20):
            writer.write(samples(100, Random(day), START + day * DAY))
            seal(writer)
        while writer.drop_old(START + 21 * DAY).more:
            pass
    kept = station.content()
    assert 0 < len(kept) < 2000
    station.forward_all()
    assert_same(on_server(station.server), kept)
    with station.server.connect() as connection:
        assert connection.execute("SELECT last_n, passed_over FROM sync.stream").fetchall() == [
            (2000, 2000 - len(kept))
        ]


def test_a_damaged_chunk_does_not_hold_up_the_others(station: Station) -> None:
    with station.writer() as writer:
        writer.write(samples(2000, Random(12)))
        seal(writer)
        writer._db.execute(
            "UPDATE chunk_data SET body = substr(body, 1, 40) WHERE id = (SELECT min(id) FROM chunk_data)"
        )
    kept = station.content()
    assert 0 < len(kept) < 2000
    station.forward_all()
    assert_same(on_server(station.server), kept)
