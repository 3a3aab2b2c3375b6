"""Writing notes on curves: where, about what, and changing one's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from PySide6.QtWidgets import QWidget

from app.domain.errors import Refused
from app.domain.plant import Tag
from app.operations.change import Intent, Outcome
from app.operations.notes import edit_note, write_note
from ui.bridge.desk import Desk
from ui.models import wording
from ui.models.machine_words import short_name
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

_EVERYTHING = ""
R = TypeVar("R")


def ask_note(desk: Desk, tags: Sequence[Tag], moment: float, host: QWidget) -> DialogCard:
    """Ask for the words of a note at a moment (epoch seconds), and whether it is about a signal or a machine."""
    at = datetime.fromtimestamp(moment, UTC)
    choices = [(f"t:{tag.name}", f"{tag.equipment} {short_name(tag)}") for tag in tags]
    machines = {tag.equipment: None for tag in tags}
    choices += [(f"e:{code}", f"the machine {code}") for code in machines]
    form = Form("Write note")
    form.add_long_text("text", "Note")
    form.add_choice("about", "About", [*choices, (_EVERYTHING, "everything")])
    card = DialogCard(f"Note at {wording.moment(at)}", form, host)
    card.setObjectName("note-card")
    form.submitted.connect(partial(_write, desk, at, list(tags), form, card))
    form.cancelled.connect(card.close)
    card.show_card()
    return card


def _write(desk: Desk, at: datetime, tags: list[Tag], form: Form, card: DialogCard) -> None:
    values = form.values()
    kind, _, name = str(values["about"]).partition(":")
    tag = next((tag for tag in tags if kind == "t" and tag.name == name), None)
    equipment = tag.equipment if tag is not None else name if kind == "e" else ""
    intent = write_note(
        at=at, text=str(values["text"]), equipment=equipment, tag=tag.name if tag is not None else ""
    )
    _perform(desk, intent, form, card)


def ask_change(desk: Desk, note_id: UUID, text: str, host: QWidget) -> DialogCard:
    """Ask for other words of a note."""
    form = Form("Save")
    form.add_long_text("text", "Note")
    form.set_values({"text": text})
    card = DialogCard("Change note", form, host)
    card.setObjectName("note-card")
    form.submitted.connect(partial(_change, desk, note_id, form, card))
    form.cancelled.connect(card.close)
    card.show_card()
    return card


def _change(desk: Desk, note_id: UUID, form: Form, card: DialogCard) -> None:
    _perform(desk, edit_note(note_id=note_id, text=str(form.values()["text"])), form, card)


def _perform(desk: Desk, intent: Intent[R], form: Form, card: DialogCard) -> None:
    def done(_outcome: Outcome[R]) -> None:
        card.close()

    def failed(refused: Refused) -> None:
        form.set_error(refused.field, refused.sentence)

    desk.perform(intent, owner=card, done=done, failed=failed)
