"""Inspections with their items, and maintenance orders."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.inspections import ItemKind, Verdict
from app.domain.maintenance import MaintenanceKind, MaintenancePriority, MaintenanceStatus
from app.domain.people import Permission
from app.domain.sharing import Sharing, by, setting
from app.store.tables.base import Record, named, unique_alive


class Inspection(Record):
    """One inspection of a stage and its verdict; a repeated inspection is a new row, the first stays."""

    __tablename__ = "inspection"
    __table_args__ = (
        unique_alive("ux_inspection_number", "number"),
        Index("ix_inspection_stage", "stage_id"),
        Index("ix_inspection_at", "inspected_at"),
    )
    # What was found stays as it was found; one that was logged by mistake is taken back as a whole.
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.INSPECT),
        actor_ids=frozenset({"inspector_id"}),
        outlives=frozenset({"stage_id", "work_order_id"}),
    )

    number: Mapped[str]
    stage_id: Mapped[UUID] = mapped_column(ForeignKey("stage.id"))
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"))
    inspector_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    inspected_at: Mapped[datetime]
    verdict: Mapped[Verdict] = mapped_column(named(Verdict))
    note: Mapped[str] = mapped_column(default="")


class InspectionResult(Record):
    """One answered check or measured value of an inspection; `unit` belongs to `value`, `lower` and `upper`."""

    __tablename__ = "inspection_result"
    __table_args__ = (Index("ix_inspection_result_inspection", "inspection_id", "position"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.INSPECT),
        together=(frozenset({"kind", "passed", "value", "unit", "lower", "upper"}),),
    )

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"))
    position: Mapped[int]
    kind: Mapped[ItemKind] = mapped_column(named(ItemKind))
    name: Mapped[str]
    passed: Mapped[bool]
    value: Mapped[float | None]
    unit: Mapped[str] = mapped_column(default="")
    lower: Mapped[float | None]
    upper: Mapped[float | None]


class MaintenanceOrder(Record):
    """Work on a machine: what, how urgent, by when, by whom; `equipment` is the name as the planner wrote it."""

    __tablename__ = "maintenance_order"
    __table_args__ = (
        unique_alive("ux_maintenance_order_number", "number"),
        Index("ix_maintenance_order_due", "due_at"),
    )
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.PLAN_MAINTENANCE, Permission.IMPORT),
        change=setting(
            "title description kind priority status equipment assignee estimated_hours due_at created_at"
            " completed_at feedback",
            *by(Permission.IMPORT),
        ),
        together=(frozenset({"status", "completed_at"}),),
    )

    number: Mapped[str]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    kind: Mapped[MaintenanceKind] = mapped_column(named(MaintenanceKind))
    priority: Mapped[MaintenancePriority] = mapped_column(named(MaintenancePriority))
    status: Mapped[MaintenanceStatus] = mapped_column(named(MaintenanceStatus))
    equipment: Mapped[str] = mapped_column(default="")
    assignee: Mapped[str] = mapped_column(default="")
    estimated_hours: Mapped[float | None]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    feedback: Mapped[str] = mapped_column(default="")
    import_key: Mapped[str] = mapped_column(default="")
