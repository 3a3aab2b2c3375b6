"""Brings the rows of equipment, connections and tags in line with a plant; only what differs is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from app.domain import plant as model
from app.operations.change import Change
from app.store.queries.plant import CONNECTION_COLUMNS, TAG_COLUMNS, settings_of
from app.store.tables import Connection, Equipment, Record, Tag

RowT = TypeVar("RowT", bound=Record)
_CHUNK = 400


def write_plant(change: Change, present: model.Plant, wanted: model.Plant) -> None:
    """Make the rows that hold `present` hold `wanted`: add, change and remove by code and name."""
    _bring_in_line(
        change,
        Equipment,
        "code",
        {e.code for e in present.equipment} - {e.code for e in wanted.equipment},
        {
            e.code: {"name": e.name, "area": e.area, "type": e.type}
            for e in _fresh(present.equipment, wanted.equipment)
        },
    )
    _bring_in_line(
        change,
        Connection,
        "name",
        {c.name for c in present.connections} - {c.name for c in wanted.connections},
        {
            c.name: {"driver": c.driver, "url": c.url, "settings": settings_of(c, CONNECTION_COLUMNS)}
            for c in _fresh(present.connections, wanted.connections)
        },
    )
    gone = {t.name for t in present.tags} - {t.name for t in wanted.tags}
    _bring_in_line(change, Tag, "name", gone, _tag_rows(change, _fresh(present.tags, wanted.tags)))


def _tag_rows(change: Change, tags: Sequence[model.Tag]) -> dict[str, dict[str, Any]]:
    if not tags:
        return {}
    equipment = _ids(change, Equipment, "code")
    connections = _ids(change, Connection, "name")
    return {
        t.name: {
            "equipment_id": equipment[t.equipment],
            "connection_id": connections[t.connection],
            "address": t.address,
            "unit": t.unit,
            "settings": settings_of(t, TAG_COLUMNS),
        }
        for t in tags
    }


ItemT = TypeVar("ItemT")


def _fresh(present: Sequence[ItemT], wanted: Sequence[ItemT]) -> list[ItemT]:
    """What is new or changed."""
    known = set(present)
    return [item for item in wanted if item not in known]


def _ids(change: Change, row_class: type[Record], key: str) -> dict[str, UUID]:
    column = getattr(row_class, key)
    rows = change.session.execute(select(column.label("name"), row_class.id).where(~row_class.deleted))
    return {row.name: row.id for row in rows}


def _bring_in_line(
    change: Change,
    row_class: type[RowT],
    key: str,
    gone: set[str],
    wanted: Mapping[str, Mapping[str, Any]],
) -> None:
    """Rows named in `gone` are deleted, those in `wanted` get these values or are made."""
    present = {getattr(row, key): row for row in _rows(change, row_class, key, [*gone, *wanted])}
    for name in gone:
        present[name].deleted = True
    change.session.flush()
    for name, values in wanted.items():
        known = present.get(name)
        if known is None:
            change.session.add(row_class(id=change.new_id(), **{key: name}, **values))
            continue
        for field, value in values.items():
            if getattr(known, field) != value:
                setattr(known, field, value)
    change.session.flush()


def _rows(change: Change, row_class: type[RowT], key: str, names: Sequence[str]) -> Iterator[RowT]:
    for begin in range(0, len(names), _CHUNK):
        some = names[begin : begin + _CHUNK]
        found = select(row_class).where(~row_class.deleted, getattr(row_class, key).in_(some))
        yield from change.session.execute(found).scalars()


def rename_row(change: Change, row_class: type[RowT], key: str, was: str, name: str) -> None:
    """Give a row another name; whatever leads to it by its id still does."""
    for row in _rows(change, row_class, key, [was]):
        setattr(row, key, name)
    change.session.flush()
