"""Counts wrong passwords by name, on this station."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.people import lock_after
from app.store.tables import LoginGuard


def guard_of(session: Session, name: str, now: datetime) -> LoginGuard:
    """The count for `name`, as it was typed or as the account is called; a new one where there is none."""
    key = guard_key(name)
    guard = session.get(LoginGuard, key)
    if guard is None:
        guard = LoginGuard(name_key=key, failed_tries=0, locked_until=None, last_failed_at=now)
        session.add(guard)
    return guard


def guard_key(name: str) -> str:
    return " ".join(name.split())[:60].casefold()


def count_wrong_password(session: Session, name: str, now: datetime) -> datetime | None:
    """Count one more; returns until when the name is locked now."""
    guard = guard_of(session, name, now)
    guard.failed_tries += 1
    guard.last_failed_at = now
    guard.locked_until = lock_after(guard.failed_tries, now)
    return guard.locked_until


def forget_wrong_passwords(session: Session, name: str) -> None:
    guard = session.get(LoginGuard, guard_key(name))
    if guard is not None:
        guard.failed_tries, guard.locked_until = 0, None


def locked_until(session: Session, name: str) -> datetime | None:
    """Until when this name is refused, None when it never was."""
    guard = session.get(LoginGuard, guard_key(name))
    return None if guard is None else guard.locked_until
