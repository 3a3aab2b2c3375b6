"""What the server has not confirmed yet: the changes, photos and rows that would stay behind on this computer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.decoding import json_decoder
from app.store.entries import table_of
from app.store.journal import UNCONFIRMED
from app.store.sharing import joined_station
from app.store.tables import Attachment, Blob, Outbox

_CHUNK = 500
_PARENTS = {
    "stage": ("work_order", "work_order_id"),
    "inspection_result": ("inspection", "inspection_id"),
    "tag": ("equipment", "equipment_id"),
}
"""Rows that are shown as a part of another one: a moved stage marks the card of its order."""


class _Row(msgspec.Struct):
    """The head of one row of an outbox body."""

    e: str
    id: str = ""
    ids: tuple[str, ...] = ()

    def named(self) -> Iterator[tuple[str, UUID]]:
        for row_id in self.ids or (self.id,):
            yield self.e, UUID(row_id)


class _Body(msgspec.Struct):
    """Of an outbox body what the list of unsent changes shows; format 1 has no label."""

    actor: str
    at: datetime
    operation: str
    rows: tuple[_Row, ...]
    label: str = ""


_reader = json_decoder(_Body)


@dataclass(frozen=True, slots=True)
class UnsentChange:
    """One own change that is still on its way; `sent` ones have an answer but were not seen in the feed yet."""

    change_id: UUID
    label: str
    actor: str
    at: datetime
    rows: int
    sent: bool


@dataclass(frozen=True, slots=True)
class UnsentPhoto:
    """A photo or file whose bytes are on this computer alone."""

    name: str
    size: int
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LidClosed:
    """What would not be at the server if this computer were shut now; `changes` holds the oldest ones of `count`."""

    count: int = 0
    changes: tuple[UnsentChange, ...] = ()
    photos: tuple[UnsentPhoto, ...] = ()

    @property
    def photo_bytes(self) -> int:
        return sum(photo.size for photo in self.photos)


def unconfirmed(session: Session) -> tuple[int, datetime | None]:
    """How many changes the server has not confirmed, and when the oldest of them was made."""
    waiting = Outbox.state.in_(UNCONFIRMED)
    count = session.execute(select(func.count()).where(waiting)).scalar_one()
    if not count:
        return 0, None
    body = session.execute(select(Outbox.body).where(waiting).order_by(Outbox.position).limit(1)).scalar_one()
    return count, _reader.decode(body).at


def left_behind(session: Session, limit: int = 200) -> LidClosed:
    """Unconfirmed changes, the oldest first, and photos that were not sent."""
    waiting = select(Outbox).where(Outbox.state.in_(UNCONFIRMED))
    count = session.execute(select(func.count()).select_from(waiting.subquery())).scalar_one()
    found = session.execute(waiting.order_by(Outbox.position).limit(limit)).scalars()
    return LidClosed(count, tuple(_unsent(entry) for entry in found), tuple(_photos(session)))


def _unsent(entry: Outbox) -> UnsentChange:
    body = _reader.decode(entry.body)
    rows = sum(max(1, len(row.ids)) for row in body.rows)
    label = body.label or body.operation.replace("_", " ").capitalize()
    return UnsentChange(entry.change_id, label, body.actor, body.at, rows, entry.state != "pending")


def _photos(session: Session) -> Iterator[UnsentPhoto]:
    """By their bytes: the same photo on two orders is sent once."""
    found = session.execute(
        select(Attachment, Blob.size)
        .join(Blob, Blob.sha256 == Attachment.sha256)
        .where(Blob.original, ~Blob.sent, ~Attachment.deleted, ~Attachment.stored)
        .order_by(Attachment.at)
    )
    seen: set[str] = set()
    for attachment, size in found:
        if attachment.sha256 not in seen:
            seen.add(attachment.sha256)
            yield UnsentPhoto(attachment.name, size, attachment.author, attachment.at)


@dataclass
class UnsentRows:
    """Which rows have unconfirmed own changes. Entries never change, so each is read once; use it from one thread."""

    _known: dict[int, frozenset[tuple[str, UUID]]] = field(default_factory=dict)

    def look(self, session: Session) -> Mapping[str, frozenset[UUID]]:
        """Ids by entity, parents of changed parts included; empty where nothing is shared."""
        if joined_station(session) is None:
            self._known = {}
            return {}
        positions = set(
            session.execute(select(Outbox.position).where(Outbox.state.in_(UNCONFIRMED))).scalars()
        )
        self._known = {at: rows for at, rows in self._known.items() if at in positions}
        fresh = sorted(positions - self._known.keys())
        for begin in range(0, len(fresh), _CHUNK):
            chunk = fresh[begin : begin + _CHUNK]
            found = session.execute(
                select(Outbox.position, Outbox.body).where(Outbox.position.in_(chunk))
            ).all()
            for position, body in found:
                self._known[position] = with_parents(session, rows_of(body))
        marked: defaultdict[str, set[UUID]] = defaultdict(set)
        for rows in self._known.values():
            for entity, row_id in rows:
                marked[entity].add(row_id)
        return {entity: frozenset(ids) for entity, ids in marked.items()}


def rows_of(body: str) -> set[tuple[str, UUID]]:
    """(entity, id) of every row that an outbox body writes."""
    return {key for row in _reader.decode(body).rows for key in row.named()}


def with_parents(session: Session, rows: Iterable[tuple[str, UUID]]) -> frozenset[tuple[str, UUID]]:
    """`rows` and the rows whose parts they are."""
    found = set(rows)
    parts: defaultdict[str, list[UUID]] = defaultdict(list)
    for entity, row_id in found:
        if entity in _PARENTS:
            parts[entity].append(row_id)
    for entity, ids in parts.items():
        parent, column = _PARENTS[entity]
        table = table_of(entity)
        for begin in range(0, len(ids), _CHUNK):
            chosen = table.c.id.in_(ids[begin : begin + _CHUNK])
            found.update(
                (parent, row_id)
                for row_id in session.execute(select(table.c[column]).where(chosen)).scalars()
            )
    return frozenset(found)
