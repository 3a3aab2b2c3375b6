"""Accounts: the first administrator, adding and changing people, passwords, logging in and out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Denied, Refused, WrongPassword
from app.domain.people import Permission, Role, check_password, check_user_name, say_lock
from app.operations.change import Change, operation
from app.store.login_guard import forget_wrong_passwords, locked_until
from app.store.sealing import seal, unseal
from app.store.sharing import joined_station, queue_password
from app.store.tables import Credential, LoginGrant, UserAccount

if TYPE_CHECKING:
    from passlib.context import CryptContext


def hash_password(password: str) -> str:
    """Argon2id with the library's current parameters; about 0.1 s, so never on the GUI thread."""
    return str(_scheme().hash(password))


def password_fits(password: str, password_hash: str) -> bool:
    return bool(_scheme().verify(password, password_hash))


@cache
def _scheme() -> CryptContext:
    from passlib.context import CryptContext

    return CryptContext(schemes=["argon2"])


def _account_named(session: Session, name: str) -> UserAccount | None:
    found = select(UserAccount).where(UserAccount.name_key == name.casefold(), ~UserAccount.deleted)
    return session.execute(found).scalar_one_or_none()


def _create(change: Change, name: str, role: Role, password: str, must_change: bool) -> UUID:
    name = check_user_name(name)
    check_password(password, name)
    if _account_named(change.session, name) is not None:
        raise Refused(f"There is already a user called {name}; choose another name.", field="name")
    account = UserAccount(
        id=change.new_id(),
        name=name,
        name_key=name.casefold(),
        role=role,
        must_change_password=must_change,
        disabled=False,
        created_at=change.now,
    )
    change.session.add(account)
    change.session.flush()
    _set_password(change, account, password)
    change.label = f"Added user {name} as {role.value}"
    return account.id


@operation(None, undoable=False)
def create_first_admin(change: Change, /, *, name: str, password: str) -> UUID:
    """Make the first account of an empty store, an administrator; refused when anyone exists."""
    if change.session.execute(select(func.count()).select_from(UserAccount)).scalar_one():
        raise Denied("This store already has users; ask an administrator for an account.")
    return _create(change, name, Role.ADMIN, password, must_change=False)


@operation(Permission.MANAGE_USERS, undoable=False)
def add_user(
    change: Change, /, *, name: str, role: Role, password: str, must_change_password: bool = True
) -> UUID:
    """Add an account; the person chooses a new password at the first login unless told otherwise."""
    return _create(change, name, role, password, must_change_password)


def _set_password(change: Change, account: UserAccount, password: str, instead_of: str = "") -> None:
    """Keep the verifier here, and have the server told where one is shared; `instead_of` is the hash of before."""
    hashed = hash_password(password)
    change.session.merge(Credential(user_id=account.id, password_hash=hashed, changed_at=change.now))
    if joined_station(change.session) is not None:
        queue_password(
            change.session,
            account.id,
            hashed,
            at=change.now,
            actor_id=change.actor.user_id,
            sign=change.signature,
            new_id=change.new_id,
            instead_of=instead_of,
        )


def _other_admins(session: Session, account: UserAccount) -> int:
    others = select(func.count()).where(
        UserAccount.role == Role.ADMIN,
        ~UserAccount.disabled,
        ~UserAccount.deleted,
        UserAccount.id != account.id,
    )
    return session.execute(others).scalar_one()


def _keep_an_admin(change: Change, account: UserAccount) -> None:
    if account.role is Role.ADMIN and not account.disabled and _other_admins(change.session, account) == 0:
        raise Refused(f"{account.name} is the only administrator; make someone else an administrator first.")


@operation(Permission.MANAGE_USERS, undoable=False)
def set_role(change: Change, /, *, user_id: UUID, role: Role) -> None:
    """Give a person another role."""
    account = change.get(UserAccount, user_id, "user")
    if role is not Role.ADMIN:
        _keep_an_admin(change, account)
    account.role = role
    change.label = f"Made {account.name} {role.value}"


@operation(Permission.MANAGE_USERS, undoable=False)
def disable_user(change: Change, /, *, user_id: UUID) -> None:
    """Close an account; its work and its name in the audit trail stay."""
    account = change.get(UserAccount, user_id, "user")
    _keep_an_admin(change, account)
    account.disabled = True
    change.label = f"Disabled {account.name}"


@operation(Permission.MANAGE_USERS, undoable=False)
def enable_user(change: Change, /, *, user_id: UUID) -> None:
    """Open a closed account again."""
    account = change.get(UserAccount, user_id, "user")
    account.disabled = False
    change.label = f"Enabled {account.name}"


@operation(Permission.MANAGE_USERS, undoable=False)
def reset_password(change: Change, /, *, user_id: UUID, password: str) -> None:
    """Give a person a password for one login, and lift a lock-out."""
    account = change.get(UserAccount, user_id, "user")
    check_password(password, account.name)
    _set_password(change, account, password)
    account.must_change_password = True
    forget_wrong_passwords(change.session, account.name)
    _drop_seal(change.session, account.id)
    change.label = f"Reset the password of {account.name}"


@operation(Permission.OWN_ACCOUNT, undoable=False)
def change_own_password(change: Change, /, *, old_password: str, new_password: str) -> None:
    """Choose a new password; the old one must be given."""
    if change.actor.user_id is None:
        raise Denied("Only a person has a password.")
    account = change.get(UserAccount, change.actor.user_id, "user")
    known = change.session.get(Credential, account.id)
    locked = locked_until(change.session, account.name)
    if locked is not None and locked > change.now:
        raise Refused(say_lock(locked, change.now), field="old_password")
    if known is None or not password_fits(old_password, known.password_hash):
        raise WrongPassword("The old password is wrong.", field="old_password")
    forget_wrong_passwords(change.session, account.name)
    if old_password == new_password:
        raise Refused("Choose a password that differs from the old one.", field="password")
    check_password(new_password, account.name)
    _set_password(change, account, new_password, known.password_hash)
    _seal_anew(change.session, account.id, old_password, new_password)
    account.must_change_password = False
    change.label = "Changed the password"


def _seal_anew(session: Session, user_id: UUID, old: str, new: str) -> None:
    """What the person signs with opens with the new password from now on."""
    grant = session.get(LoginGrant, user_id)
    if grant is None:
        return
    secret = unseal(grant.salt, grant.sealed, old, user_id)
    if (
        secret is None
    ):  # sealed before a password that was set elsewhere: the next login with the server seals it
        _drop_seal(session, user_id)
    else:
        grant.salt, grant.sealed = seal(secret, new, user_id)


def _drop_seal(session: Session, user_id: UUID) -> None:
    """What opens with a password that nobody has any more is of no use; a login with the server brings it again."""
    session.execute(delete(LoginGrant).where(LoginGrant.user_id == user_id))
