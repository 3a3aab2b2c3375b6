"""Sealing samples into chunks: the same answers before and after, whatever happens in between."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused, WorldFault
from app.domain.samples import Quality, Sample, Value
from app.store.history import Buckets, HistoryReader, HistoryWriter, Keeping, curves, sealing
from tests.chance import examples
from tests.store.first_history import FIRST_TABLES

T0 = datetime(2026, 3, 4, tzinfo=UTC)
SOON = Keeping(seal_after=timedelta(0), seal_least=5, seal_within=timedelta(0))
LATER = T0 + timedelta(days=30)
ROOT = Path(__file__).parents[2]


def at(second: float, value: Value, quality: int = Quality.GOOD, tag: str = "M/x") -> Sample:
    time = T0 + timedelta(seconds=second)
    return Sample(tag, time, time + timedelta(milliseconds=20), value, quality)


def moment(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def seal_all(writer: HistoryWriter, now: datetime = LATER) -> int:
    sealed = 0
    while (step := writer.seal(now, 0.0)).more:
        sealed += step.samples
    return sealed + step.samples


def same(one: Buckets, other: Buckets) -> None:
    assert one.before == other.before
    for field in fields(one):
        if field.name != "before":
            left, right = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-6, err_msg=field.name)


VALUES = st.one_of(
    st.floats(-1e6, 1e6), st.integers(-1000, 1000), st.booleans(), st.sampled_from(["run", None])
)
BATCH = st.lists(
    st.tuples(
        st.integers(0, 300),
        VALUES,
        st.sampled_from([Quality.GOOD, Quality.UNCERTAIN, Quality.BAD_DEVICE_FAILURE]),
        st.sampled_from(["M/x", "M/y"]),
    ),
    max_size=30,
)


@given(
    st.lists(st.tuples(BATCH, st.one_of(st.none(), st.integers(0, 300))), max_size=5),
    st.integers(1, 40),
    st.integers(0, 100),
)
@examples(60)
def test_answers_are_the_same_from_chunks_as_from_rows(
    tmp_path_factory: pytest.TempPathFactory,
    acts: list[tuple[list[tuple[int, Value, int, str]], int | None]],
    pixels: int,
    begin: int,
) -> None:
    folder = tmp_path_factory.mktemp("sealing")
    rules = Keeping(seal_after=timedelta(0), seal_least=3, seal_within=timedelta(seconds=5))
    with HistoryWriter(folder / "rows") as plain, HistoryWriter(folder / "chunks", keeping=rules) as sealed:
        for minute, (batch, seal_at) in enumerate(acts):
            samples = [at(s, v, q, tag) for s, v, q, tag in batch]
            plain.write(samples)
            sealed.write(samples)
            while seal_at is not None and sealed.seal(moment(seal_at + 120 * minute), 0.0).more:
                pass
    with HistoryReader(folder / "rows") as plain, HistoryReader(folder / "chunks") as sealed:
        start, end = moment(begin), moment(begin + 150)
        assert plain.counts(start) == sealed.counts(start)
        assert plain.latest() == sealed.latest()
        assert plain.stats().samples == sealed.stats().samples
        assert (plain.stats().oldest, plain.stats().newest) == (sealed.stats().oldest, sealed.stats().newest)
        for tag in ("M/x", "M/y"):
            assert plain.samples(tag, start, end) == sealed.samples(tag, start, end)
            assert plain.samples(tag, T0, LATER) == sealed.samples(tag, T0, LATER)
            assert plain.before(tag, start) == sealed.before(tag, start)
            same(plain.buckets(tag, start, end, pixels), sealed.buckets(tag, start, end, pixels))
    with closing(sqlite3.connect(folder / "chunks")) as db:
        chunks = db.execute("SELECT tag, t0, t1, bytes FROM chunk ORDER BY tag, t0").fetchall()
    for (tag, _, end_of_one, _), (next_tag, begin_of_next, *_) in pairwise(chunks):
        assert tag != next_tag or end_of_one < begin_of_next


def test_identities_are_the_same_in_chunks(path: Path) -> None:
    from app.store.history.codec import decode

    with HistoryWriter(path, epoch=3, keeping=SOON) as writer:
        for minute in range(4):
            writer.write([at(60 * minute + s, s / 10, tag=f"M/{s % 2}") for s in range(20)])
            seal_all(writer)
    with closing(sqlite3.connect(path)) as db:
        known = [decode(body).rows() for (body,) in db.execute("SELECT body FROM chunk_data")]
        kept = [(epoch, n) for rows in known for _, n, epoch, *_ in rows]
        kept += db.execute("SELECT epoch, n FROM sample").fetchall()
    assert sorted(kept) == [(3, n) for n in range(1, 81)]


def test_coarse_curves_come_from_the_figures_of_chunks_and_lose_no_spike(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "EXACT", 1000)
    monkeypatch.setattr(sealing, "MOST", 2000)
    with HistoryWriter(path, keeping=Keeping(seal_after=timedelta(0))) as writer:
        writer.write([at(s, 99.0 if s == 23_457 else s % 50 / 10) for s in range(60_000)])
        assert seal_all(writer) == 59_999
    with HistoryReader(path) as reader:
        for pixels in (3, 20, 100, 2000):
            curve = reader.buckets("M/x", T0, moment(60_000), pixels)
            assert (curve.max.max(), curve.min.min(), curve.count.sum()) == (99.0, 0.0, 60_000)
            assert curve.t.size <= pixels
            edges = [*curve.t.tolist(), int(curve.t[-1]) + 10**12]
            spike = int(moment(23_457).timestamp() * 1e6)
            found = int(np.argmax(curve.max))
            assert edges[found] <= spike < edges[found + 1]
            np.testing.assert_allclose(curve.good_fraction, 1.0)
            np.testing.assert_allclose(curve.mean @ curve.count / 60_000, 2.45, atol=2e-3)


class _Stop(Exception):
    pass


def test_a_failure_at_any_statement_of_sealing_changes_nothing(path: Path) -> None:
    with HistoryWriter(path, keeping=SOON) as writer, HistoryReader(path) as reader:
        writer.write([at(s, s / 10) for s in range(60)])
        seal_all(writer)
        writer.write([at(s + 0.5, s / 10) for s in range(0, 120, 2)])
        expected = reader.samples("M/x", T0, LATER)
        real = writer._sealing.db
        for statement in range(1, 200):
            failing = _FailingAt(real, statement)
            writer._sealing.db = failing  # type: ignore[assignment]  # it answers as the real one until it fails
            writer._sealing._tags.clear()
            writer._sealing._pause_until = None
            try:
                writer.seal(LATER, 10.0)
            except _Stop:
                assert reader.samples("M/x", T0, LATER) == expected
                continue
            break
        assert 10 < statement < 199
        writer._sealing.db = real
        assert reader.samples("M/x", T0, LATER) == expected
        assert reader.stats().rows == 1


class _FailingAt:
    """A connection that fails at its n-th statement."""

    def __init__(self, db: sqlite3.Connection, number: int) -> None:
        self._db, self._left = db, number

    def __getattr__(self, name: str) -> object:
        return getattr(self._db, name)

    def execute(self, sql: str, *values: object) -> object:
        return self._counted(self._db.execute, sql, *values)

    def executemany(self, sql: str, *values: object) -> object:
        return self._counted(self._db.executemany, sql, *values)

    def _counted(self, act: object, sql: str, *values: object) -> object:
        if sql != "ROLLBACK":
            self._left -= 1
            if not self._left:
                raise _Stop
        return act(sql, *values)  # type: ignore[operator]  # one of the two above


_WRITES_AND_SEALS = """
import sys
from datetime import timedelta
from pathlib import Path
from app.store.history import HistoryWriter
from tests.store.test_history_sealing import SOON, LATER, at
with HistoryWriter(Path(sys.argv[1]), keeping=SOON) as writer:
    number = 0
    while True:
        writer.write([at(number + i, float(number + i)) for i in range(50)])
        number += 50
        print(number, flush=True)
        writer.seal(LATER + timedelta(minutes=2 * number), 0.0)
