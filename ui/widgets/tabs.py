"""A row of tabs as high as the density asks for."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QTabBar, QWidget

from ui.theme import current_theme


class Tabs(QTabBar):
    """Tabs whose words are never cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(False)
        self.setElideMode(Qt.TextElideMode.ElideNone)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def tabSizeHint(self, index: int) -> QSize:
        return super().tabSizeHint(index).expandedTo(QSize(0, current_theme().density.control_height))

    def _restyle(self) -> None:
        self.setFont(current_theme().font("body"))
        self.updateGeometry()
