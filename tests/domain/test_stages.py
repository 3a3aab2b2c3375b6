"""Stages: the table of moves, where a card may go, schedules and figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.stages import (
    DEFAULT_ROUTE,
    FINISHED,
    LEGAL_MOVES,
    RouteStep,
    StagePlace,
    StageStatus,
    StageTimes,
    delay,
    efficiency,
    illegal_drop,
    illegal_move,
    on_time_share,
    schedule,
)

PLANNED, RUNNING, BLOCKED, DONE = StageStatus
START = datetime(2026, 4, 15, 8, tzinfo=UTC)


@pytest.mark.parametrize("current", list(StageStatus))
@pytest.mark.parametrize("to", list(StageStatus))
def test_a_move_outside_the_table_is_refused_in_a_sentence(current: StageStatus, to: StageStatus) -> None:
    refusal = illegal_move(current, to, started=False, earlier_open=[])
    assert (refusal is None) == (to in LEGAL_MOVES[current])
    assert refusal is None or refusal.endswith(".")


STAGES = st.lists(
    st.builds(StagePlace, st.sampled_from("ABCDE"), st.sampled_from(StageStatus), movable=st.booleans()),
    min_size=1,
    max_size=5,
    unique_by=lambda place: place.name,
)


@given(stages=STAGES, target=st.sampled_from(["A", "B", "C", "D", "E", FINISHED]))
def test_a_drop_that_is_allowed_finishes_the_present_stage_or_begins_it(
    stages: list[StagePlace], target: str
) -> None:
    refusal = illegal_drop("WO-1", stages, target)
    if refusal is not None:
        assert refusal.endswith(".") or ":" in refusal
        return
    here = next(i for i, stage in enumerate(stages) if stage.status is not DONE)
    assert stages[here].movable
    if target == stages[here].name:
        assert stages[here].status is PLANNED
    else:
        assert stages[here].status is RUNNING
        following = stages[here + 1].name if here + 1 < len(stages) else FINISHED
        assert target == following


def test_a_drop_of_somebody_elses_stage_says_whom_to_ask() -> None:
    refusal = illegal_drop("WO-1", [StagePlace("Cut", RUNNING, movable=False)], FINISHED)
    assert refusal == "Cut is not assigned to you; ask a supervisor to assign it or to move it."


@given(minutes=st.lists(st.integers(1, 600), min_size=1, max_size=8), hours=st.integers(1, 900))
def test_a_schedule_fills_the_window_without_gaps(minutes: list[int], hours: int) -> None:
    end = START + timedelta(hours=hours)
    spans = schedule([RouteStep(str(n), m) for n, m in enumerate(minutes)], START, end)
    assert spans[0][0] == START
    assert abs(spans[-1][1] - end) < timedelta(milliseconds=1)
    assert all(one[1] == other[0] for one, other in pairwise(spans))


def test_the_default_route_is_shared_out_by_planned_minutes() -> None:
    spans = schedule(DEFAULT_ROUTE, START, START + timedelta(minutes=330))
    assert [(end - begin) // timedelta(minutes=1) for begin, end in spans] == [60, 120, 90, 30, 30]


def test_figures_of_a_stage() -> None:
    end = START + timedelta(hours=2)
    on_time = StageTimes(end, 120, START, end)
    late = StageTimes(end, 120, START, end + timedelta(hours=2))
    running = StageTimes(end, 120, START, None)
    assert efficiency(on_time) == 1.0
    assert efficiency(late) == 0.5
    assert efficiency(running) is None
    assert on_time_share([on_time, late, running]) == 0.5
    assert on_time_share([running]) is None
    assert delay(end, None, end + timedelta(minutes=5)) == timedelta(minutes=5)
