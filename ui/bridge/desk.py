"""What every screen stands on: one open house, one person, reads and operations that never block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot
from sqlalchemy.orm import Session

from app.domain.errors import Refused, WorldFault
from app.domain.events import Committed
from app.domain.people import Actor, Permission, denial
from app.operations.change import Intent, Outcome
from app.operations.undo import undo
from app.plant import House
from ui.bridge.sync_status import SyncWatch
from ui.tasks import Tasks

R = TypeVar("R")
T = TypeVar("T")

EVERYTHING = frozenset({"*"})
_FOREIGN_POLL_MS = 150  # one look costs microseconds
_FOREIGN_REST_MS = 700  # between two tellings, so that a stream of commits does not keep every list reading


class Desk(QObject):
    """One person at one open house.

    `changed` names the entities (table names) whose rows a commit touched, `EVERYTHING` when another process wrote.
    `performed` carries each `Outcome` for the undo bar; `refused` a sentence that no field took;
    `fault` a key and a sentence of the world (None: it is over). `sharing` tells how it goes with the server.
    """

    changed = Signal(frozenset)
    actor_changed = Signal(object)
    performed = Signal(object)
    refused = Signal(str)
    fault = Signal(str, object)
    _committed = Signal(object)

    def __init__(self, house: House, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.house = house
        self.tasks = tasks
        self._actor: Actor | None = None
        self._unsubscribe = house.door.subscribe(self._committed.emit)
        self._committed.connect(self._on_committed)
        self._data_version = house.store.data_version()
        self._seen_version = self._data_version()
        self._told = QElapsedTimer()
        self._told.start()
        self._poll = QTimer(self, interval=_FOREIGN_POLL_MS)
        self._poll.timeout.connect(self._look_for_foreign_commits)
        self._poll.start()
        self.sharing = SyncWatch(self)

    def close(self) -> None:
        """Stop listening; the house itself belongs to whoever opened it."""
        self.sharing.stop()
        self._poll.stop()
        self._unsubscribe()
        self._data_version.close()

    @property
    def actor(self) -> Actor | None:
        """Who is logged in, None at the login screen."""
        return self._actor

    def set_actor(self, actor: Actor | None) -> None:
        self._actor = actor
        self.actor_changed.emit(actor)

    def denial(self, permission: Permission) -> str | None:
        """Why the person at the screen may not, None when they may."""
        if self._actor is None:
            return "Log in first."
        return denial(self._actor.role, permission)

    def read(
        self,
        query: Callable[[Session], T],
        done: Callable[[T], None],
        *,
        owner: QObject,
        key: str = "",
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Run a query on a reader thread; a later read of `owner` under the same `key` supersedes this one."""
        self.tasks.run(lambda: self._query(query), done, owner=owner, key=key, failed=failed)

    def _query(self, query: Callable[[Session], T]) -> T:
        with self.house.store.reader() as session:
            return query(session)

    def perform(
        self,
        intent: Intent[R],
        *,
        owner: QObject,
        done: Callable[[Outcome[R]], None] | None = None,
        failed: Callable[[Refused], None] | None = None,
    ) -> None:
        """Do it in the name of the person at the screen; without `failed` a refusal goes to the undo bar's place."""
        if self._actor is None:
            self.refused.emit("Log in first.")
            return

        def on_done(outcome: Outcome[R]) -> None:
            self.performed.emit(outcome)
            if done is not None:
                done(outcome)

        def on_failed(error: BaseException) -> None:
            self._take_failure(error, failed)

        self.tasks.follow(self.house.door.submit(intent, self._actor), on_done, owner=owner, failed=on_failed)

    def undo(self, change_id: Any) -> None:
        """Take back a change."""
        self.perform(undo(change_id=change_id), owner=self)

    def _take_failure(self, error: BaseException, failed: Callable[[Refused], None] | None) -> None:
        if isinstance(error, Refused):
            if failed is not None:
                failed(error)
            else:
                self.refused.emit(error.sentence)
        elif isinstance(error, WorldFault):
            self.fault.emit("store", error.sentence)
            self.refused.emit(error.sentence)
        else:
            self.tasks.unhandled.emit(error)

    @Slot(object)
    def _on_committed(self, committed: Committed) -> None:
        self.fault.emit("store", None)
        if committed.touched:
            self.changed.emit(frozenset(committed.touched))

    @Slot()
    def _look_for_foreign_commits(self) -> None:
        """Tell of every move of the version, own commits too: it cannot say whose commit it was, and several
        within one interval look like one. Models wait for a pause and keep their rows, so one more read is cheap.
        """
        if self._told.elapsed() < _FOREIGN_REST_MS:
            return
        version = self._data_version()
        moved, self._seen_version = version != self._seen_version, version
        if moved:
            self._told.restart()
            self.changed.emit(EVERYTHING)
