"""The scrolled content of a panel with details: headings, lines of text, names beside values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.store.queries.happenings import Happening
from ui.models.wording import moment
from ui.widgets.themed import RoleLabel

_NAMES_WIDTH = 96


class DetailPage(QWidget):
    """Built anew for each row that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 4, 12, 12)
        self._column.setSpacing(4)
        self._column.setAlignment(Qt.AlignmentFlag.AlignTop)

    def heading(self, text: str) -> None:
        self._column.addSpacing(10)
        self._column.addWidget(RoleLabel(text, "strong"))

    def line(self, text: str, colour: str = "text", role: str = "body") -> None:
        label = RoleLabel(text, role, colour)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._column.addWidget(label)

    def pair(self, name: str, value: str) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        title, text = RoleLabel(name, "body", "text2"), RoleLabel(value)
        title.setFixedWidth(_NAMES_WIDTH)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(title, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(text, 1)
        self._column.addLayout(row)

    def history(self, happenings: Sequence[Happening], now: datetime) -> None:
        """What happened, the newest first."""
        self.heading("History")
        for happening in happenings:
            self.line(happening.sentence)
            self.line(f"{moment(happening.at, now)} · {happening.actor}", "text2", "meta")

    def text(self) -> str:
        """Everything that it says, line by line."""
        return "\n".join(label.text() for label in self.findChildren(RoleLabel))
