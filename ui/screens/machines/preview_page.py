"""Fourth step of the wizard: the chosen values live, before they get names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.samples import describe_quality, is_good
from ui.models.machine_words import age_words, value_words
from ui.models.table_header import header_answer
from ui.screens.machines.draft import Draft
from ui.screens.machines.preview import Preview
from ui.theme import current_theme
from ui.widgets.buttons import ActionButton
from ui.widgets.list_view import ListView
from ui.widgets.roles import MutedRole
from ui.widgets.sparkline import paint_sparkline
from ui.widgets.states import Banner
from ui.widgets.themed import RoleLabel

Index = QModelIndex | QPersistentModelIndex
_COLUMNS = (
    ("name", "Name", 200), ("address", "Address", 240), ("value", "Value", 230), ("age", "Age", 80),
    ("quality", "Quality", 120), ("curve", "Last minutes", 200),
)  # fmt: skip
_VALUE, _CURVE = 2, 5


class PreviewModel(QAbstractTableModel):
    """One row a pick."""

    def __init__(self, draft: Draft, preview: Preview, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft, self._preview = draft, preview
        self.addresses: list[str] = []
        preview.ticked.connect(self._news)

    def begin(self) -> None:
        """Show what is chosen now."""
        self.beginResetModel()
        self.addresses = list(self._draft.picks)
        self.endResetModel()

    def _news(self) -> None:
        if self.addresses:
            self.dataChanged.emit(self.index(0, _VALUE), self.index(len(self.addresses) - 1, _CURVE))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.addresses)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        address = self.addresses[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(address, index.column())
        if role == MutedRole:
            reading = self._preview.latest(address)
            return reading is not None and not is_good(reading.quality)
        return None

    def _words(self, address: str, column: int) -> str | None:
        reading = self._preview.latest(address)
        if column < _VALUE:
            pick = self._draft.picks.get(address)
            return address if column else (pick.name if pick else "")
        if column == _CURVE:
            return None
        if reading is None:
            return "–" if column == _VALUE else ""
        if column == _VALUE:
            return "–" if reading.value is None else value_words(reading.value)
        age = (datetime.now(UTC) - reading.source_time).total_seconds()
        return age_words(max(0.0, age)) if column == 3 else describe_quality(reading.quality)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        return header_answer(_COLUMNS[section], role, right=section in (_VALUE, 3))


class _CurveDelegate(QStyledItemDelegate):
    """Paints the memory of a pick as a small curve."""

    def __init__(self, model: PreviewModel, preview: Preview, parent: QObject) -> None:
        super().__init__(parent)
        self._model, self._preview = model, preview

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = current_theme().tokens
        painter.save()
        try:
            if option.state & QStyle.StateFlag.State_Selected:
                painter.fillRect(option.rect, tokens.selection)
            painter.fillRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1, tokens.divider)
            address = self._model.addresses[index.row()]
            ring, reading = self._preview.ring(address), self._preview.latest(address)
            if ring is not None and reading is not None and not isinstance(reading.value, str):
                times, values = ring.view()
                paint_sparkline(painter, QRectF(option.rect).adjusted(8, 3, -8, -4), times, values)
        finally:
            painter.restore()


class PreviewPage(QWidget):
    """A list of the picks; what turns out to be the wrong one is taken away here."""

    def __init__(self, draft: Draft, preview: Preview, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._preview = draft, preview
        self.model = PreviewModel(draft, preview, self)
        self.list = ListView()
        self.list.setObjectName("preview-list")
        self.list.setAccessibleName("Chosen values, live")
        self.list.setModel(self.model)
        self.list.setItemDelegateForColumn(_CURVE, _CurveDelegate(self.model, preview, self))
        self.list.set_empty("Nothing is chosen. Go back and tick a value.")
        self.banner = Banner()
        self.banner.hide()
        self.drop_button = ActionButton("Take away", icon="x")
        self.drop_button.clicked.connect(self.drop)
        self._hint = RoleLabel("", "body", "text2")
        head = QHBoxLayout()
        head.addWidget(self._hint, 1)
        head.addWidget(self.drop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.banner)
        layout.addWidget(self.list, 1)
        preview.ticked.connect(self._news)

    def start(self) -> None:
        """Show what is chosen and begin to ask."""
        self.model.begin()
        self._hint.setText("Do these move as the machine does? What is wrong is taken away here.")
        self._preview.start()
        self.list.setFocus()

    def drop(self) -> None:
        """Take the selected values away."""
        for row in self.list.chosen_rows():
            self._draft.picks.pop(self.model.addresses[row], None)
        self.model.begin()

    def _news(self) -> None:
        self.banner.show_text(self._preview.trouble)
