"""Settling what the server did not take: with the refused values, with those that stand there, or with others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text

from app.domain.conflicts import Point, Take, chosen_values, illegal_step, may_settle, missing_right
from app.domain.errors import Denied, NotFound, Refused, Stale
from app.domain.orders import check_priority, check_quantity
from app.operations.change import Change, operation
from app.operations.coming_back import come_back_first
from app.operations.stages import follow_stages, refuse_broken_routes
from app.store import entries
from app.store.queries.conflicts import (
    block_rows,
    open_among,
    read_parked,
    read_points,
    settling_on_its_way,
)
from app.store.tables import Base, Conflict, Record, Stage
from app.store.tables.base import GHOST

_CHUNK = 500
_CHECKS: Mapping[tuple[str, str], Any] = {
    ("work_order", "quantity"): check_quantity,
    ("work_order", "priority"): check_priority,
}
"""Rules on typed values beyond what the tables themselves refuse."""


@operation(None)
def settle_conflict(
    change: Change,
    /,
    *,
    source: UUID,
    n: int,
    take: Take,
    values: Mapping[str, Any] = {},
    seen: Mapping[str, Any] = {},
) -> None:
    """Settle a parked change: `take` is mine (its values), theirs (what stands there) or other (`values`).

    `values` map a field, or entity/id/field where several rows have it, to a value as JSON; `seen`, when given, what
    stood there as the person saw it. The author may, and who settles conflicts of others. The settlement is a change
    like any other: it starts from what is here now and can itself be refused by the server.
    """
    parked = _parked(change, source, n)
    if parked.settled_seq is not None:
        raise Stale(f"This was settled by {parked.settled_by or 'somebody else'} meanwhile.")
    if settling_on_its_way(change.session, parked):
        raise Refused("This was settled already; the answer of the server is on its way.")
    _require(change, parked)
    points = read_points(change.session, parked)
    _refuse_moved(points, seen)
    _apply(change, parked, points, chosen_values(points, take, values, _groups(points)))
    change.resolves = ((source, n), *open_among(change.session, read_parked(parked.body).resolves))
    parked.settling = change.id
    with_what = {Take.MINE: "this change", Take.THEIRS: "what is there", Take.OTHER: "other values"}
    change.label = f"Settled with {with_what[take]}: {parked.label}"


@operation(None)
def bring_back(change: Change, /, *, source: UUID, n: int, values: Mapping[str, Any] = {}) -> None:
    """Put the values of a settled, not taken change in after all, all of them or the named ones; can be undone."""
    parked = _parked(change, source, n)
    if parked.settled_seq is None and not settling_on_its_way(change.session, parked):
        raise Refused("This is still open; settle it instead.")
    _require(change, parked)
    points = read_points(change.session, parked)
    chosen = chosen_values(points, Take.OTHER if values else Take.MINE, values, _groups(points))
    _apply(change, parked, points, chosen)
    if not change.patches:
        raise Refused("All values of this change are there already.")
    change.label = f"Brought back: {parked.label}"


def _parked(change: Change, source: UUID, n: int) -> Conflict:
    parked = change.session.get(Conflict, (source, n))
    if parked is None:
        raise NotFound("This conflict is not known here; refresh the list.")
    return parked


def _require(change: Change, parked: Conflict) -> None:
    reason = may_settle(change.actor, parked.actor_id)
    if reason is not None:
        raise Denied(reason)


def _refuse_moved(points: Sequence[Point], seen: Mapping[str, Any]) -> None:
    if any(point.key in seen and seen[point.key] != point.now for point in points):
        raise Stale(
            "What stands there changed while you looked at it; look at the new values and choose again."
        )


def _class_of(entity: str) -> type[Record]:
    for mapper in Base.registry.mappers:
        if mapper.class_.__tablename__ == entity and issubclass(mapper.class_, Record):
            return mapper.class_
    raise Refused("This change is of a newer program; update Lineside on this computer, then settle it.")


def _groups(points: Sequence[Point]) -> dict[str, Sequence[frozenset[str]]]:
    return {point.entity: _class_of(point.entity).sharing.together for point in points}


def _apply(change: Change, parked: Conflict, points: Sequence[Point], chosen: Mapping[str, Any]) -> None:
    """Write the chosen values over what is here now, as the rules of the tables allow."""
    if not chosen:
        return
    change.undoes = read_parked(parked.body).undoes
    created: defaultdict[str, dict[UUID, dict[str, Any]]] = defaultdict(dict)
    changed: defaultdict[str, dict[UUID, dict[str, tuple[Any, Any]]]] = defaultdict(dict)
    for point in points:
        if point.key not in chosen:
            continue
        wanted = chosen[point.key]
        if point.created:
            created[point.entity].setdefault(point.row_id, {})[point.field] = _typed(point, wanted)
        elif wanted != point.now:
            _refuse_gone(change, point)
            _refuse_illegal(change, point, wanted)
            moved = changed[point.entity].setdefault(point.row_id, {})
            moved[point.field] = (_typed(point, point.now), _typed(point, wanted))
    for block in block_rows(parked.body, {point.row_id for point in points}):
        table = entries.table_of(block.entity)
        for row_id, values in zip(block.ids, block.rows, strict=True):
            typed = {n: entries.typed(table.c[n].type, v) for n, v in zip(block.columns, values, strict=True)}
            created[block.entity][row_id] = typed
    back = come_back_first(change.session, created, changed)
    for entity, patches in back.items():  # in front: the server takes no part of a row that is gone
        _patch(change, _class_of(entity), patches)
    for entity, rows in created.items():
        _create_again(change, _class_of(entity), rows)
    for entity, patches in changed.items():
        _patch(change, _class_of(entity), patches)
    _follow_moved_stages(change, points, chosen)


def _refuse_gone(change: Change, point: Point) -> None:
    row = change.session.get(_class_of(point.entity), point.row_id)
    if row is None or row.version == GHOST:
        raise NotFound("A row of this change is not here any more, so its values have no place.")


def _typed(point: Point, value: Any) -> Any:
    """A JSON value as its column takes it, checked as a form would; raises `Refused` with its key."""
    column = entries.table_of(point.entity).c[point.field]
    try:
        typed = entries.typed(column.type, value)
        if typed is None and not column.nullable:
            raise Refused("This cannot be left empty.")
        check = _CHECKS.get((point.entity, point.field))
        return check(typed) if check is not None else typed
    except (ValueError, TypeError):
        title = point.field.replace("_", " ")
        raise Refused(f"“{value}” is no {title}.", field=point.key) from None
    except Refused as refusal:
        raise Refused(refusal.sentence, field=point.key) from None


def _refuse_illegal(change: Change, point: Point, wanted: Any) -> None:
    sharing = _class_of(point.entity).sharing
    taking_back = change.undoes is not None
    reason = illegal_step(sharing, change.actor, point.field, point.now, wanted, taking_back=taking_back)
    if reason is not None:
        raise Refused(reason, field=point.key)


def _patch(change: Change, row_class: type[Record], patches: dict[UUID, dict[str, tuple[Any, Any]]]) -> None:
    """Change rows that are there."""
    for row_id, fields in patches.items():
        row = change.session.get_one(row_class, row_id)
        for field in fields:
            _require_right(change, row_class, field, row)
    change.patch(row_class, list(patches.items()))


def _create_again(change: Change, row_class: type[Record], rows: dict[UUID, dict[str, Any]]) -> None:
    """Make rows that the server refused; the ghosts that stand for them here give way."""
    _require_right(change, row_class, None, None)
    table, session, ids = entries.table_of(row_class.__tablename__), change.session, list(rows)
    session.flush()
    session.execute(
        text("PRAGMA defer_foreign_keys=ON")
    )  # what hangs on a ghost waits for the row to be back
    there: set[UUID] = set()
    for begin in range(0, len(ids), _CHUNK):
        chunk = table.c.id.in_(ids[begin : begin + _CHUNK])
        session.execute(delete(table).where(chunk, table.c.version == 0))
        there.update(session.execute(select(table.c.id).where(chunk)).scalars())
    session.expire_all()
    columns = [c.name for c in table.columns if c.name not in ("id", "version", "deleted")]
    change.insert(
        row_class,
        [
            {"id": row_id} | {name: values.get(name) for name in columns}
            for row_id, values in rows.items()
            if row_id not in there
        ],
    )


def _require_right(change: Change, row_class: type[Record], field: str | None, row: Record | None) -> None:
    sharing = row_class.sharing
    ways = [*sharing.create, *(way for several in sharing.change.values() for way in several)]
    owners = {way.own: getattr(row, way.own) for way in ways if way.own} if row is not None else {}
    reason = missing_right(sharing, change.actor, field, owners)
    if reason is not None:
        raise Denied(reason)


def _follow_moved_stages(change: Change, points: Sequence[Point], chosen: Mapping[str, Any]) -> None:
    """Stages stand as moves could have brought them there, and their orders follow."""
    moved = [
        point.row_id
        for point in points
        if point.entity == Stage.__tablename__
        and point.field == "status"
        and not point.created
        and chosen.get(point.key, point.now) != point.now
    ]
    for order, stages in refuse_broken_routes(change, moved):
        follow_stages(change, order, stages)
