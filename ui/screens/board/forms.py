"""The small forms of the stage board: why a stage is blocked, who does it, how many cards a column should hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.domain.errors import Refused
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


def limits_form(columns: Sequence[str], limits: Mapping[str, int]) -> Form:
    """One number a column; empty means no limit."""
    form = Form("Save")
    for name in columns:
        field = form.add_decimal(name, name, hint="no limit")
        field.set_value(limits.get(name))
    return form


def limits_of(form: Form) -> dict[str, int]:
    """The limits as typed. Raises `Refused` beside a field that holds no whole number above zero."""
    limits = {}
    for name, value in form.values().items():
        if value is None:
            continue
        if not isinstance(value, Decimal) or value != value.to_integral_value() or value <= 0:
            raise Refused("Enter a whole number above zero, or nothing.", field=name)
        limits[name] = int(value)
    return limits
