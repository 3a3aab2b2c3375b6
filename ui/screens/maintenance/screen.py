"""The list of maintenance orders, the soonest first; the current one stands in full beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtWidgets import QComboBox, QSplitter, QWidget

from app.domain.maintenance import MaintenanceKind, MaintenanceStatus
from app.store.queries.lists import MAINTENANCE
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.filtered_list import FilteredList
from ui.models.form_card import FormCard
from ui.models.paged import ColumnLook, PagedModel
from ui.models.wording import day
from ui.screens.maintenance.details import MaintenancePanel, priority_words, status_words
from ui.screens.maintenance.forms import plan_form, plan_intent
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane

_STATUS_LINES = (
    ("Open", "status!=completed"),
    ("Overdue", "status!=completed due<now"),
    ("In progress", "status:in_progress"),
    ("On hold", "status:on_hold"),
    ("Completed", "status:completed"),
    ("All", ""),
)


def _status(values: Mapping[str, Any]) -> str:
    return status_words(values["status"])


def _priority(values: Mapping[str, Any]) -> str:
    return priority_words(values["priority"])


def _due(values: Mapping[str, Any]) -> str:
    return day(values["due_at"])


def _is_done(values: Mapping[str, Any]) -> bool:
    return values["status"] is MaintenanceStatus.COMPLETED


LOOKS = (
    ColumnLook("number", "Number", 116),
    ColumnLook("title", "What", 240),
    ColumnLook("equipment", "Machine", 130),
    ColumnLook("status", "Status", 120, words=_status),
    ColumnLook("priority", "Priority", 90, words=_priority),
    ColumnLook("due_at", "Due", 100, words=_due),
    ColumnLook("assignee", "Assigned to", 120),
)


class MaintenanceScreen(Pane):
    """All maintenance orders. `open_with` takes a filter line or the id of an order."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("maintenance", "Maintenance", parent)
        self._desk = desk
        self.forms = FormCard(desk, self)
        self.model = PagedModel(
            desk,
            MAINTENANCE,
            LOOKS,
            frozenset({"maintenance_order"}),
            muted=_is_done,
            marked="maintenance_order",
            parent=self,
        )
        self.list = ListView()
        self.status, self.kind = QComboBox(), QComboBox()
        self.panel = MaintenancePanel(desk)
        self.actions_set = ActionSet(self, desk, {"maintenance.new": self.plan, "refresh": self.refresh})
        self._build()
        self._connect()
        self._filtered.ask()

    def _build(self) -> None:
        field = self.add_filter("words, machine:…, priority:high, due<fri", ("order", "orders"))
        field.setToolTip(
            "Words find orders by any text.\n"
            "status:on_hold   kind:corrective   priority:critical   assignee:…   machine:OVEN-2   due<nextweek"
        )
        for label, line in _STATUS_LINES:
            self.status.addItem(label, line)
        self.kind.addItem("All kinds", "")
        for kind in MaintenanceKind:
            self.kind.addItem(kind.value.capitalize(), f"kind:{kind.value}")
        for box, name in ((self.status, "Status"), (self.kind, "Kind")):
            box.setAccessibleName(name)
            box.setToolTip(name)
            self.add_tool(box)
        self.add_tool(self.actions_set.button("maintenance.new"))
        self.list.setObjectName("maintenance-list")
        self.list.setAccessibleName("Maintenance orders")
        self._filtered = FilteredList(
            self._desk, self, self.list, self.model, sort=("due_at", False), choices=(self.status, self.kind)
        )
        split = QSplitter()
        split.setObjectName("maintenance-split")
        split.addWidget(self.list)
        split.addWidget(self.panel)
        split.setStretchFactor(0, 1)
        split.setSizes([820, 350])
        split.setChildrenCollapsible(False)
        self.body.addWidget(split, 1)
        self.setFocusProxy(self.list)

    def _connect(self) -> None:
        self._filtered.counted.connect(self._on_counted)
        self._filtered.current_changed.connect(self._show_current)
        self.list.empty_action_requested.connect(self._on_empty_action)
        self.panel.conflict_requested.connect(partial(self.open_requested.emit, "sharing"))

    # -- what is shown

    def refresh(self) -> None:
        self.model.refresh()

    def open_with(self, argument: object) -> None:
        self._filtered.show(argument)

    def _on_counted(self, _rows: int, filtered: bool) -> None:
        if self.model.request.filter == _STATUS_LINES[0][1]:
            self.list.set_empty("Nothing is open. Plan what comes next.", "Plan maintenance")
        elif filtered:
            self.list.set_empty("No maintenance order matches.", "Show all maintenance")
        else:
            self.list.set_empty(
                "No maintenance was planned yet. Plan the first one, or bring a workbook in under Import.",
                "Plan maintenance",
            )
        self._filtered.choose_row()

    def _on_empty_action(self) -> None:
        if self.model.request.filter not in ("", _STATUS_LINES[0][1]):
            self.open_with("")
        else:
            self.actions_set.trigger("maintenance.new")

    # -- the current order

    def current(self) -> Mapping[str, Any]:
        """Values of the current order, empty when there is none."""
        return self._filtered.current()

    def _show_current(self) -> None:
        values = self.current()
        self.panel.show_order(values["id"] if values else None)

    # -- what is done

    def plan(self) -> None:
        """Open the form, with the draft that was left."""
        now = self._desk.house.door.clock()
        self.forms.open(
            "plan-maintenance",
            "Plan maintenance",
            partial(plan_form, now),
            plan_intent,
            keep_draft=True,
            done=self._planned,
        )

    def _planned(self, order_id: UUID) -> None:
        self._filtered.awaited = order_id
        self.model.refresh()
