"""The one list of Lineside: a table over very large models that sorts, filters and sizes nothing itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QCoreApplication,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    QSettings,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ui.theme import current_theme
from ui.widgets.column_fit import fit_widths
from ui.widgets.list_delegate import MARK_ROOM, RowDelegate
from ui.widgets.list_header import ListHeader
from ui.widgets.roles import ColumnKeyRole, ColumnWidthRole, UnsentRole
from ui.widgets.states import EmptyState, LoadingBar

COPY_LIMIT = 50_000
_MARK_FITS = 80  # px from which a column has room for a sign of sharing beside its content
_MEASURED = 50
_ACROSS = Qt.Orientation.Horizontal


class ListView(QTableView):
    """Table view with fixed rows. Set an objectName before `setModel` to keep column widths between starts.

    The model gives a str key per column (ColumnKeyRole), alignment per column (headerData
    TextAlignmentRole) and the cell roles of `ui.widgets.roles`. Sorting is a request, never Qt's own.
    """

    sort_requested = Signal(str, bool)
    activated_row = Signal(int)
    peek_requested = Signal(int)
    context_requested = Signal(int, QPoint)
    empty_action_requested = Signal()
    copy_refused = Signal(str)
    mark_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None, *, settings: QSettings | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._delegate = RowDelegate(self)
        self.setItemDelegate(self._delegate)
        self._set_behaviour()
        self._set_header()
        self._empty = EmptyState(parent=self.viewport())
        self._empty.action_requested.connect(self._empty_clicked)
        self._empty.hide()
        self._loading = LoadingBar(self.viewport())
        self._loading.setFixedHeight(4)
        self._save_soon = QTimer(self, singleShot=True, interval=400)
        self._save_soon.timeout.connect(self.save_columns)
        self._restoring = False
        self._own_widths = False
        self._stretched = -1
        self._to_measure = True
        self._sort: tuple[str, bool] | None = None
        self.doubleClicked.connect(self._double_clicked)
        self.customContextMenuRequested.connect(self._context)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def _set_behaviour(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def _set_header(self) -> None:
        header = ListHeader(self)
        self.setHorizontalHeader(header)
        header.sectionClicked.connect(self._header_clicked)
        header.sectionResized.connect(self._column_resized)
        header.sectionMoved.connect(self._columns_changed)

    # -- model and columns ---------------------------------------------------------------------------

    def setModel(self, model: QAbstractItemModel | None) -> None:
        old = self.model()
        if old is not None:
            for signal in (old.modelReset, old.rowsInserted, old.rowsRemoved, old.layoutChanged):
                signal.disconnect(self._rows_changed)
            old.dataChanged.disconnect(self._fit_new_cells)
        super().setModel(model)
        if model is not None:
            for signal in (model.modelReset, model.rowsInserted, model.rowsRemoved, model.layoutChanged):
                signal.connect(self._rows_changed)
            model.dataChanged.connect(self._fit_new_cells)
            self.restore_columns()
        self._show_or_hide_empty()

    def column_keys(self) -> list[str]:
        """Keys of the columns in the model's order."""
        model = self.model()
        return [str(model.headerData(c, _ACROSS, ColumnKeyRole)) for c in range(model.columnCount())]

    def set_sort(self, column_key: str, descending: bool) -> None:
        """Show the arrow for an order that the model already has; nothing is emitted."""
        self._sort = (column_key, descending)
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicatorShown(True)
        self.horizontalHeader().setSortIndicator(self.column_keys().index(column_key), order)

    def sort(self) -> tuple[str, bool] | None:
        """(column key, descending) as the header shows it, or None."""
        return self._sort

    def restore_columns(self) -> None:
        """Saved widths and order by column key; a column never seen takes ColumnWidthRole or the default."""
        store = self._store()
        saved = json.loads(str(store.value(self._setting(), "{}"))) if store is not None else {}
        widths: dict[str, int] = saved.get("widths", {})
        header, keys = self.horizontalHeader(), self.column_keys()
        self._own_widths, self._to_measure = bool(widths), True
        self._restoring = True
        try:
            for column, (key, wish) in enumerate(zip(keys, self._wishes(), strict=True)):
                header.resizeSection(column, widths.get(key) or wish)
            for visual, key in enumerate(k for k in saved.get("order", []) if k in keys):
                header.moveSection(header.visualIndex(keys.index(key)), visual)
        finally:
            self._restoring = False
        self.fit_columns()

    def _wishes(self) -> list[int]:
        """What the model would like each column to be wide, px in the present density."""
        header, model, scale = self.horizontalHeader(), self.model(), current_theme().density.type_scale
        wishes = [model.headerData(c, _ACROSS, ColumnWidthRole) for c in range(model.columnCount())]
        return [round(int(wish) * scale) if wish else header.defaultSectionSize() for wish in wishes]

    def fit_columns(self) -> None:
        """Fit the columns into the window, unless somebody has set widths of their own."""
        model, room = self.model(), self.viewport().width()
        if model is None or self._own_widths or room < 100:
            return
        rows = min(model.rowCount(), _MEASURED)
        columns = [c for c in range(model.columnCount()) if not self.isColumnHidden(c)]
        every = self._wishes()
        wishes = [every[column] for column in columns]
        marks = rows and model.index(0, 0).data(UnsentRole) is not None
        marked = next((c for c in columns if every[c] >= _MARK_FITS), -1) if marks else -1
        needs = [self._delegate.needed(model, c, rows, marked=c == marked) for c in columns]
        header = self.horizontalHeader()
        self._restoring = True
        try:
            for column, width in zip(columns, fit_widths(wishes, needs, room), strict=True):
                header.resizeSection(column, width)
        finally:
            self._restoring = False
        self._stretched = self._last_in_view()

    def _rows_changed(self) -> None:
        self._show_or_hide_empty()
        self._fit_new_cells()

    def _fit_new_cells(self) -> None:
        """Once, when the first cells are there to be measured: later the columns stand still."""
        model = self.model()
        if self._to_measure and model is not None and model.rowCount():
            cell = model.index(0, min(1, model.columnCount() - 1)).data(Qt.ItemDataRole.DisplayRole)
            self._to_measure = cell is None
            self.fit_columns()

    def save_columns(self) -> None:
        """Write widths and order now; happens by itself shortly after each change."""
        self._save_soon.stop()
        store = self._store()
        if store is None or self.model() is None:
            return
        header, keys = self.horizontalHeader(), self.column_keys()
        widths = {key: header.sectionSize(column) for column, key in enumerate(keys)}
        order = [keys[header.logicalIndex(visual)] for visual in range(len(keys))]
        store.setValue(self._setting(), json.dumps({"widths": widths, "order": order}))

    def _store(self) -> QSettings | None:
        if not self.objectName():
            return None
        if self._settings is None and QCoreApplication.organizationName():
            self._settings = QSettings()
        return self._settings

    def _setting(self) -> str:
        return f"lists/{self.objectName()}/columns"

    def _column_resized(self, column: int, old: int, new: int) -> None:
        # The last column in view is stretched with the window, a hidden one is nothing wide; every other change is
        # somebody's wish.
        by_itself = (self._stretched, self._last_in_view())
        if not self._restoring and old and new and column not in by_itself:
            self._own_widths = True
            self._save_soon.start()

    def _last_in_view(self) -> int:
        """The column at the right end; -1 when none is shown."""
        header = self.horizontalHeader()
        order = [header.logicalIndex(visual) for visual in range(header.count())]
        return next((column for column in reversed(order) if not header.isSectionHidden(column)), -1)

    def _columns_changed(self) -> None:
        if not self._restoring:
            self._save_soon.start()

    def _header_clicked(self, column: int) -> None:
        key = self.column_keys()[column]
        # Not read from the header: Qt has turned its arrow around before it tells of the click.
        descending = self._sort == (key, False)
        self.set_sort(key, descending)
        self.sort_requested.emit(key, descending)

    # -- overlays ------------------------------------------------------------------------------------

    def set_empty(self, text: str, button_text: str = "") -> None:
        """What to show while the model has no rows: why, and one button (`empty_action_requested`)."""
        self._empty.set_text(text, button_text)
        self._show_or_hide_empty()

    def set_loading(self, loading: bool) -> None:
        """Thin bar over the present content, after half a second; the content stays."""
        if loading:
            self._loading.start()
        else:
            self._loading.finish()
        self._show_or_hide_empty()

    def _show_or_hide_empty(self) -> None:
        model = self.model()
        self._empty.setVisible(bool(self._empty.text()) and (model is None or model.rowCount() == 0))
        self._place_overlays()

    def _empty_clicked(self) -> None:
        self.empty_action_requested.emit()

    def _place_overlays(self) -> None:
        self._empty.setGeometry(self.viewport().rect())
        self._loading.setGeometry(0, 0, self.viewport().width(), 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit_columns()
        self._place_overlays()

    # -- rows ----------------------------------------------------------------------------------------

    def selected_rows(self) -> list[int]:
        """Numbers of the selected rows, ascending."""
        rows: set[int] = set()
        if self.model() is None:
            return []
        # By span: one wrapper object for each of a million selected rows would take a second.
        spans = cast(Iterable[QItemSelectionRange], self.selectionModel().selection())
        for span in spans:
            rows.update(range(span.top(), span.bottom() + 1))
        return sorted(rows)

    def chosen_rows(self) -> list[int]:
        """The selected rows; where none is, the row that has the focus ring."""
        current = self.currentIndex()
        return self.selected_rows() or ([current.row()] if current.isValid() else [])

    def copy_selection(self) -> None:
        """Selected rows with headers as tab-separated text, in the order of columns on the screen."""
        rows = self.selected_rows()
        if len(rows) > COPY_LIMIT:
            self.copy_refused.emit(
                f"{len(rows):,} rows are too many to copy; export the list to a file instead."
            )
            return
        if rows:
            QGuiApplication.clipboard().setText(self._as_text(rows))

    def _as_text(self, rows: list[int]) -> str:
        model, header = self.model(), self.horizontalHeader()
        order = [header.logicalIndex(v) for v in range(header.count())]
        shown = [column for column in order if not header.isSectionHidden(column)]
        lines = [[model.headerData(c, _ACROSS, Qt.ItemDataRole.DisplayRole) for c in shown]]
        lines += [[model.index(r, c).data(Qt.ItemDataRole.DisplayRole) for c in shown] for r in rows]
        return "\n".join("\t".join(_flat(cell) for cell in line) for line in lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, row = event.key(), self.currentIndex().row()
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_selection()
        elif plain and key in (Qt.Key.Key_J, Qt.Key.Key_K):
            self._step(1 if key == Qt.Key.Key_J else -1)
        elif plain and key == Qt.Key.Key_X and row >= 0:
            self._toggle(row)
        elif plain and key == Qt.Key.Key_Space and row >= 0:
            self.peek_requested.emit(row)
        elif plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row >= 0:
            self.activated_row.emit(row)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Nothing: Qt would ask a million rows for their text. Letters are shortcuts here."""

    def _step(self, by: int) -> None:
        row = min(max(self.currentIndex().row() + by, 0), self.model().rowCount() - 1)
        if row >= 0:
            self.setCurrentIndex(self.model().index(row, max(self.currentIndex().column(), 0)))

    def _toggle(self, row: int) -> None:
        flags = self.selectionModel().SelectionFlag
        self.selectionModel().select(self.model().index(row, 0), flags.Toggle | flags.Rows)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if (
            index.isValid()
            and index.column() == self._mark_column()
            and index.siblingAtColumn(0).data(UnsentRole)
        ):
            cell = self.visualRect(index)
            if event.position().x() > cell.right() - MARK_ROOM - 8:
                self.mark_clicked.emit(index.row())

    def _double_clicked(self, index: QModelIndex) -> None:
        self.activated_row.emit(index.row())

    def _context(self, at: QPoint) -> None:
        self.context_requested.emit(self.indexAt(at).row(), self.viewport().mapToGlobal(at))

    def paintEvent(self, event: QPaintEvent) -> None:
        self._delegate.begin_frame(self._mark_column(), self._ringed_row())
        super().paintEvent(event)

    def _ringed_row(self) -> int:
        """The row that gets a focus ring as a whole; -1 where the ring goes around one cell, to be edited."""
        index = self.currentIndex()
        whole = self.hasFocus() and index.isValid() and not index.flags() & Qt.ItemFlag.ItemIsEditable
        return index.row() if whole else -1

    def _mark_column(self) -> int:
        """First column on the screen that is wide enough for the unsent mark beside its content."""
        header = self.horizontalHeader()
        order = [header.logicalIndex(visual) for visual in range(header.count())]
        return next((column for column in order if header.sectionSize(column) >= _MARK_FITS), 0)

    def _restyle(self) -> None:
        theme = current_theme()
        self._delegate.restyle()
        self.setFont(theme.font("body"))
        self.verticalHeader().setMinimumSectionSize(theme.density.row_height)
        self.verticalHeader().setDefaultSectionSize(theme.density.row_height)
        self.horizontalHeader().setFont(theme.font("meta"))
        self.horizontalHeader().setFixedHeight(max(28, theme.density.row_height))
        self.fit_columns()
        self.viewport().update()


def _flat(cell: object) -> str:
    return "" if cell is None else str(cell).replace("\t", " ").replace("\r", "").replace("\n", " ")
