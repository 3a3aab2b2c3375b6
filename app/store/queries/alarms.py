"""What people did about alarms, in the order in which it was committed, and the tags that alarms are about."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Integer, Label, literal_column, select
from sqlalchemy.orm import Session

from app.domain import plant as model
from app.store.queries.plant import tag_from
from app.store.tables import AlarmAction, Equipment, Tag

_AT_ONCE = 500


def acts_after(session: Session, number: int) -> list[tuple[int, AlarmAction]]:
    """Acts on alarms with a number above `number`, in order.

    The number is SQLite's own row number: it follows the order of the commits, whatever the clocks said.
    """
    rowid: Label[int] = literal_column("alarm_action.rowid", Integer).label("number")
    found = select(AlarmAction, rowid).where(rowid > number, ~AlarmAction.deleted).order_by(rowid)
    return [(int(own), row) for row, own in session.execute(found)]


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
