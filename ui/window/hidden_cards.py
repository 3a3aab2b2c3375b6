"""Dialogs go behind the login card with the rest, and come back to the person who had them open."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow
from shiboken6 import isValid

from ui.widgets.dialog_card import DialogCard


class HiddenCards(QObject):
    """Drafts of one person are never shown to, or saved by, the next one."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._waiting: list[tuple[UUID | None, DialogCard]] = []

    def hide_all(self, owner: UUID | None) -> None:
        """Hide what is open and keep it for `owner`."""
        for card in self._window.findChildren(DialogCard):
            if card.isVisible() and card.objectName() != "crashCard":
                card.hide()
                self._waiting.append((owner, card))

    def show_for(self, owner: UUID | None) -> None:
        """Bring back what `owner` had open."""
        still = []
        for whose, card in self._waiting:
            if not isValid(card):
                continue
            if whose == owner:
                card.show_card()
            else:
                still.append((whose, card))
        self._waiting = still
