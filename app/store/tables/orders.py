"""Work orders, their routing stages, the routes that new orders get, and issues raised on stages."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.issues import LEGAL_STEPS, IssueStatus, IssueType
from app.domain.orders import CANCELLATIONS, FILE_CHANGES, LEGAL_CHANGES, OrderStatus
from app.domain.people import Permission
from app.domain.sharing import BIRTH, Allowed, Sharing, by, setting, steps
from app.domain.stages import FILE_MOVES, LEGAL_MOVES, StageStatus
from app.store.tables.base import Record, named, unique_alive

_SORTABLE = (
    "number",
    "product",
    "customer",
    "lot",
    "quantity",
    "priority",
    "planned_start",
    "planned_end",
    "created_at",
)


_PLANNING = by(Permission.PLAN_ORDERS, Permission.IMPORT)
_HANDLING = (
    "status",
    "resolution",
    "acknowledged_by_id",
    "acknowledged_at",
    "resolved_by_id",
    "resolved_at",
)


class WorkOrder(Record):
    """One order: what to make, how many, by when; `status` follows from the stages."""

    __tablename__ = "work_order"
    __table_args__ = (
        unique_alive("ux_work_order_number", "number"),
        # One index a sortable column: the list of a million orders is paged by key along it.
        *(Index(f"ix_work_order_by_{column}", "deleted", column, "id") for column in _SORTABLE),
        Index("ix_work_order_by_status_due", "deleted", "status", "planned_end", "id"),
        Index("ix_work_order_import_key", "import_key"),
    )
    sharing: ClassVar[Sharing] = Sharing(
        create=_PLANNING,
        change=setting(
            "product product_name lot quantity priority customer line note planned_start planned_end",
            *_PLANNING,
        )
        # These follow from the stages, which whoever works on one moves.
        | setting("status started_at finished_at quantity_done", *_PLANNING, *by(Permission.MOVE_OWN_STAGES))
        | setting("deleted", *by(Permission.DELETE_ORDERS)),
        together=(
            frozenset({"product", "product_name"}),
            frozenset({"planned_start", "planned_end"}),
            frozenset({"status", "started_at", "finished_at"}),
        ),
        moves={
            "status": steps(LEGAL_CHANGES)
            | steps(FILE_CHANGES, Permission.IMPORT)
            | steps(CANCELLATIONS, Permission.PLAN_ORDERS, Permission.IMPORT)
        },
    )

    number: Mapped[str]
    product: Mapped[str]
    product_name: Mapped[str] = mapped_column(default="")
    lot: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int]
    quantity_done: Mapped[int] = mapped_column(default=0)
    priority: Mapped[int]
    customer: Mapped[str] = mapped_column(default="")
    line: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    planned_start: Mapped[datetime]
    planned_end: Mapped[datetime]
    status: Mapped[OrderStatus] = mapped_column(named(OrderStatus))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    import_key: Mapped[str] = mapped_column(default="")


class Stage(Record):
    """One routing stage of an order; `position` counts from 1."""

    __tablename__ = "stage"
    __table_args__ = (
        Index("ix_stage_work_order", "work_order_id", "position"),
        Index("ix_stage_status", "status", "name"),
        Index("ix_stage_assignee", "assignee_id"),
    )
    sharing: ClassVar[Sharing] = Sharing(
        create=_PLANNING,
        change=setting(
            "status started_at finished_at changed_at blocked_reason",
            *by(Permission.MOVE_STAGES, Permission.IMPORT),
            Allowed(Permission.MOVE_OWN_STAGES, own="assignee_id"),
        )
        | setting("assignee_id", *by(Permission.ASSIGN_STAGES, Permission.IMPORT))
        | setting("planned_start planned_end", *by(Permission.PLAN_ORDERS))
        | setting("deleted", *by(Permission.DELETE_ORDERS)),
        together=(
            frozenset({"status", "started_at", "finished_at", "changed_at", "blocked_reason"}),
            frozenset({"planned_start", "planned_end"}),
        ),
        moves={"status": steps(LEGAL_MOVES) | steps(FILE_MOVES, Permission.IMPORT)},
    )

    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"))
    position: Mapped[int]
    name: Mapped[str]
    status: Mapped[StageStatus] = mapped_column(named(StageStatus))
    planned_minutes: Mapped[int]
    planned_start: Mapped[datetime]
    planned_end: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    blocked_reason: Mapped[str] = mapped_column(default="")


class RouteStage(Record):
    """One step of the route of a product; an empty `product` is the default route."""

    __tablename__ = "route_stage"
    __table_args__ = (unique_alive("ux_route_stage_place", "product", "position"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.PLAN_ORDERS), change=setting("deleted", *by(Permission.PLAN_ORDERS))
    )

    product: Mapped[str]
    position: Mapped[int]
    name: Mapped[str]
    planned_minutes: Mapped[int]


class Issue(Record):
    """Something that went wrong on a stage, from raised to resolved."""

    __tablename__ = "issue"
    __table_args__ = (
        unique_alive("ux_issue_number", "number"),
        Index("ix_issue_stage", "stage_id"),
        Index("ix_issue_status", "status"),
    )
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.RAISE_ISSUES),
        change=setting(" ".join(_HANDLING), *by(Permission.HANDLE_ISSUES)),
        together=(frozenset(_HANDLING),),
        moves={"status": steps(LEGAL_STEPS) | {(BIRTH, IssueStatus.OPEN.value): ()}},
        actor_ids=frozenset({"raised_by_id", "acknowledged_by_id", "resolved_by_id"}),
        outlives=frozenset({"stage_id", "work_order_id"}),
    )

    number: Mapped[str]
    stage_id: Mapped[UUID] = mapped_column(ForeignKey("stage.id"))
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"))
    type: Mapped[IssueType] = mapped_column(named(IssueType))
    status: Mapped[IssueStatus] = mapped_column(named(IssueStatus))
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    resolution: Mapped[str] = mapped_column(default="")
    raised_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    raised_at: Mapped[datetime]
    acknowledged_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    acknowledged_at: Mapped[datetime | None]
    resolved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    resolved_at: Mapped[datetime | None]
