"""Samples by their numbers: from rows and chunks alike, each once, in order, with what was dropped left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from app.domain.samples import Quality, Sample, Value
from app.store.history import HistoryWriter, Keeping
from app.store.history.forward import SampleStream, Stretch
from app.store.history.stream_marks import StreamState
from tests.store.test_history_sealing import T0, moment, seal_all

DAY = timedelta(days=1)
RULES = Keeping(seal_after=timedelta(0), seal_least=10, keep=30 * DAY)
VALUES: tuple[Value, ...] = (1.5, 7, True, "cold", None, float("inf"), -0.0, 2**62)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def mixed(count: int, chance: Random, start: float = 0.0) -> list[Sample]:
    """Samples of five tags whose times go to and fro."""
    return [
        Sample(
            f"M/{chance.randrange(5)}",
            moment(start + n + chance.uniform(-90, 90)),
            moment(start + n + 100),
            chance.choice(VALUES),
            chance.choice((Quality.GOOD, Quality.BAD, Quality.BAD_NOT_CONNECTED)),
        )
        for n in range(count)
    ]


def all_of(path: Path, most: int = 70) -> list[Stretch]:
    found: list[Stretch] = []
    with SampleStream(path) as stream:
        after = 0
        while (stretch := stream.read(1, after, most)) is not None:
            assert stretch.after == after < stretch.last
            found.append(stretch)
            after = stretch.last
    return found


def flat(path: Path, stretches: list[Stretch]) -> list[tuple[int, str, int, object, int, int]]:
    with SampleStream(path) as stream:
        names = stream.names()
    return [
        (n, names[tag][0], t, value, quality, late)
        for stretch in stretches
        for tag, (t, n, _, value, quality, late) in zip(
            stretch.tags.tolist(), stretch.samples.rows(), strict=True
        )
    ]


def test_samples_come_in_the_order_in_which_they_were_written_from_rows_and_chunks(path: Path) -> None:
    chance = Random(4)
    with HistoryWriter(path, keeping=RULES) as writer:
        writer.write(mixed(600, chance))
        expected = flat(path, all_of(path))
        assert [n for n, *_ in expected] == list(range(1, 601))
        assert seal_all(writer) > 500
        assert repr(flat(path, all_of(path))) == repr(expected)
        writer.write(mixed(100, chance, 300.0))  # times that lie in sealed chunks already
        expected = flat(path, all_of(path))
        seal_all(writer)
        assert repr(flat(path, all_of(path, 1000))) == repr(expected)


def test_a_stretch_that_is_dropped_is_told_as_empty(path: Path) -> None:
    with HistoryWriter(path, keeping=RULES) as writer:
        for day in range(8):
            writer.write([Sample("M/x", moment(86_400 * day + s), moment(0), 1.0, 0) for s in range(50)])
            seal_all(writer, T0 + (day + 1) * DAY)
        while writer.drop_old(T0 + 35 * DAY).more:
            pass
    stretches = all_of(path)
    assert stretches[-1].last == 400
    assert [n for n, *_ in flat(path, stretches)] == list(range(250, 401))


def test_chunks_of_an_older_lineside_are_found_once_they_are_numbered(path: Path) -> None:
    with HistoryWriter(path, keeping=RULES) as writer:
        writer.write(mixed(300, Random(5)))
        expected = flat(path, all_of(path))
        seal_all(writer)
        writer._db.execute("UPDATE chunk SET first_n = NULL")
        assert repr(flat(path, all_of(path))) == repr(expected)
        while writer.number_chunks(2):
            pass
        assert writer._db.execute("SELECT count(*) FROM chunk WHERE first_n IS NULL").fetchone() == (0,)
        assert repr(flat(path, all_of(path))) == repr(expected)


def test_what_is_offered_is_on_the_disk_with_the_samples_themselves(path: Path) -> None:
    stream = StreamState(uuid4())
    with HistoryWriter(path) as writer, SampleStream(path) as reader:
        writer.write(mixed(10, Random(6)))
        assert reader.streams() == []
        writer.begin_offering([stream])
        assert reader.streams() == [replace(stream, offered=10)]
        writer.forwarded(7)
        writer.write(mixed(10, Random(7)))
        assert reader.streams() == [replace(stream, offered=20, forwarded=7)]
    with HistoryWriter(path) as writer, SampleStream(path) as reader:
        writer.write(mixed(10, Random(8)))
        assert reader.streams() == [replace(stream, offered=20, forwarded=7)]
        assert reader.newest(1) == 30


def test_a_file_that_is_too_large_gives_up_unforwarded_samples_last_and_counts_them(path: Path) -> None:
    tight = Keeping(seal_after=timedelta(0), seal_least=10, most_bytes=1)
    with HistoryWriter(path, keeping=tight) as writer:
        for day in range(10):
            writer.write([Sample("M/x", moment(86_400 * day + s), moment(0), 1.0, 0) for s in range(50)])
            seal_all(writer, T0 + (day + 1) * DAY)
        writer.begin_offering([StreamState(uuid4())])
        first = writer.drop_old(T0 + 9.9 * DAY, (1, 60))
        assert first.samples == 59
        with SampleStream(path) as reader:
            assert [stream.given_up for stream in reader.streams()] == [0]
        writer._retention._pause_until = None
        second = writer.drop_old(T0 + 9.9 * DAY, (1, 60))
        with SampleStream(path) as reader:
            assert [stream.given_up for stream in reader.streams()] == [second.samples]
        assert second.samples > 0
