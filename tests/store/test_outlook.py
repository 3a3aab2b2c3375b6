"""What the stored history says about limits ahead, cycles and run hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.plant import Counter, Limits, Tag
from app.domain.samples import Quality, Sample, Value
from app.store.history import FILE_NAME, HistoryReader, HistoryWriter
from app.store.queries.outlook import Outlook, outlooks

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY_START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def store(data_dir: Path, tag: str, readings: Sequence[tuple[datetime, Value]]) -> None:
    with HistoryWriter(data_dir / FILE_NAME) as writer:
        bad = int(Quality.BAD_NO_COMMUNICATION)
        writer.write([Sample(tag, t, t, v, Quality.GOOD if v is not None else bad) for t, v in readings])


def outlook(data_dir: Path, tag: Tag) -> Outlook:
    with HistoryReader(data_dir / FILE_NAME) as reader:
        return outlooks(reader, [tag], DAY_START, NOW).get(tag.name, Outlook())


def test_a_drifting_bearing_is_foreseen_and_a_calm_one_is_not(data_dir: Path) -> None:
    start = NOW - timedelta(hours=24)
    drifting = [(start + timedelta(minutes=i), 1.0 + i * 0.0005 + (i % 7) * 0.002) for i in range(1440)]
    store(data_dir, "CNC/vibration", drifting)
    store(data_dir, "CNC/calm", [(t, 1.0 + (i * 37 % 11) * 0.01) for i, (t, _) in enumerate(drifting)])
    seen = outlook(data_dir, Tag("CNC/vibration", "CNC", "c", "a", limits=Limits(hi=2.0))).forecast
    assert seen is not None
    assert seen.limit == "hi"
    assert seen.expected == pytest.approx((2.0 - 1.0 - 0.72) / 0.0005 * 60, rel=0.15)
    assert outlook(data_dir, Tag("CNC/calm", "CNC", "c", "a", limits=Limits(hi=2.0))).forecast is None


def test_cycles_of_the_day_are_counted_across_a_rollover(data_dir: Path) -> None:
    shown = [(DAY_START + timedelta(seconds=30 * i), (65_000 + i) % 65_536) for i in range(2000)]
    store(data_dir, "PRESS/cycles", list(shown))
    tag = Tag("PRESS/cycles", "PRESS", "c", "a", counter=Counter("cycles", rollover=65_536))
    count = outlook(data_dir, tag).count
    assert count is not None
    assert (count.total, count.rollovers) == (1999, 1)


def test_run_hours_count_only_what_is_known(data_dir: Path) -> None:
    at = [DAY_START + timedelta(minutes=10 * i) for i in range(108)]
    readings: list[tuple[datetime, Value]] = [(t, 160.0 if i < 36 else 2.0) for i, t in enumerate(at)]
    readings[72:] = [(at[72], None)]
    store(data_dir, "WELD/current", readings)
    run = outlook(
        data_dir, Tag("WELD/current", "WELD", "c", "a", counter=Counter("run-hours", running_above=20))
    ).run
    assert run is not None
    assert run.running / 3600 == pytest.approx(6.0)
    assert run.known / 3600 == pytest.approx(12.0)
