"""Keeping within time and size: figures stay, young and unforwarded samples stay, the disk gets its room back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.store.history import (
    AlarmBatch,
    AlarmRecord,
    Dropped,
    HistoryReader,
    HistoryWriter,
    JournalLine,
    Keeping,
)
from tests.store.test_history_sealing import T0, at, moment, seal_all

DAY = timedelta(days=1)
RULES = Keeping(seal_after=timedelta(0), seal_least=10, keep=30 * DAY, keep_figures=60 * DAY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ten chunks of fifty samples, a day apart from one another."""
    path = tmp_path / "history.sqlite"
    with HistoryWriter(path, keeping=RULES) as writer:
        for day in range(10):
            writer.write([at(86_400 * day + s, float(day)) for s in range(50)])
            seal_all(writer, T0 + (day + 1) * DAY)
    return path


def drop_all(
    path: Path, days: float, rules: Keeping = RULES, keep_from: tuple[int, int] | None = None
) -> Dropped:
    """Everything that goes that many days after the first sample."""
    samples = figures = 0
    with HistoryWriter(path, keeping=rules) as writer:
        more = True
        while more:
            step = writer.drop_old(T0 + days * DAY, keep_from)
            samples, figures, more = samples + step.samples, figures + step.figures, step.more
    return Dropped(samples, figures)


def test_old_samples_become_figures_and_figures_go_after_years(path: Path) -> None:
    with HistoryReader(path) as reader:
        dropped = drop_all(path, 34.5)
        stats = reader.stats()
        assert 0 < dropped.samples == stats.reduced
        assert stats.samples + stats.reduced == 500
        assert reader.samples("M/x", T0, T0 + 3 * DAY) == []
        curve = reader.buckets("M/x", T0, T0 + 10 * DAY, 10)
        assert curve.count.sum() == 500
        assert (curve.min.min(), curve.max.max()) == (0.0, 9.0)
        held = reader.before("M/x", T0 + 2 * DAY)
        assert held is not None
        assert held.value == 1.0
        assert drop_all(path, 200).figures > 0
        assert reader.stats().reduced == 0
        assert [s.value for s in reader.latest().values()] == [9.0]


def test_what_is_not_forwarded_yet_stays(path: Path) -> None:
    drop_all(path, 300, keep_from=(1, 120))
    with HistoryReader(path) as reader:
        kept = reader.samples("M/x", T0, T0 + 10 * DAY)
        assert len(kept) >= 500 - 120
        assert reader.stats().reduced <= 120


def test_a_full_file_drops_the_oldest_but_never_the_last_week(path: Path) -> None:
    tight = Keeping(seal_after=timedelta(0), seal_least=10, most_bytes=1)
    drop_all(path, 10, tight)
    with HistoryReader(path) as reader:
        oldest = reader.stats().oldest
        assert oldest is not None
        assert T0 + 2 * DAY <= oldest <= T0 + 4 * DAY


def test_sealing_gives_the_room_of_rows_back(tmp_path: Path) -> None:
    path, chance = tmp_path / "history.sqlite", Random(4)
    with HistoryWriter(path, keeping=RULES) as writer:
        writer.write([at(s + chance.random(), round(chance.random(), 2)) for s in range(50_000)])
        writer.write([at(200_000, 1.0)])
        with HistoryReader(path) as reader:
            before = reader.stats().bytes
        seal_all(writer, T0 + 3 * DAY)
    drop_all(path, 3)
    with HistoryReader(path) as reader:
        stats = reader.stats()
        assert (stats.samples, stats.rows) == (50_001, 1)
        assert stats.bytes < before / 4
        assert path.stat().st_size - stats.bytes < 3_000_000
        assert stats.bytes_per_sealed_sample < 5
        assert stats.bytes_per_day > 0


def test_samples_for_a_time_of_which_only_figures_are_left_are_still_told(path: Path) -> None:
    drop_all(path, 34.5)
    with HistoryWriter(path, keeping=RULES) as writer, HistoryReader(path) as reader:
        writer.write([at(100, 7.0)])
        seal_all(writer, T0 + 34 * DAY)
        assert [s.value for s in reader.samples("M/x", T0, moment(200))] == [7.0]
        curve = reader.buckets("M/x", T0, T0 + DAY, 1)
        assert int(curve.count.sum()) > 50
        assert np.isclose(curve.max[0], 7.0)
        drop_all(path, 35)
        assert reader.samples("M/x", T0, moment(200)) == []


def test_alarms_that_are_over_go_after_years_and_what_waits_for_somebody_stays(path: Path) -> None:
    def record(id: str, phase: Phase, day: float) -> AlarmRecord:
        raised = T0 + day * DAY
        return AlarmRecord(
            id, f"M/{id}", f"M/{id}", Kind.VALUE, 1, 2, Urgency.WARNING, Limit.HI, 9.0, phase, raised
        )

    over = [record(f"over{n}", Phase.NORMAL, n / 1000) for n in range(2500)]
    waits, young = record("waits", Phase.RTN_UNACK, 0), record("young", Phase.NORMAL, 90)
    lines = [
        JournalLine(r.raised_at, r.key, r.id, "raised", Phase.UNACK, Urgency.WARNING, Limit.HI, 9.0)
        for r in (*over, young)
    ]
    rules = replace(RULES, keep_alarms=60 * DAY)
    with HistoryWriter(path, keeping=rules) as writer, HistoryReader(path) as reader:
        writer.write([], AlarmBatch([*over, waits, young], lines))
        steps = [writer.drop_old(T0 + 100 * DAY)]
        while steps[-1].more:
            steps.append(writer.drop_old(T0 + 100 * DAY))
        assert sum(step.alarms for step in steps) == 5000
        assert len(steps) > 1
        assert {r.id for r in reader.alarms(limit=9000)} == {"waits", "young"}
        assert [line.alarm for line in reader.journal()] == ["young"]
