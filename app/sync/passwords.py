"""Brings new passwords to the server, after the changes that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.store.journal import PENDING
from app.store.sessions import Store
from app.store.sharing import BRINGING
from app.store.tables import Credential, LoginGrant, Meta, Outbox, PasswordNote

if TYPE_CHECKING:
    from uuid import UUID

    from app.sync.wire import ServerConnection

log = structlog.get_logger(__name__)

_JUDGED = ("42501", "SY010", "SY011")
"""Not allowed to its author, a later password stands there, or an account that the server does not have."""


def push_password_notes(store: Store, connection: ServerConnection) -> int:
    """Tell the server of the passwords that were set here, oldest first; returns how many it took.

    To be called when nothing is left to push, so that it knows the accounts. A note that the server refuses is given
    up, together with what lets that person log in here without the server: only the server's password counts then.
    Raises `WorldFault`; what is left waits for the next round. Once all is told, the server is asked to take nothing
    more in other people's names from a station that brought data.
    """
    taken = 0
    for note in _notes(store):
        try:
            connection.set_password(note.body, note.mac)
        except Refused as refused:
            if not _is_judged(refused):
                raise
            log.warning("password_refused", user=str(note.user_id), reason=refused.sentence)
            _settle(store, note.id, note.user_id)
        else:
            taken += 1
            _settle(store, note.id, None)
    if _has_brought_all(store):
        connection.end_bringing()
        store.submit(_end_bringing).result()
    return taken


def _is_judged(refused: Refused) -> bool:
    """Whether the server refused this note; else it refused the station, and the note waits."""
    return getattr(refused.__cause__, "sqlstate", None) in _JUDGED


def waiting_passwords(session: Session) -> int:
    """How many new passwords the server has not heard of."""
    return session.execute(select(func.count()).select_from(PasswordNote)).scalar_one()


def _notes(store: Store) -> list[PasswordNote]:
    with store.reader() as session:
        return list(session.execute(select(PasswordNote).order_by(PasswordNote.position)).scalars())


def _settle(store: Store, note_id: UUID, forget: UUID | None) -> None:
    """The note is dealt with; `forget` names the person whose local login goes with it."""

    def write(session: Session) -> None:
        session.execute(delete(PasswordNote).where(PasswordNote.id == note_id))
        if forget is not None:
            session.execute(delete(LoginGrant).where(LoginGrant.user_id == forget))
            session.execute(delete(Credential).where(Credential.user_id == forget))

    store.submit(write).result()


def _has_brought_all(store: Store) -> bool:
    with store.reader() as session:
        if session.get(Meta, BRINGING) is None:
            return False
        pending = select(Outbox.n).where(Outbox.state == PENDING).limit(1)
        return session.execute(pending).first() is None


def _end_bringing(session: Session) -> None:
    session.execute(delete(Meta).where(Meta.key == BRINGING))
