"""Reads alarms from the history: every raising, whether it is over or still wants something of somebody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.store.history.alarm_figures import LoadReader
from app.store.history.alarm_journal import JournalReader
from app.store.history.alarm_rows import AlarmRecord
from app.store.history.alarm_tables import COLUMNS
from app.store.history.schema import maybe_moment, micros, moment

_COLUMNS = ", ".join(COLUMNS)
# Of the rows of a group SQLite takes the one with the greatest occurrence. Few of very many raisings are open.
_STILL_OPEN = (
    "(SELECT *, max(occurrence) FROM alarm INDEXED BY alarm_open WHERE phase <> 'normal' GROUP BY key)"
)


class AlarmReader(JournalReader, LoadReader):
    """The part of the history that is about alarms."""

    def alarms(
        self,
        *,
        active_only: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        tag: str | None = None,
        limit: int = 1000,
    ) -> list[AlarmRecord]:
        """Alarm records, newest first.

        `active_only` leaves the last raising of each alarm that still wants something of somebody; earlier ones that
        wait for the same acknowledgement are counted in its `unseen`.
        """
        wanted, values = ["1"], list[object]()
        if since is not None:
            wanted.append("raised_at >= ?")
            values.append(micros(since))
        if until is not None:
            wanted.append("raised_at < ?")
            values.append(micros(until))
        if tag is not None:
            wanted.append("tag = ?")
            values.append(tag)
        table = _STILL_OPEN if active_only else "alarm"
        sql = (
            f"SELECT {_COLUMNS} FROM {table} WHERE {' AND '.join(wanted)} "
            "ORDER BY raised_at DESC, id DESC LIMIT ?"
        )
        return [_alarm(row) for row in self.ask(sql, [*values, limit])]

    def alarm(self, id: str) -> AlarmRecord | None:
        """One raising by its id, or None when there is none."""
        rows = self.ask(f"SELECT {_COLUMNS} FROM alarm WHERE id = ?", (id,))
        return _alarm(rows[0]) if rows else None


def _alarm(row: tuple[Any, ...]) -> AlarmRecord:
    (
        id, key, tag, kind, occurrence, priority, urgency, name, value, phase, raised, back, acked, by, shelved,
        comment, unseen, unseen_since, one_shot, since, *words
    ) = row  # fmt: skip
    return AlarmRecord(
        id, key, tag, Kind(kind), occurrence, priority, Urgency(urgency), None if name is None else Limit(name),
        value, Phase(phase), moment(raised), maybe_moment(back), maybe_moment(acked), by, maybe_moment(shelved),
        comment, unseen, maybe_moment(unseen_since), bool(one_shot), maybe_moment(since), *words,
    )  # fmt: skip
