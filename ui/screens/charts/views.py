"""Saved views of the charts: a dropdown of one's own and the shared ones, with saving, renaming, sharing, deleting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.operations.change import Outcome
from app.operations.saved_views import delete_view, rename_view, save_view, share_view
from app.store.queries.saved_views import ViewLine, saved_views
from ui.bridge.desk import EVERYTHING, Desk
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

PLACE = "charts"


class SavedViews(QObject):
    """`opened` carries the content of a view; `renamed` the name to show on the button (empty: none is open)."""

    opened = Signal(object)
    renamed = Signal(str)

    def __init__(self, desk: Desk, content: Callable[[], Mapping[str, Any]], host: QWidget) -> None:
        super().__init__(host)
        self._desk, self._content, self._host = desk, content, host
        self.lines: list[ViewLine] = []
        self.current: UUID | None = None
        self.menu = QMenu("Saved views", host)
        self.menu.setObjectName("view-menu")
        desk.changed.connect(self._on_changed)
        desk.actor_changed.connect(self._on_actor)
        self.read()

    def _on_changed(self, entities: frozenset[str]) -> None:
        if entities == EVERYTHING or "saved_view" in entities:
            self.read()

    def _on_actor(self, _actor: object) -> None:
        self.current = None
        self.read()

    def read(self) -> None:
        """Read the list again."""
        person = self._desk.actor.name if self._desk.actor is not None else ""

        def query(session: Session) -> list[ViewLine]:
            return saved_views(session, PLACE, person)

        self._desk.read(query, self._take, owner=self, key="views")

    def _take(self, lines: list[ViewLine]) -> None:
        self.lines = lines
        if self._line() is None:
            self.current = None
        self._fill()
        line = self._line()
        self.renamed.emit(line.name if line is not None else "")

    def _line(self) -> ViewLine | None:
        return next((line for line in self.lines if line.id == self.current), None)

    def _is_mine(self, line: ViewLine) -> bool:
        return self._desk.actor is not None and line.owner == self._desk.actor.name

    def _fill(self) -> None:
        self.menu.clear()
        for line in self.lines:
            shown = line.name if self._is_mine(line) else f"{line.name} ({line.owner})"
            action = self.menu.addAction(f"{shown}, shared" if self._is_mine(line) and line.shared else shown)
            action.setCheckable(True)
            action.setChecked(line.id == self.current)
            action.triggered.connect(partial(self.open, line.id))
        if not self.lines:
            self.menu.addAction("No saved views yet").setEnabled(False)
        self.menu.addSeparator()
        self.menu.addAction("Save view…", self.ask_name)
        current = self._line()
        if current is not None and self._is_mine(current):
            self.menu.addAction(f"Save changes to {current.name}", self._save_again)
            self.menu.addAction("Rename…", self.ask_new_name)
            self.menu.addAction("Stop sharing" if current.shared else "Share with everybody", self._share)
            self.menu.addAction("Delete", self._delete)

    def open(self, view_id: UUID, _checked: bool = False) -> None:
        """Arrange the charts as the view says."""
        self.current = view_id
        line = self._line()
        if line is not None:
            self._fill()
            self.renamed.emit(line.name)
            self.opened.emit(dict(line.content))

    def open_named(self, name: str) -> bool:
        """Open the first view of that name; False when there is none."""
        line = next((line for line in self.lines if line.name.casefold() == name.casefold()), None)
        if line is not None:
            self.open(line.id)
        return line is not None

    # -- writing -------------------------------------------------------------------------------------

    def ask_name(self) -> None:
        """Ask under which name the present arrangement is to be kept."""
        form = Form("Save")
        form.add_text("name", "Name")
        form.add_tick("shared", "Everybody may open it")
        card = DialogCard("Save view", form, self._host)
        card.setObjectName("view-card")
        form.submitted.connect(partial(self._save, form, card))
        form.cancelled.connect(card.close)
        card.show_card()

    def _save(self, form: Form, card: DialogCard) -> None:
        values = form.values()
        intent = save_view(
            place=PLACE, name=str(values["name"]), content=self._content(), shared=bool(values["shared"])
        )
        done = partial(self._saved, card)
        self._desk.perform(intent, owner=self, done=done, failed=partial(_refuse, form))

    def _saved(self, card: DialogCard | None, outcome: Outcome[UUID]) -> None:
        self.current = outcome.result
        if card is not None:
            card.close()
        self.read()

    def _save_again(self) -> None:
        line = self._line()
        if line is not None:
            intent = save_view(place=PLACE, name=line.name, content=self._content(), shared=line.shared)
            self._desk.perform(intent, owner=self, done=partial(self._saved, None))

    def ask_new_name(self) -> None:
        """Ask for another name of the open view."""
        line = self._line()
        if line is None:
            return
        form = Form("Rename")
        form.add_text("name", "Name")
        form.set_values({"name": line.name})
        card = DialogCard("Rename view", form, self._host)
        form.submitted.connect(partial(self._rename, line.id, form, card))
        form.cancelled.connect(card.close)
        card.show_card()

    def _rename(self, view_id: UUID, form: Form, card: DialogCard) -> None:
        intent = rename_view(view_id=view_id, name=str(form.values()["name"]))
        self._desk.perform(intent, owner=self, done=partial(_close, card), failed=partial(_refuse, form))

    def _share(self) -> None:
        line = self._line()
        if line is not None:
            self._desk.perform(share_view(view_id=line.id, shared=not line.shared), owner=self)

    def _delete(self) -> None:
        line = self._line()
        if line is not None:
            self._desk.perform(delete_view(view_id=line.id), owner=self)


def _refuse(form: Form, refused: Refused) -> None:
    form.set_error(refused.field, refused.sentence)


def _close(card: DialogCard, _outcome: Outcome[None]) -> None:
    card.close()
