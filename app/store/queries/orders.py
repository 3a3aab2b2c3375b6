"""One work order with everything that is known about it, and the figures of a list of orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.inspections import Verdict
from app.domain.orders import OPEN_STATUSES, OrderStatus
from app.domain.stages import StageStatus, StageTimes, delay, efficiency, on_time_share
from app.store.queries.happenings import Happening, happenings
from app.store.tables import Inspection, Issue, Stage, UserAccount, WorkOrder


@dataclass(frozen=True)
class StageDetails:
    """One stage with its figures; `delay` is positive when late, None while it has neither begun nor to be done."""

    id: UUID
    name: str
    status: StageStatus
    assignee: str
    planned_minutes: int
    planned_end: datetime
    started_at: datetime | None
    finished_at: datetime | None
    blocked_reason: str
    delay: timedelta | None
    efficiency: float | None


@dataclass(frozen=True)
class Note:
    """A numbered thing that hangs on an order: an issue or an inspection."""

    id: UUID
    number: str
    words: str
    at: datetime


@dataclass(frozen=True)
class OrderDetails:
    """Everything that the detail panel shows of one order."""

    values: dict[str, Any]
    stages: tuple[StageDetails, ...]
    issues: tuple[Note, ...]
    inspections: tuple[Note, ...]
    history: tuple[Happening, ...]
    delay: timedelta | None
    efficiency: float | None
    on_time_share: float | None
    why_late: str

    @property
    def current(self) -> StageDetails | None:
        """The first stage that is not done."""
        return next((stage for stage in self.stages if stage.status is not StageStatus.DONE), None)


def read_order(session: Session, order_id: UUID, now: datetime) -> OrderDetails:
    """One order in full. Raises `NotFound` when it is not there any more."""
    order = session.get(WorkOrder, order_id)
    if order is None or order.deleted:
        raise NotFound("This work order does not exist any more.")
    rows = session.execute(
        select(Stage, UserAccount.name)
        .outerjoin(UserAccount, UserAccount.id == Stage.assignee_id)
        .where(Stage.work_order_id == order_id, ~Stage.deleted)
        .order_by(Stage.position)
    ).all()
    times = [
        StageTimes(s.planned_end, float(s.planned_minutes), s.started_at, s.finished_at) for s, _ in rows
    ]
    stages = tuple(
        _stage(stage, assignee or "", figures, now)
        for (stage, assignee), figures in zip(rows, times, strict=True)
    )
    counts = order.status in OPEN_STATUSES or order.finished_at is not None
    is_cancelled = order.status is OrderStatus.CANCELLED
    late = delay(order.planned_end, order.finished_at, now) if counts and not is_cancelled else None
    values = {column.key: getattr(order, column.key) for column in WorkOrder.__table__.columns}
    return OrderDetails(
        values,
        stages,
        _issues(session, order_id),
        _inspections(session, order_id),
        happenings(session, order.number, [order.id, *(stage.id for stage in stages)]),
        late,
        route_efficiency(times),
        on_time_share(times),
        why_late(stages, late),
    )


def _stage(stage: Stage, assignee: str, figures: StageTimes, now: datetime) -> StageDetails:
    due = stage.finished_at is not None or stage.started_at is not None or now > stage.planned_end
    return StageDetails(
        stage.id,
        stage.name,
        stage.status,
        assignee,
        stage.planned_minutes,
        stage.planned_end,
        stage.started_at,
        stage.finished_at,
        stage.blocked_reason,
        delay(stage.planned_end, stage.finished_at, now) if due else None,
        efficiency(figures),
    )


def route_efficiency(stages: Sequence[StageTimes]) -> float | None:
    """Planned over actual minutes summed over the finished stages (never the mean of their ratios)."""
    finished = [s for s in stages if s.started_at is not None and s.finished_at is not None]
    actual = sum(
        ((s.finished_at - s.started_at).total_seconds() for s in finished if s.finished_at and s.started_at),
        0.0,
    )
    return sum(s.planned_minutes for s in finished) * 60 / actual if actual > 0 else None


def why_late(stages: Sequence[StageDetails], late: timedelta | None) -> str:
    """The stages that cost the most time, in words; empty for an order in time."""
    if late is None or late <= timedelta(0):
        return ""
    blocked = [f"{s.name} is blocked: {s.blocked_reason}" for s in stages if s.status is StageStatus.BLOCKED]
    slow = []
    for stage in stages:
        if stage.started_at is not None and stage.finished_at is not None:
            over = (stage.finished_at - stage.started_at) - timedelta(minutes=stage.planned_minutes)
            if over > timedelta(minutes=1):
                slow.append((over, stage.name))
    slowest = [
        f"{name} took {_words(over)} more than planned" for over, name in sorted(slow, reverse=True)[:2]
    ]
    waits = next((f"{s.name} has {_STANDS[s.status]}" for s in stages if s.status in _STANDS), "")
    return "; ".join([*blocked, *slowest] or [waits])


_STANDS = {StageStatus.PLANNED: "not begun", StageStatus.IN_PROGRESS: "begun and is not finished"}


def _words(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _issues(session: Session, order_id: UUID) -> tuple[Note, ...]:
    found = session.execute(
        select(Issue, Stage.name)
        .join(Stage, Stage.id == Issue.stage_id)
        .where(Issue.work_order_id == order_id, ~Issue.deleted)
        .order_by(Issue.raised_at.desc())
    )
    return tuple(
        Note(i.id, i.number, f"{i.title} · {stage} · {i.status.value}", i.raised_at) for i, stage in found
    )


def _inspections(session: Session, order_id: UUID) -> tuple[Note, ...]:
    found = session.execute(
        select(Inspection, Stage.name)
        .join(Stage, Stage.id == Inspection.stage_id)
        .where(Inspection.work_order_id == order_id, ~Inspection.deleted)
        .order_by(Inspection.inspected_at.desc())
    )
    marks = {Verdict.PASS: "✔ pass", Verdict.FAIL: "✖ fail"}
    return tuple(Note(i.id, i.number, f"{marks[i.verdict]} · {stage}", i.inspected_at) for i, stage in found)


@dataclass(frozen=True)
class ListFigures:
    """Figures of a filtered list: shares are 0–1, None where nothing is finished."""

    late: int
    open: int
    finished: int
    on_time_share: float | None
    efficiency: float | None


def read_figures(session: Session, where: ColumnElement[bool], now: datetime) -> ListFigures:
    """Late and finished orders under `where` (a condition on `work_order`), on-time share and efficiency.

    Efficiency sums planned and actual minutes of the finished stages; percentages are never averaged.
    """
    is_open = WorkOrder.status.in_(OPEN_STATUSES)
    is_done = WorkOrder.status == OrderStatus.DONE
    row = session.execute(
        select(
            func.sum(case((is_open, 1), else_=0)),
            func.sum(case((is_open & (WorkOrder.planned_end < now), 1), else_=0)),
            func.sum(case((is_done, 1), else_=0)),
            func.sum(case((is_done & (WorkOrder.finished_at <= WorkOrder.planned_end), 1), else_=0)),
        ).where(where)
    ).one()
    opened, late, finished, on_time = (int(value or 0) for value in row)
    spent = (func.julianday(Stage.finished_at) - func.julianday(Stage.started_at)) * 1440
    planned, actual = session.execute(
        select(func.sum(Stage.planned_minutes), func.sum(spent))
        .select_from(WorkOrder.__table__.join(Stage.__table__))
        .where(where, ~Stage.deleted, Stage.status == StageStatus.DONE, Stage.started_at.is_not(None))
    ).one()
    return ListFigures(
        late,
        opened,
        finished,
        on_time / finished if finished else None,
        float(planned) / float(actual) if planned and actual and actual > 0 else None,
    )
