"""A form in a modeless card whose half-typed content outlives a lock, a change of user or an accidental close."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.domain.errors import Refused
from app.operations.change import Intent, Outcome
from ui.bridge.desk import Desk
from ui.widgets.dialog_card import DialogCard
from ui.widgets.fields import Value
from ui.widgets.form import Form

Draft = Mapping[str, Value]


class FormCard(QObject):
    """Opens one form at a time over `host`, performs what it means, and keeps drafts a person and form key."""

    def __init__(self, desk: Desk, host: QWidget) -> None:
        super().__init__(host)
        self._desk = desk
        self._host = host
        self._drafts: dict[tuple[UUID | None, str], Draft] = {}
        self._reopen: dict[
            UUID | None, tuple[str, str, Callable[[], Form], Callable[[Form], Intent[Any]]]
        ] = {}
        self._card: DialogCard | None = None
        self._form: Form | None = None
        self._about: tuple[str, str, Callable[[], Form], Callable[[Form], Intent[Any]]] | None = None
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
    ) -> Form:
        """Show a form built by `build`; submitting performs `intent(form)`, whose refusal lands beside its field.

        With `keep_draft` what was typed is there again after a lock or Esc, until it was saved.
        """
        self.close()
        form = build()
        actor = self._desk.actor
        self._person = actor.user_id if actor else None
        self._about, self._form, self._keeps = (key, title, build, intent), form, keep_draft
        draft = self._drafts.get((self._person, key)) if keep_draft else None
        if draft:
            form.set_values(draft)
        form.changed.connect(partial(self._keep, key))
        form.submitted.connect(partial(self._submit, done))
        form.cancelled.connect(partial(self._cancel, key))
        self._card = DialogCard(title, form, self._host)
        self._card.setObjectName(f"card-{key}")
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
            intent = about[3](form)
        except Refused as refusal:
            form.set_error(refusal.field, refusal.sentence)
            return
        form.submit_button.setEnabled(False)
        self._desk.perform(
            intent, owner=form, done=partial(self._saved, about[0], done), failed=partial(self._refused, form)
        )

    def _saved(self, key: str, done: Callable[[Any], None] | None, outcome: Outcome[Any]) -> None:
        self._drafts.pop((self._person, key), None)
        self.close()
        if done is not None:
            done(outcome.result)

    def _refused(self, form: Form, refusal: Refused) -> None:
        form.submit_button.setEnabled(True)
        form.set_error(refusal.field, refusal.sentence)

    def _on_actor(self, actor: Any) -> None:
        """Someone else at the screen sees nobody's half-typed form; its owner finds it again."""
        person = actor.user_id if actor else None
        if self.form is not None and person != self._person and self._about is not None:
            self._keep(self._about[0])
            if self._keeps:
                self._reopen[self._person] = self._about
            self.close()
        if actor is not None and person in self._reopen:
            key, title, build, intent = self._reopen.pop(person)
            self.open(key, title, build, intent, keep_draft=True)
