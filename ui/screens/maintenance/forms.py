"""The form that plans one piece of maintenance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.maintenance import MaintenanceKind, MaintenancePriority
from app.operations.change import Intent
from app.operations.maintenance import plan_maintenance
from ui.widgets.form import Form


def plan_form(now: datetime) -> Form:
    """Preventive and of medium priority, due in a week, unless somebody says otherwise."""
    form = Form("Plan maintenance")
    form.add_text("title", "What is to be done", hint="grease the spindle")
    form.add_text("equipment", "Machine", hint="code or name, such as OVEN-2")
    form.add_choice("kind", "Kind", [(kind.value, kind.value.capitalize()) for kind in MaintenanceKind])
    form.add_choice(
        "priority", "Priority", [(one.value, one.value.capitalize()) for one in MaintenancePriority]
    )
    form.add_moment("due_at", "Due")
    form.add_text("assignee", "Assigned to")
    form.add_long_text("description", "Details", rows=3)
    due = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=7)
    form.set_values(
        {
            "kind": MaintenanceKind.PREVENTIVE.value,
            "priority": MaintenancePriority.MEDIUM.value,
            "due_at": due,
        }
    )
    return form


def plan_intent(form: Form) -> Intent[Any]:
    """The operation that a filled-in form means."""
    values = form.values()
    due = values["due_at"]
    return plan_maintenance(
        title=str(values["title"]),
        description=str(values["description"]),
        kind=MaintenanceKind(str(values["kind"])),
        priority=MaintenancePriority(str(values["priority"])),
        equipment=str(values["equipment"]),
        assignee=str(values["assignee"]),
        due_at=due if isinstance(due, datetime) else None,
    )
