"""Logging in and out, with a lock-out that doubles after repeated wrong passwords and survives a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from app.domain.errors import Refused
from app.domain.people import THE_PLANT, Actor, Role, say_lock
from app.operations.change import Change, operation
from app.operations.door import Door
from app.operations.people import hash_password, password_fits
from app.store.login_guard import count_wrong_password, forget_wrong_passwords, guard_of
from app.store.tables import Credential, LoginGrant, LoginGuard, UserAccount

_WRONG = "The user name or the password is wrong."
DISABLED = "This account is disabled; ask an administrator."


@dataclass(frozen=True, slots=True)
class Login:
    """A person who proved who they are."""

    actor: Actor
    must_change_password: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a login with the server leaves for the days without it: the verifier and the sealed secret."""

    password_hash: str
    salt: str
    sealed: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whom a typed name stands for: the account and its local verifier, each None where there is none."""

    typed: str
    account: UserAccount | None
    password_hash: str | None

    @property
    def known_as(self) -> str:
        """The name of the account; empty when nobody is called so."""
        return "" if self.account is None else self.account.name


def log_in(door: Door, name: str, password: str) -> Login:
    """Check a name and password (about 50 ms: call it from a worker thread).

    Raises `Refused` with one sentence for a wrong pair, a locked or a disabled account; every try is audited.
    """
    found = candidate(door, name)
    if not fits(found, password):
        raise refusal_of_wrong(door, found)
    refuse_disabled(door, found)
    assert found.account is not None
    return admit(door, found.account)


def candidate(door: Door, name: str) -> Candidate:
    """Who is meant; raises `Refused`, audited, while that name is locked."""
    key = name_key(name)
    now = door.clock()
    with door.store.reader() as session:
        guard = session.get(LoginGuard, key)
        found = session.execute(
            select(UserAccount, Credential.password_hash)
            .outerjoin(Credential, Credential.user_id == UserAccount.id)
            .where(UserAccount.name_key == key, ~UserAccount.deleted)
        ).one_or_none()
    known = Candidate(name, None, None) if found is None else Candidate(name, found[0], found[1])
    if guard is not None and guard.locked_until is not None and guard.locked_until > now:
        raise refuse_login(door, known.known_as, say_lock(guard.locked_until, now), field="password")
    return known


def name_key(name: str) -> str:
    """How a typed name is looked up."""
    return " ".join(name.split()).casefold()


def fits(found: Candidate, password: str) -> bool:
    """Whether the local verifier knows the password; as slow without one, so that time tells no name."""
    if found.password_hash is None:
        hash_password(password)
        return False
    return password_fits(password, found.password_hash)


def refusal_of_wrong(door: Door, found: Candidate, sentence: str = _WRONG) -> Refused:
    """Count and audit a wrong pair; returns what to raise."""
    locked = door.perform(note_failed_login(name=found.typed, known=found.known_as), THE_PLANT).result
    told = sentence if locked is None else f"{sentence} {say_lock(locked, door.clock())}"
    return Refused(told, field="password")


def refuse_disabled(door: Door, found: Candidate) -> None:
    """Raise `Refused`, audited, when the account is closed."""
    if found.account is not None and found.account.disabled:
        raise refuse_login(door, found.account.name, DISABLED, field="name")


def refuse_login(door: Door, name: str, why: str, *, field: str) -> Refused:
    """Audit a try that is refused whatever the password; returns what to raise."""
    door.perform(note_refused_login(name=name, why=why), THE_PLANT)
    return Refused(why, field=field)


def admit(door: Door, account: UserAccount, kept: Kept | None = None) -> Login:
    """The login of somebody who proved who they are, to this station or (with `kept`) to the server."""
    actor = Actor(account.id, account.name, account.role)
    door.perform(note_login(kept=kept), actor)
    return Login(actor, account.must_change_password)


@operation(None, undoable=False)
def note_failed_login(change: Change, /, *, name: str, known: str) -> datetime | None:
    """Count a wrong password for `name`; returns until when that name is locked now.

    The audit trail keeps only the name of a `known` account: what else is typed there may be a password.
    """
    _testify_refusal(change, known, "Wrong user name or password")
    return count_wrong_password(change.session, name, change.now)


@operation(None, undoable=False)
def note_refused_login(change: Change, /, *, name: str, why: str) -> None:
    """Note a try at a locked or disabled account; an empty `name` is one that nobody has."""
    _testify_refusal(change, name, why)


def _testify_refusal(change: Change, name: str, why: str) -> None:
    actor = Actor(None, name or "unknown name", Role.OPERATOR)
    change.testify(actor, "refused", why, "log_in")


@operation(None, undoable=False)
def note_login(change: Change, /, *, kept: Kept | None = None) -> None:
    """Note a login of the actor, forget earlier wrong tries, keep what the server gave."""
    user_id = change.actor.user_id
    if kept is not None and user_id is not None:
        change.session.merge(
            Credential(user_id=user_id, password_hash=kept.password_hash, changed_at=change.now)
        )
        change.session.merge(
            LoginGrant(user_id=user_id, salt=kept.salt, sealed=kept.sealed, until=kept.until)
        )
    forget_wrong_passwords(change.session, change.actor.name)
    change.testify(change.actor, "done", "Logged in", "log_in")


@operation(None, undoable=False)
def note_lock(change: Change, /, *, name: str, known: str, until: datetime) -> None:
    """Note that the server locked `name` until then; nothing is asked of it before."""
    guard_of(change.session, name, change.now).locked_until = until
    _testify_refusal(change, known, "Too many wrong passwords")


@operation(None, undoable=False)
def forget_login(change: Change, /, *, user_id: UUID, why: str) -> None:
    """The server does not let this person in: nor does this station by itself from now on."""
    account = change.session.get(UserAccount, user_id)
    change.session.execute(delete(LoginGrant).where(LoginGrant.user_id == user_id))
    change.session.execute(delete(Credential).where(Credential.user_id == user_id))
    _testify_refusal(change, "" if account is None else account.name, why)


@operation(None, undoable=False)
def note_logout(change: Change, /, *, idle: bool = False) -> None:
    """Note that the actor logged out or that the idle lock closed the session."""
    change.testify(change.actor, "done", "Locked after idle time" if idle else "Logged out", "log_out")
