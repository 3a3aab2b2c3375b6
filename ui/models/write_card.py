"""Sends a value to a machine in two steps: check it, then say so with a button that names the act."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QWidget

from app.domain.alarms import machine_of, signal_of
from app.domain.errors import Refused
from app.domain.plant import Tag
from app.domain.samples import Value as Sent
from app.domain.writing import check_write
from app.operations.change import Outcome
from app.operations.machines import write_to_machine
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.machine_words import signal_words, value_words
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form
from ui.widgets.themed import RoleLabel

_ANSWER_MS = 15_000


class WriteAnswer(Protocol):
    """What the collector tells of a value that was sent."""

    @property
    def id(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def ok(self) -> bool: ...
    @property
    def sentence(self) -> str: ...


class WriteCard(DialogCard):
    """Shows the present value, takes a new one with a reason, and tells what the machine made of it."""

    def __init__(self, desk: Desk, live: LiveDesk, tag: Tag, parent: QWidget) -> None:
        self.form = Form("Check", "Close")
        self._desk, self._live, self._tag = desk, live, tag
        self._checked: Sent = None
        self._waiting = ""
        self._early: dict[str, WriteAnswer] = {}
        self.now = RoleLabel("", "strong")
        self.answer = RoleLabel("", "body")
        self.answer.setObjectName("write-answer")
        self._build()
        self._called = f"{machine_of(live.plant, tag.name)}, {signal_of(live.plant, tag.name)}"
        super().__init__(f"Send a value to {self._called}", self.form, parent)
        self.setObjectName("card-write")
        self.resize(520, 260)
        self.form.submitted.connect(self._step)
        self.form.cancelled.connect(self.close)
        self.form.changed.connect(self._back_to_check)
        self._patience = QTimer(self, singleShot=True, interval=_ANSWER_MS)
        self._patience.timeout.connect(self._no_answer)
        live.ticked.connect(self._show_now)
        live.write_answered.connect(self._answered)
        self._show_now()

    def _build(self) -> None:
        writing = self._tag.writing
        low, high = (writing.low, writing.high) if writing else (None, None)
        bounds = [f"{words} {value_words(v)}" for words, v in (("from", low), ("to", high)) if v is not None]
        names = ", ".join(name for _, name in self._tag.states)
        hint = " ".join((*bounds, self._tag.unit)) if bounds else names or self._tag.unit
        self.form.add_field("now", "Now", _Shown(self.now))
        self.form.add_text("value", "New value", hint=hint)
        self.form.add_text("reason", "Reason", hint="kept in the audit trail")
        self.form.add_field("answer", "", _Shown(self.answer))
        self.answer.setWordWrap(True)
        self.answer.setMinimumHeight(52)
        self.answer.setAlignment(Qt.AlignmentFlag.AlignTop)

    @Slot()
    def _show_now(self) -> None:
        signal = self._live.signal(self._tag)
        words = signal_words(signal)
        self.now.setText(f"{words} – not current" if signal.stale else words)
        if signal.stale and not self._waiting and not self.answer.text():
            self.answer.setText(f"{signal.reason[:1].upper()}{signal.reason[1:]}")

    def _step(self) -> None:
        """First press: is it allowed? Second press: send it."""
        values = self.form.values()
        self.answer.setText("")
        if self._checked is not None:
            self._send(str(values["reason"]))
            return
        try:
            sent = check_write(self._tag, str(values["value"]))
        except Refused as refusal:
            self.form.set_error("value", refusal.sentence)
            return
        self._checked = sent
        unit = f" {self._tag.unit}" if self._tag.unit else ""
        shown = dict(self._tag.states).get(sent) if isinstance(sent, int) else None
        words = shown or (value_words(sent) if not isinstance(sent, str) else sent)
        self.form.submit_button.setText(f"Send {words}{unit} to {self._called}")

    def _back_to_check(self) -> None:
        """What was changed has to be checked anew."""
        self._checked = None
        self.form.submit_button.setText("Check")

    def _send(self, reason: str) -> None:
        sent, self._checked = self._checked, None
        assert sent is not None
        self.form.submit_button.setEnabled(False)
        intent = write_to_machine(tag=self._tag.name, value=sent, reason=reason)
        self._desk.perform(intent, owner=self, done=self._sent, failed=self._refused)

    def _sent(self, outcome: Outcome[UUID]) -> None:
        self._waiting = str(outcome.result)
        self.answer.setText("Sent. Waiting for the machine…")
        self._live.poke()
        self._patience.start()
        if self._waiting in self._early:
            self._answered(self._early[self._waiting])

    def _refused(self, refusal: Refused) -> None:
        self._end(refusal.sentence)
        self.form.set_error(refusal.field, refusal.sentence)

    @Slot(object)
    def _answered(self, answer: WriteAnswer) -> None:
        """The collector tells what became of a write; it may be faster than the commit's own echo."""
        if answer.id != self._waiting:
            if answer.tag == self._tag.name:
                self._early[answer.id] = answer
            return
        self._end(f"{'✔' if answer.ok else '✖'} {answer.sentence}")

    @Slot()
    def _no_answer(self) -> None:
        self._end(
            "Nobody has answered yet. Is the collector running? What becomes of it is in the audit trail."
        )

    def _end(self, sentence: str) -> None:
        self._waiting = ""
        self._patience.stop()
        self.answer.setText(sentence)
        self.form.submit_button.setText("Check")
        self.form.submit_button.setEnabled(True)


class _Shown:
    """A label that stands among the fields."""

    def __init__(self, label: RoleLabel) -> None:
        self._label = label

    def widget(self) -> QWidget:
        """The label itself."""
        return self._label

    def value(self) -> None:
        """A label has no value."""

    def set_value(self, value: object) -> None:
        """A label is set by its owner."""
