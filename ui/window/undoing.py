"""What was done and can be taken back, and what was refused: both in the bottom line of a window."""

from __future__ import annotations

from collections import deque
from functools import partial
from uuid import UUID

from PySide6.QtCore import QObject, QSize, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.domain.people import Actor
from app.operations.change import Outcome
from app.operations.undo import undo
from ui.bridge.desk import Desk
from ui.widgets.states import Banner
from ui.widgets.themed import ThemedWidget
from ui.widgets.undo_bar import UndoBar

_KEPT = 100
_NOTE_MS = 8_000


class UndoHistory(QObject):
    """The changes of the person at the desk that can still be undone, newest last; shared by all windows.

    `offered` names a change and its label; `noted` says what was done where there is nothing to undo.
    """

    offered = Signal(str, str)
    noted = Signal(str)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._changes: deque[UUID] = deque(maxlen=_KEPT)
        self._owner: UUID | None = None
        desk.performed.connect(self._on_performed)
        desk.actor_changed.connect(self._on_actor)

    @property
    def depth(self) -> int:
        """How many steps Ctrl+Z can still go back."""
        return len(self._changes)

    def undo_last(self) -> None:
        """Take back the newest change; again takes back the one before it."""
        if self._changes:
            self.undo(str(self._changes[-1]))
        else:
            self._desk.refused.emit("There is nothing left to undo.")

    def undo(self, change_id: str) -> None:
        """Take back one change; a refused undo is not tried again by the next Ctrl+Z."""
        known = UUID(change_id)
        if known in self._changes:
            self._changes.remove(known)
        self._desk.perform(undo(change_id=known), owner=self, done=self._undone)

    def _undone(self, outcome: Outcome[None]) -> None:
        # The undo bar offers to take back the undo; Ctrl+Z goes on to what was done before.
        if outcome.change_id in self._changes:
            self._changes.remove(outcome.change_id)

    def _on_performed(self, outcome: Outcome[object]) -> None:
        if outcome.undoable:
            self._changes.append(outcome.change_id)
            self.offered.emit(str(outcome.change_id), outcome.label)
        else:
            self.noted.emit(outcome.label)

    def _on_actor(self, actor: Actor | None) -> None:
        if actor is not None and actor.user_id != self._owner:
            self._owner = actor.user_id
            self._changes.clear()


class Footer(ThemedWidget):
    """One place for both, side by side: the offer to undo and the sentence of a refusal; its height stays."""

    def __init__(self, desk: Desk, history: UndoHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("footer")
        self.undo_bar = UndoBar()
        self.line = Banner("", "")
        self.line.setObjectName("refusalLine")
        self.line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        inner = self.line.layout()
        if inner is not None:
            inner.setContentsMargins(12, 0, 8, 0)  # room for two lines
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.undo_bar)
        layout.addWidget(self.line, 1)
        layout.addStretch(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._over = QTimer(self, singleShot=True, interval=_NOTE_MS)
        self._over.timeout.connect(self.clear)
        self.line.action_requested.connect(self.clear)
        self.undo_bar.undo_requested.connect(history.undo)
        history.offered.connect(self._on_offered)
        history.noted.connect(partial(self.say, button=""))
        desk.refused.connect(self.say)
        desk.actor_changed.connect(self._on_actor)

    def sizeHint(self) -> QSize:
        undo = 0 if self.undo_bar.isHidden() else self.undo_bar.sizeHint().width()
        return QSize(undo + self._line_width(1), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        undo = 0 if self.undo_bar.isHidden() else self.undo_bar.minimumSizeHint().width()
        return QSize(undo + self._line_width(2), super().minimumSizeHint().height())

    def _line_width(self, lines: int) -> int:
        return 0 if self.line.isHidden() else self.line.width_for(lines)

    def say(self, sentence: str, button: str = "Close") -> None:
        """Show one sentence for some seconds; the offer to undo stays where it is."""
        self.line.show_text(sentence, button)
        self.line.setAccessibleName(sentence)
        self.line.setToolTip(sentence)
        self._over.start()

    def clear(self) -> None:
        self._over.stop()
        self.line.show_text("")

    def sentence(self) -> str:
        return self.line.text()

    def _on_offered(self, change_id: str, label: str) -> None:
        self.clear()
        self.undo_bar.offer(change_id, label)

    def _on_actor(self, actor: Actor | None) -> None:
        if actor is None:
            self.clear()
            self.undo_bar.hide()
