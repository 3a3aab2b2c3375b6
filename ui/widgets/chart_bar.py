"""Buttons of a chart that stands alone: longer, shorter, back to live."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.chart_time import TimeWindow
from ui.widgets.themed import RoleLabel


class ChartBar(QWidget):
    """Acts on a window of time and says how far live is ahead of it."""

    def __init__(self, window: TimeWindow, zoom: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._window_of_time, self._zoom = window, zoom
        self._state = RoleLabel("", "meta", "text2")
        self._jump = ActionButton("Jump to live")
        self._out = IconButton("minus", "Show a longer time", shortcut="−")
        self._in = IconButton("plus", "Show a shorter time", shortcut="+")
        for button in (self._out, self._in):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # + and − do it on the chart itself
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self._out, self._in):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)
        layout.addWidget(self._state)
        layout.addWidget(self._jump)
        layout.addLayout(buttons)
        self._jump.clicked.connect(self._go_live)
        self._out.clicked.connect(self._longer)
        self._in.clicked.connect(self._shorter)
        window.changed.connect(self._show)
        window.follow_changed.connect(self._show)
        self._show()

    def _go_live(self) -> None:
        self._window_of_time.run()

    def _longer(self) -> None:
        self._window_of_time.zoom(self._zoom)

    def _shorter(self) -> None:
        self._window_of_time.zoom(1 / self._zoom)

    def _show(self, _changed: bool = False) -> None:
        window = self._window_of_time
        self._jump.setVisible(not window.following)
        behind = max(0.0, window.now - window.frozen_at)
        self._state.setText("" if window.following else f"frozen · live +{behind:,.0f} s")
