"""The card in the middle of the login window, its texts, and how a password stands against the rule."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QStackedLayout

from app.domain.errors import Refused
from app.domain.people import MIN_PASSWORD_LENGTH, check_password
from ui.widgets.themed import RoleLabel, ThemedWidget

CARD_WIDTH, BESIDE = 460, 16
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


class Pages(QStackedLayout):
    """The pages of the card, which is as high as the one on show: Qt's own stack asks for the highest of all."""

    def needed_height(self) -> int:
        """What the wrapped words on show need within the card; 0 where no words wrap."""
        page = self.currentWidget()
        layout = None if page is None else page.layout()
        if layout is None or not layout.hasHeightForWidth():
            return 0
        return layout.totalHeightForWidth(CARD_WIDTH - 2 * BESIDE)

    def heightForWidth(self, width: int) -> int:
        page = self.currentWidget()
        least = 0 if page is None else page.sizeHint().height()
        return self.needed_height() or least

    def hasHeightForWidth(self) -> bool:
        return True


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
