"""Ends logins here whose password was changed elsewhere, and tells the server when nothing is left of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.people import Actor, Role
from app.store.journal import PENDING, AuditLine, append_audit
from app.store.sealing import terms_of
from app.store.sessions import Store
from app.store.tables import Credential, LoginGrant, Outbox, PasswordNote, UserAccount

if TYPE_CHECKING:
    from app.sync.wire import ServerConnection

log = structlog.get_logger(__name__)

_WHY = "The password was changed elsewhere; only the new one counts here too"


def end_outdated_logins(store: Store, server: ServerConnection, now: datetime) -> int:
    """Have an old password let nobody in here any more, with the server or without; returns how many logins ended.

    To be called when nothing is left to push. What was signed before is at the server then, so that it may refuse
    whatever else is signed with an old secret, whoever has it: it has no other way to tell what was written before.
    Raises `WorldFault` or `Refused`.
    """
    with store.reader() as session:
        known = {one.user_id: one.password_hash for one in session.execute(select(Credential)).scalars()}
    held = (
        server.logins()
    )  # asked after looking here: whoever logs in meanwhile with the new one is left alone
    terms = {one.user: one.terms for one in held}
    outdated = {
        user: here for user, here in known.items() if terms.get(user, terms_of(here)[0]) != terms_of(here)[0]
    }
    ended = store.submit(partial(_end, outdated=outdated, now=now)).result() if outdated else []
    for name in ended:
        log.info("login_ended", user=name, reason=_WHY)
    with store.reader() as session:
        done = [one.user for one in held if one.older or not _can_sign(session, one.user)]
        pending = session.execute(select(Outbox.n).where(Outbox.state == PENDING).limit(1)).first()
    if done and pending is None:
        server.end_older_logins(done)
    return len(ended)


def _can_sign(session: Session, user: UUID) -> bool:
    return session.get(LoginGrant, user) is not None


def _end(session: Session, *, outdated: Mapping[UUID, str], now: datetime) -> list[str]:
    """End the logins of people whose verifier is still this one; a password that is on its way there counts here."""
    names = []
    on_the_way = set(session.execute(select(PasswordNote.user_id)).scalars())
    for user, verifier in outdated.items():
        known = session.get(Credential, user)
        if user in on_the_way or known is None or known.password_hash != verifier:
            continue
        session.execute(delete(LoginGrant).where(LoginGrant.user_id == user))
        session.execute(delete(Credential).where(Credential.user_id == user))
        account = session.get(UserAccount, user)
        name = "unknown name" if account is None else account.name
        append_audit(session, AuditLine(now, Actor(None, name, Role.OPERATOR), "log_in", "refused", _WHY))
        names.append(name)
    return names
