"""Chooses what the charts show: signals by tick, and the range of time."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import QComboBox, QListView, QVBoxLayout, QWidget

from ui.models.tag_list import TagList
from ui.theme import current_theme
from ui.widgets.filter_field import FilterField

WIDTH = 236
SPANS: tuple[tuple[float, str], ...] = (
    (300.0, "Last 5 min"),
    (900.0, "Last 15 min"),
    (3600.0, "Last 1 h"),
    (8 * 3600.0, "Last 8 h"),
    (24 * 3600.0, "Last 24 h"),
    (7 * 86400.0, "Last 7 d"),
)
CUSTOM = "custom"


class _Ticks(QListView):
    """A list where Space ticks, whatever Space does elsewhere on the screen."""

    def event(self, event: QEvent) -> bool:
        overriding = event.type() == QEvent.Type.ShortcutOverride
        if overriding and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
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


class RangePicker(QComboBox):
    """The one value of the range: `span_chosen` seconds up to now, or `custom_wanted`."""

    span_chosen = Signal(float)
    custom_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("range-picker")
        self.setAccessibleName("Range of time")
        for span, words in SPANS:
            self.addItem(words, span)
        self.addItem("From … to …", CUSTOM)
        self.setMinimumHeight(current_theme().density.control_height)
        self.setMinimumWidth(190)
        self.activated.connect(self._chosen)

    def show_span(self, span: float) -> None:
        """Say a running range, also one that was zoomed to."""
        known = next((i for i, (s, _) in enumerate(SPANS) if abs(s - span) < s * 0.01), None)
        if known is not None:
            self._drop_words()
            self.setCurrentIndex(known)
        else:
            self._say(f"Last {_length(span)}")

    def show_words(self, words: str) -> None:
        """Say a fixed range."""
        self._say(words)

    def _say(self, words: str) -> None:
        if self.count() == len(SPANS) + 1:
            self.addItem(words, None)
        self.setItemText(len(SPANS) + 1, words)
        self.setCurrentIndex(len(SPANS) + 1)

    def _drop_words(self) -> None:
        if self.count() > len(SPANS) + 1:
            self.removeItem(len(SPANS) + 1)

    def _chosen(self, index: int) -> None:
        value = self.itemData(index)
        if value == CUSTOM:
            self.custom_wanted.emit()
        elif value is not None:
            self.span_chosen.emit(float(value))


def _length(seconds: float) -> str:
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
