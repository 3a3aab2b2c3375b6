"""Logging in and out, with a lock-out that doubles after repeated wrong passwords and survives a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.domain.errors import Refused
from app.domain.people import THE_PLANT, Actor, Role, lock_after
from app.operations.change import Change, Door, operation
from app.operations.people import hash_password, password_fits
from app.store.tables import Credential, LoginGuard, UserAccount

_WRONG = "The user name or the password is wrong."


@dataclass(frozen=True, slots=True)
class Login:
    """A person who proved who they are."""

    actor: Actor
    must_change_password: bool


def log_in(door: Door, name: str, password: str) -> Login:
    """Check a name and password (about 50 ms: call it from a worker thread).

    Raises `Refused` with one sentence for a wrong pair, a locked or a disabled account; every try is audited.
    """
    key = " ".join(name.split()).casefold()
    now = door.clock()
    with door.store.reader() as session:
        guard = session.get(LoginGuard, key)
        found = session.execute(
            select(UserAccount, Credential.password_hash)
            .join(Credential, Credential.user_id == UserAccount.id)
            .where(UserAccount.name_key == key, ~UserAccount.deleted)
        ).one_or_none()
    if guard is not None and guard.locked_until is not None and guard.locked_until > now:
        sentence = _say_lock(guard.locked_until, now)
        door.perform(note_refused_login(name=found[0].name if found else "", why=sentence), THE_PLANT)
        raise Refused(sentence, field="password")
    if found is None:
        # As slow as a real check, so that a name cannot be guessed by the time that it takes.
        hash_password(password)
    if found is None or not password_fits(password, found.password_hash):
        known = "" if found is None else found[0].name
        locked = door.perform(note_failed_login(name=name, known=known), THE_PLANT).result
        raise Refused(_WRONG if locked is None else f"{_WRONG} {_say_lock(locked, now)}", field="password")
    account: UserAccount = found[0]
    if account.disabled:
        sentence = "This account is disabled; ask an administrator."
        door.perform(note_refused_login(name=account.name, why=sentence), THE_PLANT)
        raise Refused(sentence, field="name")
    actor = Actor(account.id, account.name, account.role)
    door.perform(note_login(), actor)
    return Login(actor, account.must_change_password)


@operation(None, undoable=False)
def note_failed_login(change: Change, /, *, name: str, known: str) -> datetime | None:
    """Count a wrong password for `name`; returns until when that name is locked now.

    The audit trail keeps only the name of a `known` account: what else is typed there may be a password.
    """
    tidy = " ".join(name.split())[:60]
    guard = change.session.get(LoginGuard, tidy.casefold())
    if guard is None:
        guard = LoginGuard(
            name_key=tidy.casefold(), failed_tries=0, locked_until=None, last_failed_at=change.now
        )
        change.session.add(guard)
    guard.failed_tries += 1
    guard.last_failed_at = change.now
    guard.locked_until = lock_after(guard.failed_tries, change.now)
    _testify_refusal(change, known, "Wrong user name or password")
    return guard.locked_until


@operation(None, undoable=False)
def note_refused_login(change: Change, /, *, name: str, why: str) -> None:
    """Note a try at a locked or disabled account; an empty `name` is one that nobody has."""
    _testify_refusal(change, name, why)


def _testify_refusal(change: Change, name: str, why: str) -> None:
    actor = Actor(None, name or "unknown name", Role.OPERATOR)
    change.testify(actor, "refused", why, "log_in")


@operation(None, undoable=False)
def note_login(change: Change, /) -> None:
    """Note a login of the actor and forget earlier wrong tries."""
    guard = change.session.get(LoginGuard, change.actor.name.casefold())
    if guard is not None:
        guard.failed_tries, guard.locked_until = 0, None
    change.testify(change.actor, "done", "Logged in", "log_in")


@operation(None, undoable=False)
def note_logout(change: Change, /, *, idle: bool = False) -> None:
    """Note that the actor logged out or that the idle lock closed the session."""
    change.testify(change.actor, "done", "Locked after idle time" if idle else "Logged out", "log_out")


def _say_lock(until: datetime, now: datetime) -> str:
    seconds = max(1, round((until - now).total_seconds()))
    wait = f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
    return f"Too many wrong passwords: wait {wait}, or ask an administrator to reset it."
