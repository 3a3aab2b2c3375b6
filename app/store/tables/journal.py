"""What every change leaves behind: its outbox entry and its place in the hash-chained audit trail."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.base import Base


class Outbox(Base):
    """One local transaction as field patches; `n` counts without gaps per `source` (one database file).

    `body` is JSON text, written once and never rewritten: see `app.store.entries`. `position` counts this file's
    entries in the order they were made, whatever source they are offered under. `mac` is the author's signature
    (hex; empty before the station joined a server). `state`: pending, acknowledged (applied, not yet seen in the
    feed), done, parked. `seq` and `verdict` are the server's answer.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ux_outbox_source_n", "source", "n", unique=True),
        Index("ix_outbox_state", "state", "position"),
        Index("ux_outbox_position", "position", unique=True),
    )

    change_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    source: Mapped[UUID]
    n: Mapped[int]
    state: Mapped[str]
    body: Mapped[str]
    mac: Mapped[str] = mapped_column(default="", server_default="")
    seq: Mapped[int | None]
    verdict: Mapped[str] = mapped_column(default="", server_default="")


class Audit(Base):
    """One line of the audit trail: each `hash` covers the line before it and its own `body`.

    Refused tries have a line too, without a change. The database itself refuses updates and deletes.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_change", "change_id"),)

    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    actor: Mapped[str]
    operation: Mapped[str]
    outcome: Mapped[str]
    sentence: Mapped[str]
    change_id: Mapped[UUID | None]
    undoes: Mapped[UUID | None]
    body: Mapped[str]
    hash: Mapped[str]


class Counter(Base):
    """The next human number of a kind on this station."""

    __tablename__ = "counter"

    kind: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int]


class Meta(Base):
    """Facts about this database file: its source identity, its last outbox number."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
