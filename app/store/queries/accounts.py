"""Accounts as the login screen asks for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.tables import LoginGuard, UserAccount


def has_users(session: Session) -> bool:
    """Whether anybody can log in; False at the very first start."""
    return session.execute(select(UserAccount.id).limit(1)).first() is not None


def locked_until(session: Session, name: str) -> datetime | None:
    """Until when logins under this name are refused, None when they never were."""
    guard = session.get(LoginGuard, " ".join(name.split())[:60].casefold())
    return None if guard is None else guard.locked_until
