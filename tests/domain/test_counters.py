"""Counters that roll over or are reset, and the time that a machine ran."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.counters import Count, RunTime, counted, run_time


def test_a_counter_that_rolls_over_loses_nothing() -> None:
    assert counted([65_500, 65_530, 20, 50], rollover=65_536) == Count(86.0, rollovers=1)


def test_a_reset_by_somebody_is_no_rollover_and_starts_again_at_nothing() -> None:
    assert counted([100, 120, 5, 9], rollover=65_536) == Count(29.0, resets=1)
    assert counted([65_500, 65_530, 20]) == Count(50.0, resets=1)


def test_missing_readings_count_as_nothing_and_the_steps_across_them_still_count() -> None:
    assert counted([10, math.nan, math.inf, 14]) == Count(4.0)
    assert counted([]) == counted([7.0]) == Count()


@given(st.lists(st.integers(0, 400), max_size=60), st.integers(0, 999))
def test_whatever_steps_are_made_the_count_is_their_sum(steps: list[int], start: int) -> None:
    shown, value = [float(start)], start
    for step in steps:
        value = (value + step) % 1000
        shown.append(float(value))
    assert counted(shown, rollover=1000).total == sum(steps)


def test_run_time_holds_a_state_until_the_next_reading() -> None:
    assert run_time([(0, True), (10, False), (30, True)], 40, 600) == RunTime(20, 40)


def test_missing_data_is_neither_running_nor_standing() -> None:
    assert run_time([(0, True), (10, None), (30, False)], 40, 600) == RunTime(10, 20)
    assert run_time([(0, True)], 10_000, 600) == RunTime(600, 600)
    assert run_time([], 100, 600) == RunTime()


@given(st.lists(st.tuples(st.floats(0, 1e5), st.sampled_from([True, False, None])), max_size=30))
def test_run_time_is_never_more_than_what_is_known_or_than_has_passed(
    readings: list[tuple[float, bool | None]],
) -> None:
    readings.sort(key=lambda r: r[0])
    found = run_time(readings, 1e5, 1e9)
    assert 0 <= found.running <= found.known <= 1e5 + 1e-6
    flipped = run_time([(t, None if on is None else not on) for t, on in readings], 1e5, 1e9)
    assert found.running + flipped.running == pytest.approx(found.known)
