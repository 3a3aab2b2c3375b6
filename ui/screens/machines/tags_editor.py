"""The tags of one connection that is there already: the table of the wizard's last step, saved as one change."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.errors import Refused
from app.domain.plant import Connection, Tag
from app.operations.plant import save_tags
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.machine_words import signal_words
from ui.screens.machines.tags_page import TagsPage
from ui.widgets.buttons import ActionButton
from ui.widgets.states import Banner
from ui.widgets.themed import RoleLabel


class TagsEditor(QWidget):
    """`left` when it is done; `write_requested` names a tag that may be written; `more_requested` wants more tags."""

    left = Signal()
    write_requested = Signal(object)
    more_requested = Signal()

    def __init__(
        self, desk: Desk, live: LiveDesk, connection: Connection, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("tags-editor")
        self._desk, self._live = desk, live
        self._found = {tag.name: tag for tag in live.plant.tags_of(connection.name)}
        self.page = TagsPage(self._words)
        self.banner = Banner()
        self.banner.hide()
        self.save_button = ActionButton("Save", primary=True)
        self.close_button = ActionButton("Cancel")
        self.write_button = ActionButton("Send a value…", icon="paper-plane-tilt")
        self.more_button = ActionButton("Add tags…", icon="plus")
        self._lay_out(connection)
        self.save_button.clicked.connect(self.save)
        self.close_button.clicked.connect(self.left)
        self.more_button.clicked.connect(self.more_requested)
        self.write_button.clicked.connect(self._write)
        self.page.changed.connect(self._edited)
        self.page.list.selectionModel().currentChanged.connect(self._edited)
        live.ticked.connect(self.page.table.tick)
        self.page.show_tags(live.plant.tags_of(connection.name), connection, live.plant)

    def _lay_out(self, connection: Connection) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.close_button, self.more_button, self.write_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(RoleLabel(f"Tags of {connection.name}", "section"))
        layout.addWidget(self.banner)
        layout.addWidget(self.page, 1)
        layout.addLayout(buttons)

    def _words(self, tag: Tag) -> str:
        return signal_words(self._live.signal(tag))

    def _changed(self) -> list[Tag]:
        """What differs from what was found; others may have changed the rest meanwhile."""
        return [t for t in self.page.tags() if self._found.get(t.name) != t]

    def _edited(self) -> None:
        nothing = "Nothing was changed." if not self._changed() and not self.page.removed() else ""
        self.save_button.refuse(self.page.trouble() or nothing or None)
        tag = self._current()
        stored = None if tag is None else self._live.plant.tag(tag.name)
        writable = stored is not None and stored.writing is not None
        self.write_button.refuse(
            None if writable else "This tag may not be written; set its column Writing first."
        )

    def _current(self) -> Tag | None:
        row = self.page.list.currentIndex().row()
        tags = self.page.tags()
        return tags[row] if 0 <= row < len(tags) else None

    def _write(self) -> None:
        tag = self._current()
        stored = None if tag is None else self._live.plant.tag(tag.name)
        if stored is not None:
            self.write_requested.emit(stored)

    def save(self) -> None:
        """Save what was changed."""
        tags = self._changed()
        seen = [self._found[tag.name] for tag in tags if tag.name in self._found]
        intent = save_tags(tags=tags, removed=self.page.removed(), seen=seen)
        self.save_button.setEnabled(False)
        self._desk.perform(intent, owner=self, done=self._saved, failed=self._refused)

    def _saved(self, _outcome: object) -> None:
        self.left.emit()

    def _refused(self, refusal: Refused) -> None:
        self.save_button.setEnabled(True)
        self.banner.show_text(refusal.sentence)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
