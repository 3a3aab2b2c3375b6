"""The facts of sharing in one line: server, lag, what waits, conflicts; and below it what is wrong and what to do."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.bridge.desk import Desk
from ui.models.sharing_words import facts, progress_words, tls_warning, trouble, waiting_advice
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
        self._line.addStretch(1)
        self.advice = RoleLabel("", "body")
        self.advice.setWordWrap(True)
        self.progress = LoadingBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._line)
        layout.addWidget(self.progress)
        layout.addWidget(self.advice)
        self.tell()

    def tell(self) -> None:
        """Say how it goes now."""
        sharing, now = self._desk.sharing.now, self._desk.house.door.clock()
        shown = facts(sharing, now)
        for name, value in shown:
            self._cell(name)[1].setText(value)
            self._cell(name)[1].setAccessibleName(f"{name}: {value}")
        present = {name for name, _ in shown}
        for name, labels in self._cells.items():
            for label in labels:
                label.setVisible(name in present)
        warning = tls_warning(sharing)
        words = [f"⚠ {warning}" if warning else "", trouble(sharing), waiting_advice(sharing)]
        self.advice.setText("\n".join(word for word in words if word))
        self.advice.setVisible(any(words))
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

    def _cell(self, name: str) -> tuple[RoleLabel, RoleLabel]:
        if name not in self._cells:
            labels = RoleLabel(name, "meta", "text2"), RoleLabel("", "strong")
            box = QVBoxLayout()
            box.setSpacing(0)
            for label in labels:
                box.addWidget(label)
            self._line.insertLayout(self._line.count() - 1, box)
            self._cells[name] = labels
        return self._cells[name]
