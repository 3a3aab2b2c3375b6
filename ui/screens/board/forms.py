"""The small forms of the stage board: why a stage is blocked, and who does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.domain.stages import StageStatus
from app.operations.change import Intent
from app.operations.stages import assign_stages, move_stage
from ui.widgets.form import Form


def block_form() -> Form:
    """Asks for the reason of a block."""
    form = Form("Block")
    form.add_text("reason", "Reason", hint="for example: waits for material")
    return form


def assign_form(people: Mapping[str, str], assignee: str) -> Form:
    """Asks for a person; `people` are names by id, nobody comes first."""
    form = Form("Assign")
    choice = form.add_choice("assignee_id", "Person", [("", "Nobody"), *people.items()])
    choice.set_value(assignee if assignee in people else "")
    return form


def block_intent(stage_id: UUID, form: Form) -> Intent[Any]:
    """The operation that a reason means."""
    return move_stage(stage_id=stage_id, to=StageStatus.BLOCKED, reason=str(form.values()["reason"]))


def assign_intent(stage_id: UUID, form: Form) -> Intent[Any]:
    """The operation that a chosen person means."""
    chosen = form.values()["assignee_id"]
    return assign_stages(ids=[stage_id], assignee_id=UUID(str(chosen)) if chosen else None)
