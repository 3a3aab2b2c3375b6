"""Inspections of stages: logging checks and measured values, whose limits decide the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.inspections import InspectionItem, judge, judge_item
from app.domain.orders import check_note, check_text
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store.tables import Inspection, InspectionResult, Stage, WorkOrder


@operation(Permission.INSPECT)
def log_inspection(
    change: Change, /, *, stage_id: UUID, items: Sequence[InspectionItem], note: str = ""
) -> UUID:
    """Log one inspection of a stage; the verdict follows from the items. Raises `Refused` for an unanswered item."""
    stage = change.get(Stage, stage_id, "stage")
    order = change.get(WorkOrder, stage.work_order_id, "work order")
    verdict = judge(items)
    inspection = Inspection(
        id=change.new_id(),
        number=change.next_number(Inspection, "QI"),
        stage_id=stage.id,
        work_order_id=order.id,
        inspector_id=change.actor.user_id,
        inspected_at=change.now,
        verdict=verdict,
        note=check_note(note, "note", "note"),
    )
    change.session.add(inspection)
    change.session.flush()
    for position, item in enumerate(items, start=1):
        change.session.add(
            InspectionResult(
                id=change.new_id(),
                inspection_id=inspection.id,
                position=position,
                kind=item.kind,
                name=check_text(item.name, "name of the check", "items", longest=120),
                passed=judge_item(item),
                value=item.value,
                unit=check_text(item.unit, "unit", "items", longest=20, required=False),
                lower=item.lower,
                upper=item.upper,
            )
        )
    change.label = f"Logged {inspection.number} on {order.number} {stage.name}: {verdict.value}"
    return inspection.id
