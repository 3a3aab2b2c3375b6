"""Changes that the server did not take: the list of them, and each in full with all its values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Table, case, exists, func, select
from sqlalchemy.orm import Session

from app.domain.conflicts import Clash, Point, Verdict
from app.domain.decoding import json_decoder
from app.domain.errors import NotFound
from app.store import entries
from app.store.entries import CREATED, CREATED_MANY
from app.store.queries.listing import Column, Listing
from app.store.queries.shared_changes import row_name
from app.store.queries.unsent import rows_of, with_parents
from app.store.tables import Base, Conflict, Outbox
from app.store.tables.base import GHOST

LAID_OUT = 200
"""Rows of one creation up to here are laid out value by value; of a larger import only the disputed ones are."""
_CHUNK = 500
_Key = tuple[str, UUID, str]
OPEN, SETTLING, SETTLED = "open", "settling", "settled"

_ON_ITS_WAY = exists().where(Outbox.change_id == Conflict.settling, Outbox.state != "parked")
STATE: ColumnElement[str] = case(
    (Conflict.settled_seq.is_not(None), SETTLED), (_ON_ITS_WAY, SETTLING), else_=OPEN
)
"""A settlement that the server parked in its turn leaves what it was to settle open."""

CONFLICTS = Listing(
    entity="conflicts",
    title="Conflicts",
    source=Conflict.__table__,
    id=Conflict.__table__.c.seq,
    sort="seq",
    descending=True,
    columns=(
        Column("state", "State", "text", STATE),
        Column("label", "Change", "text", Conflict.label.expression),
        Column("verdict", "Why", "text", Conflict.verdict.expression),
        Column("actor", "Who", "text", Conflict.actor.expression),
        Column("station", "Station", "text", Conflict.station.expression),
        Column("at", "When", "time", Conflict.at.expression, keyed=True),
        Column("sentence", "The server says", "text", Conflict.reason["sentence"].as_string()),
        Column("settled_by", "Settled by", "text", Conflict.settled_by.expression),
        Column("settled_at", "Settled", "time", Conflict.settled_at.expression),
        Column("seq", "No.", "integer", Conflict.seq.expression, keyed=True, shown=False),
        Column("source", "Source", "text", func.lower(Conflict.source), shown=False),
        Column("n", "Entry", "integer", Conflict.n.expression, shown=False),
        Column("operation", "Operation", "text", Conflict.operation.expression, shown=False),
    ),
    aliases={"who": "actor", "when": "at", "why": "verdict"},
)


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """A point as a person reads it: its row by name, its field, and the kind of value that its column takes.

    `kind` is one of text, integer, decimal, time, flag, choice, row, json; `choices` are those of a choice.
    """

    point: Point
    row: str
    title: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """A value that others changed on a row that was to be deleted: why it was not. `shown` is what it became."""

    shown: ShownPoint
    clash: Clash


@dataclass(frozen=True, slots=True)
class ConflictDetails:
    """One parked change in full. `names` gives what ids among the values stand for; `more` rows are not laid out.

    `meanwhile` tells what others did to rows that this change was to delete.
    """

    source: UUID
    n: int
    seq: int
    state: str
    verdict: Verdict
    label: str
    operation: str
    actor: str
    actor_id: UUID | None
    station: str
    at: datetime
    said_at: datetime | None
    sentence: str
    settled_by: str
    settled_at: datetime | None
    points: tuple[ShownPoint, ...]
    names: Mapping[str, str]
    more: int
    meanwhile: tuple[Meanwhile, ...] = ()


def open_conflicts(session: Session) -> int:
    """How many wait for a person."""
    return session.execute(select(func.count()).select_from(Conflict).where(STATE == OPEN)).scalar_one()


def conflict_marks(session: Session) -> dict[str, dict[UUID, int]]:
    """Rows that an open conflict is about, parents of parts included: the conflict's number by id, by entity."""
    marks: defaultdict[str, dict[UUID, int]] = defaultdict(dict)
    found = session.execute(select(Conflict.seq, Conflict.body).where(STATE == OPEN).order_by(Conflict.seq))
    for seq, body in found:
        try:
            rows = with_parents(session, rows_of(body))
        except msgspec.DecodeError:  # what the server could not read is on show in the list alone
            continue
        for entity, row_id in rows:
            marks[entity][row_id] = seq
    return dict(marks)


def settling_on_its_way(session: Session, parked: Conflict) -> bool:
    """Whether an own change is about to settle it and was not refused itself."""
    if parked.settling is None:
        return False
    state = session.execute(select(Outbox.state).where(Outbox.change_id == parked.settling)).scalar()
    return state is not None and state != "parked"


