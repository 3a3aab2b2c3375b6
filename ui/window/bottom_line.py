"""The last line of a window, of one height for ever: what was done, what runs, what is out of reach, the status."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.widgets.status_strip import StatusStrip
from ui.widgets.themed import ThemedWidget

_MARGIN, _SPACING = 4, 8


class BottomLine(ThemedWidget):
    """Messages come and go here at the left, so that nothing above them ever moves under a hand that is about to click.

    What is usual gives way to messages; faults and warnings stay. Left to right: `footer`, `passing` (hidden while
    nobody is logged in), `status`.
    """

    def __init__(
        self, footer: QWidget, passing: list[QWidget], status: StatusStrip, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("bottomLine")
        self._footer, self._status = footer, status
        self._passing = QWidget()
        line = QHBoxLayout(self._passing)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(_SPACING)
        for widget in passing:
            line.addWidget(widget)
        self._passing.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 1, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(footer, 1)
        layout.addStretch(0)  # the status stays at the right while the rest is hidden
        layout.addWidget(self._passing)
        layout.addWidget(status)
        self.restyle()

    def set_locked(self, locked: bool) -> None:
        """While nobody is logged in, nobody is told what others did and what runs."""
        self._footer.setVisible(not locked)
        self._passing.setVisible(not locked)

    def restyle(self) -> None:
        self.setFixedHeight(self.theme.density.control_height + 2 * _MARGIN + 1)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._share_out()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_out()

    def _share_out(self) -> None:
        taken = sum(
            widget.sizeHint().width() for widget in (self._footer, self._passing) if not widget.isHidden()
        )
        self._status.set_room(max(self._status.least_width(), self.width() - taken))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.panel)
            painter.fillRect(0, 0, self.width(), 1, self.tokens.divider)
        finally:
            painter.end()
