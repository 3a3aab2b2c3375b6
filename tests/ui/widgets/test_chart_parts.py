"""What a chart is made of: points with their pyramid, marks of the axes, the shared range of time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chance import examples
from ui.widgets.chart_ticks import shift_days, time_ticks, value_ticks, zone_words
from ui.widgets.chart_time import TimeWindow
from ui.widgets.chart_trace import BAD, Trace

BERLIN = ZoneInfo("Europe/Berlin")


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def test_the_hour_that_the_clocks_skip_has_no_mark() -> None:
    midnight = _at("2026-03-29T00:00")
    ticks = time_ticks(midnight, midnight + 5 * 3600, 6, BERLIN)
    assert [tick.text for tick in ticks] == ["00:00", "01:00", "03:00", "04:00", "05:00", "06:00"]
    assert np.diff([tick.t for tick in ticks]).tolist() == [3600.0] * 5
    assert zone_words(midnight, midnight + 5 * 3600, BERLIN) == "CET → CEST"


def test_the_hour_that_comes_twice_has_two_marks() -> None:
    midnight = _at("2026-10-25T00:00")
    ticks = time_ticks(midnight, midnight + 5 * 3600, 6, BERLIN)
    assert [tick.text for tick in ticks] == ["00:00", "01:00", "02:00", "02:00 CET", "03:00", "04:00"]
    assert np.diff([tick.t for tick in ticks]).tolist() == [3600.0] * 5


def test_days_across_a_change_of_clocks_begin_at_midnight() -> None:
    start = _at("2026-03-27T00:00")
    ticks = time_ticks(start, start + 5 * 86400, 6, BERLIN)
    assert [tick.text for tick in ticks] == ["27 Mar", "28 Mar", "29 Mar", "30 Mar", "31 Mar"] + (
        ["01 Apr"] if ticks[-1].text == "01 Apr" else []
    )
    assert all(datetime.fromtimestamp(tick.t, BERLIN).hour == 0 for tick in ticks)


def test_yesterday_is_the_same_time_on_the_wall() -> None:
    noon = _at("2026-03-29T12:00")
    assert shift_days(noon, -1, BERLIN) == _at("2026-03-28T12:00")
    assert noon - shift_days(noon, -1, BERLIN) == 23 * 3600


@given(st.floats(1e9, 2e9), st.floats(0.05, 2e9), st.integers(2, 12))
@examples(60)
def test_marks_of_time_ascend_lie_inside_and_are_not_too_many(start: float, length: float, most: int) -> None:
    ticks = [tick.t for tick in time_ticks(start, start + length, most, BERLIN)]
    assert ticks == sorted(set(ticks))
    assert all(start - 1e-3 <= t <= start + length + 1e-3 for t in ticks)
    assert len(ticks) <= 2 * most + 3


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 10))
@examples(60)
def test_marks_of_values_are_few_and_told_apart(low: float, length: float, most: int) -> None:
    high = low + length
    ticks = value_ticks(low, high, most)
    assert len(ticks) <= most + 2
    room = length * 1e-6 + abs(low) * 1e-9
    assert all(low - room <= value <= high + room for value, _ in ticks)
    if length > abs(low) * 1e-6 and max(abs(low), abs(high)) < 1e6:
        assert len({text for _, text in ticks}) == len(ticks)


@given(
    st.integers(1, 5000),
    st.integers(1, 400),
    st.floats(0.0, 1.0),
    st.floats(0.01, 1.0),
    st.integers(0, 2**31),
)
@examples(60)
def test_no_spike_of_any_window_is_lost(
    count: int, pixels: int, where: float, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.exponential(1.0, count))
    y = rng.normal(0.0, 1.0, count)
    y[rng.random(count) < 0.1] = np.nan
    trace = Trace()
    for part in np.array_split(np.arange(count), int(rng.integers(1, 6))):
        trace.extend(t[part], y[part])
    length = float(t[-1] - t[0]) or 1.0
    start = float(t[0]) + where * length
    end = start + share * length
    inside = y[(t >= start) & (t <= end)]
    columns = trace.columns(start, end, pixels)
    if np.isfinite(inside).any():
        assert np.nanmin(columns.lo) <= np.nanmin(inside)
        assert np.nanmax(columns.hi) >= np.nanmax(inside)
    assert len(columns) <= 4 * pixels + 4
    assert (np.diff(columns.t) >= 0).all()


def test_a_hole_among_many_points_stays_a_hole() -> None:
    t = np.concatenate((np.arange(50_000.0), np.arange(90_000.0, 140_000.0)))
    trace = Trace(t, np.ones(len(t)), max_gap=5.0)
    columns = trace.columns(0, 140_000, 700)
    assert not ((columns.t > 50_200) & (columns.t < 89_800)).any()
    assert columns.t[columns.t < 60_000].max() > 49_700
    assert trace.good_share(0, 139_999) == pytest.approx(100_000 / 140_000, abs=1e-3)


def test_figures_between_two_moments_are_weighted_by_time() -> None:
    trace = Trace(np.array([0.0, 90.0, 100.0]), np.array([10.0, 20.0, 30.0]))
    found = trace.stretch(0, 100)
    assert found is not None
    assert (found.low, found.high, found.good) == (10.0, 20.0, 1.0)
    assert found.mean == pytest.approx(11.0)
    assert trace.stretch(200, 100) is None
    lost = Trace(np.array([0.0, 50.0, 100.0]), np.array([1.0, np.nan, 1.0]))
    assert lost.good_share(0, 100) == pytest.approx(0.5)
    assert lost.flags.tolist() == [0, BAD, 0]


def test_every_zoom_can_be_taken_back_until_it_runs_again() -> None:
    window = TimeWindow(600)
    window.set_now(10_000.0)
    for step in range(300):
        window.show(step, step + 100.0, by_user=True)
        window.end_gesture()
    assert window.steps == 300
    window.back()
    assert window.range() == (298.0, 398.0)
    for _ in range(299):
        window.back()
    assert window.following
    assert window.range() == (9_400.0, 10_000.0)


def test_a_range_since_a_moment_grows_with_time() -> None:
    window = TimeWindow(600)
    window.set_now(10_000.0)
    window.run(anchor=7_000.0)
    window.set_now(12_000.0)
    assert window.range() == (7_000.0, 12_000.0)
    window.run(600.0)
    assert window.range() == (11_400.0, 12_000.0)
