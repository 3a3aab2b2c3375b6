"""Maintenance orders from an import plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.domain.maintenance import MaintenanceKind, MaintenancePriority, MaintenanceStatus
from app.domain.sheets.plan import PlannedRow
from app.domain.sheets.values import Value
from app.operations.change import Change
from app.store.queries.imports import MAINTENANCE_COLUMNS, ExistingRow
from app.store.tables import MaintenanceOrder
from app.store.wall_clock import instant

_CHOICES = {"kind": MaintenanceKind, "priority": MaintenancePriority, "status": MaintenanceStatus}


def _stored(key: str, value: Value) -> Any:
    if key in _CHOICES:
        return _CHOICES[key](str(value))
    return instant(value) if isinstance(value, datetime) else value


def create_maintenance(
    change: Change, rows: Sequence[PlannedRow], progress: Callable[[int, int], None]
) -> None:
    """Make the orders; one without a number takes the next free one, one without a status is scheduled."""
    unnamed = iter(
        change.next_numbers(MaintenanceOrder, "MO", sum(1 for row in rows if "number" not in row.values))
    )
    made = [_row(change, row, unnamed.__next__) for row in rows]
    change.insert(MaintenanceOrder, made)
    progress(len(rows), len(rows))


def _row(change: Change, row: PlannedRow, next_number: Callable[[], str]) -> dict[str, Any]:
    filled = {MAINTENANCE_COLUMNS[key]: _stored(key, value) for key, value in row.values.items()}
    status = filled.get("status", MaintenanceStatus.SCHEDULED)
    created = filled.get("created_at", change.now)
    done = status is MaintenanceStatus.COMPLETED
    return {
        "id": change.new_id(),
        "number": filled.get("number") or next_number(),
        "title": filled["title"],
        "description": filled.get("description", ""),
        "kind": filled.get("kind", MaintenanceKind.PREVENTIVE),
        "priority": filled.get("priority", MaintenancePriority.MEDIUM),
        "status": status,
        "equipment": filled.get("equipment", ""),
        "assignee": filled.get("assignee", ""),
        "estimated_hours": filled.get("estimated_hours"),
        "due_at": filled.get("due_at"),
        "created_at": created,
        "completed_at": filled.get("completed_at", change.now if done else None),
        "feedback": filled.get("feedback", ""),
        "import_key": row.identity if row.identity.startswith("~") else "",
    }


def change_maintenance(
    change: Change, rows: Sequence[tuple[PlannedRow, ExistingRow]], progress: Callable[[int, int], None]
) -> None:
    """Set the changed fields of orders that are there."""
    patches: list[tuple[Any, Mapping[str, tuple[Any, Any]]]] = []
    for row, held in rows:
        fields = {
            MAINTENANCE_COLUMNS[key]: (held.columns[MAINTENANCE_COLUMNS[key]], _stored(key, new))
            for key, (_, new) in row.changes.items()
        }
        finished = fields.get("status", (None, None))[1] is MaintenanceStatus.COMPLETED
        if finished and "completed_at" not in fields and held.columns["completed_at"] is None:
            fields["completed_at"] = (None, change.now)
        patches.append((held.id, fields))
    change.patch(MaintenanceOrder, patches)
    progress(len(rows), len(rows))
