"""The signals of the plant as a list with ticks, grouped by machine, narrowed by words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)

from app.domain.plant import Plant
from ui.models.machine_words import short_name
from ui.theme import current_theme

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)


TAGS = "application/x-lineside-tags"


def dropped_tags(data: QMimeData) -> list[str]:
    """Names of the signals that were dragged; empty when it is something else."""
    carried = bytes(data.data(TAGS).data()).decode() if data.hasFormat(TAGS) else ""
    return [name for name in carried.split("\n") if name]


@dataclass(frozen=True)
class _Row:
    """A machine (no tag) or one of its signals."""

    text: str
    tag: str = ""


class TagList(QAbstractListModel):
    """`ticks_changed` when other signals are wanted; ticks of signals that are filtered away stay."""

    ticks_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._plant = Plant()
        self._words: list[str] = []
        self._rows: list[_Row] = []
        self._ticked: dict[str, None] = {}

    def set_plant(self, plant: Plant) -> None:
        """Show the signals of a plant; ticks of signals that are gone fall away."""
        self._plant = plant
        gone = [tag for tag in self._ticked if plant.tag(tag) is None]
        for tag in gone:
            del self._ticked[tag]
        self._rebuild()
        if gone:
            self.ticks_changed.emit()

    def set_filter(self, text: str) -> None:
        """Only machines and signals that carry all words."""
        self._words = text.casefold().split()
        self._rebuild()

    def ticked(self) -> list[str]:
        """Wanted signals in the order in which they were ticked."""
        return list(self._ticked)

    def set_ticked(self, tags: Iterable[str]) -> None:
        """Want exactly these signals, as far as the plant has them."""
        wanted = {tag: None for tag in tags if self._plant.tag(tag) is not None}
        if list(wanted) != list(self._ticked):
            self._ticked = wanted
            if self._rows:
                self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))
            self.ticks_changed.emit()

    def add(self, tags: Iterable[str]) -> None:
        """Want these signals too."""
        self.set_ticked([*self._ticked, *(tag for tag in tags if tag not in self._ticked)])

    def toggle(self, row: int) -> None:
        """Tick or untick the signal of a row; a machine's row does it for all its signals that are shown."""
        if not 0 <= row < len(self._rows):
            return
        tag = self._rows[row].tag
        tags = [tag] if tag else self._below(row)
        ticked = self.ticked()
        if all(t in self._ticked for t in tags):
            self.set_ticked(t for t in ticked if t not in tags)
        else:
            self.set_ticked([*ticked, *(t for t in tags if t not in self._ticked)])

    def _below(self, row: int) -> list[str]:
        found = []
        for below in self._rows[row + 1 :]:
            if not below.tag:
                break
            found.append(below.tag)
        return found

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._rows = []
        for machine in self._plant.equipment:
            mine = [t for t in self._plant.tags if t.equipment == machine.code]
            about = f"{machine.name} {machine.code} {machine.area}".casefold()
            shown = [t for t in mine if all(w in f"{about} {t.name}".casefold() for w in self._words)]
            if shown:
                self._rows.append(_Row(machine.name))
                self._rows += [
                    _Row(f"{short_name(t)} {f'({t.unit})' if t.unit else ''}".strip(), t.name) for t in shown
                ]
        self.endResetModel()

    def tag_at(self, row: int) -> str:
        """The signal of a row; empty for a machine."""
        return self._rows[row].tag if 0 <= row < len(self._rows) else ""

    # -- QAbstractListModel --------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not self.tag_at(index.row()):
            return flags
        return flags | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:
        return [TAGS]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        names = [name for index in indexes if (name := self.tag_at(index.row()))]
        data.setData(TAGS, "\n".join(names).encode())
        data.setText("\n".join(names))
        return data

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.text
        if role == Qt.ItemDataRole.FontRole:
            return current_theme().font("body" if row.tag else "strong")
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(0, max(24, current_theme().density.row_height - 4))
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tag or "Click to tick all signals of this machine"
        if role == Qt.ItemDataRole.CheckStateRole and row.tag:
            return Qt.CheckState.Checked if row.tag in self._ticked else Qt.CheckState.Unchecked
        return None

    def setData(self, index: Index, value: Any, role: int = _DISPLAY) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not self.tag_at(index.row()):
            return False
        self.toggle(index.row())
        return True
