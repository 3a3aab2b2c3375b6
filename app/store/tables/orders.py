"""Work orders, their routing stages, the routes that new orders get, and issues raised on stages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.issues import IssueStatus, IssueType
from app.domain.orders import OrderStatus
from app.domain.stages import StageStatus
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
    __table_args__ = (Index("ix_route_stage_product", "product", "position"),)

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
