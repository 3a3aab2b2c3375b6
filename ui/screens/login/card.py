"""The card in the middle of the login window, its texts, and how a password stands against the rule."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent, QPen

from app.domain.errors import Refused
from app.domain.people import MIN_PASSWORD_LENGTH, check_password
from ui.widgets.themed import RoleLabel, ThemedWidget

CARD_WIDTH = 460
RULE = (
    f"At least {MIN_PASSWORD_LENGTH} characters, five of them different, without your user name. "
    "A short sentence works well and is easy to remember."
)


class Card(ThemedWidget):
    """The panel in the middle."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.setPen(QPen(self.tokens.divider, 1))
            painter.setBrush(self.tokens.panel)
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 4, 4)
        finally:
            painter.end()


def words(text: str = "", colour: str = "text2") -> RoleLabel:
    label = RoleLabel(text, "body", colour)
    label.setWordWrap(True)
    return label


def rating(password: str, name: str) -> str:
    if not password:
        return ""
    try:
        check_password(password, name)
    except Refused as refused:
        short = MIN_PASSWORD_LENGTH - len(password)
        return f"○ {short} more to go" if short > 0 else f"○ {refused.sentence}"
    return "✔ Fits the rule" + (", and is strong" if len(password) >= 2 * MIN_PASSWORD_LENGTH else "")
