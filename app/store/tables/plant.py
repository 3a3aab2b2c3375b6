"""Machines as configured: equipment, connections, tags with limits, and what people did about alarms."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.base import Record, unique_alive


class Equipment(Record):
    __tablename__ = "equipment"
    __table_args__ = (unique_alive("ux_equipment_code", "code"),)

    code: Mapped[str]
    name: Mapped[str]
    area: Mapped[str] = mapped_column(default="")
    type: Mapped[str] = mapped_column(default="")
    in_maintenance: Mapped[bool] = mapped_column(default=False)


class Connection(Record):
    """How to reach a machine; `settings` holds what one driver knows (unit id, security, user), never a password."""

    __tablename__ = "connection"
    __table_args__ = (unique_alive("ux_connection_name", "name"),)

    name: Mapped[str]
    driver: Mapped[str]
    url: Mapped[str]
    settings: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class Tag(Record):
    """One signal of a machine; `settings` holds scan, deadband, scale, limits and alarm as in plant.yaml."""

    __tablename__ = "tag"
    __table_args__ = (
        unique_alive("ux_tag_name", "name"),
        Index("ix_tag_equipment", "equipment_id"),
        Index("ix_tag_connection", "connection_id"),
    )

    name: Mapped[str]
    equipment_id: Mapped[UUID] = mapped_column(ForeignKey("equipment.id"))
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connection.id"))
    address: Mapped[str]
    unit: Mapped[str] = mapped_column(default="")
    settings: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class AlarmAction(Record):
    """What a person did about an alarm (acknowledge, shelve, unshelve); the collector applies it."""

    __tablename__ = "alarm_action"
    __table_args__ = (Index("ix_alarm_action_at", "at"),)

    alarm: Mapped[str]
    action: Mapped[str]
    comment: Mapped[str] = mapped_column(default="")
    until: Mapped[datetime | None]
    at: Mapped[datetime]
    actor: Mapped[str]
