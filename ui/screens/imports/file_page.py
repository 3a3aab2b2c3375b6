"""Step 1 of an import: which sheet, which row holds the headers, which list the rows belong to."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from app.domain.sheets.cells import RawSheet, column_letter, shown
from app.domain.sheets.targets import TARGETS
from app.operations.import_runs import ImportDraft
from ui.models.text_table import TextColumn, TextTable
from ui.widgets.list_view import ListView
from ui.widgets.themed import RoleLabel

_PREVIEW_ROWS, _PREVIEW_COLUMNS = 40, 40


class FilePage(QWidget):
    """`chosen` carries (what, value): target key, sheet name or header row (from 1)."""

    chosen = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.about = RoleLabel("", "section")
        self.target, self.sheet, self.header_row = QComboBox(), QComboBox(), QSpinBox()
        for target in TARGETS:
            self.target.addItem(target.title, target.key)
        self.header_row.setRange(1, 1)
        self.header_row.setKeyboardTracking(False)
        self.preview = TextTable([], self)
        self.table = ListView()
        self.table.setAccessibleName("First rows of the sheet")
        self.table.setModel(self.preview)
        choices = QHBoxLayout()
        choices.setSpacing(8)
        for label, field, name in (
            ("These are", self.target, "import-target"),
            ("from sheet", self.sheet, "import-sheet"),
            ("with headers in row", self.header_row, "import-header-row"),
        ):
            caption = RoleLabel(label, "body", "text2")
            caption.setBuddy(field)
            field.setObjectName(name)
            field.setAccessibleName(label)
            field.setMinimumHeight(caption.sizeHint().height() + 12)
            choices.addWidget(caption)
            choices.addWidget(field)
            choices.addSpacing(8)
        choices.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.about)
        layout.addLayout(choices)
        layout.addWidget(self.table, 1)
        self.target.activated.connect(self._target_chosen)
        self.sheet.activated.connect(self._sheet_chosen)
        self.header_row.valueChanged.connect(self._row_chosen)

    def show_draft(self, draft: ImportDraft) -> None:
        """Show what was found, without telling anybody that it was chosen."""
        rows = len(draft.plan.rows)
        self.about.setText(
            f"{draft.book.name} · {rows:,} {draft.target.one if rows == 1 else draft.target.many}"
        )
        for field in (self.target, self.sheet, self.header_row):
            field.blockSignals(True)
        self.target.setCurrentIndex(self.target.findData(draft.target.key))
        self.sheet.clear()
        for sheet in draft.book.sheets:
            self.sheet.addItem(f"{sheet.name} ({len(sheet.rows):,} rows)", sheet.name)
        self.sheet.setCurrentIndex(self.sheet.findData(draft.layout.sheet))
        self.header_row.setRange(1, max(1, len(draft.sheet.rows)))
        self.header_row.setValue(draft.layout.header_row)
        for field in (self.target, self.sheet, self.header_row):
            field.blockSignals(False)
        self._show_rows(draft.sheet, draft.layout.header_row)

    def _show_rows(self, sheet: RawSheet, header_row: int) -> None:
        first = max(0, header_row - 4)
        lines = sheet.rows[first : first + _PREVIEW_ROWS]
        width = min(max((len(line) for line in lines), default=1), _PREVIEW_COLUMNS)
        self.preview.set_columns(
            [
                TextColumn("row", "", 70),
                *(TextColumn(column_letter(c), column_letter(c)) for c in range(width)),
            ]
        )
        self.preview.set_rows(
            [
                [
                    f"{number} ▸" if number == header_row else str(number),
                    *(shown(line[c]) if c < len(line) else "" for c in range(width)),
                ]
                for number, line in enumerate(lines, start=first + 1)
            ]
        )

    def _target_chosen(self, _index: int) -> None:
        self.chosen.emit("target", self.target.currentData())

    def _sheet_chosen(self, _index: int) -> None:
        self.chosen.emit("sheet", self.sheet.currentData())

    def _row_chosen(self, row: int) -> None:
        self.chosen.emit("header_row", row)
