"""Routing stages of a work order: the legal moves, the default route, planned and real durations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.errors import Refused


class StageStatus(StrEnum):
    """Planned → in progress → done, with blocked as a detour."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    DONE = "done"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


LEGAL_MOVES: dict[StageStatus, frozenset[StageStatus]] = {
    StageStatus.PLANNED: frozenset({StageStatus.IN_PROGRESS, StageStatus.BLOCKED}),
    StageStatus.IN_PROGRESS: frozenset({StageStatus.DONE, StageStatus.BLOCKED}),
    StageStatus.BLOCKED: frozenset({StageStatus.IN_PROGRESS, StageStatus.PLANNED}),
    StageStatus.DONE: frozenset(),
}

FILE_MOVES: dict[StageStatus, frozenset[StageStatus]] = {
    StageStatus.PLANNED: frozenset({StageStatus.DONE}),
    StageStatus.BLOCKED: frozenset({StageStatus.DONE}),
}
"""Moves that an imported file may make besides: it says that an order is done, not how it came to be."""


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One stage of a route: its name and planned working time in minutes."""

    name: str
    planned_minutes: int


DEFAULT_ROUTE = (
    RouteStep("Cut", 60),
    RouteStep("Weld", 120),
    RouteStep("Paint", 90),
    RouteStep("Inspect", 30),
    RouteStep("Pack", 30),
)


def illegal_move(
    current: StageStatus, to: StageStatus, *, started: bool, earlier_open: Sequence[str]
) -> str | None:
    """Why a stage may not go from `current` to `to`; None when it may.

    `started` tells whether the stage ever was in progress (a blocked stage returns to where it came from);
    `earlier_open` names the stages before it in the route that are not done.
    """
    if current == to:
        return f"This stage is already {to.words}."
    if to not in LEGAL_MOVES[current]:
        reachable = " or ".join(sorted(move.words for move in LEGAL_MOVES[current]))
        rest = f"from here it can only become {reachable}" if reachable else "a done stage stays done"
        return f"A stage that is {current.words} cannot become {to.words}; {rest}."
    if current is StageStatus.BLOCKED and to is StageStatus.PLANNED and started:
        return "This stage had already begun, so it returns to in progress."
    if to is StageStatus.IN_PROGRESS and earlier_open:
        return f"Finish {', '.join(earlier_open)} first; the route goes in order."
    return None


@dataclass(frozen=True, slots=True)
class StagePlace:
    """One stage of an order as a move sees it; `movable` says whether the person may move it at all."""

    name: str
    status: StageStatus
    started: bool = False
    blocked_reason: str = ""
    movable: bool = True


FINISHED = ""
"""As the target of a move: behind the last stage."""


def current_place(stages: Sequence[StagePlace]) -> int | None:
    """Where an order stands: the first stage that is not done, None when all are."""
    return next((i for i, stage in enumerate(stages) if stage.status is not StageStatus.DONE), None)


def not_yours(stage_name: str) -> str:
    return f"{stage_name} is not assigned to you; ask a supervisor to assign it or to move it."


def illegal_drop(number: str, stages: Sequence[StagePlace], target: str) -> str | None:
    """Why order `number` may not go on to the stage `target` (or to `FINISHED`); None when it may.

    Going on means: finish the present stage and begin the next one; or begin the present one where it stands.
    """
    current = current_place(stages)
    if current is None:
        return f"All stages of {number} are done."
    names = [stage.name for stage in stages]
    if target == FINISHED:
        wanted = len(stages)
    elif target in names[current:]:
        wanted = names.index(target, current)
    elif target in names:
        return f"{target} of {number} is done, and a done stage stays done."
    else:
        return f"{number} has no stage {target}."
    return _illegal_step(stages, current, wanted)


def _illegal_step(stages: Sequence[StagePlace], current: int, wanted: int) -> str | None:
    here = stages[current]
    touched = stages[current : wanted + 1] if wanted == current + 1 else [here]
    foreign = next((stage.name for stage in touched if not stage.movable), None)
    if foreign is not None:
        return not_yours(foreign)
    if wanted > current + 1:
        open_names = ", ".join(stage.name for stage in stages[current:wanted])
        return f"Finish {open_names} first; the route goes in order."
    blocked = next((stage for stage in touched if stage.status is StageStatus.BLOCKED), None)
    if blocked is not None:
        return f"{blocked.name} is blocked: {blocked.blocked_reason}"
    if wanted == current:
        return (
            f"{here.name} is already {here.status.words}." if here.status is not StageStatus.PLANNED else None
        )
    if here.status is StageStatus.PLANNED:
        return f"Start {here.name} first; the route goes in order."
    return None


_LONGEST_REASON = 500


def out_of_order(stages: Sequence[tuple[str, StageStatus]]) -> str | None:
    """Why stages in route order cannot stand as they do: work has begun on one although an earlier one is not done."""
    unfinished = ""
    for name, status in stages:
        if unfinished and status in (StageStatus.IN_PROGRESS, StageStatus.DONE):
            return f"{name} is {status.words} already, so {unfinished} cannot go back."
        if status is not StageStatus.DONE:
            unfinished = unfinished or name
    return None


def check_blocked_reason(reason: str) -> str:
    """The tidy reason for a block; raises `Refused` when there is none."""
    tidy = " ".join(reason.split())
    if not tidy:
        raise Refused("Say why the stage is blocked.", field="reason")
    if len(tidy) > _LONGEST_REASON:
        raise Refused(
            f"The reason may have at most {_LONGEST_REASON} characters; this one has {len(tidy)}.",
            field="reason",
        )
    return tidy


def schedule(steps: Sequence[RouteStep], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Planned start and end of each step: the order's window shared out in proportion to planned minutes."""
    total = sum(step.planned_minutes for step in steps) or 1
    window = end - start
    spans: list[tuple[datetime, datetime]] = []
    spent = 0
    for step in steps:
        begin = start + window * (spent / total)
        spent += step.planned_minutes
        spans.append((begin, start + window * (spent / total)))
    return spans


@dataclass(frozen=True, slots=True)
class StageTimes:
    """What the figures of one stage are computed from; times are aware UTC, None where it has not happened."""

    planned_end: datetime
    planned_minutes: float
    started_at: datetime | None
    finished_at: datetime | None


def delay(planned_end: datetime, finished_at: datetime | None, now: datetime) -> timedelta:
    """Actual end, or now while it is open, against the planned end; negative means early."""
    return (finished_at or now) - planned_end


def efficiency(stage: StageTimes) -> float | None:
    """Planned over actual duration of a finished stage (1.0 = as planned); None until it is finished."""
    if stage.started_at is None or stage.finished_at is None:
        return None
    minutes = (stage.finished_at - stage.started_at).total_seconds() / 60
    return stage.planned_minutes / minutes if minutes > 0 else None


def on_time_share(stages: Sequence[StageTimes]) -> float | None:
    """Share (0–1) of finished stages that ended by their planned end; None when none is finished."""
    finished = [stage for stage in stages if stage.finished_at is not None]
    if not finished:
        return None
    return sum(1 for stage in finished if stage.finished_at and stage.finished_at <= stage.planned_end) / len(
        finished
    )
