"""Step 3 of an import: every cell that stands in the way, with its place, and ways to mend one or all alike."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.sheets.plan import CellError, ImportPlan
from ui.models.text_table import TextColumn, TextTable
from ui.widgets.buttons import ActionButton
from ui.widgets.list_view import ListView
from ui.widgets.themed import RoleLabel

_COLUMNS = (
    TextColumn("cell", "Cell", 70),
    TextColumn("column", "Header", 130),
    TextColumn("value", "Value", 150, editable=True, faulty=True),
    TextColumn("sentence", "What is wrong", 330),
    TextColumn("expected", "Expected", 240),
    TextColumn("suggestion", "Suggestion", 120),
)


class FixPage(QWidget):
    """`fixed` carries {(row, field key): text}, `skipped` rows to leave out, `export_requested` the wish for a file."""

    fixed = Signal(object)
    skipped = Signal(object)
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._errors: tuple[CellError, ...] = ()
        self.about = RoleLabel("", "section")
        self.model = TextTable(_COLUMNS, self)
        self.table = ListView()
        self.table.setObjectName("import-errors")
        self.table.setAccessibleName("Cells with errors")
        self.table.setModel(self.model)
        self.table.set_empty("No errors: every row can be imported.")
        self.take = ActionButton("Take suggestion")
        self.alike = ActionButton("Fix all alike")
        self.skip = ActionButton("Skip row")
        self.skip_all = ActionButton("Skip all rows with errors")
        self.export = ActionButton("Export errors…")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button, slot in (
            (self.take, self._take_suggestion),
            (self.alike, self._fix_alike),
            (self.skip, self._skip_rows),
            (self.skip_all, self._skip_all),
            (self.export, self.export_requested),
        ):
            button.clicked.connect(slot)
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.about)
        layout.addLayout(buttons)
        layout.addWidget(self.table, 1)
        self.model.edited.connect(self._edited)
        self.table.selectionModel().currentRowChanged.connect(self._on_current)

    def show_plan(self, plan: ImportPlan) -> None:
        """Show the errors that are left; the cursor stays at its place in the list."""
        place = max(self.table.currentIndex().row(), 0)
        self._errors = plan.errors
        count = len(plan.errors)
        rows = len({error.row for error in plan.errors})
        skipped = sum(1 for row in plan.rows if row.action == "skip")
        words = (
            "No errors"
            if not count
            else f"{count:,} error{'s' if count > 1 else ''} in {rows:,} row{'s' if rows > 1 else ''}"
        )
        self.about.setText(words + (f" · {skipped:,} rows skipped by you" if skipped else ""))
        self.model.set_rows(
            [(e.cell, e.column, e.value, e.sentence, e.expected, e.suggestion or "–") for e in plan.errors],
            [f"{e.sentence} Expected: {e.expected}." for e in plan.errors],
        )
        if plan.errors:
            self.table.selectRow(min(place, count - 1))
        self._on_current(self.table.currentIndex(), QModelIndex())

    def next_error(self) -> None:
        """Go to the next error and into its value."""
        if self._errors:
            row = (self.table.currentIndex().row() + 1) % len(self._errors)
            index = self.model.index(row, 2)
            self.table.setCurrentIndex(index)
            self.table.setFocus()
            self.table.scrollTo(index)

    def current(self) -> CellError | None:
        """The error at the cursor."""
        row = self.table.currentIndex().row()
        return self._errors[row] if 0 <= row < len(self._errors) else None

    def _alike(self, error: CellError) -> list[CellError]:
        return [other for other in self._errors if (other.field, other.value) == (error.field, error.value)]

    def _on_current(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        error = self.current()
        nothing = None if error is not None else "There is no error to fix."
        unknown = nothing or (
            None
            if error and error.suggestion
            else "Nothing is suggested for this cell; type the right value."
        )
        self.take.refuse(unknown)
        count = len(self._alike(error)) if error else 0
        self.alike.setText(f"Fix all {count} alike" if count > 1 else "Fix all alike")
        self.alike.refuse(unknown or (None if count > 1 else "No other cell has this value."))
        for button in (self.skip, self.skip_all, self.export):
            button.refuse(nothing)

    def _edited(self, row: int, _key: str, text: str) -> None:
        error = self._errors[row]
        self.fixed.emit({(error.row, error.field): text})

    def _take_suggestion(self) -> None:
        error = self.current()
        if error is not None:
            self.fixed.emit({(error.row, error.field): error.suggestion})

    def _fix_alike(self) -> None:
        error = self.current()
        if error is not None:
            self.fixed.emit({(e.row, e.field): error.suggestion for e in self._alike(error)})

    def _skip_rows(self) -> None:
        chosen = {index.row() for index in self.table.selectionModel().selectedRows()}
        self.skipped.emit(frozenset(self._errors[row].row for row in chosen if row < len(self._errors)))

    def _skip_all(self) -> None:
        self.skipped.emit(frozenset(error.row for error in self._errors))
