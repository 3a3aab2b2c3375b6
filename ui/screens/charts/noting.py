"""Notes on curves: the form that asks for the words, and what about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.domain.plant import Tag
from app.operations.change import Intent
from app.operations.notes import edit_note, write_note
from ui.models.machine_words import short_name
from ui.widgets.form import Form

_EVERYTHING = ""


def note_form(tags: Sequence[Tag]) -> Form:
    """Asks for the words of a note, and whether it is about a signal, a machine or everything."""
    choices = [(f"t:{tag.name}", f"{tag.equipment} {short_name(tag)}") for tag in tags]
    machines = {tag.equipment: None for tag in tags}
    choices += [(f"e:{code}", f"the machine {code}") for code in machines]
    form = Form("Write note")
    form.add_long_text("text", "Note")
    form.add_choice("about", "About", [*choices, (_EVERYTHING, "everything")])
    form.set_values({"about": choices[0][0] if choices else _EVERYTHING})
    return form


def written(at: datetime, tags: Sequence[Tag], form: Form) -> Intent[UUID]:
    """The note that the form says, at the moment `at`."""
    values = form.values()
    kind, _, name = str(values["about"]).partition(":")
    tag = next((tag for tag in tags if kind == "t" and tag.name == name), None)
    equipment = tag.equipment if tag is not None else name if kind == "e" else ""
    return write_note(
        at=at, text=str(values["text"]), equipment=equipment, tag=tag.name if tag is not None else ""
    )


def change_form(text: str) -> Form:
    """Asks for other words of a note."""
    form = Form("Save")
    form.add_long_text("text", "Note")
    form.set_values({"text": text})
    return form


def changed(note_id: UUID, form: Form) -> Intent[None]:
    return edit_note(note_id=note_id, text=str(form.values()["text"]))
