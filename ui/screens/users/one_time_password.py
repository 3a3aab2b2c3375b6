"""A password for one login: how it is made up, and the card that shows it once."""

from __future__ import annotations

import secrets

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.widgets.buttons import ActionButton
from ui.widgets.themed import RoleLabel

# No letters or digits that are mistaken for one another when read aloud or from paper.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Twelve characters in three groups, about 59 bits, to be read aloud once."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))


class OneTimeCard(QWidget):
    """The password of one login, shown this once."""

    closed = Signal()

    def __init__(self, name: str, password: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("oneTimeCard")
        self._password = password
        words = RoleLabel(
            f"Give this password to {name}. It is shown this once; at the next login {name} chooses another one."
        )
        words.setWordWrap(True)
        words.setMinimumWidth(380)
        self.shown = RoleLabel(password, "title")
        self.shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy, close = ActionButton("Copy"), ActionButton("Close", primary=True)
        copy.clicked.connect(self._copy)
        close.clicked.connect(self.closed)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(12)
        for widget in (words, self.shown):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._password)
