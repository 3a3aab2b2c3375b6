"""The figures of the dashboard: what is late or will be, how orders stand, how today's inspections went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from app.domain.inspections import Verdict
from app.domain.issues import IssueStatus
from app.domain.orders import OPEN_STATUSES, OrderStatus
from app.domain.stages import StageStatus
from app.store.queries.inspections import verdicts_since
from app.store.queries.orders import read_figures
from app.store.tables import Equipment, Inspection, Issue, Stage, WorkOrder

FIGURES_OF = timedelta(days=30)
_LOOK_AHEAD = timedelta(days=3)
_LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class OrderAtRisk:
    """An open order that is late, or whose planned work no longer fits before its due time.

    `slip` is how late it is now, or will be at the least; `will_be` tells which.
    """

    id: UUID
    number: str
    product: str
    stage: str
    due: datetime
    slip: timedelta
    will_be: bool
    blocked: bool


@dataclass(frozen=True, slots=True)
class LoggedInspection:
    id: UUID
    number: str
    verdict: Verdict
    order: str
    stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the dashboard shows of the store; shares are 0–1, None where nothing is finished."""

    at: datetime
    late: int
    will_be_late: int
    at_risk: tuple[OrderAtRisk, ...]
    by_status: dict[OrderStatus, int]
    on_time: float | None
    efficiency: float | None
    open_issues: int
    verdicts: dict[Verdict, int]
    inspections: tuple[LoggedInspection, ...]
    machines: int

    @property
    def is_fresh(self) -> bool:
        """Whether there is nothing in this store yet."""
        return not self.machines and not any(self.by_status.values())


def read_overview(session: Session, now: datetime, day_start: datetime, rows: int = 12) -> Overview:
    """All figures at `now`; `day_start` is this morning's midnight by the clock on the wall."""
    by_status = dict.fromkeys(OrderStatus, 0)
    for status, count in session.execute(
        select(WorkOrder.status, func.count()).where(~WorkOrder.deleted).group_by(WorkOrder.status)
    ):
        by_status[status] = count
    late = session.execute(
        select(func.count()).where(
            ~WorkOrder.deleted, WorkOrder.status.in_(OPEN_STATUSES), WorkOrder.planned_end < now
        )
    ).scalar_one()
    soon = _will_be_late(session, now)
    at_risk = (*_late(session, now, rows), *soon)[:rows]
    # Two selections, each along its own index: an OR of both conditions would read every order.
    recent = ~WorkOrder.deleted & WorkOrder.id.in_(
        union_all(
            select(WorkOrder.id).where(~WorkOrder.deleted, WorkOrder.finished_at >= now - FIGURES_OF),
            select(WorkOrder.id).where(~WorkOrder.deleted, WorkOrder.status == OrderStatus.IN_PROGRESS),
        )
    )
    figures = read_figures(session, recent, now)
    return Overview(
        now,
        late,
        len(soon),
        at_risk,
        by_status,
        figures.on_time_share,
        figures.efficiency,
        session.execute(
            select(func.count()).where(~Issue.deleted, Issue.status != IssueStatus.RESOLVED)
        ).scalar_one(),
        verdicts_since(session, day_start),
        _last_inspections(session, day_start),
        session.execute(select(func.count()).where(~Equipment.deleted)).scalar_one(),
    )


def _late(session: Session, now: datetime, rows: int) -> list[OrderAtRisk]:
    orders = session.execute(
        select(WorkOrder)
        .where(~WorkOrder.deleted, WorkOrder.status.in_(OPEN_STATUSES), WorkOrder.planned_end < now)
        .order_by(WorkOrder.planned_end)
        .limit(rows)
    ).scalars()
    return _described(session, [(order, now - order.planned_end, False) for order in orders])


def _will_be_late(session: Session, now: datetime) -> list[OrderAtRisk]:
    """Open orders due within three days whose open stages need more time than is left, the nearest due first."""
    orders = (
        session.execute(
            select(WorkOrder)
            .where(
                ~WorkOrder.deleted,
                WorkOrder.status.in_(OPEN_STATUSES),
                WorkOrder.planned_end >= now,
                WorkOrder.planned_end < now + _LOOK_AHEAD,
            )
            .order_by(WorkOrder.planned_end)
            .limit(_LOOKED_AT)
        )
        .scalars()
        .all()
    )
    left: dict[UUID, int] = {}
    ids = [order.id for order in orders]
    for begin in range(0, len(ids), 400):
        rows = session.execute(
            select(Stage.work_order_id, func.sum(Stage.planned_minutes))
            .where(
                Stage.work_order_id.in_(ids[begin : begin + 400]),
                ~Stage.deleted,
                Stage.status != StageStatus.DONE,
            )
            .group_by(Stage.work_order_id)
        )
        left.update((row[0], int(row[1])) for row in rows)
    slips = [(order, now + timedelta(minutes=left.get(order.id, 0)) - order.planned_end) for order in orders]
    return _described(session, [(order, slip, True) for order, slip in slips if slip > timedelta(0)])


def _described(session: Session, found: Sequence[tuple[WorkOrder, timedelta, bool]]) -> list[OrderAtRisk]:
    stages: dict[UUID, str] = {}
    for order_id, name in session.execute(
        select(Stage.work_order_id, Stage.name)
        .where(
            Stage.work_order_id.in_([order.id for order, _, _ in found[:400]]),
            ~Stage.deleted,
            Stage.status != StageStatus.DONE,
        )
        .order_by(Stage.position)
    ):
        stages.setdefault(order_id, name)
    return [
        OrderAtRisk(
            order.id,
            order.number,
            order.product_name or order.product,
            stages.get(order.id, ""),
            order.planned_end,
            slip,
            will_be,
            order.status is OrderStatus.BLOCKED,
        )
        for order, slip, will_be in found
    ]


def _last_inspections(session: Session, since: datetime, rows: int = 8) -> tuple[LoggedInspection, ...]:
    found = session.execute(
        select(
            Inspection.id,
            Inspection.number,
            Inspection.verdict,
            WorkOrder.number,
            Stage.name,
            Inspection.inspected_at,
        )
        .join(WorkOrder, WorkOrder.id == Inspection.work_order_id)
        .join(Stage, Stage.id == Inspection.stage_id)
        .where(~Inspection.deleted, Inspection.inspected_at >= since)
        .order_by(Inspection.inspected_at.desc())
        .limit(rows)
    )
    return tuple(LoggedInspection(*row) for row in found)
