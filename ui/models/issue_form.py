"""The form by which an issue is raised on a stage, the same from the board, the orders and the list of issues."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.issues import IssueType
from app.operations.change import Intent
from app.operations.issues import raise_issue
from ui.widgets.form import Form

TYPE_CHOICES = [(kind.value, kind.value.capitalize()) for kind in IssueType]


def issue_form(about: str) -> Form:
    """A form for an issue; `about` says what it is raised on."""
    form = Form("Raise issue")
    form.add_text("title", "What is wrong", hint=f"on {about}")
    form.add_choice("type", "Kind", TYPE_CHOICES).set_value(IssueType.OTHER.value)
    form.add_long_text("description", "Details")
    return form


def issue_intent(stage_id: UUID, form: Form) -> Intent[Any]:
    """The operation that the filled-in form means."""
    values = form.values()
    return raise_issue(
        stage_id=stage_id,
        title=str(values["title"]),
        type=IssueType(str(values["type"] or IssueType.OTHER.value)),
        description=str(values["description"]),
    )
