"""The configured plant: applying a plant.yaml as one change, taking a machine out for maintenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from app.domain import plant as model
from app.domain.errors import Refused
from app.domain.people import Permission
from app.domain.plant_changes import PlantChanges, compare_plants
from app.operations.change import Change, operation
from app.store.queries.plant import CONNECTION_COLUMNS, TAG_COLUMNS, read_plant, settings_of
from app.store.tables import Connection, Equipment, Record, Tag

RowT = TypeVar("RowT", bound=Record)


@operation(Permission.CONFIGURE_PLANT)
def apply_plant(change: Change, /, *, plant: model.Plant) -> PlantChanges:
    """Make the configured plant equal to `plant`: add, change and remove by name. The collector follows by itself."""
    changes = compare_plants(read_plant(change.session), plant)
    equipment = _bring_in_line(
        change,
        Equipment,
        "code",
        {e.code: {"name": e.name, "area": e.area, "type": e.type} for e in plant.equipment},
    )
    connections = _bring_in_line(
        change,
        Connection,
        "name",
        {
            c.name: {"driver": c.driver, "url": c.url, "settings": settings_of(c, CONNECTION_COLUMNS)}
            for c in plant.connections
        },
    )
    _bring_in_line(
        change,
        Tag,
        "name",
        {
            t.name: {
                "equipment_id": equipment[t.equipment],
                "connection_id": connections[t.connection],
                "address": t.address,
                "unit": t.unit,
                "settings": settings_of(t, TAG_COLUMNS),
            }
            for t in plant.tags
        },
    )
    change.label = f"Applied a plant of {len(plant.equipment)} machines and {len(plant.tags)} tags"
    return changes


def _bring_in_line(
    change: Change, row_class: type[RowT], key: str, wanted: Mapping[str, Mapping[str, Any]]
) -> dict[str, UUID]:
    """Rows of `row_class` keyed by `key` become `wanted`; returns the id of each key."""
    session = change.session
    living = session.execute(select(row_class).where(~row_class.deleted)).scalars()
    present = {getattr(row, key): row for row in living}
    for name, row in present.items():
        if name not in wanted:
            row.deleted = True
    for name, values in wanted.items():
        known = present.get(name)
        if known is None:
            present[name] = row_class(id=change.new_id(), **{key: name}, **values)
            session.add(present[name])
        elif any(getattr(known, field) != value for field, value in values.items()):
            for field, value in values.items():
                setattr(known, field, value)
    session.flush()
    return {name: row.id for name, row in present.items()}


@operation(Permission.CONFIGURE_PLANT)
def set_maintenance(change: Change, /, *, equipment: str, in_maintenance: bool) -> None:
    """Take the machine with the code `equipment` out for maintenance, or put it back to work."""
    row = change.session.execute(
        select(Equipment).where(Equipment.code == equipment, ~Equipment.deleted)
    ).scalar_one_or_none()
    if row is None:
        raise Refused(f"There is no machine with the code {equipment}.", field="equipment")
    row.in_maintenance = in_maintenance
    change.label = f"{row.name} {'is in maintenance' if in_maintenance else 'is back from maintenance'}"
