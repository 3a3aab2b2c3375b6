"""The place of the work orders: the list with its views, editing of one or many, details beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtWidgets import QMenu, QSplitter, QWidget

from app.domain.errors import Refused
from app.operations.change import Outcome
from app.operations.orders import cancel_work_orders, delete_work_orders, edit_work_orders
from app.operations.stages import advance_work_order
from app.store.queries.listing import ListReader, ListRequest
from app.store.queries.lists import WORK_ORDERS
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.filtered_list import FilteredList
from ui.models.form_card import FormCard
from ui.models.order_panel import OrderPanel
from ui.models.orders import SORTED_BY, OrdersModel
from ui.models.preferences import remember, remembered
from ui.screens.orders.export import OrdersExport
from ui.screens.orders.figures import FiguresLine
from ui.screens.orders.forms import EditForm, copied_order_form, create_intent, edit_intent, new_order_form
from ui.screens.orders.views import FIRST_VIEW, HELP, HINT, VIEWS
from ui.widgets.buttons import MenuButton
from ui.widgets.form import Form
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane

CHOSEN_UP_TO = 5_000
_BEING_READ = "Some of the chosen rows are still being read; try again in a moment."
_SELECT = "Select at least one order."
_NEEDS_ROWS = ("orders.edit", "orders.advance", "orders.cancel", "orders.delete", "orders.duplicate")


class OrdersScreen(Pane):
    """All work orders. `open_with` takes a filter line or the id of an order to show beside the list."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("orders", "Work orders", parent)
        self._desk = desk
        self._building, self._none_at_all = True, False
        self.forms = FormCard(desk, self)
        self.model = OrdersModel(desk, self)
        self.list = ListView()
        self.panel = OrderPanel(desk)
        self.figures = FiguresLine(desk, self.model)
        self.view_button = MenuButton("View", QMenu(self), "View of the list")
        self.export = OrdersExport(desk, self.model)
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "orders.new": self.new_order,
                "orders.edit": self.edit_selected,
                "orders.advance": self.advance_selected,
                "orders.duplicate": self.duplicate_selected,
                "orders.cancel": self.cancel_selected,
                "orders.delete": self.delete_selected,
                "orders.import": self._import,
                "orders.export": self.export.choose_file,
                "refresh": self.refresh,
            },
        )
        self._build_head()
        self._build_body()
        self._connect()
        self._building = False
        self._on_selection()
        self._show_view(remembered(self._person(), "orders/view", FIRST_VIEW))

    # -- building

    def _build_head(self) -> None:
        field = self.add_filter(HINT, ("order", "orders"))
        field.setToolTip(HELP)
        field.filter_changed.connect(self._on_filter)
        self.view_button.setObjectName("orders-view")
        menu = self.view_button.menu()
        for name in VIEWS:
            menu.addAction(name).triggered.connect(partial(self._show_view, name))
        self._menu = QMenu(self)
        for key in ("orders.advance", "orders.edit", "orders.duplicate", "orders.cancel", "orders.delete"):
            self._menu.addAction(self.actions_set.action(key))
        self._menu.addSeparator()
        self._menu.addAction(self.actions_set.action("orders.export"))
        self.add_tool(self.view_button)
        self.add_tool(MenuButton("More", self._menu, "More actions on orders"))
        self.add_tool(self.actions_set.button("orders.import"))
        self.add_tool(self.actions_set.button("orders.new"))

    def _build_body(self) -> None:
        self.list.setObjectName("orders-list")
        self.list.setAccessibleName("Work orders")
        self._filtered = FilteredList(self._desk, self, self.list, self.model)
        self._filtered.counted.connect(self._on_counted)
        self.setFocusProxy(self.list)
        self.panel.hide()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setObjectName("orders-split")
        split.addWidget(self.list)
        split.addWidget(self.panel)
        split.setStretchFactor(0, 1)
        split.setSizes([900, 360])
        split.setChildrenCollapsible(False)
        self.body.addWidget(self.figures)
        self.body.addWidget(split, 1)
        self.body.addWidget(self.export)

    def _connect(self) -> None:
        self.model.edit_requested.connect(self._edit_cell)
        self.list.sort_requested.connect(self._on_sort)
        self.list.activated_row.connect(self._pin)
        self.list.peek_requested.connect(self._peek)
        self.list.context_requested.connect(self._on_context)
        self.list.empty_action_requested.connect(self._on_empty_action)
        self.panel.conflict_requested.connect(partial(self.open_requested.emit, "sharing"))
        self.list.selectionModel().selectionChanged.connect(self._on_selection)
        self.list.selectionModel().currentRowChanged.connect(self._on_current)
        self.export.written.connect(self.banner.show_text)
        self._desk.actor_changed.connect(self._on_actor)

    # -- what is shown

    def refresh(self) -> None:
        self.model.refresh()

    def open_with(self, argument: object) -> None:
        if isinstance(argument, UUID):
            self.panel.show_order(argument)
            self.panel.set_pinned(True)
        elif isinstance(argument, str):
            self._ask(ListRequest(argument, "planned_end", False), "")

    def _person(self) -> str:
        return self._desk.actor.name if self._desk.actor is not None else ""

    def _on_actor(self, actor: object) -> None:
        if actor is not None:
            self._show_view(remembered(self._person(), "orders/view", FIRST_VIEW))
        self._on_selection()

    def _show_view(self, name: str, _checked: bool = False) -> None:
        name = name if name in VIEWS else FIRST_VIEW
        remember(self._person(), "orders/view", name)
        self._ask(VIEWS[name], name)

    def _ask(self, request: ListRequest, view: str) -> None:
        self.view_button.setText(f"View: {view or 'own filter'}")
        if self.filter is not None and self.filter.text() != request.filter:
            self.filter.blockSignals(True)
            self.filter.set_text(request.filter)
            self.filter.settle()
            self.filter.blockSignals(False)
        shown = {sort: key for key, sort in SORTED_BY.items()}.get(request.sort, request.sort)
        key = request.sort if request.sort in self.list.column_keys() else shown
        self.list.set_sort(key, bool(request.descending))
        self.model.set_request(request)

    def _on_filter(self, line: str) -> None:
        now = self.model.request
        name = next((n for n, view in VIEWS.items() if view.filter == line), "")
        self._ask(ListRequest(line, now.sort or "planned_end", now.descending), name)

    def _on_sort(self, key: str, descending: bool) -> None:
        sort = SORTED_BY.get(key, key)
        if not WORK_ORDERS.column(sort).sortable:
            request = self.model.request
            self.list.set_sort(request.sort or "planned_end", bool(request.descending))
            self._desk.refused.emit("Orders cannot be sorted by stage; filter with stage:paint instead.")
            return
        self.model.set_request(ListRequest(self.model.request.filter, sort, descending))

    def _on_counted(self, rows: int, filtered: bool) -> None:
        self._say_empty(1 if filtered else 0)
        if filtered and not rows:
            everything = ListReader(WORK_ORDERS, ListRequest(), self._desk.house.door.clock())
            self._desk.read(
                lambda session: everything.count(session, at_most=1), self._say_empty, owner=self, key="any"
            )

    def _say_empty(self, orders: int | None) -> None:
        """What an empty list says: `orders` tells whether there are any behind the filter."""
        self._none_at_all = orders == 0
        if self._none_at_all:
            self.list.set_empty(
                "There are no work orders yet. Import a plan or create the first one.", "New order"
            )
        else:
            self.list.set_empty("No order matches this filter.", "Show all orders")

    def _on_empty_action(self) -> None:
        if not self._none_at_all:
            self._show_view("All orders")
        else:
            self.actions_set.trigger("orders.new")

    # -- rows

    def selected_ids(self) -> list[UUID]:
        """Ids of the chosen orders in their order on the screen.

        Empty, with a sentence to the person, when not all of them can be told: nothing is done to a part of them.
        """
        return [row["id"] for row in self._chosen_values()]

    def _chosen_values(self) -> list[Mapping[str, Any]]:
        chosen = self.list.chosen_rows()
        if len(chosen) > CHOSEN_UP_TO:
            self._desk.refused.emit(f"At most {CHOSEN_UP_TO:,} orders can be changed at once; choose fewer.")
            return []
        rows = [self.model.values_at(row) for row in chosen]
        if not all(rows):
            self._desk.refused.emit(_BEING_READ)
            return []
        return rows

    def _on_selection(self) -> None:
        if self._building:
            return
        chosen = self.list.selectionModel().hasSelection() or self.list.currentIndex().isValid()
        reason = None if chosen else _SELECT
        for key in _NEEDS_ROWS:
            self.actions_set.set_unavailable(key, reason)

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self._on_selection()
        row_id = self.model.id_at(current.row()) if current.isValid() else None
        if row_id is not None and self.panel.isVisible() and not self.panel.pinned:
            self.panel.show_order(row_id)

    def _peek(self, row: int) -> None:
        row_id = self.model.id_at(row)
        if self.panel.isVisible() and self.panel.order_id == row_id:
            self.panel.set_pinned(False)
            self.panel.hide()
        elif row_id is not None:
            self.panel.set_pinned(False)
            self.panel.show_order(row_id)

    def close_layer(self) -> bool:
        shown = self.panel.isVisible()
        if shown:
            self.panel.close_panel()
            self.list.setFocus()
        return shown

    def _pin(self, row: int) -> None:
        row_id = self.model.id_at(row)
        if row_id is not None:
            self.panel.show_order(row_id)
            self.panel.set_pinned(True)

    def _on_context(self, row: int, at: QPoint) -> None:
        if row >= 0:
            self._menu.popup(at)

    # -- what is done

    def new_order(self) -> None:
        """Open the form of a new order, with the draft that was left."""
        now = self._desk.house.door.clock()
        self.forms.open(
            "new-order",
            "New work order",
            partial(new_order_form, now),
            create_intent,
            keep_draft=True,
            done=self._created,
        )

    def _created(self, order_id: UUID) -> None:
        if self.panel.isVisible():
            self.panel.show_order(order_id)

    def duplicate_selected(self) -> None:
        """A new order like the current one; nothing is made before the form is saved."""
        values, now = self._filtered.current(), self._desk.house.door.clock()
        if values:
            self.forms.open(
                "copy-order",
                f"New order like {values['number']}",
                partial(copied_order_form, now, values),
                create_intent,
                done=self._created,
            )

    def edit_selected(self) -> None:
        """One form for all selected orders."""
        rows = self._chosen_values()
        if rows:
            title = f"Edit {rows[0]['number']}" if len(rows) == 1 else f"Edit {len(rows):,} orders"
            ids = [row["id"] for row in rows]
            self.forms.open(
                "edit-orders",
                title,
                partial(_edit_form, rows),
                partial(edit_intent, ids),
                row=("work_order", ids[0]) if len(ids) == 1 else None,
            )

    def _edit_cell(self, row_id: UUID, key: str, value: object) -> None:
        changes: dict[str, Any] = {key: value}
        self._desk.perform(
            edit_work_orders(ids=[row_id], **changes),
            owner=self,
            failed=partial(self._reject_cell, row_id, key),
        )

    def _reject_cell(self, row_id: UUID, key: str, refusal: Refused) -> None:
        self.model.reject(row_id, key, refusal.sentence)

    def advance_selected(self) -> None:
        """The next step of each selected order."""
        for row_id in self.selected_ids()[:50]:
            self._desk.perform(advance_work_order(order_id=row_id), owner=self)

    def cancel_selected(self) -> None:
        ids = self.selected_ids()
        if ids:
            self._desk.perform(cancel_work_orders(ids=ids), owner=self)

    def delete_selected(self) -> None:
        ids = self.selected_ids()
        if ids:
            self._desk.perform(delete_work_orders(ids=ids), owner=self, done=self._deleted)

    def _deleted(self, _outcome: Outcome[Any]) -> None:
        if self.panel.isVisible():
            self.panel.hide()

    def _import(self) -> None:
        self.open_requested.emit("import", None)


def _edit_form(rows: list[Mapping[str, Any]]) -> Form:
    return EditForm(rows)
