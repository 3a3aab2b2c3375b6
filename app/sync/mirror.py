"""Keeps here what the server's log says besides rows: who changed what when, and what it did not apply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.sqlite import insert

from app.domain.decoding import json_decoder
from app.store.tables import Conflict, SharedChange
from app.sync.records import PARKED, Record, as_id, as_time


def note_records(connection: Connection, records: Sequence[Record]) -> None:
    """Mirror the heads of these records, the parked entries, and which of those were settled."""
    note_heads(connection, records)
    for record in records:
        if record.k == PARKED:
            note_conflict(connection, conflict_of(record))
        for source, n in record.resolves:
            connection.execute(
                update(Conflict)
                .where(Conflict.source == UUID(source), Conflict.n == n, Conflict.settled_seq.is_(None))
                .values(settled_seq=record.seq, settled_by=record.actor, settled_at=record.at, settling=None)
            )


def note_heads(connection: Connection, records: Iterable[Record]) -> None:
    """Keep who changed what when; what is known already stays."""
    heads = [_head(record) for record in records]
    if heads:
        connection.execute(insert(SharedChange).on_conflict_do_nothing(), heads)


def note_conflict(connection: Connection, facts: dict[str, Any]) -> None:
    """Keep one parked entry; what the log says of it replaces what the first answer said."""
    kept = {name: value for name, value in facts.items() if name not in ("source", "n")}
    statement = insert(Conflict).values(facts | {"settled_by": facts.get("settled_by", "")})
    connection.execute(statement.on_conflict_do_update(index_elements=["source", "n"], set_=kept))


def forget_heads(connection: Connection) -> None:
    """The server's history is not the one that was mirrored."""
    connection.execute(delete(SharedChange))


def keep_conflicts(connection: Connection, known: Iterable[tuple[UUID, int]]) -> None:
    """Forget every parked entry that the server does not know."""
    wanted = set(known)
    for source, n in connection.exec_driver_sql("SELECT source, n FROM conflict").all():
        if (UUID(source), n) not in wanted:
            connection.execute(delete(Conflict).where(Conflict.source == UUID(source), Conflict.n == n))


def conflict_of(record: Record) -> dict[str, Any]:
    """A parked record as the table of conflicts keeps it."""
    return {
        "source": UUID(record.src),
        "n": record.n,
        "seq": record.seq,
        "at": record.at,
        "said_at": as_time(record.said_at),
        "verdict": record.verdict,
        "station": record.station,
        "actor_id": as_id(record.actor_id),
        "actor": record.actor,
        "operation": record.operation,
        "label": record.label,
        "change_id": record.change_id,
        "reason": record.reason,
        "body": record.parked_body,
    }


class _EntryHead(msgspec.Struct):
    actor: str = ""
    actor_id: str | None = None
    operation: str = ""
    label: str = ""
    at: str = ""
    change: str = ""


_head_reader = json_decoder(_EntryHead)


def conflict_of_answer(
    source: UUID, n: int, body: str, answer: tuple[int, str, dict[str, Any]], station: str, at: datetime
) -> dict[str, Any]:
    """The same from the server's answer (seq, verdict, reason) to an own entry, until the log brings it."""
    head = _head_reader.decode(body)
    seq, verdict, reason = answer
    return {
        "source": source,
        "n": n,
        "seq": seq,
        "at": at,
        "said_at": as_time(head.at),
        "verdict": verdict,
        "station": station,
        "actor_id": as_id(head.actor_id),
        "actor": head.actor,
        "operation": head.operation,
        "label": head.label or head.operation,
        "change_id": as_id(head.change),
        "reason": reason,
        "body": body,
    }


def _head(record: Record) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "at": record.at,
        "said_at": as_time(record.said_at),
        "station": record.station,
        "actor": record.actor,
        "operation": record.operation,
        "label": record.label,
        "verdict": record.verdict or record.k,
        "change_id": record.change_id,
        "undoes": as_id(record.undoes),
        "merged": record.merged or None,
    }