"""


def test_killed_in_the_middle_of_sealing_no_sample_is_missing_or_there_twice(path: Path) -> None:
    for kill_after in (3, 12, 25):
        path.unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", _WRITES_AND_SEALS, str(path)], stdout=subprocess.PIPE, cwd=ROOT, text=True
        ) as process:
            assert process.stdout is not None
            told = 0
            for _ in range(kill_after):
                told = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            told = max([told, *map(int, process.stdout.read().split())])
        with HistoryReader(path) as reader:
            values = [sample.value for sample in reader.samples("M/x", T0, LATER + timedelta(days=900))]
            assert reader.stats().chunks > 0
        assert values[:told] == [float(n) for n in range(told)]
        assert len(values) in (told, told + 50)
        for leftover in path.parent.glob("history.sqlite*"):
            leftover.unlink()


def test_readers_see_every_sample_once_while_others_seal(path: Path) -> None:
    with HistoryWriter(path, keeping=SOON) as writer, HistoryReader(path) as reader:
        writer.write([at(s, float(s)) for s in range(3000)])
        begun = reader.blocks("M/x", T0, LATER)
        seen = next(begun)
        seal_all(writer)
        seen += [sample for block in begun for sample in block]
        assert [sample.value for sample in seen] == [float(s) for s in range(3000)]


@pytest.fixture
def old_file(path: Path) -> Path:
    """A history as the first version wrote it."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(_VERSION_1)
        db.executemany(
            "INSERT INTO sample VALUES (1, ?, ?, 1, ?, 0, 20000)",
            [(int(moment(s).timestamp() * 1e6), s + 1, s / 10) for s in range(50)],
        )
        db.commit()
    return path


def test_a_file_of_the_first_version_is_brought_up_to_date_and_sealed(old_file: Path) -> None:
    with HistoryReader(old_file) as reader:
        with pytest.raises(WorldFault, match="older Lineside; the collector brings it up to date"):
            reader.tags()
        with HistoryWriter(old_file, keeping=SOON) as writer:
            assert seal_all(writer) == 49
        assert reader.samples("M/x", T0, LATER) == [at(s, s / 10) for s in range(50)]
        assert reader.alarms() == []


def test_a_damaged_chunk_is_refused_with_a_sentence(path: Path) -> None:
    with HistoryWriter(path, keeping=SOON) as writer:
        writer.write([at(s, float(s)) for s in range(50)])
        seal_all(writer)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE chunk_data SET body = substr(body, 1, 40)")
        db.commit()
    with HistoryReader(path) as reader:
        for reading in (
            lambda: reader.samples("M/x", T0, LATER),
            lambda: reader.buckets("M/x", T0, moment(60), 10),
            lambda: reader.before("M/x", moment(30)),
        ):
            with pytest.raises(Refused, match="damaged"):
                reading()


_VERSION_1 = f"""
{FIRST_TABLES}INSERT INTO tag VALUES (1, 'M/x', 'number');
PRAGMA user_version = 1;
"""
