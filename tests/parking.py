"""Puts a store where the sync engine would leave it: joined to a server, entries answered, conflicts known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.domain.people import Actor
from app.plant import House
from app.store import entries
from app.store.sessions import Store
from app.store.tables import Conflict, Meta, Outbox, SharedChange

AT = datetime(2026, 4, 15, 11, 57, tzinfo=UTC)
SERVER = "0196f000-0000-7000-8000-000000000001"


@dataclass
class Parking:
    """One store under the hands of what the engine does to it."""

    house: House
    seq: int = 0

    @property
    def store(self) -> Store:
        return self.house.store

    def write(self, work: Callable[[Session], None]) -> None:
        self.store.submit(work).result()

    def join(self, station: str = "07") -> None:
        """Share the store; what was made before is confirmed, and everybody can sign."""
        self.house.door.sign = _sign

        def work(session: Session) -> None:
            session.add_all(
                [Meta(key="sync.station", value=station), Meta(key="sync.server_id", value=SERVER)]
            )
            session.execute(update(Outbox).values(state="done"))

        self.write(work)

    def confirm(self) -> None:
        """The server took everything that waits."""
        self.write(lambda session: _set_all(session, "done"))

    def newest(self) -> Outbox:
        with self.store.reader() as session:
            return session.execute(select(Outbox).order_by(Outbox.position.desc()).limit(1)).scalar_one()

    def set_row(self, entity: str, row_id: UUID, **values: Any) -> None:
        """What others changed, or what the server made of a refused entry, shows in the row."""
        table = entries.table_of(entity)
        self.write(lambda session: _set_row(session, table, row_id, values))

    def ghost(self, entity: str, row_id: UUID) -> None:
        """A creation that the server refused stays as a ghost."""
        self.set_row(entity, row_id, deleted=True, version=0)

    def park(
        self,
        entry: Outbox | None = None,
        *,
        verdict: str = "conflict",
        sentence: str = "Somebody else changed the same value meanwhile.",
        fields: Sequence[Mapping[str, Any]] = (),
        actor_id: UUID | None = None,
        body: str | None = None,
    ) -> Conflict:
        """The server did not take `entry` (the newest one)."""
        entry = entry or self.newest()
        facts = json.loads(entry.body)
        self.seq += 1
        author = actor_id or (UUID(facts["actor_id"]) if facts["actor_id"] else None)
        conflict = Conflict(
            source=entry.source,
            n=entry.n,
            seq=self.seq,
            at=AT,
            said_at=AT,
            verdict=verdict,
            station="07",
            actor_id=author,
            actor=facts["actor"],
            operation=facts["operation"],
            label=facts["label"],
            change_id=entry.change_id,
            reason={"state": "SY010", "sentence": sentence, "fields": list(fields)},
            body=entry.body if body is None else body,
        )

        def work(session: Session) -> None:
            session.add(conflict)
            session.execute(update(Outbox).where(Outbox.position == entry.position).values(state="parked"))

        self.write(work)
        return conflict

    def settle(self, conflict: Conflict, by: str = "A. Lee") -> None:
        """The feed says that somebody settled it."""
        self.seq += 1
        values = {"settled_seq": self.seq, "settled_by": by, "settled_at": AT}
        mine = (Conflict.source == conflict.source) & (Conflict.n == conflict.n)
        self.write(lambda session: _update_conflict(session, mine, values))

    def shared(self, label: str, station: str = "03", merged: list[dict[str, object]] | None = None) -> None:
        """A change of another station came with the feed."""
        self.seq += 1
        change = SharedChange(
            seq=self.seq,
            at=AT,
            said_at=AT,
            station=station,
            actor="A. Lee",
            operation="edit_work_orders",
            label=label,
            verdict="applied",
            merged=merged,
        )
        self.write(lambda session: session.add(change))


def _sign(_actor: Actor, _body: str) -> str:
    return "00" * 32


def clash(
    entity: str, row_id: UUID, field: str, base: Any, mine: Any, theirs: Any, by: str = "A. Lee"
) -> dict[str, Any]:
    """One line of what the server says about a conflict."""
    at = AT.isoformat().replace("+00:00", "Z")
    return {
        "e": entity,
        "id": str(row_id),
        "field": field,
        "base": base,
        "mine": mine,
        "theirs": theirs,
        "by": by,
        "at": at,
        "station": "03",
    }


def _set_all(session: Session, state: str) -> None:
    session.execute(update(Outbox).where(Outbox.state.in_(("pending", "acknowledged"))).values(state=state))


def _set_row(session: Session, table: Any, row_id: UUID, values: Mapping[str, Any]) -> None:
    session.execute(text("PRAGMA defer_foreign_keys=ON"))
    session.execute(update(table).where(table.c.id == row_id).values(**values))


def _update_conflict(session: Session, where: Any, values: Mapping[str, Any]) -> None:
    session.execute(update(Conflict).where(where).values(**values))
