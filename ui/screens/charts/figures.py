"""Fills the table of the cursors: at once from what is on the screen, then exactly from the history."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer

from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.curve_figures import figure_line, read_stretches
from ui.screens.charts.cursor_panel import CursorPanel
from ui.screens.charts.stack import ChartStack
from ui.widgets.chart_trace import Stretch

_SOON_MS = 150


class CursorFigures(QObject):
    """Follows the cursors of a stack of charts."""

    def __init__(
        self, desk: Desk, live: LiveDesk, stack: ChartStack, panel: CursorPanel, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._desk, self._live, self._stack, self._panel = desk, live, stack, panel
        self._exact: dict[str, Stretch] = {}
        self._shown: dict[str, float] = {}
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._read)
        stack.window_of_time.marked.connect(self._on_marks)

    def _on_marks(self) -> None:
        if self._stack.window_of_time.cursors != self._shown:
            self.refresh()

    def refresh(self) -> None:
        """Cursors or curves are others."""
        window = self._stack.window_of_time
        self._shown = dict(window.cursors)
        self._exact = {}
        self._show()
        if window.between() is not None:
            self._soon.start()

    def _show(self) -> None:
        cursors = self._stack.window_of_time.cursors
        lines = [
            figure_line(series, cursors, self._exact.get(series.key))
            for chart in self._stack.charts
            for series in chart.series
        ]
        self._panel.show_figures(cursors, lines if cursors else [])

    def _read(self) -> None:
        between = self._stack.window_of_time.between()
        if between is None:
            return
        tags = [tag for tag in self._stack.tags if self._stack.kind_of(tag).kind != "texts"]
        work = partial(read_stretches, self._live, tags, *between)
        self._desk.tasks.run(work, self._take, owner=self, key="figures")

    def _take(self, found: dict[str, Stretch]) -> None:
        self._exact = found
        self._show()