def open_among(session: Session, keys: Iterable[tuple[UUID, int]]) -> list[tuple[UUID, int]]:
    """Those of the (source, n) that nobody has settled."""
    rows = [(key, session.get(Conflict, key)) for key in keys]
    return [key for key, row in rows if row is not None and row.settled_seq is None]


def read_conflict(session: Session, seq: int) -> ConflictDetails:
    """The conflict with this number in the server's log. Raises `NotFound`."""
    found = session.execute(select(Conflict, STATE).where(Conflict.seq == seq)).one_or_none()
    if found is None:
        raise NotFound("This conflict is not known here; refresh the list.")
    parked, state = found
    points = read_points(session, parked)
    meanwhile = _meanwhile(parked, points)
    keys = {(p.entity, p.row_id) for p in [*points, *meanwhile]}
    named = {key: row_name(session, *key) for key in keys}
    for point in points:
        if point.created and point.mine and point.field in ("number", "name", "title"):
            named[point.entity, point.row_id] = str(point.mine)
    rows = sum(len(block.ids) for block in block_rows(parked.body, {p.row_id for p in points}))
    return ConflictDetails(
        source=parked.source,
        n=parked.n,
        seq=parked.seq,
        state=str(state),
        verdict=Verdict(parked.verdict),
        label=parked.label,
        operation=parked.operation,
        actor=parked.actor,
        actor_id=parked.actor_id,
        station=parked.station,
        at=parked.at,
        said_at=parked.said_at,
        sentence=str(parked.reason.get("sentence", "")),
        settled_by=parked.settled_by,
        settled_at=parked.settled_at,
        points=tuple(_shown(point, named[point.entity, point.row_id]) for point in points),
        names=_names(session, [*points, *meanwhile]),
        more=rows,
        meanwhile=tuple(
            Meanwhile(_shown(one, named[one.entity, one.row_id]), one.clash) for one in meanwhile if one.clash
        ),
    )


def read_points(session: Session, parked: Conflict) -> list[Point]:
    """Every value of a parked change that can be chosen, disputed ones first; none where it cannot be read."""
    rows = read_parked(parked.body).rows
    clashes = _with_newest(_clashes(parked.reason))
    laid_out = [
        patch
        for row in rows
        for patch in _patches(row, {row_id for _, row_id, _ in clashes})
        if patch.entity in Base.metadata.tables
    ]
    present = _present(session, laid_out)
    points = [
        point
        for patch in laid_out
        for point in _points(patch, present.get((patch.entity, patch.id)), clashes)
    ]
    return sorted(points, key=lambda point: point.clash is None)


