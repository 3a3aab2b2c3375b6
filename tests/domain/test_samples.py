"""Deadband and quality: what is stored is enough to draw the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.samples import (
    Deadband,
    Quality,
    Sample,
    Severity,
    Value,
    describe_quality,
    is_bad,
    is_good,
    is_uncertain,
    severity,
)

T0 = datetime(2026, 3, 4, tzinfo=UTC)


def at(second: float, value: Value, quality: int = Quality.GOOD) -> Sample:
    time = T0 + timedelta(seconds=second)
    return Sample("M/x", time, time, value, quality)


def kept(deadband: Deadband, samples: list[Sample]) -> list[Sample]:
    return [s for sample in samples for s in deadband.offer(sample)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, Severity.GOOD),
        (0x40900000, Severity.UNCERTAIN),
        (0x80310000, Severity.BAD),
        (0xC0000000, Severity.BAD),
    ],
)
def test_the_two_top_bits_decide_the_severity(code: int, expected: Severity) -> None:
    assert severity(code) is expected
    assert (is_good(code), is_uncertain(code), is_bad(code)) == tuple(expected is s for s in Severity)


def test_a_quality_is_told_in_words_and_an_unknown_code_by_its_number() -> None:
    assert describe_quality(Quality.BAD_NO_COMMUNICATION) == "no connection to the machine"
    assert describe_quality(0x80AB0000) == "bad (0x80AB0000)"


@pytest.mark.parametrize("quality", Quality)
def test_every_quality_that_lineside_knows_has_words_of_its_own(quality: Quality) -> None:
    words = describe_quality(quality)
    assert "0x" not in words
    assert [describe_quality(other) for other in Quality].count(words) == 1


def test_exactly_the_deadband_is_not_a_change_but_more_is() -> None:
    assert kept(Deadband(0.5), [at(0, 1.0), at(1, 1.5), at(2, 0.5)]) == [at(0, 1.0)]
    assert kept(Deadband(0.5), [at(0, 1.0), at(1, 1.75)]) == [at(0, 1.0), at(1, 1.75)]


def test_a_percent_deadband_refers_to_the_range() -> None:
    assert Deadband.percent(1, 0, 200).absolute == 2.0


def test_before_a_step_the_last_suppressed_point_is_kept_so_that_no_ramp_is_invented() -> None:
    samples = [at(0, 20.0), at(1, 20.0), at(60, 20.0), at(61, 80.0)]
    assert kept(Deadband(0.1), samples) == [at(0, 20.0), at(60, 20.0), at(61, 80.0)]


def test_a_change_of_quality_is_kept_even_when_the_value_stands_still() -> None:
    samples = [at(0, 5.0), at(1, 5.0), at(2, None, Quality.BAD_NO_COMMUNICATION), at(3, 5.0)]
    assert kept(Deadband(1.0), samples) == samples


def test_a_value_that_stands_still_is_kept_again_after_the_longest_interval() -> None:
    assert kept(Deadband(1.0), [at(0, 5.0), at(599, 5.0), at(600, 5.0)]) == [at(0, 5.0), at(600, 5.0)]


def test_a_change_within_the_shortest_interval_waits_and_is_not_forgotten() -> None:
    deadband = Deadband(0.0, min_interval=timedelta(seconds=1))
    assert kept(deadband, [at(0, 1.0), at(0.2, 2.0), at(0.4, 3.0)]) == [at(0, 1.0)]
    assert deadband.due(T0 + timedelta(seconds=0.9)) == ()
    assert deadband.due(T0 + timedelta(seconds=1)) == (at(0.4, 3.0),)
    assert deadband.due(T0 + timedelta(seconds=9)) == ()


def test_not_a_number_is_kept_once() -> None:
    stored = kept(Deadband(0.1), [at(0, 1.0), at(1, float("nan")), at(2, float("nan")), at(3, 1.0)])
    assert [s.source_time.second for s in stored] == [0, 1, 2, 3]


def test_text_and_truth_values_are_kept_when_they_change() -> None:
    assert len(kept(Deadband(9.0), [at(0, "run"), at(1, "run"), at(2, "stop")])) == 3
    assert len(kept(Deadband(9.0), [at(0, False), at(1, True), at(2, True)])) == 2


values = st.lists(
    st.tuples(st.floats(-100, 100), st.sampled_from([Quality.GOOD, Quality.BAD_DEVICE_FAILURE])),
    min_size=1,
    max_size=60,
)


@given(values, st.floats(0, 20))
def test_what_is_stored_is_never_further_than_the_deadband_from_what_was_measured(
    measured: list[tuple[float, int]], width: float
) -> None:
    samples = [at(i, v, q) for i, (v, q) in enumerate(measured)]
    deadband = Deadband(width)
    stored: list[Sample] = []
    for sample in samples:
        stored += deadband.offer(sample)
        last = stored[-1]
        assert last.quality == sample.quality
        assert isinstance(last.value, float)
        assert isinstance(sample.value, float)
        assert abs(last.value - sample.value) <= width
    times = [s.source_time for s in stored]
    assert times == sorted(set(times))
    assert stored[0] == samples[0]
    assert set(stored) <= set(samples)


@given(values)
def test_every_change_of_quality_is_stored(measured: list[tuple[float, int]]) -> None:
    samples = [at(i, v, q) for i, (v, q) in enumerate(measured)]
    stored = kept(Deadband(1000.0, min_interval=timedelta(days=1)), samples)
    changes = [b for a, b in pairwise(samples) if a.quality != b.quality]
    assert set(changes) <= set(stored)


def test_the_receive_time_does_not_decide_anything() -> None:
    late = replace(at(1, 5.0), receive_time=T0 + timedelta(hours=1))
    assert kept(Deadband(0.0), [at(0, 5.0), late]) == [at(0, 5.0)]
