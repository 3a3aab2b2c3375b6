"""The load of alarms on people: rates, floods, worst sources, chattering, standing alarms, mix, first-out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.alarm_load import (
    TARGETS,
    AlarmLoad,
    FloodWatch,
    Raised,
    Source,
    alarm_load,
    first_out,
)
from app.domain.errors import Refused

T0 = datetime(2026, 3, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def raised(minute: float, key: str = "M/t", priority: int = 3, lasting: float | None = 5) -> Raised:
    return Raised(key, priority, at(minute), None if lasting is None else at(minute + lasting))


def load(*raisings: Raised, days: float = 1) -> AlarmLoad:
    return alarm_load(raisings, T0, T0 + days * DAY)


def test_a_quiet_day_has_figures_too() -> None:
    quiet = load()
    assert (quiet.count, quiet.windows, quiet.mix, quiet.top, quiet.floods) == (0, (0,) * 144, {}, (), ())
    assert (quiet.peak_hour, quiet.peak_hour_at, quiet.average_per_day) == (0, None, 0)
    assert not any(quiet.exceeds(figure) for figure in TARGETS)


def test_rates_are_by_ten_minutes_by_day_and_at_their_worst() -> None:
    found = load(*(raised(minute) for minute in (1, 2, 61, 62, 63, 118)), days=2)
    assert (found.count, found.average_per_day, found.average_per_window) == (6, 3, 6 / 288)
    assert (found.windows[0], found.windows[6], found.windows[11]) == (2, 3, 1)
    assert (found.peak_window, found.peak_hour, found.peak_hour_at) == (3, 4, at(61))


def test_the_peak_hour_begins_where_the_alarms_do_and_not_at_the_full_hour() -> None:
    assert load(*(raised(m) for m in (59, 60, 61))).peak_hour == 3
    assert load(raised(0.5), raised(60.5)).peak_hour == 1


def test_a_flood_begins_above_ten_and_ends_below_five_in_ten_minutes() -> None:
    minutes = [20 + n / 2 for n in range(11)] + [30 + n for n in range(5)] + [40 + n for n in range(4)]
    found = load(*(raised(m, f"M/{m}") for m in minutes))
    assert found.floods == ((at(20), at(40)),)
    assert found.flood_share == pytest.approx(20 / 1440)
    assert (found.busy_window_share, found.exceeds("flood_share")) == (1 / 144, True)


def test_ten_in_ten_minutes_are_no_flood_yet_and_one_that_goes_on_ends_with_the_report() -> None:
    assert load(*(raised(n / 2) for n in range(10))).floods == ()
    assert load(*(raised(1435 + n / 4) for n in range(11))).floods == ((at(1430), at(1440)),)


def test_the_worst_sources_come_first_with_their_share() -> None:
    found = load(
        *(raised(n, "M/often") for n in range(0, 300, 10)), *(raised(n, f"M/{n}") for n in range(20))
    )
    assert [(s.key, s.count, s.share) for s in found.top[:2]] == [("M/often", 30, 0.6), ("M/0", 1, 0.02)]
    assert len(found.top) == 10
    assert found.top_share == pytest.approx(0.78)


def test_chattering_is_three_within_a_minute_and_fleeting_is_gone_before_anybody_can_act() -> None:
    seconds = [raised(n / 60, lasting=5 / 60) for n in (0, 20, 60, 121, 182)]
    found = load(*seconds, raised(500, lasting=None))
    assert (found.chattering, found.fleeting) == (1, 5)
    assert (found.top[0].chattering, found.top[0].fleeting) == (1, 5)


def test_what_stands_for_more_than_a_day_is_named_also_when_it_was_raised_before() -> None:
    old, new = raised(-2000, "M/old", lasting=None), raised(10, "M/new", lasting=None)
    over = raised(-3000, "M/over", lasting=2000)
    within = raised(100, "M/within", lasting=1439)
    found = load(old, new, over, within, raised(30, "M/long", lasting=1441), days=2)
    assert found.standing == ("M/old", "M/new", "M/long")
    assert found.count == 3


def test_priorities_are_mixed_as_they_are_and_everything_low_counts_as_low() -> None:
    assert load(*(raised(n, priority=p) for n, p in enumerate((1, 2, 3, 4)))).mix == {
        1: 0.25,
        2: 0.25,
        3: 0.5,
    }


def test_figures_from_memory_of_the_standard_are_marked() -> None:
    assert TARGETS["flood_share"].source is Source.ISA
    assert "from memory" in Source.ISA.value
    assert TARGETS["average_per_window"].source is Source.EEMUA


def test_a_report_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(Refused, match="ends after it begins"):
        alarm_load([], T0, T0)


def test_a_flood_is_noticed_as_it_happens_and_ends_by_itself() -> None:
    watch = FloodWatch()
    for second in range(10):
        watch.raised(at(second / 60))
    assert (watch.now(at(1)), watch.lately(at(1))) == (None, 10)
    watch.raised(at(2))
    flood = watch.now(at(3))
    assert flood is not None
    assert (flood.since, flood.count) == (at(2), 11)
    assert watch.now(at(10.5)) is None


def test_the_first_alarm_of_each_machine_is_the_one_to_look_at() -> None:
    alarms = [("a", "M", at(5)), ("b", "M", at(1)), ("c", "N", at(7)), ("d", "M", at(30)), ("e", "M", at(31))]
    assert first_out(alarms) == {"M": "d", "N": "c"}
    assert first_out(alarms[:3]) == {"M": "b", "N": "c"}
