"""The table twin of the charts: the numbers of the curves in view, to read, select and copy."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.models.curve_table import CurveTable
from ui.screens.charts.stack import ChartStack
from ui.widgets.list_view import ListView

_SOON_MS = 300


class TableTwin(QWidget):
    """Shows what the charts of a stack draw, as it was when it was opened or another range was chosen."""

    def __init__(self, stack: ChartStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("table-twin")
        self._stack = stack
        self.model = CurveTable(self)
        self.list = ListView()
        self.list.setObjectName("curve-table")
        self.list.setAccessibleName("Curves as a table, newest first")
        self.list.setModel(self.model)
        self.list.set_empty("No values in this range of time.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.show_now)

    def show_soon(self) -> None:
        """Another range or other curves: show them when they have come to rest."""
        if self.isVisible():
            self._soon.start()

    def show_now(self) -> None:
        """Take over the numbers of the charts."""
        for chart in self._stack.charts:
            chart.plot.settle()
        series = [one for chart in self._stack.charts for one in chart.series]
        self.model.show(series, *self._stack.window_of_time.range())
        self.list.restore_columns()
        self.list.setFocus()
