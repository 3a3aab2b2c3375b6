"""The sheet behind `?`: every key, from the same table that the keys themselves come from."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from ui.actions import ACTIONS, PLACES
from ui.widgets.themed import RoleLabel
from ui.window.navigation import digit_of

_ARROWS = (("Left", "←"), ("Right", "→"), ("Up", "↑"), ("Down", "↓"))
_KEY_WIDTH = 104
_PLAIN = (
    ("/", "Filter the list"),
    ("Up, Down", "Move in a list"),
    ("Enter", "Open"),
    ("Esc", "Close the top layer"),
)


def all_keys() -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of (shortcut, what it does): going to places, everywhere, then each place."""
    going = [
        (f"G {p.letter}" + (f", Alt+{digit_of(p)}" if digit_of(p) else ""), f"Go to {p.title}")
        for p in PLACES
    ]
    groups = [("Places", going)]
    for key, title in (("", "Everywhere"), *((place.key, place.title) for place in PLACES)):
        rows = [(spec.shortcut, spec.title) for spec in ACTIONS if spec.place == key and spec.shortcut]
        if key == "":
            rows += [row for row in _PLAIN if row[0] not in {shortcut for shortcut, _ in rows}]
        if rows:
            groups.append((title, rows))
    return groups


class KeySheet(QScrollArea):
    """Three columns of keys."""

    COLUMNS = 3

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keySheet")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        content = QWidget()
        columns = QGridLayout(content)
        columns.setContentsMargins(16, 8, 16, 16)
        columns.setHorizontalSpacing(32)
        stacks = [QVBoxLayout() for _ in range(self.COLUMNS)]
        heights = [0] * self.COLUMNS
        for title, rows in all_keys():
            shortest = heights.index(min(heights))
            heights[shortest] += len(rows) + 2
            stacks[shortest].addWidget(RoleLabel(title, "section"))
            stacks[shortest].addLayout(_rows(rows))
            stacks[shortest].addSpacing(12)
        for column, stack in enumerate(stacks):
            stack.addStretch(1)
            columns.addLayout(stack, 0, column)
        self.setWidget(content)
        self._wide = content.sizeHint().width()

    def sizeHint(self) -> QSize:
        """As wide as all columns, so that only the height is scrolled."""
        return QSize(self._wide + self.verticalScrollBar().sizeHint().width() + 8, 600)


def _with_arrows(shortcut: str) -> str:
    for word, arrow in _ARROWS:
        shortcut = shortcut.replace(word, arrow)
    return shortcut


def _rows(rows: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for row, (shortcut, title) in enumerate(rows):
        key = RoleLabel(_with_arrows(shortcut), "strong")
        key.setMinimumWidth(_KEY_WIDTH)
        grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(RoleLabel(title), row, 1)
    return grid
