"""One maintenance order with what happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.maintenance import MaintenanceStatus
from app.store.queries.happenings import Happening, happenings
from app.store.tables import MaintenanceOrder


@dataclass(frozen=True)
class MaintenanceDetails:
    """`late` is how far it is past its due time (of an open one) or was when it was completed; None when it is not."""

    values: dict[str, Any]
    history: tuple[Happening, ...]
    late: timedelta | None


def read_maintenance(session: Session, order_id: UUID, now: datetime) -> MaintenanceDetails:
    """One maintenance order in full. Raises `NotFound` when it is not there any more."""
    order = session.get(MaintenanceOrder, order_id)
    if order is None or order.deleted:
        raise NotFound("This maintenance order does not exist any more.")
    values = {column.key: getattr(order, column.key) for column in MaintenanceOrder.__table__.columns}
    is_done = order.status is MaintenanceStatus.COMPLETED
    end = order.completed_at if is_done else now
    late = end - order.due_at if end is not None and order.due_at is not None else None
    return MaintenanceDetails(
        values,
        happenings(session, order.number, [order.id]),
        late if late is not None and late > timedelta(0) else None,
    )
