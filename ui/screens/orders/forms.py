"""Forms of the work orders: a new order, and changing one or many with only the touched fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domain.errors import Refused
from app.domain.orders import DEFAULT_PRIORITY, LARGEST_QUANTITY, PRIORITY_TITLES
from app.operations.change import Intent
from app.operations.orders import create_work_order, edit_work_orders
from ui.widgets.fields import Value
from ui.widgets.form import Form

PRIORITY_CHOICES = [(str(number), f"{number} {title}") for number, title in PRIORITY_TITLES.items()]
_COPIED = ("product", "product_name", "quantity", "customer", "priority", "line", "note")
_BULK = ("product", "product_name", "lot", "quantity", "quantity_done", "priority", "customer", "line")
_MANY = "several values"


def new_order_form(now: datetime) -> Form:
    """An empty order that starts at the next full hour and is due in a day."""
    form = Form("Create order")
    form.add_text("product", "Product", hint="code, such as FRAME-M")
    form.add_text("product_name", "Product name")
    form.add_whole("quantity", "Quantity", low=0, high=LARGEST_QUANTITY)
    form.add_text("lot", "Lot")
    form.add_text("customer", "Customer")
    form.add_choice("priority", "Priority", PRIORITY_CHOICES)
    form.add_moment("planned_start", "Start")
    form.add_moment("planned_end", "Due")
    form.add_text("line", "Line")
    form.add_long_text("note", "Note", rows=2)
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    form.set_values(
        {
            "quantity": 1,
            "priority": str(DEFAULT_PRIORITY),
            "planned_start": start,
            "planned_end": start + timedelta(days=1),
        }
    )
    return form


def copied_order_form(now: datetime, values: Mapping[str, Any]) -> Form:
    """A new order like another one, from now on for as long as that one was planned."""
    form = new_order_form(now)
    start = form.values()["planned_start"]
    assert isinstance(start, datetime)
    filled: dict[str, Value] = {name: _shown(values[name]) for name in _COPIED}
    filled["planned_end"] = start + (values["planned_end"] - values["planned_start"])
    filled["quantity"] = values["quantity"]
    form.set_values(filled)
    return form


def create_intent(form: Form) -> Intent[Any]:
    """The operation that a filled-in new order means."""
    values = form.values()
    priority = values["priority"]
    return create_work_order(
        product=str(values["product"]),
        product_name=str(values["product_name"]),
        quantity=_whole(values["quantity"], "quantity"),
        lot=str(values["lot"]),
        customer=str(values["customer"]),
        priority=int(str(priority)) if priority else DEFAULT_PRIORITY,
        planned_start=_moment(values["planned_start"]),
        planned_end=_moment(values["planned_end"]),
        line=str(values["line"]),
        note=str(values["note"]),
    )


class EditForm(Form):
    """Fields of one or many orders; what is not touched stays as it is in each of them."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("Save" if len(rows) == 1 else f"Change {len(rows):,} orders")
        self._rows = rows
        self.add_text("product", "Product", hint=self._hint("product"))
        self.add_text("product_name", "Product name", hint=self._hint("product_name"))
        self.add_decimal("quantity", "Quantity", hint=self._hint("quantity"))
        self.add_decimal("quantity_done", "Done", hint=self._hint("quantity_done"))
        self.add_text("lot", "Lot", hint=self._hint("lot"))
        self.add_text("customer", "Customer", hint=self._hint("customer"))
        self.add_choice("priority", "Priority", PRIORITY_CHOICES)
        self.add_moment("planned_start", self._title("planned_start", "Start"))
        self.add_moment("planned_end", self._title("planned_end", "Due"))
        self.add_text("line", "Line", hint=self._hint("line"))
        filled: dict[str, Value] = {name: _shown(self._common(name)) for name in _BULK}
        filled |= {name: rows[0][name] for name in ("planned_start", "planned_end")}
        self.set_values(filled)
        self._before = self.values()

    def _common(self, name: str) -> Any:
        """The value that all rows share, None when they differ."""
        values = {row[name] for row in self._rows}
        return values.pop() if len(values) == 1 else None

    def _hint(self, name: str) -> str:
        return _MANY if len({row[name] for row in self._rows}) > 1 else ""

    def _title(self, name: str, title: str) -> str:
        return f"{title} ({_MANY})" if self._hint(name) else title

    def touched(self) -> dict[str, Value]:
        """The fields whose value is another than the form began with."""
        return {name: value for name, value in self.values().items() if value != self._before[name]}

    def seen(self) -> dict[str, Any]:
        """What the person saw where they wrote something else: as the form began, or as they were told since."""
        shared = {name: self._rows[0][name] for name in self.touched() if not self._hint(name)}
        return shared | {name: now for name, now in self.standing.items() if name in shared}


def edit_intent(ids: Sequence[UUID], form: Form) -> Intent[Any]:
    """The operation that the touched fields mean."""
    assert isinstance(form, EditForm)
    changes: dict[str, Any] = {}
    for name, value in form.touched().items():
        if name in ("quantity", "quantity_done"):
            changes[name] = _whole(value, name)
        elif name == "priority":
            changes[name] = int(str(value))
        else:
            changes[name] = value
    if not changes:
        raise Refused("Nothing was changed yet.")
    return edit_work_orders(ids=list(ids), **changes, seen=form.seen())


def _shown(value: Any) -> Value:
    return None if value is None else str(value)


def _moment(value: Value) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _whole(value: Value, field: str) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    raise Refused("Enter a whole number." if value is not None else "Enter the quantity.", field=field)
