"""What comes back with a deleted row to which a change is put after all: what it is part of, an order's stages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.store.tables import Base, Record, Stage, WorkOrder
from app.store.tables.base import GHOST

Changed: TypeAlias = defaultdict[str, dict[UUID, dict[str, tuple[Any, Any]]]]
"""Entity → row → field → (what is there, what is wanted)."""


def come_back_first(
    session: Session, created: Mapping[str, Mapping[UUID, Mapping[str, Any]]], changed: Changed
) -> Changed:
    """Which deleted rows come back before rows are `created` and `changed`; takes what `changed` says of that out.

    Those in `changed`, and those without which they could not be used: a row lives only as part of living ones, which
    stand in front of it here, and an order is worked on by its stages, which nobody deletes but with their order. Parts
    that can also be taken away one by one (photos, signals) stay away.
    """
    back: Changed = defaultdict(dict)
    for entity, patches in changed.items():
        for row_id, fields in list(patches.items()):
            row = _row(session, entity, row_id)
            if row is not None and row.deleted and fields.pop("deleted", (True, False)) == (True, False):
                _come_back(session, row, back)
            if not fields:
                del patches[row_id]
    for entity, made in created.items():
        for values in made.values():
            for whole in _gone_wholes(session, _class_of(entity), values):
                _come_back(session, whole, back)
    return back


def _come_back(session: Session, row: Record, back: Changed) -> None:
    if row.id in back[row.__tablename__]:
        return
    for whole in _gone_wholes(session, type(row), {name: getattr(row, name) for name in row.parts()}):
        _come_back(session, whole, back)
    back[row.__tablename__][row.id] = {"deleted": (True, False)}
    if isinstance(row, WorkOrder):
        for stage in session.execute(
            select(Stage).where(Stage.work_order_id == row.id, Stage.deleted, Stage.version > GHOST)
        ).scalars():
            _come_back(session, stage, back)


def _gone_wholes(session: Session, row_class: type[Record], values: Mapping[str, Any]) -> Iterator[Record]:
    """The deleted rows of which a row of `row_class` with these `values` is part."""
    for column, entities in row_class.parts().items():
        for entity in entities:
            whole = _row(session, entity, values[column]) if values.get(column) is not None else None
            if whole is not None and whole.deleted:
                yield whole


def _row(session: Session, entity: str, row_id: UUID) -> Record | None:
    """The row, unless it stands for one that the server never had."""
    row = session.get(_class_of(entity), row_id)
    return row if row is not None and row.version > GHOST else None


def _class_of(entity: str) -> type[Record]:
    classes = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    found = classes[entity]
    assert issubclass(found, Record)
    return found
