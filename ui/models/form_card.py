"""A form in a modeless card whose half-typed content outlives a lock, a change of user or an accidental close."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.domain.errors import Refused, Stale
from app.operations.change import Intent, Outcome
from ui.bridge.desk import Desk
from ui.models.sharing_line import SharingLine
from ui.widgets.dialog_card import DialogCard
from ui.widgets.fields import Value
from ui.widgets.form import Form

Draft = Mapping[str, Value]


@dataclass(frozen=True)
class _About:
    """What an open form is for, so that it can be opened again as it was."""

    key: str
    title: str
    build: Callable[[], Form]
    intent: Callable[[Form], Intent[Any]]
    done: Callable[[Any], None] | None
    row: tuple[str, UUID] | None = None


class FormCard(QObject):
    """Opens one form at a time over `host`, performs what it means, and keeps drafts a person and form key."""

    def __init__(self, desk: Desk, host: QWidget) -> None:
        super().__init__(host)
        self._desk = desk
        self._host = host
        self._drafts: dict[tuple[UUID | None, str], Draft] = {}
        self._reopen: dict[UUID | None, _About] = {}
        self._card: DialogCard | None = None
        self._form: Form | None = None
        self._about: _About | None = None
        self._person: UUID | None = None
        self._keeps = False
        desk.actor_changed.connect(self._on_actor)

    @property
    def form(self) -> Form | None:
        """The form on the screen, None when there is none."""
        return self._form if self._form is not None and isValid(self._form) else None

    def open(
        self,
        key: str,
        title: str,
        build: Callable[[], Form],
        intent: Callable[[Form], Intent[Any]],
        *,
        keep_draft: bool = False,
        done: Callable[[Any], None] | None = None,
        row: tuple[str, UUID] | None = None,
    ) -> Form:
        """Show a form built by `build`; submitting performs `intent(form)`, whose refusal lands beside its field.

        A lock or another person at the screen takes the form away and brings it back to who had it open; with
        `keep_draft` what was typed also outlives Esc and closing, until it was saved. `row` (entity, id) is the one
        that the form changes: other stations see that somebody edits it, and the card tells who else does.
        """
        self.close()
        form = build()
        actor = self._desk.actor
        self._person = actor.user_id if actor else None
        self._about, self._form = _About(key, title, build, intent, done, row), form
        self._keeps = keep_draft
        draft = self._drafts.get((self._person, key)) if keep_draft else None
        if draft:
            form.set_values(draft)
        form.changed.connect(partial(self._keep, key))
        form.submitted.connect(partial(self._submit, done))
        form.cancelled.connect(partial(self._cancel, key))
        self._card = DialogCard(title, form, self._host)
        self._card.setObjectName(f"card-{key}")
        if row is not None:
            line = SharingLine(self._desk, row[0], editing=True)
            line.show_row(row[1])
            self._card.add_note(line)
        self._card.show_card()
        form.focus_first()
        return form

    def close(self) -> None:
        """Take the card away; a draft stays."""
        card, self._card, self._form = self._card, None, None
        if card is not None and isValid(card):
            card.close()

    def _keep(self, key: str) -> None:
        form = self.form
        if form is not None and self._keeps:
            self._drafts[self._person, key] = form.values()

    def _cancel(self, key: str) -> None:
        self._drafts.pop((self._person, key), None)
        self.close()

    def _submit(self, done: Callable[[Any], None] | None) -> None:
        form, about = self.form, self._about
        if form is None or about is None:
            return
        try:
            intent = about.intent(form)
        except Refused as refusal:
            form.set_error(refusal.field, refusal.sentence)
            return
        form.submit_button.setEnabled(False)
        self._desk.perform(
            intent,
            owner=form,
            done=partial(self._saved, about.key, done),
            failed=partial(self._refused, form),
        )

    def _saved(self, key: str, done: Callable[[Any], None] | None, outcome: Outcome[Any]) -> None:
        self._drafts.pop((self._person, key), None)
        self.close()
        if done is not None:
            done(outcome.result)

    def _refused(self, form: Form, refusal: Refused) -> None:
        form.submit_button.setEnabled(True)
        form.set_error(refusal.field, refusal.sentence)
        if isinstance(refusal, Stale) and refusal.field is not None:
            form.set_standing(refusal.field, refusal.now)

    def _on_actor(self, actor: Any) -> None:
        """Someone else at the screen sees nobody's half-typed form; its owner finds it again."""
        person = actor.user_id if actor else None
        form, about = self.form, self._about
        if form is not None and about is not None and person != self._person:
            self._drafts[self._person, about.key] = form.values()
            self._reopen[self._person] = about
            self.close()
        if actor is not None and person in self._reopen:
            again = self._reopen.pop(person)
            self.open(
                again.key,
                again.title,
                again.build,
                again.intent,
                keep_draft=True,
                done=again.done,
                row=again.row,
            )
