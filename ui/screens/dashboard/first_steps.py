"""What the dashboard shows in an empty store: the first three steps."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from ui.widgets.buttons import ActionButton
from ui.widgets.themed import RoleLabel, ThemedWidget

_STEPS = (
    (
        "1",
        "Bring in your work orders",
        "Drop an Excel or CSV file anywhere on this window.",
        "Import a file",
        "import",
    ),
    (
        "2",
        "Connect a machine",
        "Type its address, see its values, give them names and limits.",
        "Connections",
        "machines",
    ),
    ("3", "Move the first order", "Every order has its stages on the board at once.", "Stage board", "board"),
)


class FirstSteps(ThemedWidget):
    """Three numbered lines with a button each; `chosen` carries the place."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(16)
        for row, (number, title, words, button, place) in enumerate(_STEPS):
            grid.addWidget(RoleLabel(number, "kpi", "text2"), row, 0)
            texts = QVBoxLayout()
            texts.setSpacing(0)
            texts.addWidget(RoleLabel(title, "section"))
            texts.addWidget(RoleLabel(words, "body", "text2"))
            grid.addLayout(texts, row, 1)
            go = ActionButton(button, primary=row == 0)
            go.setObjectName(f"first-step-{place}")
            go.clicked.connect(partial(self._go, place))
            grid.addWidget(go, row, 2)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        heading = RoleLabel("Nothing is here yet. Three steps to a running workshop:", "title")
        layout.addWidget(heading, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(24)
        holder = QWidget()
        holder.setLayout(grid)
        layout.addWidget(holder, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)

    def _go(self, place: str, _checked: bool = False) -> None:
        self.chosen.emit(place)
