"""Correcting the stretch between the cursors, and taking a correction back: the forms and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from app.domain.corrections import CorrectionKind
from app.domain.plant import Tag
from app.operations.change import Intent
from app.operations.corrections import correct_history, withdraw_correction
from ui.models.machine_words import short_name
from ui.widgets.form import Form

_KINDS = (
    (CorrectionKind.EXCLUDE.value, "leave the values out"),
    (CorrectionKind.OFFSET.value, "add the amount"),
    (CorrectionKind.FACTOR.value, "multiply by the amount"),
    (CorrectionKind.REPLACE.value, "the value was the amount"),
)


def correction_form(tags: Sequence[Tag]) -> Form:
    """Asks what is to be corrected, how, and why."""
    form = Form("Correct")
    form.add_choice("tag", "Signal", [(tag.name, f"{tag.equipment} {short_name(tag)}") for tag in tags])
    form.add_choice("kind", "How", list(_KINDS))
    form.add_decimal("amount", "Amount")
    form.add_long_text("reason", "Reason", hint="What was measured stays stored; this is laid over it.")
    form.set_values({"tag": tags[0].name if tags else None, "kind": CorrectionKind.EXCLUDE.value})
    return form


def corrected(between: tuple[float, float], form: Form) -> Intent[UUID]:
    """The correction that the form says, between two moments (epoch seconds)."""
    values = form.values()
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in between)
    amount = values["amount"]
    return correct_history(
        tag=str(values["tag"]),
        start=start,
        end=end,
        kind=CorrectionKind(str(values["kind"])),
        reason=str(values["reason"]),
        amount=float(amount) if isinstance(amount, int | Decimal) else None,
    )


def withdrawal_form() -> Form:
    """Asks why a correction is taken back."""
    form = Form("Withdraw")
    form.add_long_text("reason", "Reason")
    return form


def withdrawn(correction_id: UUID, form: Form) -> Intent[None]:
    return withdraw_correction(correction_id=correction_id, reason=str(form.values()["reason"]))
