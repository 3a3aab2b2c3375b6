"""The configured plant and what people did about alarms, as the collector and the screens read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import plant as model
from app.domain.decoding import convert
from app.store.tables import AlarmAction, Connection, Equipment, Tag

CONNECTION_COLUMNS = frozenset({"name", "driver", "url"})
TAG_COLUMNS = frozenset({"name", "equipment", "connection", "address", "unit"})


def settings_of(item: model.Connection | model.Tag, columns: frozenset[str]) -> dict[str, Any]:
    """What of a connection or tag has no column of its own, as JSON values."""
    known: dict[str, Any] = msgspec.to_builtins(item)
    return {name: value for name, value in known.items() if name not in columns}


def _restored(kind: type[Any], settings: Mapping[str, Any], **columns: Any) -> Any:
    names = {f.name for f in fields(kind)}
    return convert({**{k: v for k, v in settings.items() if k in names}, **columns}, kind)


def equipment_codes(session: Session, ids: Iterable[UUID]) -> dict[str, UUID]:
    """Which machine, by code, has which id, of those with these ids."""
    wanted = list(ids)
    if not wanted:
        return {}
    found = session.execute(select(Equipment.code, Equipment.id).where(Equipment.id.in_(wanted)))
    return {row.code: row.id for row in found}


def read_plant(session: Session) -> model.Plant:
    """The plant as configured, in the order of its names."""
    equipment = (
        session.execute(select(Equipment).where(~Equipment.deleted).order_by(Equipment.code)).scalars().all()
    )
    connections = (
        session.execute(select(Connection).where(~Connection.deleted).order_by(Connection.name))
        .scalars()
        .all()
    )
    tags = session.execute(select(Tag).where(~Tag.deleted).order_by(Tag.name)).scalars().all()
    codes: dict[UUID, str] = {row.id: row.code for row in equipment}
    names: dict[UUID, str] = {row.id: row.name for row in connections}
    return model.Plant(
        equipment=tuple(model.Equipment(row.code, row.name, row.area, row.type) for row in equipment),
        connections=tuple(
            _restored(model.Connection, row.settings, name=row.name, driver=row.driver, url=row.url)
            for row in connections
        ),
        tags=tuple(
            tag_from(row, equipment=codes[row.equipment_id], connection=names[row.connection_id])
            for row in tags
        ),
    )


def plant_stamp(session: Session) -> tuple[tuple[int, int], ...]:
    """Differs after any change to the plant; told without reading its rows."""
    counted = (select(func.count(), func.sum(table.version)) for table in (Equipment, Connection, Tag))
    return tuple(
        (int(rows), int(versions or 0)) for query in counted for rows, versions in session.execute(query)
    )


def tag_from(row: Tag, *, equipment: str, connection: str) -> model.Tag:
    """A tag of the plant from its row and the names of what the row refers to."""
    restored: model.Tag = _restored(
        model.Tag,
        row.settings,
        name=row.name,
        equipment=equipment,
        connection=connection,
        address=row.address,
        unit=row.unit,
    )
    return restored


def in_maintenance(session: Session) -> frozenset[str]:
    """Codes of the machines that someone took out for maintenance."""
    found = select(Equipment.code).where(Equipment.in_maintenance, ~Equipment.deleted)
    return frozenset(session.execute(found).scalars())


def alarm_actions_since(session: Session, after: datetime) -> list[AlarmAction]:
    """Actions on alarms from `after` on, oldest first."""
    found = select(AlarmAction).where(AlarmAction.at >= after, ~AlarmAction.deleted)
    return list(session.execute(found.order_by(AlarmAction.at, AlarmAction.id)).scalars())
