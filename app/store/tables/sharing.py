"""What a station remembers of the shared server: rows as the server has them, conflicts, others' changes, logins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.base import Base


class Shadow(Base):
    """A row as the server has it, kept only while own changes of that row are unconfirmed.

    `row` maps every column but the id to its JSON value; null where the server has no such row.
    """

    __tablename__ = "shadow"

    entity: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    row: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))


class SharedChange(Base):
    """One entry of the server's log as this station pulled it, without its rows: who did what where and when.

    `at` is the server's clock, `said_at` the clock of the station that made the change. `merged` lists rows in which
    somebody else had changed other fields meanwhile: `[{"e", "id", "fields"}]`.
    """

    __tablename__ = "shared_change"
    __table_args__ = (Index("ix_shared_change_change", "change_id"), Index("ix_shared_change_at", "at"))

    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    said_at: Mapped[datetime | None]
    station: Mapped[str]
    actor: Mapped[str]
    operation: Mapped[str]
    label: Mapped[str]
    verdict: Mapped[str]
    change_id: Mapped[UUID | None]
    undoes: Mapped[UUID | None]
    merged: Mapped[list[dict[str, object]] | None] = mapped_column(JSON(none_as_null=True))


class Conflict(Base):
    """An entry that the server did not apply (`verdict`: conflict, denied, rejected), as every station sees it.

    `source` and `n` name the entry; `body` is the entry as it was written, `reason` what the server said:
    `{"state", "sentence", "fields": [{"e", "id", "field", "base", "mine", "theirs", "by", "at", "station"}]}`.
    `settled_seq` is the log entry that settled it; `settling` the own change that is about to.
    """

    __tablename__ = "conflict"
    __table_args__ = (Index("ix_conflict_settled", "settled_seq"), Index("ix_conflict_change", "change_id"))

    source: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    at: Mapped[datetime]
    said_at: Mapped[datetime | None]
    verdict: Mapped[str]
    station: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor: Mapped[str]
    operation: Mapped[str]
    label: Mapped[str]
    change_id: Mapped[UUID | None]
    reason: Mapped[dict[str, object]] = mapped_column(JSON)
    body: Mapped[str]
    settled_seq: Mapped[int | None]
    settled_by: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]
    settling: Mapped[UUID | None]


class LoginGrant(Base):
    """What lets a person sign on this station: the server's secret, sealed with a key made from the password."""

    __tablename__ = "login_grant"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    salt: Mapped[str]
    sealed: Mapped[str]
    until: Mapped[datetime]


class PasswordNote(Base):
    """A new password on its way to the server: `body` (JSON, no secret but the hash of a hash) and its signature."""

    __tablename__ = "password_note"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    user_id: Mapped[UUID]
    body: Mapped[str]
    mac: Mapped[str]
