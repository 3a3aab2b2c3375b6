"""What an operation is, and the open transaction that it is handed: each row that it writes is noted as a patch."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, cast
from uuid import UUID

from sqlalchemy import CursorResult, Row, Table, bindparam, select, update
from sqlalchemy import inspect as inspect_row
from sqlalchemy.orm import Session

from app.domain.errors import NotFound, Stale
from app.domain.people import Actor, Permission
from app.operations.noting import BOOKKEEPING, changed_fields, fill_defaults, unchanged
from app.store import bulk, entries, journal
from app.store.entries import CREATED, UPDATED, CreatedRows, Patch, plain
from app.store.numbers import take_numbers
from app.store.sharing import joined_station
from app.store.tables import Record
from app.store.tables.base import GHOST

P = ParamSpec("P")
R = TypeVar("R")
RowT = TypeVar("RowT", bound=Record)

Signer: TypeAlias = Callable[[Actor, str], str]
"""Signs a text in somebody's name, in hex; raises `Refused` when it cannot. Asked where a server is shared."""

_RowChange: TypeAlias = tuple[UUID, Mapping[str, tuple[Any, Any]]]
_LOOKUP = 500
_RANDOM_END = (1 << 62) - 1


class Change:
    """One open transaction, handed to an operation.

    Rows that the operation adds to `session` or changes there are recorded by themselves; `insert` and `patch`
    do the same for many rows at once. `label` becomes the words of the undo bar; `resolves` names the parked entries
    (source, n) that this change settles.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        now: datetime,
        new_id: Callable[[], UUID],
        station: str,
        sign: Signer | None = None,
    ) -> None:
        self.id = new_id()
        self.session = session
        self.actor = actor
        self.now = now
        self._fresh_id = new_id
        self._last_id = self.id.int
        self.label = ""
        self.undoes: UUID | None = None
        self.resolves: tuple[tuple[UUID, int], ...] = ()
        self.needs: Permission | None = None
        self.testimony: journal.AuditLine | None = None
        self._patches: dict[tuple[str, UUID], Patch | CreatedRows] = {}
        self._station = station
        self._sign = sign

    def new_id(self) -> UUID:
        """A new id; those of one change count up from a random one (RFC 9562, 6.2), so indexes grow at their end."""
        self._last_id += 1
        if not self._last_id & _RANDOM_END:  # the random part ran over: once in 10^13 imports
            self._last_id = self._fresh_id().int
        return UUID(int=self._last_id)

    @property
    def station(self) -> str:
        """The name of this station: as the server knows it, or the letter of one that shares nothing."""
        return joined_station(self.session) or self._station

    def get(self, row_class: type[RowT], row_id: UUID, title: str) -> RowT:
        """The living row; raises `NotFound` with `title` when there is none."""
        row = self.session.get(row_class, row_id)
        if row is None or row.deleted:
            raise NotFound(f"This {title} does not exist any more; refresh the list.")
        return row

    def next_number(self, row_class: type[Record], prefix: str) -> str:
        """The next human number on this station, for example `A-WO-000042`; never used twice."""
        return self.next_numbers(row_class, prefix, 1)[0]

    def next_numbers(self, row_class: type[Record], prefix: str, count: int) -> list[str]:
        """The next `count` human numbers of such rows, in order; typed or imported ones are passed over."""
        if not count:
            return []
        head = f"{self.station}-{prefix}-"
        first = take_numbers(self.session, entries.table_of(row_class.__tablename__), head, count)
        return [f"{head}{number:06d}" for number in range(first, first + count)]

    def insert(self, row_class: type[RowT], rows: Sequence[Mapping[str, Any]]) -> None:
        """Create many rows without building objects; each mapping names every column but version and deleted."""
        if not rows:
            return
        self.session.flush()
        created = bulk.insert_rows(self.session, entries.table_of(row_class.__tablename__), rows)
        self._patches[created.entity, created.ids[0]] = created

    def patch(self, row_class: type[Record], changes: Sequence[_RowChange]) -> None:
        """Change many rows, each field from the value that was seen; raises `Stale` when one moved meanwhile."""
        table = entries.table_of(row_class.__tablename__)
        self.session.flush()
        by_fields: defaultdict[tuple[str, ...], list[_RowChange]] = defaultdict(list)
        for row_id, fields in changes:
            by_fields[tuple(sorted(fields))].append((row_id, fields))
        for names, group in by_fields.items():
            self._patch_alike(table, names, row_class.sharing.companions(names), group)
        self.session.expire_all()

    def _patch_alike(
        self, table: Table, names: Sequence[str], beside: Collection[str], group: Sequence[_RowChange]
    ) -> None:
        """Patch rows of which the same fields change, in one go: an undone import changes 300,000 of them.

        The fields `beside` are noted as they are, since they belong together with those that change.
        """
        known: dict[UUID, Row[Any]] = {}
        columns = [table.c.id, table.c.version, *(table.c[name] for name in beside)]
        for begin in range(0, len(group), _LOOKUP):
            ids = [row_id for row_id, _ in group[begin : begin + _LOOKUP]]
            found = self.session.execute(select(*columns).where(table.c.id.in_(ids)))
            known.update((row.id, row) for row in found)
        matches = [table.c[name].is_not_distinct_from(bindparam(f"old_{name}")) for name in names]
        statement = (
            update(table)
            .where(table.c.id == bindparam("row_id"), table.c.version > GHOST, *matches)
            .values(
                version=table.c.version + bindparam("step"),
                **{name: bindparam(f"new_{name}") for name in names},
            )
        )
        steps = {row_id: 0 if self._counted(str(table.name), row_id) else 1 for row_id, _ in group}
        values = [
            {"row_id": row_id, "step": steps[row_id]}
            | {f"old_{name}": old for name, (old, _) in fields.items()}
            | {f"new_{name}": new for name, (_, new) in fields.items()}
            for row_id, fields in group
        ]
        written = cast("CursorResult[Any]", self.session.execute(statement, values))
        if written.rowcount != len(group):
            raise Stale("Someone changed this meanwhile; look at it again. Nothing was overwritten.")
        for row_id, fields in group:
            row = known[row_id]
            patched = {name: (plain(old), plain(new)) for name, (old, new) in fields.items()}
            patched |= {name: unchanged(row._mapping[name]) for name in beside}
            self._note(Patch(str(table.name), row_id, UPDATED, row.version + steps[row_id], patched))

    def testify(self, actor: Actor, outcome: str, sentence: str, operation_name: str) -> None:
        """Have the audit trail say this of `actor`, also when no shared row changes (logins, refused tries)."""
        self.testimony = journal.AuditLine(self.now, actor, operation_name, outcome, sentence)

    def signature(self, text: str) -> str:
        """The actor's signature over `text` in hex, empty on a station that shares nothing.

        Raises `Refused` when this station cannot sign for them.
        """
        if self._sign is None or joined_station(self.session) is None:
            return ""
        return self._sign(self.actor, text)

    def before_flush(self, session: Session, _context: object, _instances: object) -> None:
        """Note what the session is about to write, and raise the version of each changed row."""
        if session.deleted:
            raise RuntimeError("rows are never removed; set `deleted` instead")
        for row in [*session.new, *(row for row in session.dirty if session.is_modified(row))]:
            if not isinstance(row, Record):
                continue
            if inspect_row(row).persistent:
                fields = changed_fields(row)
                if not fields:
                    continue
                if not self._counted(row.__tablename__, row.id):
                    row.version += 1
                self._note(Patch(row.__tablename__, row.id, UPDATED, row.version, fields))
            else:
                fill_defaults(row)
                names = [c.key for c in inspect_row(row).mapper.column_attrs if c.key not in BOOKKEEPING]
                created = {name: (None, plain(getattr(row, name))) for name in names}
                self._note(Patch(row.__tablename__, row.id, CREATED, 1, created))

    def _counted(self, entity: str, row_id: UUID) -> bool:
        """Whether this change raised the version of the row already: it does so once, as the server will."""
        noted = self._patches.get((entity, row_id))
        return isinstance(noted, Patch) or (f"{entity} again", row_id) in self._patches

    def _note(self, patch: Patch) -> None:
        """Keep one patch a row: what it was before this change and what it is after the last flush."""
        key = (patch.entity, patch.id)
        earlier = self._patches.get(key)
        if isinstance(earlier, CreatedRows):
            key = (f"{patch.entity} again", patch.id)  # what changes such a row later stands after it
            earlier = self._patches.get(key)
        if isinstance(earlier, Patch):
            fields = dict(earlier.fields)
            for name, (before, after) in patch.fields.items():
                fields[name] = (fields[name][0] if name in fields else before, after)
            patch = Patch(patch.entity, patch.id, earlier.kind, patch.version, fields)
        self._patches[key] = patch

    @property
    def patches(self) -> list[Patch | CreatedRows]:
        """What was written so far, one patch a row, in the order of the first write."""
        return list(self._patches.values())


@dataclass(frozen=True)
class Intent(Generic[R]):
    """An operation with its arguments, ready to be performed by the door in somebody's name."""

    operation: Operation[Any, R]
    arguments: Mapping[str, Any]


class Operation(Generic[P, R]):
    """A function that changes the store; calling it makes an `Intent`, nothing happens before `Door.perform`."""

    def __init__(
        self, function: Callable[Concatenate[Change, P], R], permission: Permission | None, undoable: bool
    ) -> None:
        self.function = function
        self.permission = permission
        self.undoable = undoable
        self.name = function.__name__
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Intent[R]:
        bound = inspect.signature(self.function).bind(None, *args, **kwargs)
        return Intent(self, dict(list(bound.arguments.items())[1:]))


def operation(
    permission: Permission | None, *, undoable: bool = True
) -> Callable[[Callable[Concatenate[Change, P], R]], Operation[P, R]]:
    """Declare an operation; `permission` None means that the function itself decides who may."""

    def declare(function: Callable[Concatenate[Change, P], R]) -> Operation[P, R]:
        return Operation(function, permission, undoable)

    return declare


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What a performed operation returned, and how to name and undo it."""

    result: R
    label: str
    change_id: UUID
    undoable: bool
