"""The line of figures over the list: how many of the orders shown are late, on time, and how efficient."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from app.domain.errors import LinesideError
from app.store.queries.listing import ListReader
from app.store.queries.lists import WORK_ORDERS
from app.store.queries.orders import ListFigures, read_figures
from ui.bridge.desk import Desk
from ui.models.orders import OrdersModel
from ui.models.wording import percent
from ui.widgets.themed import RoleLabel

FIGURES_UP_TO = 200_000


class FiguresLine(RoleLabel):
    """Figures of what `model` shows, read a moment after it was counted."""

    def __init__(self, desk: Desk, model: OrdersModel) -> None:
        super().__init__("", "meta", "text2")
        self._desk, self._model = desk, model
        self._soon = QTimer(self, singleShot=True, interval=250)
        self._soon.timeout.connect(self._read)
        model.counted.connect(self._on_counted)

    def _on_counted(self, _rows: int, _filtered: bool) -> None:
        self._soon.start()

    def _read(self) -> None:
        if self._model.rowCount() > FIGURES_UP_TO:
            self.setText(f"Figures appear for at most {FIGURES_UP_TO:,} rows; narrow the filter.")
            return
        reader = ListReader(WORK_ORDERS, self._model.request, self._desk.house.door.clock())
        self._desk.read(
            lambda session: read_figures(session, reader.where(), reader.now),
            self._show,
            owner=self,
            key="figures",
            failed=self._failed,
        )

    def _show(self, figures: ListFigures) -> None:
        self.setText(
            f"{figures.late:,} late of {figures.open:,} open  ·  on time {percent(figures.on_time_share)} of "
            f"{figures.finished:,} finished  ·  efficiency {percent(figures.efficiency)}"
        )

    def _failed(self, error: BaseException) -> None:
        self.setText("")
        if not isinstance(error, LinesideError):
            self._desk.tasks.unhandled.emit(error)
