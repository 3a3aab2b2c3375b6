"""Machines as configured: equipment, connections, tags with limits, and what people did about them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.alarms.verbs import NEEDED
from app.domain.people import Permission
from app.domain.sharing import BIRTH, Allowed, Sharing, by, setting
from app.store.tables.base import Record, unique_alive

_CONFIGURING = by(Permission.CONFIGURE_PLANT)


class Equipment(Record):
    __tablename__ = "equipment"
    __table_args__ = (unique_alive("ux_equipment_code", "code"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=_CONFIGURING, change=setting("name area type in_maintenance deleted", *_CONFIGURING)
    )

    code: Mapped[str]
    name: Mapped[str]
    area: Mapped[str] = mapped_column(default="")
    type: Mapped[str] = mapped_column(default="")
    in_maintenance: Mapped[bool] = mapped_column(default=False)


class Connection(Record):
    """How to reach a machine; `settings` holds what one driver knows (unit id, security, user), never a password."""

    __tablename__ = "connection"
    __table_args__ = (unique_alive("ux_connection_name", "name"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=_CONFIGURING,
        change=setting("name driver url settings deleted", *_CONFIGURING),
        together=(frozenset({"driver", "url", "settings"}),),
    )

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
    sharing: ClassVar[Sharing] = Sharing(
        create=_CONFIGURING,
        change=setting("name equipment_id connection_id address unit settings deleted", *_CONFIGURING),
        # What an address means hangs on its connection; scale and limits (in `settings`) on the address and the unit.
        together=(frozenset({"connection_id", "address", "unit", "settings"}),),
    )

    name: Mapped[str]
    equipment_id: Mapped[UUID] = mapped_column(ForeignKey("equipment.id"))
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connection.id"))
    address: Mapped[str]
    unit: Mapped[str] = mapped_column(default="")
    settings: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class AlarmAction(Record):
    """What a person did about an alarm (acknowledge, reset, shelve, …); the collector applies it."""

    __tablename__ = "alarm_action"
    __table_args__ = (Index("ix_alarm_action_at", "at"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(*dict.fromkeys(NEEDED.values())),
        moves={"action": {(BIRTH, verb.value): (needed,) for verb, needed in NEEDED.items()}},
        actor_names=frozenset({"actor"}),
    )

    alarm: Mapped[str]
    action: Mapped[str]
    comment: Mapped[str] = mapped_column(default="")
    until: Mapped[datetime | None]
    permit: Mapped[str] = mapped_column(default="", server_default="")
    at: Mapped[datetime]
    actor: Mapped[str]


class MachineWrite(Record):
    """A value that a person sent to a machine; the collector carries it out and keeps the answer in the history."""

    __tablename__ = "machine_write"
    __table_args__ = (Index("ix_machine_write_at", "at"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.WRITE_TO_MACHINES), actor_names=frozenset({"actor"})
    )

    tag: Mapped[str]
    value: Mapped[object] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    actor: Mapped[str]


class Correction(Record):
    """A layer over raw samples, which themselves never change: what a person says really was from `start` to `end`."""

    __tablename__ = "correction"
    __table_args__ = (Index("ix_correction_tag_start", "tag", "start"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.CORRECT_HISTORY),
        change=setting("deleted", *by(Permission.CORRECT_HISTORY)),
        actor_names=frozenset({"author"}),
    )

    tag: Mapped[str]
    start: Mapped[datetime]
    end: Mapped[datetime]
    kind: Mapped[str]
    amount: Mapped[float | None]
    reason: Mapped[str]
    at: Mapped[datetime]
    author: Mapped[str]


class Note(Record):
    """A remark at a moment of a machine's or a tag's curve."""

    __tablename__ = "note"
    __table_args__ = (Index("ix_note_at", "at"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.WRITE_NOTES),
        change=setting("text deleted", Allowed(Permission.WRITE_NOTES, own="author")),
        actor_names=frozenset({"author"}),
    )

    at: Mapped[datetime]
    text: Mapped[str]
    equipment: Mapped[str] = mapped_column(default="")
    tag: Mapped[str] = mapped_column(default="")
    written_at: Mapped[datetime]
    author: Mapped[str]


class SavedView(Record):
    """How a person arranged a place (the charts), to come back to; `content` is the place's own business."""

    __tablename__ = "saved_view"
    __table_args__ = (unique_alive("ux_saved_view_place_owner_name", "place", "owner", "name"),)
    sharing: ClassVar[Sharing] = Sharing(
        create=by(Permission.OWN_ACCOUNT),
        change=setting("name shared content deleted", Allowed(Permission.OWN_ACCOUNT, own="owner")),
        actor_names=frozenset({"owner"}),
    )

    place: Mapped[str]
    name: Mapped[str]
    owner: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False)
    content: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
