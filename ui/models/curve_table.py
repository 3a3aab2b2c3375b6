"""The table twin of charts: every column of pixels that is drawn as a row of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ui.models.table_header import header_answer
from ui.widgets.chart_series import Series
from ui.widgets.chart_ticks import local
from ui.widgets.themed import LEFT, RIGHT

Index = QModelIndex | QPersistentModelIndex
MOST_ROWS = 2000
_WIDTH = 190


class CurveTable(QAbstractTableModel):
    """Times down, curves across; a cell says what the crosshair would say there. Newest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._series: list[Series] = []
        self._times: list[float] = []
        self.zone: tzinfo | None = None

    def show(self, series: Sequence[Series], start: float, end: float) -> None:
        """Show what these curves draw between two moments."""
        moments = [np.array([run.start for run in one.texts]) for one in series if one.kind == "texts"]
        moments += [one.seen.t for one in series if one.seen is not None and one.kind != "texts"]
        everything = np.unique(np.concatenate(moments)) if moments else np.empty(0)
        inside = everything[(everything >= start) & (everything <= end)]
        step = -(-len(inside) // MOST_ROWS) if len(inside) else 1
        self.beginResetModel()
        self._series, self._times = list(series), inside[::-1][::step].tolist()
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._times)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._series) + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if section == 0:
            return header_answer(("time", "Time", _WIDTH), role)
        shown = self._series[section - 1]
        return header_answer((shown.key, shown.label, _WIDTH), role, right=True)

    def data(self, index: Index, role: int = 0) -> Any:
        if not index.isValid():
            return None
        moment = self._times[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == 0:
                return local(moment, self.zone).strftime("%d %b %Y %H:%M:%S.%f")[:-3]
            return self._series[index.column() - 1].words_at(moment)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return LEFT if index.column() == 0 else RIGHT
        return None
