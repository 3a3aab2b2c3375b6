"""Maintenance orders: planning work on machines."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.domain.maintenance import MaintenanceKind, MaintenancePriority, MaintenanceStatus
from app.domain.orders import check_note, check_text
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store.tables import MaintenanceOrder


@operation(Permission.PLAN_MAINTENANCE)
def plan_maintenance(
    change: Change,
    /,
    *,
    title: str,
    description: str = "",
    kind: MaintenanceKind = MaintenanceKind.PREVENTIVE,
    priority: MaintenancePriority = MaintenancePriority.MEDIUM,
    equipment: str = "",
    assignee: str = "",
    due_at: datetime | None = None,
) -> UUID:
    """Plan one piece of maintenance; it starts scheduled."""
    order = MaintenanceOrder(
        id=change.new_id(),
        number=change.next_number(MaintenanceOrder, "MO"),
        title=check_text(title, "title", "title", longest=200),
        description=check_note(description, "description", "description"),
        kind=kind,
        priority=priority,
        status=MaintenanceStatus.SCHEDULED,
        equipment=check_text(equipment, "machine", "equipment", longest=120, required=False),
        assignee=check_text(assignee, "person", "assignee", longest=120, required=False),
        due_at=due_at,
        created_at=change.now,
    )
    change.session.add(order)
    change.label = f"Planned maintenance {order.number}"
    return order.id