class ParkedRow(msgspec.Struct):
    """What a parked entry would have done to one row, or which rows it would have made."""

    e: str
    k: str
    id: UUID | None = None
    v: int = 1
    set: dict[str, tuple[Any, Any]] = msgspec.field(default_factory=dict)
    columns: tuple[str, ...] = ()
    ids: tuple[UUID, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    @property
    def makes_sense(self) -> bool:
        if self.k != CREATED_MANY:
            return self.id is not None
        return len(self.ids) == len(self.rows) and all(len(row) == len(self.columns) for row in self.rows)


class Parked(msgspec.Struct):
    """A parked entry, as far as it counts for settling it."""

    rows: tuple[ParkedRow, ...] = ()
    undoes: UUID | None = None
    resolves: tuple[tuple[UUID, int], ...] = ()


_reader = json_decoder(Parked)


def read_parked(body: str) -> Parked:
    """The entry of a conflict; an empty one where no program of ours wrote it. Any station may hand in anything."""
    try:
        parked = _reader.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return Parked()
    return parked if all(row.makes_sense for row in parked.rows) else Parked()


def _patches(row: ParkedRow, disputed: set[UUID]) -> Iterator[entries.Patch]:
    if row.id is not None and row.k != CREATED_MANY:
        yield entries.Patch(row.e, row.id, row.k, row.v, row.set)
        return
    few = len(row.ids) <= LAID_OUT
    for row_id, values in zip(row.ids, row.rows, strict=True):
        if few or row_id in disputed:
            created = {name: (None, value) for name, value in zip(row.columns, values, strict=True)}
            yield entries.Patch(row.e, row_id, CREATED, 1, created)


def block_rows(body: str, laid_out: set[UUID]) -> Iterator[entries.CreatedRows]:
    """The created rows of a large import that no point lays out."""
    for row in read_parked(body).rows:
        if row.k != CREATED_MANY or row.e not in Base.metadata.tables:
            continue
        kept = [pair for pair in zip(row.ids, row.rows, strict=True) if pair[0] not in laid_out]
        if kept:
            ids, values = zip(*kept, strict=True)
            yield entries.CreatedRows(row.e, row.columns, ids, values)


def _clashes(reason: Mapping[str, Any]) -> dict[_Key, Clash]:
    found = {}
    for fact in reason.get("fields") or ():
        at = fact.get("at")
        clash = Clash(
            fact.get("theirs"),
            fact.get("by") or "",
            datetime.fromisoformat(at) if at else None,
            fact.get("station") or "",
        )
        found[fact["e"], UUID(str(fact["id"])), str(fact.get("field") or "")] = clash
    return found


def _with_newest(clashes: Mapping[_Key, Clash]) -> dict[_Key, Clash]:
    """A deletion is disputed by whatever happened to its row last, not by whoever made the row."""
    found = dict(clashes)
    for (entity, row_id, name), clash in clashes.items():
        if name == "deleted" and not clash.theirs:
            same = [other for key, other in clashes.items() if key[:2] == (entity, row_id)]
            last = max(same, key=_moment_of)
            found[entity, row_id, name] = Clash(clash.theirs, last.by, last.at, last.station)
    return found


def _moment_of(clash: Clash) -> datetime:
    return clash.at or datetime.min.replace(tzinfo=UTC)


def _meanwhile(parked: Conflict, points: Iterable[Point]) -> list[Point]:
    """What the server names as changed by others on rows that the change deletes."""
    asked = {(point.entity, point.row_id, point.field) for point in points}
    doomed = {(point.entity, point.row_id) for point in points if point.field == "deleted" and point.mine}
    found = [
        Point(entity, row_id, name, None, clash.theirs, clash.theirs, clash)
        for (entity, row_id, name), clash in _clashes(parked.reason).items()
        if (entity, row_id) in doomed
        and (entity, row_id, name) not in asked
        and name in entries.table_of(entity).c
    ]
    return sorted(found, key=lambda one: one.key)


def _present(session: Session, patches: Sequence[entries.Patch]) -> dict[tuple[str, UUID], Mapping[str, Any]]:
    """The rows that the patches are about, as they stand here now; none for those that no server has."""
    wanted: defaultdict[str, list[UUID]] = defaultdict(list)
    for patch in patches:
        wanted[patch.entity].append(patch.id)
    found: dict[tuple[str, UUID], Mapping[str, Any]] = {}
    for entity, ids in wanted.items():
        table = entries.table_of(entity)
        for begin in range(0, len(ids), _CHUNK):
            wanted_here = table.c.id.in_(ids[begin : begin + _CHUNK])
            rows = session.execute(select(table).where(wanted_here, table.c.version > GHOST))
            found.update({(entity, row["id"]): dict(row) for row in rows.mappings()})
    return found


def _points(
    patch: entries.Patch, row: Mapping[str, Any] | None, clashes: Mapping[_Key, Clash]
) -> Iterator[Point]:
    created = patch.kind == CREATED and row is None
    known = entries.table_of(patch.entity).c
    whole = clashes.get((patch.entity, patch.id, "deleted")) or clashes.get((patch.entity, patch.id, ""))
    for name, (base, mine) in patch.fields.items():
        if name not in known or (created and name == "deleted"):
            continue
        now = None if created or row is None else entries.plain(row[name])
        clash = clashes.get((patch.entity, patch.id, name))
        if clash is None and whole is not None:  # the row as a whole is disputed, so each of its values is
            clash = Clash(now, whole.by, whole.at, whole.station)
        yield Point(patch.entity, patch.id, name, base, mine, now, clash, created)


def _shown(point: Point, row: str) -> ShownPoint:
    column = entries.table_of(point.entity).c[point.field]
    choices = getattr(column.type, "enum_class", None)
    title = point.field.removesuffix("_id").replace("_", " ").capitalize()
    kind = "row" if column.foreign_keys else _kind(column.type.__class__.__name__)
    return ShownPoint(
        point, row, title, kind, tuple(choice.value for choice in choices) if choices is not None else ()
    )


def _kind(type_name: str) -> str:
    kinds = {
        "UtcDateTime": "time",
        "Enum": "choice",
        "Uuid": "row",
        "Boolean": "flag",
        "Integer": "integer",
        "BigInteger": "integer",
        "Float": "decimal",
        "JSON": "json",
    }
    return kinds.get(type_name, "text")


def as_written(value: datetime) -> str:
    """A time as the values of points have it."""
    return str(entries.plain(value))


def _names(session: Session, points: Iterable[Point]) -> dict[str, str]:
    """What the ids among the values stand for."""
    names: dict[str, str] = {}
    for point in points:
        target = _target(entries.table_of(point.entity), point.field)
        for value in (point.base, point.mine, point.now, point.theirs):
            if target is not None and isinstance(value, str) and value not in names:
                names[value] = row_name(session, target, UUID(value))
    return names


def _target(table: Table, field: str) -> str | None:
    keys = list(table.c[field].foreign_keys)
    return str(keys[0].column.table.name) if keys else None
