"""Step 4 of an import: what will be made and changed, and afterwards what was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.sheets.plan import ImportPlan, PlannedRow
from app.domain.sheets.values import Value
from app.operations.imports import ImportSummary
from ui.models.text_table import TextColumn, TextTable
from ui.widgets.buttons import ActionButton
from ui.widgets.kpi import KpiTile
from ui.widgets.list_view import ListView
from ui.widgets.themed import RoleLabel

_MOST_ROWS = 2000
_COLUMNS = (
    TextColumn("row", "Row", 60),
    TextColumn("action", "Does", 80),
    TextColumn("identity", "Number", 160),
    TextColumn("what", "What", 760),
)
_TILES = (
    ("create", "Create"),
    ("change", "Change"),
    ("same", "Already the same"),
    ("skip", "Left out"),
    ("error", "With errors"),
)


class ApplyPage(QWidget):
    """`list_requested` and `undo_requested` come from the summary, `again_requested` asks for another file."""

    list_requested = Signal()
    undo_requested = Signal()
    again_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.about = RoleLabel("", "section")
        self.about.setWordWrap(True)
        self.tiles: dict[str, KpiTile] = {key: KpiTile(title) for key, title in _TILES}
        self.model = TextTable(_COLUMNS, self)
        self.table = ListView()
        self.table.setObjectName("import-preview")
        self.table.setAccessibleName("What the import will do, row by row")
        self.table.setModel(self.model)
        self.show_list = ActionButton("Show the list", primary=True)
        self.undo = ActionButton("Undo this import", icon="arrow-counter-clockwise")
        self.again = ActionButton("Import another file")
        counts, self._after = QHBoxLayout(), QWidget()
        counts.setSpacing(8)
        for key, tile in self.tiles.items():
            tile.setObjectName(f"import-count-{key}")
            counts.addWidget(tile)
        after = QHBoxLayout(self._after)
        after.setContentsMargins(0, 0, 0, 0)
        for button in (self.show_list, self.undo, self.again):
            after.addWidget(button)
        after.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.about)
        layout.addWidget(self._after)
        layout.addLayout(counts)
        layout.addWidget(self.table, 1)
        self.show_list.clicked.connect(self.list_requested)
        self.undo.clicked.connect(self.undo_requested)
        self.again.clicked.connect(self.again_requested)
        self._after.hide()

    def show_plan(self, plan: ImportPlan) -> None:
        """The counts and the first rows that change anything."""
        self._after.hide()
        for action, count in plan.counts.items():
            self.tiles[action].set_value(f"{count:,}")
        self.about.setText(_promise(plan))
        self.model.set_rows(list(islice(_lines(plan), _MOST_ROWS)))

    def show_summary(self, summary: ImportSummary) -> None:
        """What was done, with ways on."""
        self.about.setText(f"✔ {summary.sentence} Kept as {summary.run}.")
        self._after.show()
        self.show_list.setFocus()


def _promise(plan: ImportPlan) -> str:
    if plan.errors:
        return f"{len(plan.errors):,} cells still have errors; fix or skip them in step 3, then import."
    if not plan.counts.get("create", 0) and not plan.counts.get("change", 0):
        return "Nothing to do: every row is here already."
    return "All of this happens at once, or nothing of it; afterwards one Undo takes all of it back."


def _lines(plan: ImportPlan) -> Iterator[tuple[str, str, str, str]]:
    for row in plan.rows:
        if row.action in ("create", "change"):
            number = "next free" if row.identity.startswith("~") else row.identity
            yield str(row.row), row.action, number, _what(plan, row)


def _what(plan: ImportPlan, row: PlannedRow) -> str:
    if row.action == "change":
        return " · ".join(
            f"{plan.target.spec(key).title}: {_shown(old)} → {_shown(new)}"
            for key, (old, new) in row.changes.items()
        )
    return " · ".join(
        f"{plan.target.spec(key).title}: {_shown(value)}"
        for key, value in row.values.items()
        if key != plan.target.identity
    )


def _shown(value: Value) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return (
            f"{value:%Y-%m-%d}"
            if (value.hour, value.minute) in ((0, 0), (23, 59))
            else f"{value:%Y-%m-%d %H:%M}"
        )
    return str(value).replace("\n", " ").replace("_", " ")[:120]
