"""Writing the list of work orders, as filtered and sorted, into a file."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.domain.errors import LinesideError
from app.store.queries.exporting import ExportColumn, ExportStopped, export_list
from app.store.queries.listing import ListReader
from app.store.queries.lists import WORK_ORDERS
from ui.bridge.desk import Desk
from ui.models.orders import OrdersModel
from ui.widgets.states import LoadingBar

_EXPORTED = tuple(
    ExportColumn(column.key, column.title) for column in WORK_ORDERS.columns if column.key != "open"
)


class OrdersExport(LoadingBar):
    """Shows how far the writing is, and cancels it; `written(sentence)` tells the end."""

    written = Signal(str)
    _progress = Signal(int, int)

    def __init__(self, desk: Desk, model: OrdersModel, parent: QWidget | None = None) -> None:
        super().__init__(cancellable=True, parent=parent)
        self._desk, self._model = desk, model
        self._stop = threading.Event()
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(False)
        self.setSizePolicy(policy)
        self._progress.connect(self._show_progress)
        self.cancelled.connect(self._stop.set)

    def choose_file(self) -> None:
        """Ask where to, then write what the list shows."""
        pane = self.parentWidget()  # this bar is hidden as long as nothing is written
        dialog = QFileDialog(pane, "Export work orders", "work-orders.xlsx", "Excel (*.xlsx);;CSV (*.csv)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("xlsx")
        dialog.fileSelected.connect(self.write)
        dialog.show()

    def write(self, file: str) -> None:
        """Write the list as filtered and sorted into an .xlsx or .csv file."""
        self._stop.clear()
        self.start(f"Writing {Path(file).name}")
        reader = ListReader(WORK_ORDERS, self._model.request, self._desk.house.door.clock())
        store, stop, told = self._desk.house.store, self._stop, self._progress.emit
        self._desk.tasks.run(
            lambda: export_list(store, reader, _EXPORTED, Path(file), told, stop),
            partial(self._done, file),
            owner=self,
            failed=self._failed,
        )

    def _show_progress(self, rows: int, total: int) -> None:
        self.set_progress(rows / max(total, 1), f"{rows:,} of {total:,} rows")

    def _done(self, file: str, rows: int) -> None:
        self.finish()
        self.written.emit(f"Wrote {rows:,} rows to {file}.")

    def _failed(self, error: BaseException) -> None:
        self.finish()
        if isinstance(error, ExportStopped | LinesideError):
            self._desk.refused.emit(error.sentence)
        else:
            self._desk.tasks.unhandled.emit(error)
