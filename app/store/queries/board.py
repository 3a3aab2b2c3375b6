"""The stage board: columns of the routes in use, open orders at their present stage, what was done today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, String, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from app.domain.issues import IssueStatus
from app.domain.orders import OPEN_STATUSES, OrderStatus
from app.domain.stages import DEFAULT_ROUTE, StagePlace, StageStatus
from app.store.queries.listing import contains
from app.store.tables import Issue, RouteStage, Stage, UserAccount, WorkOrder

EACH_STATUS = 2_000
"""Orders of one status that a board reads, the earliest due first; a board is for what is at hand."""


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """What of the board is wanted: orders with `text` in them, on one line, of one person."""

    text: str = ""
    line: str = ""
    owner_id: UUID | None = None


class BoardStage(NamedTuple):
    """One stage of an order on the board; a tuple, because a full board has ten thousand of them."""

    id: UUID
    name: str
    status: StageStatus
    started: bool
    blocked_reason: str
    assignee_id: UUID | None
    assignee: str
    changed_at: datetime

    def place(self, movable: bool) -> StagePlace:
        return StagePlace(self.name, self.status, self.started, self.blocked_reason, movable)


@dataclass(frozen=True, slots=True)
class BoardOrder:
    """One order on the board with its route; `issues` counts what is not resolved on any of its stages."""

    id: UUID
    number: str
    product: str
    product_name: str
    quantity: int
    quantity_done: int
    priority: int
    line: str
    planned_end: datetime
    finished_at: datetime | None
    stages: tuple[BoardStage, ...]
    issues: int = 0

    @property
    def current(self) -> BoardStage | None:
        """The first stage that is not done."""
        return next((stage for stage in self.stages if stage.status is not StageStatus.DONE), None)


@dataclass(frozen=True)
class Board:
    """`stage_names` are the columns from left to right; `open_total` counts all open orders, shown or not.

    `people` are those whom a stage can be given to.
    """

    stage_names: tuple[str, ...]
    orders: tuple[BoardOrder, ...]
    done_today: tuple[BoardOrder, ...]
    open_total: int
    lines: tuple[str, ...] = ()
    people: Mapping[UUID, str] = field(default_factory=dict)


_ORDER = (
    WorkOrder.id,
    WorkOrder.number,
    WorkOrder.product,
    WorkOrder.product_name,
    WorkOrder.quantity,
    WorkOrder.quantity_done,
    WorkOrder.priority,
    WorkOrder.line,
    WorkOrder.planned_end,
    WorkOrder.finished_at,
)
_Order = Row[*tuple[Any, ...]]


def read_board(session: Session, wanted: BoardFilter, day_start: datetime) -> Board:
    """The board under a filter; `day_start` is when today began here (aware UTC)."""
    open_orders: list[_Order] = []
    for status in OPEN_STATUSES:
        found = _orders(wanted).where(WorkOrder.status == status)
        open_orders += session.execute(
            found.order_by(WorkOrder.planned_end, WorkOrder.id).limit(EACH_STATUS)
        ).all()
    finished = _orders(wanted).where(WorkOrder.status == OrderStatus.DONE, WorkOrder.finished_at >= day_start)
    done = session.execute(finished.order_by(WorkOrder.finished_at.desc()).limit(200)).all()
    accounts = session.execute(
        select(UserAccount.id, UserAccount.name, UserAccount.disabled).order_by(UserAccount.name)
    ).all()
    people = {account.id: account.name for account in accounts}
    orders = _with_stages(session, [*open_orders, *done], people)
    shown = [order for order in orders if order.finished_at is None and order.current is not None]
    if wanted.owner_id is not None:
        shown = [order for order in shown if order.current and order.current.assignee_id == wanted.owner_id]
    total = session.execute(
        select(func.count()).where(~WorkOrder.deleted, WorkOrder.status.in_(OPEN_STATUSES))
    ).scalar_one()
    return Board(
        stage_names(session, shown),
        tuple(sorted(shown, key=lambda order: (order.planned_end, order.number))),
        tuple(order for order in orders if order.finished_at is not None),
        total,
        tuple(sorted({order.line for order in shown if order.line})),
        {account.id: account.name for account in accounts if not account.disabled},
    )


def _orders(wanted: BoardFilter) -> Select[*tuple[Any, ...]]:
    found = select(*_ORDER).where(WorkOrder.deleted.is_(False))
    for word in wanted.text.split():
        texts = (
            WorkOrder.number,
            WorkOrder.product,
            WorkOrder.product_name,
            WorkOrder.customer,
            WorkOrder.lot,
        )
        found = found.where(or_(*(contains(text.expression, word) for text in texts)))
    if wanted.line:
        found = found.where(WorkOrder.line == wanted.line)
    if wanted.owner_id is not None:
        theirs = select(Stage.work_order_id).where(Stage.assignee_id == wanted.owner_id, ~Stage.deleted)
        found = found.where(WorkOrder.id.in_(theirs))
    return found


def _with_stages(session: Session, orders: Sequence[_Order], people: Mapping[UUID, str]) -> list[BoardOrder]:
    stages: defaultdict[str, list[BoardStage]] = defaultdict(list)
    issues: dict[UUID, int] = {}
    for start in range(0, len(orders), 5000):
        some = [order.id for order in orders[start : start + 5000]]
        for order_key, assignee_id, *rest in session.execute(_stages_of(some)).all():
            id_, name, status, started, blocked_reason, changed_at = rest
            owner = people.get(assignee_id, "") if assignee_id else ""
            stage = BoardStage(id_, name, status, started, blocked_reason, assignee_id, owner, changed_at)
            stages[order_key].append(stage)
        counted = session.execute(
            select(Issue.work_order_id, func.count())
            .where(
                Issue.status.in_([IssueStatus.OPEN, IssueStatus.ACKNOWLEDGED]),
                Issue.work_order_id.in_(some),
                ~Issue.deleted,
            )
            .group_by(Issue.work_order_id)
        )
        issues.update((order_id, number) for order_id, number in counted)
    return [
        BoardOrder(
            order.id,
            order.number,
            order.product,
            order.product_name,
            order.quantity,
            order.quantity_done,
            order.priority,
            order.line,
            order.planned_end,
            order.finished_at,
            tuple(stages[order.id.hex]),
            issues.get(order.id, 0),
        )
        for order in orders
    ]


def _stages_of(order_ids: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    """Stages of orders in route order. The order is told as it is stored: 10,000 ids need not be taken apart."""
    return (
        select(
            type_coerce(Stage.work_order_id, String),
            Stage.assignee_id,
            Stage.id,
            Stage.name,
            Stage.status,
            Stage.started_at.is_not(None),
            Stage.blocked_reason,
            Stage.changed_at,
        )
        .where(Stage.work_order_id.in_(order_ids), ~Stage.deleted)
        .order_by(Stage.work_order_id, Stage.position)
    )


def stage_names(session: Session, orders: Sequence[BoardOrder]) -> tuple[str, ...]:
    """Columns: the default route first, then the products' routes, then what orders at hand stand at besides."""
    routes = session.execute(
        select(RouteStage.name).where(~RouteStage.deleted).order_by(RouteStage.product, RouteStage.position)
    ).scalars()
    own_default = session.execute(
        select(RouteStage.id).where(RouteStage.product == "", ~RouteStage.deleted).limit(1)
    ).first()
    first = [] if own_default is not None else [step.name for step in DEFAULT_ROUTE]
    standing = sorted({order.current.name for order in orders if order.current is not None})
    return tuple(dict.fromkeys([*first, *routes, *standing]))
