"""A quiet line over the details of a row: who else has it open, and the way to a conflict that it is in."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.bridge.desk import Desk
from ui.bridge.sync_status import SomebodyElse
from ui.models.sharing_words import presence_words
from ui.widgets.buttons import ActionButton
from ui.widgets.themed import RoleLabel

_NO_LIMIT = 16_777_215  # px, Qt's own largest size


class SharingLine(QWidget):
    """Takes the room of one line where a server is shared, elsewhere none.

    `conflict_requested` carries the number of the conflict.
    While it is on the screen other stations are told that this row is open here, or with `editing` that it is edited.
    """

    conflict_requested = Signal(int)

    def __init__(
        self, desk: Desk, entity: str, parent: QWidget | None = None, *, editing: bool = False
    ) -> None:
        super().__init__(parent)
        self._editing = editing
        self._desk = desk
        self._entity = entity
        self._row_id: UUID | None = None
        self.words = RoleLabel("", "meta", "text2")
        self.words.setWordWrap(True)
        self.button = ActionButton("⚡ In conflict…")
        self.button.clicked.connect(self._to_conflict)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 4, 0)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.button)
        desk.sharing.changed.connect(self.tell)
        desk.sharing.marks_changed.connect(self.tell)
        self.tell()

    def show_row(self, row_id: UUID | None) -> None:
        """Speak of this row from now on."""
        if row_id == self._row_id:
            return
        self._row_id = row_id
        if self.isVisible():
            self._say_where(row_id)
        self.tell()

    def tell(self, _sharing: object = None) -> None:
        """Say what is to be said now."""
        words = presence_words(self._others())
        self.words.setText(words)
        self.words.setAccessibleName(words)
        self.words.setVisible(bool(words))
        self.button.setVisible(self._conflict() is not None)
        # Where a server is shared, somebody may come at any moment: the room for one line stays, so that no field
        # moves under a hand. Elsewhere the line stays in the layout too, empty: whether it is seen says whether the
        # row is open here.
        shared = self._desk.sharing.now.joined
        self.setMinimumHeight(self.words.fontMetrics().height() + 2 if shared else 0)
        self.setMaximumHeight(_NO_LIMIT if shared else 0)

    def _others(self) -> list[SomebodyElse]:
        return [] if self._row_id is None else self._desk.sharing.others_at(self._entity, self._row_id)

    def _conflict(self) -> int | None:
        found = self._desk.sharing.marks.conflicts.get(self._entity, {})
        return None if self._row_id is None or self._editing else found.get(self._row_id)

    def _to_conflict(self) -> None:
        conflict = self._conflict()
        if conflict is not None:
            self.conflict_requested.emit(conflict)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._say_where(self._row_id)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._say_where(None)

    def _say_where(self, row_id: UUID | None) -> None:
        self._desk.sharing.look_at(self, self._entity, row_id, editing=self._editing)
