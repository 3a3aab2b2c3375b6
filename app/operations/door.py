"""The one door: permission → one local transaction (rows + outbox entry + audit line) → events → undo label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.domain.errors import Denied, Refused, WrongPassword
from app.domain.events import Committed
from app.domain.people import Actor, require
from app.operations.change import Change, Intent, Operation, Outcome, Signer
from app.store import entries, journal
from app.store.entries import CreatedRows
from app.store.login_guard import count_wrong_password
from app.store.sessions import Store
from app.store.tables import UserAccount

R = TypeVar("R")


def unsigned(_actor: Actor, _body: str) -> str:
    """The signature of a station that shares nothing."""
    return ""


@dataclass
class Door:
    """Performs operations on one store. `clock` gives aware UTC; `new_id` makes UUIDv7; `station` opens numbers."""

    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    station: str = "A"
    sign: Signer = unsigned
    _listeners: list[Callable[[Committed], None]] = field(default_factory=list)

    def subscribe(self, listener: Callable[[Committed], None]) -> Callable[[], None]:
        """Call `listener` on the writer thread after each commit; returns the function that stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def perform(self, intent: Intent[R], actor: Actor) -> Outcome[R]:
        """Do it now and wait. Raises `Refused` (audited, nothing written) or `WorldFault`."""
        return self.submit(intent, actor).result()

    def submit(self, intent: Intent[R], actor: Actor) -> Future[Outcome[R]]:
        """Queue it for the writer thread."""
        future: Future[Outcome[R]] = Future()
        inner = self.store.submit(lambda session: self._transact(session, intent, actor))
        inner.add_done_callback(lambda done: self._settle(done, future, intent, actor))
        return future

    def _transact(self, session: Session, intent: Intent[R], actor: Actor) -> tuple[Outcome[R], Committed]:
        declared = intent.operation
        actor = _as_of_now(session, actor)
        if declared.permission is not None:
            require(actor, declared.permission)
        change = Change(session, actor, self.clock(), self.new_id, self.station, self.sign)
        event.listen(session, "before_flush", change.before_flush)
        change.needs = declared.permission
        result = declared.function(change, **intent.arguments)
        session.flush()
        label = change.label or declared.name.replace("_", " ")
        undoable = declared.undoable and bool(change.patches) and not change.resolves
        self._write_down(change, declared, label)
        touched: defaultdict[str, list[UUID]] = defaultdict(list)
        for patch in change.patches:
            touched[patch.entity] += patch.ids if isinstance(patch, CreatedRows) else [patch.id]
        committed = Committed(
            change.id,
            declared.name,
            label,
            actor.name,
            undoable,
            {entity: tuple(ids) for entity, ids in touched.items()},
        )
        return Outcome(result, label, change.id, undoable), committed

    def _write_down(self, change: Change, declared: Operation[..., Any], label: str) -> None:
        if change.testimony is not None:
            journal.append_audit(change.session, change.testimony)
        line = journal.AuditLine(change.now, change.actor, declared.name, "done", label)
        if change.patches or change.resolves:
            head = entries.Head(
                change_id=change.id,
                operation=declared.name,
                label=label,
                actor=change.actor.name,
                actor_id=change.actor.user_id,
                at=change.now,
                undoes=change.undoes,
                needs=change.needs.name if change.needs is not None else None,
                undoable=declared.undoable and not change.resolves,
                resolves=change.resolves,
            )
            body = entries.encode(head, change.patches)
            mac = change.signature(body)
            journal.append_outbox(change.session, change.id, body, mac, self.new_id)
            line = replace(line, change_id=change.id, undoes=change.undoes, body=body)
        elif change.testimony is not None:
            return
        journal.append_audit(change.session, line)

    def _settle(
        self,
        done: Future[tuple[Outcome[R], Committed]],
        future: Future[Outcome[R]],
        intent: Intent[R],
        actor: Actor,
    ) -> None:
        error = done.exception()
        if error is not None:
            if isinstance(error, Refused):
                self._audit_refusal(intent, actor, error)
            future.set_exception(error)
            return
        outcome, committed = done.result()
        for listener in tuple(self._listeners):
            try:
                listener(committed)
            except Exception:  # noqa: BLE001 - the change is committed; whoever waits for it must hear so
                structlog.get_logger().exception("listener_failed", change=str(committed.change_id))
        future.set_result(outcome)

    def _audit_refusal(self, intent: Intent[Any], actor: Actor, error: Refused) -> None:
        kind = "denied" if isinstance(error, Denied) else "refused"
        line = journal.AuditLine(self.clock(), actor, intent.operation.name, kind, error.sentence)

        def write(session: Session) -> None:
            journal.append_audit(session, line)
            if isinstance(error, WrongPassword):
                count_wrong_password(session, actor.name, line.at)

        try:
            self.store.submit(write).add_done_callback(_log_lost_audit)
        except RuntimeError as closed:  # the store was closed while this was in its queue
            structlog.get_logger().error("audit_line_lost", reason=str(closed))


def _log_lost_audit(done: Future[None]) -> None:
    error = done.exception()
    if error is not None:
        structlog.get_logger().error("audit_line_lost", reason=str(error))


def _as_of_now(session: Session, actor: Actor) -> Actor:
    """The actor with the role that the account has at this moment; raises `Denied` for a disabled account."""
    if actor.user_id is None:
        return actor
    account = session.get(UserAccount, actor.user_id)
    if account is None or account.deleted or account.disabled:
        raise Denied(f"The account {actor.name} is disabled; ask an administrator.")
    return Actor(account.id, account.name, account.role)
