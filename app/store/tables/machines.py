"""What people order about machines that several stations share."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.people import Permission
from app.domain.sharing import Sharing, by
from app.store.tables.base import Record


class MachineTakeover(Record):
    """A person's order that `station` shall talk to a machine from now on; the server lets it count once."""

    __tablename__ = "machine_takeover"
    __table_args__ = (Index("ix_machine_takeover_connection", "connection_id"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.CONFIGURE_PLANT),
        actor_names=frozenset({"actor"}),
        outlives=frozenset({"connection_id"}),
    )

    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connection.id"))
    station: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    actor: Mapped[str]
