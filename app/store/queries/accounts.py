"""Accounts as the login screen asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.people import Role
from app.store import login_guard
from app.store.tables import UserAccount


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account may do at this moment; `ended` says that its password was changed since the login here."""

    user_id: UUID
    role: Role
    disabled: bool
    ended: bool = False


def standing(session: Session, user_id: UUID) -> Standing | None:
    """Whether the account may still be used, and as what; None for one that is not there any more."""
    account = session.get(UserAccount, user_id)
    if account is None or account.deleted:
        return None
    return Standing(account.id, account.role, account.disabled)


def has_users(session: Session) -> bool:
    """Whether anybody can log in; False at the very first start."""
    return session.execute(select(UserAccount.id).limit(1)).first() is not None


def locked_until(session: Session, name: str) -> datetime | None:
    """Until when logins under this name are refused, None when they never were."""
    return login_guard.locked_until(session, name)
