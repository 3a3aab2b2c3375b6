"""The history file: durable batches, curves without lost spikes, gaps that stay gaps, files of other versions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.errors import Refused, WorldFault
from app.domain.samples import Quality, Sample, Value, is_good
from app.store.history import AlarmBatch, AlarmRecord, HistoryReader, HistoryWriter, JournalLine

T0 = datetime(2026, 3, 4, tzinfo=UTC)


def at(second: float, value: Value, quality: int = Quality.GOOD, tag: str = "M/x") -> Sample:
    time = T0 + timedelta(seconds=second)
    return Sample(tag, time, time + timedelta(milliseconds=20), value, quality)


def moment(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
def writer(path: Path) -> Iterator[HistoryWriter]:
    with HistoryWriter(path) as opened:
        yield opened


@pytest.fixture
def reader(path: Path) -> Iterator[HistoryReader]:
    with HistoryReader(path) as opened:
        yield opened


def test_samples_come_back_as_they_were_stored(writer: HistoryWriter, reader: HistoryReader) -> None:
    bad = at(2, None, Quality.BAD_NO_COMMUNICATION)
    samples = [at(0, 1.5), at(1, 2), bad, at(3, True, tag="M/on"), at(4, "run", tag="M/mode")]
    assert writer.write(samples) == 5
    assert reader.samples("M/x", T0, moment(9)) == samples[:3]
    assert reader.samples("M/x", moment(1), moment(2)) == [samples[1]]
    assert reader.latest() == {"M/x": bad, "M/on": samples[3], "M/mode": samples[4]}
    assert reader.latest(["M/on", "M/none"]) == {"M/on": samples[3]}
    assert reader.latest()["M/on"].value is True
    assert reader.before("M/x", moment(2)) == samples[1]
    assert reader.tags() == ["M/mode", "M/on", "M/x"]


def test_two_samples_of_the_same_instant_are_both_kept_and_numbered(
    path: Path, reader: HistoryReader
) -> None:
    for _ in range(2):
        with HistoryWriter(path) as opened:
            opened.write([at(0, 1.0), at(0, 1.0)])
    assert len(reader.samples("M/x", T0, moment(1))) == 4
    with sqlite3.connect(path) as db:
        assert [n for (n,) in db.execute("SELECT n FROM sample ORDER BY n")] == [1, 2, 3, 4]
    db.close()


def test_before_there_is_a_file_everything_is_empty(reader: HistoryReader) -> None:
    assert reader.samples("M/x", T0, moment(9)) == []
    assert reader.buckets("M/x", T0, moment(9), 100).t.size == 0
    assert (reader.latest(), reader.alarms(), reader.journal(), reader.before("M/x", T0)) == (
        {},
        [],
        [],
        None,
    )
    assert (reader.stats().samples, reader.stats().bytes_per_sample) == (0, 0.0)


def test_a_spike_of_one_sample_is_seen_in_a_curve_of_a_day(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    writer.write([at(s, 99.0 if s == 40_001 else 20.0) for s in range(0, 86_400, 7)] + [at(40_001, 99.0)])
    curve = reader.buckets("M/x", T0, moment(86_400), 200)
    assert curve.t.size == 200
    assert curve.max.max() == 99.0
    assert curve.min.max() == 20.0
    assert curve.count.sum() == 12_344


def test_a_gap_stays_a_gap(writer: HistoryWriter, reader: HistoryReader) -> None:
    lost = at(30, None, Quality.BAD_NO_COMMUNICATION)
    writer.write([at(-5, 19.0), at(0, 20.0), at(10, 21.0), lost, at(90, 22.0)])
    curve = reader.buckets("M/x", T0, moment(100), 10)
    assert [int(t) for t in (curve.t - curve.t[0]) // 1_000_000] == [0, 10, 30, 90]
    assert curve.ends_good.tolist() == [True, True, False, True]
    assert np.isnan(curve.mean[2])
    assert curve.good_fraction.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert curve.before == at(-5, 19.0)


series = st.lists(
    st.tuples(
        st.integers(0, 1000),
        st.floats(-1e6, 1e6),
        st.sampled_from([Quality.GOOD, Quality.UNCERTAIN, Quality.BAD_DEVICE_FAILURE]),
    ),
    max_size=80,
)


@given(series, st.integers(1, 50))
def test_a_curve_agrees_with_its_samples(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[int, float, int]], pixels: int
) -> None:
    path = tmp_path_factory.mktemp("curve") / "history.sqlite"
    with HistoryWriter(path) as writer, HistoryReader(path) as reader:
        writer.write([at(s / 10, v, q) for s, v, q in data])
        curve = reader.buckets("M/x", T0, moment(100), pixels)
    inside = [(s, v, q) for s, v, q in data if s < 1000]
    good = [v for _, v, q in inside if is_good(q)]
    assert curve.t.size <= pixels
    assert curve.count.sum() == len(inside)
    assert np.all(np.diff(curve.t) > 0)
    assert np.isclose(curve.good_fraction @ curve.count, len(good))
    if good:
        assert (np.nanmin(curve.min), np.nanmax(curve.max)) == (min(good), max(good))
        seen = curve.good_fraction > 0
        assert np.all(curve.min[seen] <= curve.first[seen])
        assert np.all(curve.last[seen] <= curve.max[seen])


def test_alarms_and_their_journal_are_listed_newest_first(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    first = AlarmRecord(
        "a1", "M/x", "M/x", Kind.VALUE, 1, 2, Urgency.CRITICAL, Limit.HIHI, 86.0, Phase.UNACK, T0
    )
    second = AlarmRecord("a2", "M/x!comm", "M/x", Kind.COMMUNICATION, 1, 2, Urgency.WARNING, Limit.COMM, None,
                         Phase.NORMAL, moment(5), moment(6), moment(7), "anna")  # fmt: skip
    line = JournalLine(T0, "M/x", "a1", "raised", Phase.UNACK, Urgency.CRITICAL, Limit.HIHI, 86.0)
    writer.write([], AlarmBatch([first, second], [line], {"M/x": (b"packed", "a1")}, acts=["7"]))
    assert reader.alarms() == [second, first]
    assert reader.alarms(active_only=True) == [first]
    assert reader.alarms(since=moment(1), tag="M/x") == [second]
    assert reader.journal() == [line]
    assert reader.journal(key="M/y") == []
    assert (writer.alarm_states(), writer.alarm_acts()) == ({"M/x": (b"packed", "a1")}, {"7"})


def test_a_batch_is_stored_whole_or_not_at_all(writer: HistoryWriter, reader: HistoryReader) -> None:
    writer.write([at(0, 1.0)])
    broken = AlarmBatch(states={"M/x": (None, None)})  # type: ignore[dict-item]  # the file refuses a state of None
    with pytest.raises(Refused):
        writer.write([at(1, 2.0), at(2, 3.0, tag="M/new")], broken)
    assert reader.samples("M/x", T0, moment(9)) == [at(0, 1.0)]
    writer.write([at(1, 2.0), at(2, 3.0, tag="M/new")])
    assert reader.tags() == ["M/new", "M/x"]


def test_a_file_of_a_newer_version_is_refused_with_a_sentence(path: Path, reader: HistoryReader) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    for opening in (lambda: HistoryWriter(path), reader.tags):
        with pytest.raises(Refused, match="newer Lineside"):
            opening()


def test_a_damaged_file_is_refused_and_an_unusable_place_is_a_fault(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"this is not a database" * 200)
    with pytest.raises(Refused, match="damaged"):
        HistoryWriter(path)
    with pytest.raises(WorldFault, match="cannot be used now"):
        HistoryWriter(tmp_path)


def test_the_figures_of_the_file_are_told(writer: HistoryWriter, reader: HistoryReader) -> None:
    writer.write([at(s / 10, 20.0 + s % 7) for s in range(20_000)])
    stats = reader.stats()
    assert (stats.samples, stats.tags, stats.oldest, stats.newest) == (20_000, 1, T0, moment(1999.9))
    assert 10 < stats.bytes_per_sample < 60


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_the_history_is_private_also_when_it_was_made_for_all(path: Path) -> None:
    def modes() -> set[int]:
        return {each.stat().st_mode & 0o777 for each in path.parent.glob("history.sqlite*")}

    with HistoryWriter(path) as made:
        made.write([at(0, 1.0)])
        assert modes() == {0o600}
    path.chmod(0o644)
    with HistoryWriter(path) as again:
        again.write([at(1, 1.0)])
        assert modes() == {0o600}
