"""Writes what a batch says about alarms, and reads back where they stand."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from app.store.history.alarm_rows import AlarmBatch, AlarmRecord, JournalLine
from app.store.history.alarm_tables import COLUMNS
from app.store.history.schema import maybe_micros, micros, storable

_PUT = f"INSERT OR REPLACE INTO alarm ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_SETTLE = (
    "UPDATE alarm SET phase = 'normal', acked_at = ?, acked_by = ?, comment = ? "
    "WHERE key = ? AND phase <> 'normal' AND occurrence < ?"
)
# Not a number: acts come late from other stations, and rows are numbered anew when they are all fetched again.
_ACTS = "CREATE TABLE IF NOT EXISTS alarm_act (id TEXT PRIMARY KEY) WITHOUT ROWID"


def write_alarms(db: sqlite3.Connection, batch: AlarmBatch) -> None:
    """Write what a batch says, inside the transaction of the caller."""
    db.executemany(_PUT, map(_alarm_row, batch.records))
    db.executemany(_SETTLE, [(maybe_micros(s.at), s.by, s.comment, s.key, s.below) for s in batch.settled])
    columns = "at, key, alarm, event, phase, urgency, limit_name, value, actor, reason"
    marks = ", ".join("?" * 10)
    db.executemany(f"INSERT INTO alarm_journal ({columns}) VALUES ({marks})", map(_line_row, batch.journal))
    db.executemany(
        "INSERT OR REPLACE INTO alarm_state VALUES (?, ?, ?)",
        [(key, state, alarm) for key, (state, alarm) in batch.states.items()],
    )
    if batch.acts:
        db.execute(_ACTS)
        db.executemany("INSERT OR IGNORE INTO alarm_act VALUES (?)", [(id,) for id in batch.acts])


def states(db: sqlite3.Connection) -> dict[str, tuple[bytes, str | None]]:
    """The packed state and current record of every alarm, as last written."""
    return {k: (s, a) for k, s, a in db.execute("SELECT key, state, alarm FROM alarm_state")}


def acts(db: sqlite3.Connection) -> set[str]:
    """The ids of all acts of people that are dealt with."""
    known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alarm_act'").fetchone()
    return {id for (id,) in db.execute("SELECT id FROM alarm_act")} if known else set()


def actions_until(db: sqlite3.Connection) -> int:
    """The number of the last act that a Lineside before this one applied, which kept no ids."""
    row = db.execute("SELECT value FROM mark WHERE name = 'alarm actions'").fetchone()
    return int(row[0]) if row else 0


def drop_before(db: sqlite3.Connection, time: datetime, most: int = 5000) -> int:
    """Drop raisings that are over and lines of the journal older than `time`, oldest first; returns how many.

    At most `most` of each, inside the transaction of the caller: call it again until it returns 0.
    """
    limit = micros(time)
    over = db.execute(
        "DELETE FROM alarm WHERE id IN (SELECT id FROM alarm WHERE raised_at < ? AND phase = 'normal' "
        "ORDER BY raised_at LIMIT ?)",
        (limit, most),
    )
    lines = db.execute(
        "DELETE FROM alarm_journal WHERE n IN (SELECT n FROM alarm_journal WHERE at < ? ORDER BY at LIMIT ?)",
        (limit, most),
    )
    return over.rowcount + lines.rowcount


def _alarm_row(r: AlarmRecord) -> tuple[object, ...]:
    limit = None if r.limit is None else r.limit.value
    return (
        r.id, r.key, r.tag, r.kind.value, r.occurrence, r.priority, int(r.urgency), limit, storable(r.value),
        r.phase.value, micros(r.raised_at), maybe_micros(r.returned_at), maybe_micros(r.acked_at), r.acked_by,
        maybe_micros(r.shelved_until), r.comment, r.unseen, maybe_micros(r.unseen_since), r.one_shot,
        maybe_micros(r.aside_since), r.aside_by, r.aside_reason, r.permit,
    )  # fmt: skip


def _line_row(line: JournalLine) -> tuple[object, ...]:
    limit = None if line.limit is None else line.limit.value
    what = (micros(line.at), line.key, line.alarm, line.event, line.phase.value, int(line.urgency), limit)
    return (*what, storable(line.value), line.actor, line.reason)
