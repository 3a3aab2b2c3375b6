"""Curves of other stations' machines, read from the server: the same as their own station reads from its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest

from app.domain.corrections import Correction, CorrectionKind
from app.domain.errors import Refused, WorldFault
from app.domain.samples import Quality, Sample, Value
from app.store.history import FILE_NAME, Buckets, HistoryReader
from app.sync.machines.server_history import ServerHistory
from tests.sync.conftest import ServerDatabase
from tests.sync.readings.stand import START, Station, on_server, samples

SPAN = timedelta(minutes=5)


@pytest.fixture
def station(tmp_path: Path, server: ServerDatabase) -> Station:
    return Station(tmp_path / "07", server)


@pytest.fixture
def history(station: Station) -> Iterator[ServerHistory]:
    Station(station.folder.parent / "08", station.server, "08")
    reader = Station(station.folder.parent / "08", station.server, "08")
    history = ServerHistory(reader.line)
    yield history
    history.close()


def assert_alike(found: Buckets, expected: Buckets) -> None:
    for field in fields(Buckets):
        if field.name == "before":
            continue
        here, there = getattr(found, field.name), getattr(expected, field.name)
        if field.name == "mean":
            np.testing.assert_allclose(here, there, rtol=1e-9, err_msg=field.name)
        else:
            np.testing.assert_array_equal(here, there, err_msg=field.name)
    assert (found.before is None) == (expected.before is None)
    if found.before is not None and expected.before is not None:
        assert same(found.before) == same(expected.before)


def same(sample: Sample) -> tuple[object, ...]:
    value = sample.value.replace("\0", "␀") if isinstance(sample.value, str) else sample.value
    late = round((sample.receive_time - sample.source_time).total_seconds(), 5)
    return sample.tag, sample.source_time, late, value, sample.quality


def correction(kind: CorrectionKind, since: float, until: float, amount: float | None) -> Correction:
    start, end = (START + timedelta(seconds=s) for s in (since, until))
    return Correction("M/1", start, end, kind, amount)


@pytest.mark.parametrize("pixels", [1, 7, 100, 3000])
@pytest.mark.parametrize("corrected", [False, True])
def test_a_curve_from_the_server_is_the_one_from_the_file(
    station: Station, history: ServerHistory, pixels: int, corrected: bool
) -> None:
    station.write(samples(4000, Random(pixels)))
    station.forward_all()
    laid_over: Sequence[Correction] = ()
    if corrected:
        laid_over = [
            correction(CorrectionKind.OFFSET, 33.3, 61.7, 5.0),
            correction(CorrectionKind.EXCLUDE, 100.0, 120.0, None),
        ]
    with HistoryReader(station.folder / FILE_NAME) as local:
        for tag in ("M/0", "M/1", "M/unknown"):
            for start in (START - SPAN, START + SPAN / 3):
                expected = local.buckets(tag, start, start + SPAN, pixels, laid_over, exact=True)
                assert_alike(history.buckets(tag, start, start + SPAN, pixels, laid_over), expected)
                mine, theirs = (h.samples(tag, start, start + SPAN, 500, laid_over) for h in (local, history))
                assert [same(s) for s in theirs] == [same(s) for s in mine]


@pytest.mark.parametrize("pixels", [5, 60, 150])
@pytest.mark.parametrize("corrected", [False, True])
def test_a_long_curve_is_drawn_from_minutes_and_tells_the_same(
    station: Station, history: ServerHistory, pixels: int, corrected: bool
) -> None:
    """Pixels of whole minutes hold exactly the same samples, however those came: unordered, and in many batches."""
    chance = Random(pixels)
    slow = [(START + (s.source_time - START) * 30, s) for s in samples(6000, chance)]
    many = [Sample(s.tag, at, at, s.value, s.quality) for at, s in slow]
    span = timedelta(minutes=300)
    station.write(many[:3000], many[3000:])
    station.forward_all(batch=170)
    with station.server.connect() as admin:
        rest, gathered = (
            admin.execute(f"SELECT {what}").fetchone()
            for what in (
                "count(*), min(t), max(t) FROM lineside.reading",
                "sum(samples)::int, min(t), max(until) FROM lineside.reading_minute",
            )
        )
    assert rest == gathered
    laid_over: Sequence[Correction] = ()
    if corrected:
        laid_over = [
            correction(CorrectionKind.OFFSET, 1000.3, 6200.7, 5.0),
            correction(CorrectionKind.EXCLUDE, 7200.0, 9000.0, None),
        ]
    with HistoryReader(station.folder / FILE_NAME) as local:
        for tag in ("M/1", "M/2"):
            expected = local.buckets(tag, START, START + span, pixels, laid_over, exact=True)
            assert_alike(history.buckets(tag, START, START + span, pixels, laid_over), expected)
            since = START + timedelta(seconds=7)
            found = history.buckets(tag, since, START + span, pixels, laid_over)
            expected = local.buckets(tag, since, START + span, pixels, laid_over)
            assert found.count.sum() == expected.count.sum()
            np.testing.assert_array_equal(np.nanmin(found.min), np.nanmin(expected.min))
            np.testing.assert_array_equal(np.nanmax(found.max), np.nanmax(expected.max))


def test_truth_values_and_texts_come_back_as_such(station: Station, history: ServerHistory) -> None:
    values: list[tuple[str, Value]] = [
        ("M/on", True),
        ("M/on", False),
        ("M/state", "idle"),
        ("M/state", ""),
        ("M/count", 2**60 + 1),
    ]
    station.write([Sample(tag, START, START, value, Quality.GOOD) for tag, value in values])
    station.forward_all()
    found = [history.before(tag, START + SPAN) for tag in ("M/on", "M/state", "M/count")]
    assert [None if s is None else s.value for s in found] == [False, "", 2**60 + 1]
    assert [s.value for s in history.samples("M/on", START, START + SPAN)] == [True, False]


def test_late_samples_are_drawn_only_where_there_are_no_others(
    station: Station, history: ServerHistory
) -> None:
    times = [START + timedelta(seconds=s) for s in range(10)]
    station.write([Sample("M/x", at, at, 1.0, Quality.GOOD) for at in times])
    station.forward_all()
    with station.server.connect() as admin:
        admin.execute(
            "INSERT INTO lineside.reading SELECT t, 2.0, n, signal, q, "
            "(SELECT id FROM lineside.origin WHERE late), delay, s FROM lineside.reading WHERE t < %s",
            (times[5],),
        )
        admin.execute("DELETE FROM lineside.reading WHERE t < %s AND v = 1.0", (times[2],))
    curve = history.buckets("M/x", START, START + timedelta(seconds=10), 10)
    assert curve.max.tolist() == [2.0, 2.0, *[1.0] * 8]
    assert curve.count.tolist() == [1] * 10
    assert len(on_server(station.server)) == 13


def test_a_server_that_is_not_reached_is_told_and_left_alone_for_a_while(station: Station) -> None:
    tries = []

    def connect() -> object:
        tries.append(1)
        station.down = True
        return station.line()

    history = ServerHistory(connect)  # type: ignore[arg-type]  # it never comes to a connection
    for _ in range(3):
        with pytest.raises(WorldFault, match="cable is out"):
            history.buckets("M/x", START, START + SPAN, 10)
    assert len(tries) == 1
    with pytest.raises(Refused):
        history.buckets("M/x", START, START, 10)
