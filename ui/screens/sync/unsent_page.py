"""What would stay behind if this computer were shut now: changes, photos and measured values, the oldest first."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.store.queries.unsent import LidClosed, left_behind
from ui.bridge.desk import Desk
from ui.models.left_behind import lid_words
from ui.models.sharing_words import sent_words, size_words
from ui.models.text_table import TextColumn, TextTable
from ui.models.wording import moment
from ui.widgets.list_view import ListView
from ui.widgets.themed import RoleLabel

_COLUMNS = (
    TextColumn("at", "When", 140),
    TextColumn("what", "What", 420),
    TextColumn("who", "Who", 150),
    TextColumn("rows", "Size", 110, number=True),
    TextColumn("state", "State", 220),
)


class UnsentPage(QWidget):
    """The list, and the sentence over it."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.behind = LidClosed()
        self.sentence = RoleLabel("", "body")
        self.sentence.setWordWrap(True)
        self.list = ListView()
        self.rows = TextTable(_COLUMNS, self)
        self.list.setObjectName("unsent-list")
        self.list.setAccessibleName("What was not sent yet")
        self.list.horizontalHeader().setSectionsClickable(False)
        self.list.setModel(self.rows)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.sentence)
        layout.addWidget(self.list, 1)
        self.setFocusProxy(self.list)

    def refresh(self) -> None:
        """Read again what waits."""
        self._desk.read(left_behind, self._take, owner=self, key="behind")

    def tell(self) -> None:
        """Word what was read, with what the sync process says by now."""
        sharing, now = self._desk.sharing.now, self._desk.house.door.clock()
        words = lid_words(self.behind, sharing.samples_waiting)
        if self.behind.photos and sharing.status is not None and sharing.status.photos_problem:
            words += f" {sharing.status.photos_problem}"
        self.sentence.setText(words)
        self.sentence.setVisible(bool(words))
        self.list.set_empty(
            f"✔ {sent_words(sharing, now)}. Nothing is lost if you close the lid now.".replace("..", ".")
        )

    def _take(self, behind: LidClosed) -> None:
        self.behind = behind
        rows = [
            (
                moment(change.at),
                change.label,
                change.actor,
                "1 row" if change.rows == 1 else f"{change.rows:,} rows",
                "at the server, not confirmed yet" if change.sent else "⇅ waits",
            )
            for change in behind.changes
        ]
        if behind.count > len(behind.changes):
            rows.append(("", f"and {behind.count - len(behind.changes):,} newer changes", "", "", "⇅ wait"))
        rows += [
            (moment(photo.at), photo.name, photo.author, size_words(photo.size), "⇅ photo or file waits")
            for photo in behind.photos
        ]
        self.rows.set_rows(rows)
        self.tell()
