"""Accounts, and the local guard against guessed passwords."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.people import Permission, Role
from app.domain.sharing import Allowed, Sharing, by, setting
from app.store.tables.base import Base, Record, named, unique_alive


class UserAccount(Record):
    """A person who can log in; `name_key` is the case-folded name that logins compare."""

    __tablename__ = "user_account"
    __table_args__ = (unique_alive("ux_user_account_name_key", "name_key"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.MANAGE_USERS),
        change=setting("role disabled", *by(Permission.MANAGE_USERS))
        | setting(
            "must_change_password",
            *by(Permission.MANAGE_USERS),
            Allowed(Permission.OWN_ACCOUNT, own="id"),
        ),
    )

    name: Mapped[str]
    name_key: Mapped[str]
    role: Mapped[Role] = mapped_column(named(Role))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Credential(Base):
    """The password of an account as Argon2id; never in the outbox, which all stations can read."""

    __tablename__ = "credential"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    password_hash: Mapped[str]
    changed_at: Mapped[datetime]


class LoginGuard(Base):
    """Failed logins of one name on this station; local only, survives a restart."""

    __tablename__ = "login_guard"

    name_key: Mapped[str] = mapped_column(primary_key=True)
    failed_tries: Mapped[int]
    locked_until: Mapped[datetime | None]
    last_failed_at: Mapped[datetime]
