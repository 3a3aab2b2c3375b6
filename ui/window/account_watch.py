"""Looks after the account of whoever is at the desk: disabled elsewhere it locks, a new role counts at once."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from PySide6.QtCore import QObject, QTimer
from sqlalchemy.orm import Session

from app.domain.people import Actor
from app.store.queries.accounts import Standing, standing
from ui.bridge.desk import EVERYTHING, Desk
from ui.window.sessions import Sessions

_SOON_MS = 300
_TABLE = "user_account"


class AccountWatch(QObject):
    """Reads the account again when accounts may have changed, here or at another station."""

    def __init__(self, desk: Desk, sessions: Sessions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._sessions = desk, sessions
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._look)
        desk.changed.connect(self._on_changed)

    def _on_changed(self, entities: frozenset[str]) -> None:
        if (entities == EVERYTHING or _TABLE in entities) and self._desk.actor is not None:
            self._soon.start()

    def _look(self) -> None:
        actor = self._desk.actor
        user_id = actor.user_id if actor is not None else None
        if user_id is None:
            return
        one: UUID = user_id
        signing = self._desk.house.signing

        def read(session: Session) -> Standing | None:
            found = standing(session, one)
            return found and replace(found, ended=signing.has_ended(one))

        self._desk.read(read, self._take, owner=self, key="standing", failed=self._not_read)

    def _take(self, found: Standing | None) -> None:
        actor = self._desk.actor
        if actor is None or actor.user_id is None or (found is not None and found.user_id != actor.user_id):
            return
        if found is None or found.disabled:
            self._sessions.send_away(f"The account {actor.name} is disabled; ask an administrator.")
        elif found.ended:
            self._sessions.send_away(
                f"The password of {actor.name} was changed elsewhere; log in with the new one."
            )
        elif found.role is not actor.role:
            self._desk.set_actor(Actor(actor.user_id, actor.name, found.role))

    def _not_read(self, error: BaseException) -> None:
        """A store that cannot be read is told by whoever shows it; the door judges each change anyway."""
