"""What the import shows while no file is open: where to drop one, and the imports done before."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.domain.sheets.targets import target_of
from app.store.queries.imports import RunLine
from ui.models.text_table import TextColumn, TextTable
from ui.models.wording import moment
from ui.widgets.buttons import ActionButton
from ui.widgets.list_view import ListView
from ui.widgets.themed import RoleLabel, ThemedWidget

_COLUMNS = (
    TextColumn("number", "Import", 120),
    TextColumn("file", "File", 280),
    TextColumn("target", "Into", 130),
    TextColumn("created", "Created", 80),
    TextColumn("changed", "Changed", 80),
    TextColumn("skipped", "Left out", 80),
    TextColumn("at", "When", 150),
    TextColumn("actor", "Who", 140),
    TextColumn("undone", "", 90),
)


class DropArea(ThemedWidget):
    """A dashed field that says what may be dropped; a click or Enter chooses a file."""

    def __init__(self, button: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = RoleLabel("Drop an Excel or CSV file here", "section")
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        more = RoleLabel(
            "Work orders or maintenance, in any layout and in most languages. Nothing is written before you say so.",
            "body",
            "text2",
        )
        more.setAlignment(Qt.AlignmentFlag.AlignCenter)
        more.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(12)
        layout.addStretch(1)
        layout.addWidget(self.words)
        layout.addWidget(more)
        layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.setMinimumHeight(200)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            pen = QPen(self.tokens.border, 1)
            pen.setDashPattern([6, 4])
            painter.setPen(pen)
            painter.setBrush(self.tokens.base)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        finally:
            painter.end()


class StartPage(QWidget):
    """`undo_requested` carries the change of the chosen run."""

    undo_requested = Signal(object)

    def __init__(self, choose: ActionButton, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: Sequence[RunLine] = ()
        self.drop = DropArea(choose)
        self.model = TextTable(_COLUMNS, self)
        self.table = ListView()
        self.table.setObjectName("import-runs")
        self.table.setAccessibleName("Imports done before")
        self.table.setModel(self.model)
        self.table.set_empty("Nothing was imported yet.")
        self.undo = ActionButton("Undo this import", icon="arrow-counter-clockwise")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.drop)
        layout.addWidget(RoleLabel("Imports done before", "section"))
        layout.addWidget(self.table, 1)
        layout.addWidget(self.undo, 0, Qt.AlignmentFlag.AlignLeft)
        self.undo.clicked.connect(self._undo)
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self._on_current(QModelIndex(), QModelIndex())

    def show_runs(self, runs: Sequence[RunLine]) -> None:
        place = self.table.currentIndex().row()
        self._runs = runs
        self.model.set_rows(
            [
                (
                    run.number,
                    run.file_name,
                    target_of(run.target).title,
                    f"{run.created:,}",
                    f"{run.changed:,}",
                    f"{run.skipped:,}",
                    moment(run.at),
                    run.actor,
                    "undone" if run.undone else "",
                )
                for run in runs
            ]
        )
        if 0 <= place < len(runs):
            self.table.selectRow(place)
        self._on_current(self.table.currentIndex(), QModelIndex())

    def _current(self) -> RunLine | None:
        row = self.table.currentIndex().row()
        return self._runs[row] if 0 <= row < len(self._runs) else None

    def _on_current(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        run = self._current()
        reason = (
            "Choose an import first." if run is None else "It was undone already." if run.undone else None
        )
        self.undo.refuse(reason)

    def _undo(self) -> None:
        run = self._current()
        if run is not None:
            self.undo_requested.emit(run.change_id)
