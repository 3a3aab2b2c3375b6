"""The tags that alarms are about, and the part of the plant around one."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import plant as model
from app.store.queries.plant import tag_from
from app.store.tables import Equipment, Tag

_AT_ONCE = 500


def plant_around(session: Session, tag: str) -> model.Plant:
    """The part of the plant that an alarm of this tag is about: the tag and its machine; empty when there is none."""
    found = select(Tag, Equipment).join(Equipment, Equipment.id == Tag.equipment_id)
    row = session.execute(found.where(Tag.name == tag, ~Tag.deleted)).first()
    if row is None:
        return model.Plant()
    machine = row.Equipment
    return model.Plant(
        equipment=(model.Equipment(machine.code, machine.name, machine.area, machine.type),),
        tags=(tag_from(row.Tag, equipment=machine.code, connection=""),),
    )


def ever_tags(session: Session, names: Collection[str]) -> set[str]:
    """Those of `names` that are, or ever were, tags of the plant."""
    wanted, found = sorted(set(names)), set[str]()
    for begin in range(0, len(wanted), _AT_ONCE):
        some = wanted[begin : begin + _AT_ONCE]
        found.update(session.execute(select(Tag.name).where(Tag.name.in_(some))).scalars())
    return found
