"""A robust line through a wandering value, and when it meets a limit."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.plant import Limits
from app.domain.trend import FEWEST, FURTHEST, Trend, forecast, robust_trend

HOUR = 3600.0
LIMITS = Limits(hi=2.0, hihi=2.5, lo=0.2)


def line(slope: float, count: int = 60, noise: float = 0.0, wild: int = 0) -> list[tuple[float, float]]:
    """Points ten minutes apart around 1.0, some of them far off."""
    chance = random.Random(7)
    points = [(i * 600.0, 1.0 + slope * i * 600.0 + chance.gauss(0.0, noise)) for i in range(count)]
    for i in chance.sample(range(count), wild):
        points[i] = (points[i][0], points[i][1] + chance.choice((-50.0, 50.0)))
    return points


def test_a_drifting_value_is_foreseen_with_an_interval_around_the_truth() -> None:
    slope = 0.1 / HOUR
    found = robust_trend(line(slope, noise=0.05))
    assert found is not None
    assert found.certain
    assert found.slope_low < slope < found.slope_high
    seen = forecast(found, Limits(hi=4.0, hihi=5.0))
    assert seen is not None
    truth = (4.0 - (1.0 + slope * 59 * 600.0)) / slope
    assert (seen.limit, seen.at) == ("hi", 4.0)
    assert seen.soonest < truth < (seen.latest or 1e9)
    assert seen.expected == pytest.approx(truth, rel=0.1)


def test_a_fifth_of_wild_points_does_not_move_the_line() -> None:
    slope = 0.1 / HOUR
    found = robust_trend(line(slope, noise=0.02, wild=12))
    assert found is not None
    assert found.slope == pytest.approx(slope, rel=0.15)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_value_that_stands_still_is_never_said_to_be_moving(noise: float) -> None:
    found = robust_trend(line(0.0, noise=noise))
    assert found is not None
    assert forecast(found, Limits(hi=1.2, lo=0.8)) is None


def test_a_falling_value_meets_its_low_limits_and_one_that_is_past_the_warning_the_critical_one() -> None:
    falling = Trend(level=5.0, slope=-1e-3, slope_low=-2e-3, slope_high=-5e-4, span=10_000.0)
    assert forecast(falling, Limits(hi=9.0, lo=4.0, lolo=3.0)) is not None
    seen = forecast(falling, Limits(lo=5.5, lolo=4.0))
    assert seen is not None
    assert (seen.limit, seen.soonest, seen.expected, seen.latest) == ("lolo", 500.0, 1000.0, 2000.0)


def test_no_line_is_followed_further_than_ten_times_what_was_seen_of_it() -> None:
    slow = Trend(level=0.0, slope=1e-3, slope_low=9e-4, slope_high=2e-3, span=1000.0)
    assert forecast(slow, Limits(hi=1000.0 * FURTHEST * 1e-3 - 0.1)) is not None
    assert forecast(slow, Limits(hi=1000.0 * FURTHEST * 1e-3 + 0.1)) is None


def test_too_few_points_are_no_trend() -> None:
    assert robust_trend(line(1.0, count=FEWEST - 1)) is None
    assert robust_trend([(float(i), float("nan")) for i in range(50)]) is None


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=FEWEST, max_size=40),
    st.floats(-1e3, 1e3),
)
def test_the_slope_lies_in_its_interval_and_follows_a_shift_of_all_values(
    values: list[float], up: float
) -> None:
    points = [(float(i), y) for i, y in enumerate(values)]
    found, moved = robust_trend(points), robust_trend([(t, y + up) for t, y in points])
    assert found is not None
    assert moved is not None
    assert found.slope_low <= found.slope <= found.slope_high
    assert moved.slope == pytest.approx(found.slope, abs=1e-6)


def quarters_of_an_hour(value: Callable[[float], float], seed: int = 1) -> list[tuple[float, float]]:
    """A day of means, by the hour since its beginning, with a little noise."""
    noise = random.Random(seed)
    return [(n * 900.0, value(n / 4) + noise.gauss(0, 0.02)) for n in range(96)]


def teeth_from(start: float, period: float) -> Callable[[float], float]:
    """Wears from 1.0 to 1.9 and is repaired, every `period` hours."""
    return lambda t: 1.0 + 0.9 * ((t + start) % period) / period


def waves_from(start: float, period: float) -> Callable[[float], float]:
    """Goes up and down by 0.5 about 1.3, every `period` hours."""
    return lambda t: 1.3 + 0.5 * sin(2 * pi * (t + start) / period)


@pytest.mark.parametrize("period", [4 / 60, 6.0, 12.0, 20.0])
def test_wear_and_repair_again_and_again_is_no_trend(period: float) -> None:
    for start in range(8):
        teeth = quarters_of_an_hour(teeth_from(start * 2.9, period))
        assert forecast(robust_trend(teeth), LIMITS) is None


@pytest.mark.parametrize("period", [6.0, 12.0, 24.0])
def test_day_and_night_are_no_trend(period: float) -> None:
    for start in range(8):
        waves = quarters_of_an_hour(waves_from(start * 3.0, period))
        assert forecast(robust_trend(waves), LIMITS) is None


@pytest.mark.parametrize(
    "after",
    [
        lambda t: 1.0 + 0.035 * (t if t < 22 else t - 22),  # repaired two hours ago
        lambda t: 1.0 + 0.035 * min(t, 18.0),  # stands still for six hours
        lambda t: 1.0 + 0.035 * (t if t < 19 else 38 - t),  # falls for five hours
    ],
)
def test_what_no_longer_goes_on_promises_nothing(after: Callable[[float], float]) -> None:
    for seed in range(3):
        assert forecast(robust_trend(quarters_of_an_hour(after, seed)), LIMITS) is None


def test_a_drift_is_seen_through_noise_and_when_it_gets_faster() -> None:
    for seed in range(3):
        assert forecast(robust_trend(quarters_of_an_hour(lambda t: 1.0 + 0.035 * t, seed)), LIMITS)
        assert forecast(robust_trend(quarters_of_an_hour(lambda t: 1.0 + 0.7 * (t / 24) ** 3, seed)), LIMITS)
