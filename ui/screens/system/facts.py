"""Names and values in two columns, under a heading."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.widgets.themed import RoleLabel


class Facts(QWidget):
    """A line for each fact, in the order in which they were first shown."""

    def __init__(self, heading: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, RoleLabel] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(RoleLabel(heading, "section"))
        layout.addLayout(self._grid)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    def show_fact(self, name: str, value: str) -> None:
        """Add or change one line."""
        if name not in self._values:
            row = len(self._values)
            self._values[name] = RoleLabel()
            self._values[name].setWordWrap(True)
            self._grid.addWidget(RoleLabel(name, "body", "text2"), row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(self._values[name], row, 1)
        if self._values[name].text() != value:
            self._values[name].setText(value)
            self._values[name].setAccessibleName(f"{name}: {value}")

    def facts(self) -> dict[str, str]:
        """What is on show."""
        return {name: label.text() for name, label in self._values.items()}
