"""The list of work orders: filter, views, figures, editing of one or many, details beside it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QSplitter, QWidget

from app.domain.errors import LinesideError, Refused
from app.operations.change import Outcome
from app.operations.orders import cancel_work_orders, delete_work_orders, edit_work_orders
from app.operations.stages import advance_work_order
from app.store.queries.exporting import ExportColumn, ExportStopped, export_list
from app.store.queries.listing import ListReader, ListRequest
from app.store.queries.lists import WORK_ORDERS
from app.store.queries.orders import ListFigures, read_figures
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.form_card import FormCard
from ui.models.order_panel import OrderPanel
from ui.models.orders import SORTED_BY, OrdersModel
from ui.models.preferences import remember, remembered
from ui.models.wording import percent
from ui.screens.orders.forms import EditForm, copied_order_form, create_intent, edit_intent, new_order_form
from ui.widgets.buttons import MenuButton
from ui.widgets.form import Form
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.states import LoadingBar
from ui.widgets.themed import RoleLabel

VIEWS: dict[str, ListRequest] = {
    "All open": ListRequest("open:yes", "planned_end", False),
    "Late first": ListRequest("open:yes due<now", "planned_end", False),
    "Due this week": ListRequest("open:yes due<nextweek", "planned_end", False),
    "Blocked": ListRequest("status:blocked", "planned_end", False),
    "Done": ListRequest("status:done", "planned_end", True),
    "All orders": ListRequest("", "planned_end", False),
}
_HINT = "words, status:blocked, due<fri, priority<=2"
_HELP = (
    "Words find orders by number, product, lot or customer.\n"
    "status:blocked   stage:paint   priority<=2   qty>100\n"
    "due<fri   start>=2026-04-12   due<now   due<nextweek   open:yes   line:A"
)
FIGURES_UP_TO = 200_000
CHOSEN_UP_TO = 5_000
_BEING_READ = "Some of the chosen rows are still being read; try again in a moment."
_SELECT = "Select at least one order."
_NEEDS_ROWS = ("orders.edit", "orders.advance", "orders.cancel", "orders.delete", "orders.duplicate")
_EXPORTED = tuple(
    ExportColumn(column.key, column.title) for column in WORK_ORDERS.columns if column.key != "open"
)


class OrdersScreen(Pane):
    """All work orders. `open_with` takes a filter line or the id of an order to show beside the list."""

    _progress = Signal(int, int)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("orders", "Work orders", parent)
        self._desk = desk
        self._building, self._none_at_all = True, False
        self._stop_export = threading.Event()
        self.forms = FormCard(desk, self)
        self.model = OrdersModel(desk, self)
        self.list = ListView()
        self.panel = OrderPanel(desk)
        self.figures = RoleLabel("", "meta", "text2")
        self.view_button = MenuButton("View", QMenu(self), "View of the list")
        self._exporting = LoadingBar(cancellable=True)
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
                "orders.export": self.choose_export,
                "refresh": self.refresh,
            },
        )
        self._build_head()
        self._build_body()
        self._connect()
        self._figures_soon = QTimer(self, singleShot=True, interval=250)
        self._figures_soon.timeout.connect(self._read_figures)
        self._building = False
        self._on_selection()
        self._show_view(remembered(self._person(), "orders/view", "All open"))

    # -- building

    def _build_head(self) -> None:
        assert self.add_filter(_HINT, ("order", "orders")) is not None
        if self.filter is not None:
            self.filter.setToolTip(_HELP)
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
        self.list.setModel(self.model)
        self.setFocusProxy(self.list)
        self.panel.hide()
        policy = self._exporting.sizePolicy()
        policy.setRetainSizeWhenHidden(False)
        self._exporting.setSizePolicy(policy)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setObjectName("orders-split")
        split.addWidget(self.list)
        split.addWidget(self.panel)
        split.setStretchFactor(0, 1)
        split.setSizes([900, 360])
        split.setChildrenCollapsible(False)
        self.body.addWidget(self.figures)
        self.body.addWidget(split, 1)
        self.body.addWidget(self._exporting)

    def _connect(self) -> None:
        if self.filter is not None:
            self.filter.filter_changed.connect(self._on_filter)
            self.model.counted.connect(self._on_counted)
            self.model.counting.connect(self.filter.set_counting)
        self.model.failed.connect(self._on_failed)
        self.model.loading.connect(self.list.set_loading)
        self.model.edit_requested.connect(self._edit_cell)
        self.list.sort_requested.connect(self._on_sort)
        self.list.activated_row.connect(self._pin)
        self.list.peek_requested.connect(self._peek)
        self.list.context_requested.connect(self._on_context)
        self.list.empty_action_requested.connect(self._on_empty_action)
        self.list.mark_clicked.connect(self._to_conflict)
        self.panel.conflict_requested.connect(partial(self.open_requested.emit, "sharing"))
        self.list.copy_refused.connect(self._desk.refused)
        self.list.selectionModel().selectionChanged.connect(self._on_selection)
        self.list.selectionModel().currentRowChanged.connect(self._on_current)
        self.banner.action_requested.connect(self.refresh)
        self._progress.connect(self._show_progress)
        self._exporting.cancelled.connect(self._stop_export.set)
        self._desk.actor_changed.connect(self._on_actor)

    # -- what is shown

    def _to_conflict(self, row: int) -> None:
        """Where a row's sign of a conflict leads."""
        conflict = self.model.conflict_at(row)
        if conflict is not None:
            self.open_requested.emit("sharing", conflict)

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
            self._show_view(remembered(self._person(), "orders/view", "All open"))
        self._on_selection()

    def _show_view(self, name: str, _checked: bool = False) -> None:
        name = name if name in VIEWS else "All open"
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
        self.banner.show_text("")
        if self.filter is not None:
            self.filter.set_count(rows, filtered)
        self._say_empty(1 if filtered else 0)
        if filtered and not rows:
            everything = ListReader(WORK_ORDERS, ListRequest(), self._desk.house.door.clock())
            self._desk.read(
                lambda session: everything.count(session, at_most=1), self._say_empty, owner=self, key="any"
            )
        self._figures_soon.start()

    def _say_empty(self, orders: int | None) -> None:
        """What an empty list says: `orders` tells whether there are any behind the filter."""
        self._none_at_all = orders == 0
        if self._none_at_all:
            self.list.set_empty(
                "There are no work orders yet. Import a plan or create the first one.", "New order"
            )
        else:
            self.list.set_empty("No order matches this filter.", "Show all orders")

    def _on_failed(self, sentence: str) -> None:
        self.banner.show_text(sentence, "Retry")

    def _on_empty_action(self) -> None:
        if not self._none_at_all:
            self._show_view("All orders")
        else:
            self.actions_set.trigger("orders.new")

    def _read_figures(self) -> None:
        if self.model.rowCount() > FIGURES_UP_TO:
            self.figures.setText(f"Figures appear for at most {FIGURES_UP_TO:,} rows; narrow the filter.")
            return
        reader = ListReader(WORK_ORDERS, self.model.request, self._desk.house.door.clock())
        self._desk.read(
            lambda session: read_figures(session, reader.where(), reader.now),
            self._show_figures,
            owner=self,
            key="figures",
            failed=self._no_figures,
        )

    def _show_figures(self, figures: ListFigures) -> None:
        self.figures.setText(
            f"{figures.late:,} late of {figures.open:,} open  ·  on time {percent(figures.on_time_share)} of "
            f"{figures.finished:,} finished  ·  efficiency {percent(figures.efficiency)}"
        )

    def _no_figures(self, error: BaseException) -> None:
        self.figures.setText("")
        if not isinstance(error, LinesideError):
            self._desk.tasks.unhandled.emit(error)

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

    def _current_values(self) -> Mapping[str, Any]:
        return (
            self.model.values_at(self.list.currentIndex().row()) if self.list.currentIndex().isValid() else {}
        )

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
        values, now = self._current_values(), self._desk.house.door.clock()
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

    # -- export

    def choose_export(self) -> None:
        """Ask where to, then write what the list shows."""
        dialog = QFileDialog(self, "Export work orders", "work-orders.xlsx", "Excel (*.xlsx);;CSV (*.csv)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("xlsx")
        dialog.fileSelected.connect(self.export_to)
        dialog.show()

    def export_to(self, file: str) -> None:
        """Write the list as filtered and sorted into an .xlsx or .csv file."""
        self._stop_export.clear()
        self._exporting.start(f"Writing {Path(file).name}")
        reader = ListReader(WORK_ORDERS, self.model.request, self._desk.house.door.clock())
        store, stop, told = self._desk.house.store, self._stop_export, self._progress.emit
        self._desk.tasks.run(
            lambda: export_list(store, reader, _EXPORTED, Path(file), told, stop),
            partial(self._exported, file),
            owner=self,
            failed=self._export_failed,
        )

    def _show_progress(self, rows: int, total: int) -> None:
        self._exporting.set_progress(rows / max(total, 1), f"{rows:,} of {total:,} rows")

    def _exported(self, file: str, rows: int) -> None:
        self._exporting.finish()
        self.banner.show_text(f"Wrote {rows:,} rows to {file}.")

    def _export_failed(self, error: BaseException) -> None:
        self._exporting.finish()
        if isinstance(error, ExportStopped | LinesideError):
            self._desk.refused.emit(error.sentence)
        else:
            self._desk.tasks.unhandled.emit(error)


def _edit_form(rows: list[Mapping[str, Any]]) -> Form:
    return EditForm(rows)
