"""Finds orders, machines, issues and maintenance by what a person types into the palette."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session

from app.store.queries.lists import WORK_ORDERS
from app.store.tables import Equipment, Issue, MaintenanceOrder, WorkOrder

_EACH = 6


@dataclass(frozen=True, slots=True)
class Found:
    """One record: the place that shows it, its id, what a person calls it."""

    place: str
    id: UUID
    name: str
    title: str
    hint: str


def find_records(session: Session, typed: str, limit: int = _EACH) -> list[Found]:
    """At most `limit` orders, machines, issues and maintenance orders each whose texts hold every word of `typed`."""
    words = typed.split()
    if not words or len(typed.strip()) < 2:
        return []
    return [
        *_orders(session, words, limit),
        *_machines(session, words, limit),
        *_issues(session, words, limit),
        *_maintenance(session, words, limit),
    ]


def _orders(session: Session, words: list[str], limit: int) -> list[Found]:
    assert WORK_ORDERS.text is not None
    matches = and_(~WorkOrder.deleted, *(WORK_ORDERS.text(word) for word in words))
    # Not ordered in SQL: sorting every match of a short word would cost more than the six that are shown.
    statement = select(
        WorkOrder.id, WorkOrder.number, WorkOrder.product, WorkOrder.product_name, WorkOrder.customer
    ).where(matches)
    return [
        Found(
            "orders",
            row.id,
            row.number,
            f"{row.number} · {row.product_name or row.product}",
            f"Work order{' · ' + row.customer if row.customer else ''}",
        )
        for row in session.execute(statement.limit(limit))
    ]


def _machines(session: Session, words: list[str], limit: int) -> list[Found]:
    columns = (Equipment.code, Equipment.name, Equipment.area)
    matches = [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words]
    statement = (
        select(Equipment.id, Equipment.code, Equipment.name, Equipment.area)
        .where(~Equipment.deleted, *matches)
        .order_by(Equipment.code)
        .limit(limit)
    )
    return [
        Found("equipment", row.id, row.code, f"{row.code} · {row.name}", f"Machine · {row.area}")
        for row in session.execute(statement)
    ]


def _issues(session: Session, words: list[str], limit: int) -> list[Found]:
    matches = [
        or_(*(column.icontains(word, autoescape=True) for column in (Issue.number, Issue.title)))
        for word in words
    ]
    newest = (case((Issue.resolved_at.is_(None), 0), else_=1), Issue.raised_at.desc())
    statement = (
        select(Issue.id, Issue.number, Issue.title)
        .where(~Issue.deleted, *matches)
        .order_by(*newest)
        .limit(limit)
    )
    return [
        Found("issues", row.id, row.number, f"{row.number} · {row.title}", "Issue")
        for row in session.execute(statement)
    ]


def _maintenance(session: Session, words: list[str], limit: int) -> list[Found]:
    texts = (MaintenanceOrder.number, MaintenanceOrder.title, MaintenanceOrder.equipment)
    matches = [or_(*(column.icontains(word, autoescape=True) for column in texts)) for word in words]
    newest = (case((MaintenanceOrder.completed_at.is_(None), 0), else_=1), MaintenanceOrder.created_at.desc())
    statement = (
        select(
            MaintenanceOrder.id, MaintenanceOrder.number, MaintenanceOrder.title, MaintenanceOrder.equipment
        )
        .where(~MaintenanceOrder.deleted, *matches)
        .order_by(*newest)
        .limit(limit)
    )
    return [
        Found(
            "maintenance",
            row.id,
            row.number,
            f"{row.number} · {row.title}",
            f"Maintenance{' · ' + row.equipment if row.equipment else ''}",
        )
        for row in session.execute(statement)
    ]
