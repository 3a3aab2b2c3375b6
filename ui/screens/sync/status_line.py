"""The facts of sharing in one line: server, lag, what waits, conflicts; and below it what is wrong and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.bridge.desk import Desk
from ui.models.sharing_words import FACTS, facts, progress_words, tls_warning, trouble, waiting_advice
from ui.widgets.states import LoadingBar
from ui.widgets.themed import RoleLabel


class StatusLine(QWidget):
    """Names over values, left to right."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sharing-status")
        self._desk = desk
        self._cells: dict[str, tuple[RoleLabel, RoleLabel]] = {}
        self._line = QHBoxLayout()
        self._line.setSpacing(32)
        for name in FACTS:
            self._add_cell(name)
        # Beside the facts, where there is room: above the tabs it would move them whenever the server comes and goes.
        self.advice = RoleLabel("", "body")
        self.advice.setWordWrap(True)
        self.advice.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        self._line.addWidget(self.advice, 1)
        self.progress = LoadingBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._line)
        layout.addWidget(self.progress)
        self.tell()

    def tell(self) -> None:
        """Say how it goes now."""
        sharing, now = self._desk.sharing.now, self._desk.house.door.clock()
        shown = facts(sharing, now)
        for name, value in shown:
            label = self._cells[name][1]
            label.setText(value)
            label.setAccessibleName(f"{name}: {value}")
        present = {name for name, _ in shown}
        for name, labels in self._cells.items():
            for label in labels:
                label.setVisible(name in present)
        warning = tls_warning(sharing)
        words = [f"⚠ {warning}" if warning else "", trouble(sharing), waiting_advice(sharing)]
        self.advice.setText(" ".join(word for word in words if word))
        # Room for two lines is kept while there is nothing to say.
        self.advice.setMinimumHeight(2 * self.advice.fontMetrics().lineSpacing() + 2)
        self._show_progress()

    def _show_progress(self) -> None:
        status = self._desk.sharing.now.status
        progress = status.progress if status is not None and not self._desk.sharing.now.silent else None
        if progress is None:
            self.progress.finish()
        elif progress.total:
            self.progress.start()
            self.progress.set_progress(progress.done / progress.total, progress_words(self._desk.sharing.now))
        else:
            self.progress.start(progress.what)

    def values(self) -> dict[str, str]:
        """What is on show."""
        return {name: value.text() for name, (_, value) in self._cells.items() if not value.isHidden()}

    def _add_cell(self, name: str) -> None:
        self._cells[name] = RoleLabel(name, "meta", "text2"), RoleLabel("", "strong")
        box = QVBoxLayout()
        box.setSpacing(0)
        for label in self._cells[name]:
            box.addWidget(label)
        self._line.addLayout(box)
