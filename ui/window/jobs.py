"""Long work in view: what runs, how far it is, and a button to stop it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.widgets.buttons import ActionButton
from ui.widgets.themed import ElidedLabel, RoleLabel, ThemedWidget

FINISHED = 1.0


class _Job(ThemedWidget):
    """One piece of work."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel(fit=True)
        self.words.set_text(name)
        self.share = RoleLabel("", "strong")
        self.stop = ActionButton("Cancel")
        self.stop.setAccessibleName(f"Cancel {name}")
        self.stop.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys where they are
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 4, 4)
        layout.setSpacing(12)
        for widget in (self.words, self.share, self.stop):
            layout.addWidget(widget)


class JobsArea(ThemedWidget):
    """Takes no room while nothing runs. `cancel_requested` carries the key of a job."""

    cancel_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobsArea")
        self._jobs: dict[str, _Job] = {}
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)
        self.hide()

    def show_job(self, key: str, name: str, fraction: float) -> None:
        """Show or move a job; `fraction` from 0 to 1, below 0 when nobody knows, 1 takes it away."""
        if fraction >= FINISHED:
            self.remove_job(key)
            return
        job = self._jobs.get(key)
        if job is None:
            job = self._jobs[key] = _Job(name)
            job.stop.clicked.connect(partial(self._cancel, key))
            self._layout.addWidget(job)
        job.words.set_text(name)
        job.share.setText("" if fraction < 0 else f"{fraction * 100:.0f} %")
        self.show()

    def remove_job(self, key: str) -> None:
        job = self._jobs.pop(key, None)
        if job is not None:
            self._layout.removeWidget(job)
            job.deleteLater()
        self.setVisible(bool(self._jobs))

    def names(self) -> list[str]:
        """What runs, oldest first."""
        return [job.words.text() for job in self._jobs.values()]

    def _cancel(self, key: str, _checked: bool = False) -> None:
        self.cancel_requested.emit(key)
