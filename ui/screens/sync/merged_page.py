"""Changes that the server put beside somebody else's by itself, so that nobody wonders who changed what."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.store.queries.shared_changes import MergedChange, merged_changes
from ui.bridge.desk import Desk
from ui.models.text_table import TextColumn, TextTable
from ui.models.wording import moment
from ui.widgets.list_view import ListView

PLACES = {"work_order": "orders", "issue": "issues", "maintenance_order": "maintenance"}
"""Where a row of a kind can be opened by its id."""
_COLUMNS = (
    TextColumn("at", "When", 140),
    TextColumn("row", "Row", 170),
    TextColumn("label", "Change", 330),
    TextColumn("who", "Who", 130),
    TextColumn("station", "Station", 80),
    TextColumn("fields", "Others had changed meanwhile", 260),
)


class MergedPage(QWidget):
    """`row_requested(place, id)`: somebody wants to see the row."""

    row_requested = Signal(str, object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._changes: list[MergedChange] = []
        self.list = ListView()
        self.rows = TextTable(_COLUMNS, self)
        self.list.setObjectName("merged-list")
        self.list.setAccessibleName("Changes merged by themselves")
        self.list.horizontalHeader().setSectionsClickable(False)
        self.list.setModel(self.rows)
        self.list.set_empty(
            "No change had to be merged. When two people change different values of the same row, both stay, "
            "and it is told here."
        )
        self.list.activated_row.connect(self._on_row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        self.setFocusProxy(self.list)

    def refresh(self) -> None:
        """Read the list again."""
        self._desk.read(merged_changes, self._take, owner=self, key="merged")

    def _take(self, changes: list[MergedChange]) -> None:
        self._changes = changes
        self.rows.set_rows(
            [
                (
                    moment(change.at),
                    change.row_name,
                    change.label,
                    change.actor,
                    change.station,
                    ", ".join(field.replace("_", " ") for field in change.fields),
                )
                for change in changes
            ]
        )

    def _on_row(self, row: int) -> None:
        change = self._changes[row]
        place = PLACES.get(change.entity)
        if place is not None:
            row_id: UUID = change.row_id
            self.row_requested.emit(place, row_id)
