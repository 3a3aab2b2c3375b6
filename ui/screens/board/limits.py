"""How many cards a column of the board should hold at most, as kept on this computer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial

from PySide6.QtWidgets import QWidget

from app.domain.errors import Refused
from ui.models.preferences import remember, remembered
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

_KEY = "board/limits"


def kept_limits() -> dict[str, int]:
    """Limits by name of column; a column without one is missing."""
    limits: dict[str, int] = json.loads(remembered("", _KEY, "{}"))
    return limits


def ask_for_limits(columns: Sequence[str], done: Callable[[], None], host: QWidget) -> None:
    """Show the form over `host`; `done` is called when limits were kept."""
    form = limits_form(columns, kept_limits())
    card = DialogCard("Limits of the columns", form, host)
    form.submitted.connect(partial(_keep, form, card, done))
    form.cancelled.connect(card.close)
    card.show_card()
    form.focus_first()


def _keep(form: Form, card: DialogCard, done: Callable[[], None]) -> None:
    try:
        limits = limits_of(form)
    except Refused as refusal:
        form.set_error(refusal.field, refusal.sentence)
        return
    remember("", _KEY, json.dumps(limits))
    card.close()
    done()


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
