"""Chooses which signals the charts show: by tick, or dragged onto them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, Qt
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import QAbstractItemView, QListView, QVBoxLayout, QWidget

from ui.models.tag_list import TagList
from ui.theme import current_theme
from ui.widgets.filter_field import FilterField

WIDTH = 236
_OWN_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Right)


class _Ticks(QListView):
    """A list where Space ticks and Home goes up, whatever those keys do elsewhere on the screen."""

    def event(self, event: QEvent) -> bool:
        overriding = event.type() == QEvent.Type.ShortcutOverride
        if overriding and isinstance(event, QKeyEvent) and event.key() in _OWN_KEYS:
            event.accept()
            return True
        return super().event(event)


class TagPicker(QWidget):
    """Filter and tick list."""

    def __init__(self, model: TagList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.filter = FilterField("signal or machine")
        self.list = _Ticks()
        self.list.setObjectName("tag-list")
        self.list.setAccessibleName("Signals")
        self.list.setUniformItemSizes(True)
        self.list.setModel(model)
        self.list.setDragEnabled(True)
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.filter)
        layout.addWidget(self.list, 1)
        self.filter.filter_changed.connect(model.set_filter)
        self.list.clicked.connect(self._clicked)
        self.list.activated.connect(self._activated)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setFixedWidth(round(WIDTH * min(current_theme().density.type_scale, 1.4)))
        self.list.setFont(current_theme().font("body"))
        # Fusion draws the edge of a tick box as Window darkened by 1.4; this makes it our border colour.
        palette = self.list.palette()
        palette.setColor(QPalette.ColorRole.Window, current_theme().tokens.border.lighter(140))
        self.list.setPalette(palette)
        self.list.setSpacing(1 if current_theme().density.row_height < 40 else 8)

    def _clicked(self, index: QModelIndex) -> None:
        """A click on the words ticks too; one on the box has done so already."""
        if not self.model.tag_at(index.row()) or not self._on_box(index):
            self.model.toggle(index.row())

    def _on_box(self, index: QModelIndex) -> bool:
        at = self.list.viewport().mapFromGlobal(self.cursor().pos())
        return at.x() - self.list.visualRect(index).left() < 24

    def _activated(self, index: QModelIndex) -> None:
        """Enter ticks; a double click has ticked twice and stays as it was."""
