"""Sleep of the computer and a clock that was set are told apart, and time that passes as it should is nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.live.clock_watch import ClockWatch, Jump, unhurried


@dataclass
class Clocks:
    """Three clocks of a computer that a test lets run, sleep or set."""

    wall: datetime = field(default_factory=lambda: datetime(2026, 3, 4, tzinfo=UTC))
    slept: float = 0.0
    ran: float = 0.0

    def run(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ran += seconds

    def sleep(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.slept += seconds

    def watch(self, *, counts_sleep: bool = True) -> ClockWatch:
        both = lambda: self.ran + self.slept  # noqa: E731 — two clocks, side by side
        return ClockWatch(lambda: self.wall, both, (lambda: self.ran) if counts_sleep else both)


@given(st.lists(st.floats(0, 9), max_size=20))
def test_time_that_passes_is_nothing(steps: list[float]) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    for step in steps:
        clocks.run(step)
        assert watch.look() is None


@given(st.floats(3, 1e6), st.floats(0, 5))
def test_a_sleep_is_told_with_its_beginning_and_its_length(slept: float, before: float) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.run(before)
    assert watch.look() is None
    since = clocks.wall
    clocks.sleep(slept)
    jump = watch.look()
    assert jump is not None
    assert jump.since == since
    assert abs(jump.slept.total_seconds() - slept) < 0.01
    assert not jump.set_by
    assert watch.look() is None


@given(st.floats(3, 1e6).flatmap(lambda s: st.sampled_from([s, -s])))
def test_a_set_clock_is_told_with_its_direction(by: float) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.run(0.25)
    clocks.wall += timedelta(seconds=by)
    jump = watch.look()
    assert jump is not None
    assert not jump.slept
    assert abs(jump.set_by.total_seconds() - by) < 0.3


def test_where_every_clock_runs_on_in_a_sleep_the_long_pause_tells() -> None:
    clocks = Clocks()
    watch = clocks.watch(counts_sleep=False)
    clocks.sleep(3600)
    jump = watch.look()
    assert jump is not None
    assert jump.slept == timedelta(hours=1)
    assert not jump.set_by


def test_the_sentence_says_what_happened() -> None:
    at, hour = datetime(2026, 3, 4, tzinfo=UTC), timedelta(hours=1)
    assert Jump(at, hour, -hour).sentence() == (
        "This computer did not run for 3,600 s and its clock was set back by 3,600 s."
    )


@given(st.floats(-1e6, 1e9), st.floats(0, 1e6))
def test_a_clock_set_far_ahead_makes_nothing_old(ahead: float, ran: float) -> None:
    clocks = Clocks()
    last = clocks.wall
    careful = unhurried(lambda: clocks.wall, last, lambda: clocks.ran)
    clocks.run(ran)
    clocks.wall += timedelta(seconds=ahead)
    assert careful() <= last + timedelta(seconds=ran)
    assert careful() <= clocks.wall
    assert unhurried(lambda: clocks.wall, None)() == clocks.wall
