"""The list of work orders as a table: how its columns read, and editing in place that shows at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.errors import Refused
from app.domain.filters import parse_day
from app.domain.orders import OPEN_STATUSES, OrderStatus, check_priority, check_quantity
from app.domain.people import Permission
from app.domain.stages import StageStatus
from app.store.queries.listing import ListRow
from app.store.queries.lists import WORK_ORDERS
from ui.bridge.desk import Desk
from ui.models.order_panel import STAGE_MARKS
from ui.models.paged import ColumnLook, PagedModel
from ui.models.wording import day, slip
from ui.widgets.roles import ErrorRole

Index = QModelIndex | QPersistentModelIndex
EDITABLE = frozenset({"priority", "product_name", "quantity", "planned_end", "lot", "customer"})
URGENCY = {1: "!!", 2: "!"}


def stage_words(values: Mapping[str, Any]) -> str:
    """Where an order stands, with a mark that tells running from blocked."""
    status = values["status"]
    if status is OrderStatus.DONE:
        return "✔ done"
    if status is OrderStatus.CANCELLED:
        return "✖ cancelled"
    if not values.get("stage"):
        return str(status.words)
    return f"{STAGE_MARKS[values.get('stage_status') or StageStatus.PLANNED]} {values['stage']}"


def slip_words(values: Mapping[str, Any]) -> str:
    """`2 h late`, `3 d left`, and for finished orders how they ended."""
    hours = values.get("slip_hours")
    if hours is None or values["status"] is OrderStatus.CANCELLED:
        return "–"
    span = slip(abs(hours)).lstrip("+−")
    if hours > 0:
        return f"{span} late"
    return f"{span} left" if values["status"] in OPEN_STATUSES else f"{span} early"


def _urgency(values: Mapping[str, Any]) -> str:
    return URGENCY.get(values["priority"], "")


def _product(values: Mapping[str, Any]) -> str:
    return str(values["product_name"] or values["product"])


def _quantity(values: Mapping[str, Any]) -> str:
    return f"{values['quantity_done']:,}/{values['quantity']:,}"


def _progress(values: Mapping[str, Any]) -> tuple[str, Any]:
    return "progress", (values["quantity_done"], values["quantity"])


def _due(values: Mapping[str, Any]) -> str:
    return day(values["planned_end"])


def _start(values: Mapping[str, Any]) -> str:
    return day(values["planned_start"])


def _stands_back(values: Mapping[str, Any]) -> bool:
    return values["status"] not in OPEN_STATUSES


LOOKS = (
    ColumnLook("priority", "!", 44, words=_urgency),
    ColumnLook("number", "Order", 116),
    ColumnLook("product_name", "Product", 170, words=_product),
    ColumnLook("stage", "Stage", 120, words=stage_words),
    ColumnLook("quantity", "Qty", 130, words=_quantity, glyph=_progress),
    ColumnLook("planned_end", "Due", 100, words=_due),
    ColumnLook("slip_hours", "Slip", 126, words=slip_words),
    ColumnLook("lot", "Lot", 90),
    ColumnLook("customer", "Customer", 140),
    ColumnLook("planned_start", "Start", 100, words=_start),
)
SORTED_BY = {"slip_hours": "planned_end", "product_name": "product"}
"""Columns whose order is that of another one, which has an index."""


class OrdersModel(PagedModel):
    """Work orders; an edit shows at once, `edit_requested` asks for it to be done, `reject` takes it back."""

    edit_requested = Signal(object, str, object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(
            desk,
            WORK_ORDERS,
            LOOKS,
            frozenset({"work_order", "stage"}),
            muted=_stands_back,
            marked="work_order",
            parent=parent,
        )
        self._edited: dict[UUID, dict[str, Any]] = {}
        self._wrong: dict[tuple[UUID, str], str] = {}
        self.layoutChanged.connect(self._forget_edits)
        self.modelReset.connect(self._forget_all)

    def row_at(self, row: int) -> ListRow | None:
        found = super().row_at(row)
        edited = self._edited.get(found.id) if found is not None else None
        return found if found is None or not edited else replace(found, values={**found.values, **edited})

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        key = LOOKS[index.column()].key if index.isValid() else ""
        if key in EDITABLE and self._desk.denial(Permission.PLAN_ORDERS) is None:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.EditRole:
            return self._edit_text(index)
        if role == ErrorRole:
            return self._wrong.get((self.id_at(index.row()) or UUID(int=0), LOOKS[index.column()].key))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{LOOKS[index.column()].title} {super().data(index)}"
        return super().data(index, role)

    def _edit_text(self, index: Index) -> str:
        values, key = self.values_at(index.row()), LOOKS[index.column()].key
        value = values.get(key, "")
        return value.astimezone().strftime("%Y-%m-%d %H:%M") if key == "planned_end" and value else str(value)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row_id, key = self.id_at(index.row()), LOOKS[index.column()].key
        text = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or row_id is None or text == self._edit_text(index):
            return False
        try:
            parsed = self._parse(key, text)
        except Refused as refusal:
            self.reject(row_id, key, refusal.sentence)
            return False
        self._wrong.pop((row_id, key), None)
        self._edited.setdefault(row_id, {})[key] = parsed
        self.dataChanged.emit(index, index)
        self.edit_requested.emit(row_id, key, parsed)
        return True

    def _parse(self, key: str, text: str) -> Any:
        try:
            if key == "quantity":
                return check_quantity(int(text.replace(",", "").replace("\u00a0", "").replace(" ", "")))
            if key == "priority":
                return check_priority(int(text))
            if key == "planned_end":
                return parse_day(text, self._desk.house.door.clock(), None)
        except ValueError:
            expected = (
                "a day such as 2026-04-12, fri or tomorrow" if key == "planned_end" else "a whole number"
            )
            raise Refused(f"“{text}” is not {expected}.", field=key) from None
        return text

    def reject(self, row_id: UUID, key: str, sentence: str) -> None:
        """Take an edit back and say at its cell what is wrong."""
        self._edited.get(row_id, {}).pop(key, None)
        self._wrong[row_id, key] = sentence
        row = self.find_loaded(row_id)
        if row is not None:
            self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))
        self._desk.refused.emit(sentence)

    def _forget_edits(self) -> None:
        """Fresh rows came from the store, with what was accepted in them."""
        self._edited.clear()

    def _forget_all(self) -> None:
        self._edited.clear()
        self._wrong.clear()
