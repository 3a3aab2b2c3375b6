"""The command palette: type a few letters, find any command, order or machine, see its shortcut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import (
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ui.theme import current_theme
from ui.widgets.alarm_strip import AlarmStrip
from ui.widgets.fuzzy import best
from ui.widgets.themed import LEFT, RIGHT, RoleLabel, ThemedWidget, draw_text

SHOWN = 60
_ItemRole = int(Qt.ItemDataRole.UserRole) + 1


@dataclass(frozen=True)
class PaletteItem:
    """Something that can be chosen; `reason` says why a disabled one cannot."""

    key: str
    title: str
    hint: str = ""
    shortcut: str = ""
    enabled: bool = True
    reason: str = ""


class _Results(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.items: list[PaletteItem] = []

    def show_items(self, items: list[PaletteItem]) -> None:
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        item = self.items[index.row()]
        if role == _ItemRole:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.reason or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            why = "" if item.enabled else f", not available: {item.reason}"
            return ", ".join(part for part in (item.title, item.hint, item.shortcut) if part) + why
        return None


class _ResultDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, max(34, current_theme().density.row_height))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.save()
        try:
            self._paint(painter, option, index.data(_ItemRole))
        finally:
            painter.restore()

    def _paint(self, painter: QPainter, option: QStyleOptionViewItem, item: PaletteItem) -> None:
        theme = current_theme()
        t, box = theme.tokens, QRectF(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, t.selection)
            painter.fillRect(QRectF(box.left(), box.top(), 3, box.height()), t.focus)
        box = box.adjusted(12, 0, -12, 0)
        meta = theme.font("meta")
        shortcut = QFontMetrics(meta).horizontalAdvance(item.shortcut)
        draw_text(painter, box, item.shortcut, meta, t.text2, RIGHT)
        box.setRight(box.right() - shortcut - 12)
        ink = t.text if item.enabled else t.text2
        used = draw_text(painter, box, item.title, theme.font("body"), ink, LEFT)
        hint = item.hint if item.enabled else f"– {item.reason}"
        draw_text(painter, box.adjusted(used + 12, 0, 0, 0), hint, meta, t.text2, LEFT)


class CommandPalette(ThemedWidget):
    """Popup over its window. `query_changed` lets a provider add found records with `set_found`."""

    chosen = Signal(str)
    query_changed = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("commandPalette")
        self._host = parent
        self._items: list[PaletteItem] = []
        self._texts: list[str] = []
        self._found: list[PaletteItem] = []
        self._results = _Results(self)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search or do…")
        self._search.setAccessibleName("Search or do")
        self._search.setTextMargins(6, 0, 6, 0)
        self._list = QListView()
        self._list.setModel(self._results)
        self._list.setItemDelegate(_ResultDelegate(self._list))
        self._list.setUniformItemSizes(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setAccessibleName("Results")
        self._nothing = RoleLabel("Nothing fits. Try fewer letters.", "body", "text2")
        self._nothing.setContentsMargins(12, 8, 12, 8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self._search)
        layout.addWidget(self._nothing)
        layout.addWidget(self._list, 1)
        self._asked = QTimer(self, singleShot=True, interval=80)
        self._asked.timeout.connect(self._ask)
        self._search.textChanged.connect(self._typed)
        self._search.installEventFilter(self)
        self._list.clicked.connect(self._clicked)
        self.setFocusProxy(self._search)
        self.restyle()
        self.hide()

    def set_items(self, items: Sequence[PaletteItem]) -> None:
        """The commands and places that are always there; filtered here."""
        self._items = list(items)
        self._texts = [f"{item.title} {item.hint}".lower() for item in self._items]
        self._filter()

    def set_found(self, query: str, items: Sequence[PaletteItem]) -> None:
        """Records found for `query` by a provider, best first; an answer to an older query is dropped."""
        if query == self._search.text():
            self._found = list(items)
            self._filter()

    def results(self) -> list[PaletteItem]:
        """What is on show, best first."""
        return list(self._results.items)

    def open_palette(self, text: str = "") -> None:
        """Show over the parent with an empty query (or `text`), ready to type."""
        if text == self._search.text():
            self._filter()  # setText would stay silent
        self._search.setText(text)
        self.show()
        self.raise_()
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_palette(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def query(self) -> str:
        return self._search.text()

    def _typed(self) -> None:
        self._found = []
        self._filter()
        self._asked.start()

    def _ask(self) -> None:
        self.query_changed.emit(self._search.text())

    def _filter(self) -> None:
        hits = [self._items[i] for i in best(self._search.text(), self._texts, SHOWN)]
        shown = hits[: SHOWN // 2] + self._found + hits[SHOWN // 2 :] if self._found else hits
        self._results.show_items(shown)
        self._list.setVisible(bool(shown))
        self._nothing.setVisible(not shown)
        if shown:
            self._list.setCurrentIndex(self._results.index(0, 0))

    def _step(self, by: int) -> None:
        count = len(self._results.items)
        if count:
            row = (self._list.currentIndex().row() + by) % count
            self._list.setCurrentIndex(self._results.index(row, 0))

    def _clicked(self, index: QModelIndex) -> None:
        self._choose(index.row())

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._results.items) and self._results.items[row].enabled:
            key = self._results.items[row].key
            self.close_palette()
            self.chosen.emit(key)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
            if event.key() in steps:
                self._step(steps[Qt.Key(event.key())])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self._list.currentIndex().row())
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close_palette()
                return True
        elif event.type() == QEvent.Type.FocusOut and not self.isAncestorOf(self.window().focusWidget()):
            self.close_palette()
        return False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        parent = self._host
        width = min(640, parent.width() - 32)
        top = 16
        for strip in parent.findChildren(AlarmStrip):
            top = max(top, strip.mapTo(parent, QPoint(0, strip.height())).y() + 8)
        self.setGeometry((parent.width() - width) // 2, top, width, min(460, parent.height() - top - 16))

    def restyle(self) -> None:
        self._search.setFont(self.theme.font("section"))
        self._search.setMinimumHeight(self.theme.density.control_height + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            t = self.tokens
            painter.fillRect(self.rect(), t.panel)
            painter.setPen(QPen(t.border, 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        finally:
            painter.end()
