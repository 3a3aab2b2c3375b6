"""Notes on curves: remarks at a moment, of a machine, of one signal, or of the whole workshop."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.domain.errors import Denied
from app.domain.orders import check_text
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store.tables import Note


@operation(Permission.WRITE_NOTES)
def write_note(change: Change, /, *, at: datetime, text: str, equipment: str = "", tag: str = "") -> UUID:
    """Put a remark at the moment `at` (aware); empty `equipment` and `tag` mean everything."""
    note = Note(
        id=change.new_id(),
        at=at,
        text=check_text(text, "note", "text", longest=500),
        equipment=equipment,
        tag=tag,
        written_at=change.now,
        author=change.actor.name,
    )
    change.session.add(note)
    change.label = f"Wrote a note: {note.text[:60]}"
    return note.id


@operation(Permission.WRITE_NOTES)
def edit_note(change: Change, /, *, note_id: UUID, text: str) -> None:
    """Change the words of one's own note."""
    note = _own(change, note_id)
    note.text = check_text(text, "note", "text", longest=500)
    change.label = f"Changed a note: {note.text[:60]}"


@operation(Permission.WRITE_NOTES)
def delete_note(change: Change, /, *, note_id: UUID) -> None:
    """Take one's own note away."""
    note = _own(change, note_id)
    note.deleted = True
    change.label = f"Deleted a note: {note.text[:60]}"


def _own(change: Change, note_id: UUID) -> Note:
    note: Note = change.get(Note, note_id, "note")
    if note.author != change.actor.name:
        raise Denied(f"Only {note.author} may change this note.")
    return note
