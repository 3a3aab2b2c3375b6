"""Taking back a change: the inverse of its patches, unless somebody changed the same values since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Denied, NotFound, Refused, Stale
from app.domain.orders import status_from_stages
from app.domain.people import Permission, require
from app.operations.change import Change, operation
from app.operations.stages import follow_stages, refuse_broken_routes
from app.store import entries
from app.store.entries import CREATED, Patch
from app.store.journal import PastChange, past_change
from app.store.tables import Base, Record, Stage

_CHUNK = 500
_MANY = 10_000


@operation(None)
def undo(change: Change, /, *, change_id: UUID) -> None:
    """Take back a committed change as one change of its own.

    It takes the permission of the change itself, and a supervisor's for the change of somebody else. Raises
    `Stale` when something it set was changed since, `Refused` when it was undone already, cannot be undone, or
    would leave what no move could have made.
    """
    past = past_change(change.session, change_id)
    if past is None:
        raise NotFound("There is nothing to undo under this number.")
    if past.undone:
        raise Refused("This change was undone already.")
    _require(change, past)
    change.undoes = change_id
    change.label = f"Undid: {past.label}"
    _refuse_changed_creations(change, past.patches)
    _apply_inverse(change, past.patches)
    _follow_stages(change, past.patches)
    _refuse_orphans(change, past.patches)


def _require(change: Change, past: PastChange) -> None:
    if not past.undoable:
        raise Refused("This change cannot be undone; make the opposite change instead.")
    if past.needs is not None:
        change.needs = Permission[past.needs]
        require(change.actor, change.needs)
    if past.actor_id != change.actor.user_id and not change.actor.may(Permission.MOVE_STAGES):
        raise Denied("Only the person who made this change, or a supervisor, may undo it.")


def _apply_inverse(change: Change, patches: Sequence[Patch]) -> None:
    inverse: defaultdict[str, list[tuple[UUID, dict[str, tuple[Any, Any]]]]] = defaultdict(list)
    for patch in reversed(patches):
        columns = entries.table_of(patch.entity).c
        if patch.kind == CREATED:
            fields: dict[str, tuple[Any, Any]] = {"deleted": (False, True)}
        else:
            fields = {
                name: (entries.typed(columns[name].type, after), entries.typed(columns[name].type, before))
                for name, (before, after) in patch.fields.items()
            }
        inverse[patch.entity].append((patch.id, fields))
    for entity, changes in inverse.items():
        change.patch(_class_of(entity), changes)


def _class_of(entity: str) -> type[Record]:
    classes: dict[str, type[Record]] = {m.class_.__tablename__: m.class_ for m in Base.registry.mappers}
    return classes[entity]


def _refuse_changed_creations(change: Change, patches: Sequence[Patch]) -> None:
    """A created row that differs now from what it was created as holds somebody's later work."""
    created = {(p.entity, p.id): p for p in patches if p.kind == CREATED}
    again = {(p.entity, p.id) for p in patches if p.kind != CREATED}
    by_entity: defaultdict[str, list[UUID]] = defaultdict(list)
    for entity, row_id in created:
        if (entity, row_id) not in again:
            by_entity[entity].append(row_id)
    for entity, ids in by_entity.items():
        table = entries.table_of(entity)
        by_server = _class_of(entity).sharing.by_server
        for chunk in _chunks(ids):
            # Only rows that were written again are compared in full: an import has hundreds of thousands.
            found = select(table).where(table.c.id.in_(chunk), table.c.version != 1)
            for row in change.session.execute(found).mappings():
                fields = created[entity, row["id"]].fields.items()
                said = ((name, after) for name, (_, after) in fields if name not in by_server)
                if any(entries.plain(row[name]) != after for name, after in said):
                    raise Stale(
                        "Someone worked on this since, so it stays; delete it instead if you mean to."
                    )


def _follow_stages(change: Change, patches: Sequence[Patch]) -> None:
    """Stages that an undo moved back must stand as moves could have brought them there, and their orders follow."""
    moved = [
        p.id
        for p in patches
        if p.entity == Stage.__tablename__ and p.kind != CREATED and "status" in p.fields
    ]
    for order, stages in refuse_broken_routes(change, moved):
        # The order was put back too; another stage that moved since may say otherwise by now.
        if order.status is not status_from_stages([stage.status for stage in stages]):
            follow_stages(change, order, stages)


def _refuse_orphans(change: Change, patches: Sequence[Patch]) -> None:
    """What somebody added something to since does not vanish with its creation, as the server judges it."""
    gone: defaultdict[str, list[UUID]] = defaultdict(list)
    for patch in patches:
        if patch.kind == CREATED:
            gone[patch.entity].append(patch.id)
    for mapper in Base.registry.mappers:
        if not issubclass(mapper.class_, Record):
            continue
        for column, parents in mapper.class_.parts().items():
            for parent in parents:
                _refuse_parts(change, mapper.class_, column, parent, gone[parent])


def _refuse_parts(
    change: Change, row_class: type[Record], column: str, parent: str, ids: Sequence[UUID]
) -> None:
    table = entries.table_of(row_class.__tablename__)
    for chunk in _chunks(ids, _MANY):  # some of these columns have no index
        held = select(table).where(table.c[column].in_(chunk), ~table.c.deleted).limit(1)
        row = change.session.execute(held).mappings().first()
        if row is not None:
            what = row.get("number") or row.get("name") or f"A {_words(row_class.__tablename__)}"
            raise Stale(f"{what} was added to this {_words(parent)} since, so it stays.")


def _words(table: str) -> str:
    return {"connection": "connection", "equipment": "machine"}.get(table, table.replace("_", " "))


def _chunks(ids: Sequence[UUID], size: int = _CHUNK) -> Iterator[Sequence[UUID]]:
    for begin in range(0, len(ids), size):
        yield ids[begin : begin + size]
