"""A list with its filter line: order, count, failures and signs of sharing, wired alike wherever one is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from PySide6.QtCore import QModelIndex, QObject, Signal
from PySide6.QtWidgets import QComboBox

from app.store.queries.listing import ListRequest
from ui.bridge.desk import Desk
from ui.models.paged import PagedModel
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane


class FilteredList(QObject):
    """Asks `model` for what the filter of `pane` says in the order of `view`, and tells there what came of it.

    `sort` (key, descending) is the order at first; without it the screen asks the model by itself. The data of
    `choices` are filter words too, empty for all. `counted(rows, filtered)` comes once the count is on the screen,
    `current_changed` when another row is the current one or its values are other ones.
    `awaited` is the id of a row that `choose_row` shall make current as soon as it is there.
    """

    counted = Signal(int, bool)
    current_changed = Signal()

    def __init__(
        self,
        desk: Desk,
        pane: Pane,
        view: ListView,
        model: PagedModel,
        *,
        sort: tuple[str, bool] | None = None,
        choices: Sequence[QComboBox] = (),
    ) -> None:
        super().__init__(pane)
        assert pane.filter is not None
        self._pane, self._filter, self._view, self._model = pane, pane.filter, view, model
        self._sort, self._choices = sort, choices
        self.awaited: UUID | None = None
        view.setModel(model)
        model.counted.connect(self._on_counted)
        model.counting.connect(self._filter.set_counting)
        model.failed.connect(self._on_failed)
        model.loading.connect(view.set_loading)
        model.layoutChanged.connect(self._on_other_values)
        model.modelReset.connect(self._on_other_values)
        view.selectionModel().currentRowChanged.connect(self._on_other_row)
        view.mark_clicked.connect(self._to_conflict)
        view.copy_refused.connect(desk.refused)
        pane.banner.action_requested.connect(pane.refresh)
        if sort is not None:
            view.set_sort(*sort)
            self._filter.filter_changed.connect(self._on_filter)
            view.sort_requested.connect(self._on_sort)
        for choice in choices:
            choice.activated.connect(self._on_choice)

    def ask(self) -> None:
        """Ask for what the filter says now."""
        key, descending = self._view.sort() or self._sort or ("", False)
        words = (self._filter.text(), *(choice.currentData() for choice in self._choices))
        self._model.set_request(ListRequest(" ".join(part for part in words if part), key, descending))

    def show(self, argument: object) -> None:
        """Show what a filter line finds among all rows, or all of them with the row of an id as the current one."""
        if isinstance(argument, UUID):
            self.awaited = argument
            argument = ""
        if isinstance(argument, str):
            for choice in self._choices:
                choice.setCurrentIndex(choice.findData(""))
            self._filter.set_text(argument)
            self._filter.settle()
            self.ask()

    def current(self) -> Mapping[str, Any]:
        """Values of the current row, empty when there is none."""
        index = self._view.currentIndex()
        return self._model.values_at(index.row()) if index.isValid() else {}

    def choose_row(self) -> None:
        """Make the awaited row current, or the first one where none is."""
        row = self._model.find_loaded(self.awaited) if self.awaited is not None else None
        if row is not None:
            self.awaited = None
            self._view.selectRow(row)
        elif self._model.rowCount() and not self._view.currentIndex().isValid():
            self._view.selectRow(0)

    def _on_filter(self, _words: str) -> None:
        self.ask()

    def _on_choice(self, _index: int) -> None:
        self.ask()

    def _on_sort(self, _key: str, _descending: bool) -> None:
        self.ask()

    def _on_other_row(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self.current_changed.emit()

    def _on_other_values(self) -> None:
        self.current_changed.emit()

    def _on_counted(self, rows: int, filtered: bool) -> None:
        self._pane.banner.show_text("")
        self._filter.set_count(rows, filtered)
        self.counted.emit(rows, filtered)

    def _on_failed(self, sentence: str) -> None:
        self._pane.banner.show_text(sentence, "Retry")

    def _to_conflict(self, row: int) -> None:
        """Where a row's sign of a conflict leads."""
        conflict = self._model.conflict_at(row)
        if conflict is not None:
            self._pane.open_requested.emit("sharing", conflict)
