"""Reads alarms from the history: every raising, whether it is over or still wants something of somebody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.store.history.alarm_figures import LoadReader
from app.store.history.alarm_journal import JournalReader
from app.store.history.alarm_rows import AlarmRecord
from app.store.history.alarm_tables import FIRST_COLUMNS, LATER_COLUMNS
from app.store.history.schema import maybe_moment, micros, moment


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
        """Alarm records, newest first; `active_only` leaves those that still want something of somebody."""
        wanted, values = ["1"], list[object]()
        if active_only:
            wanted.append("phase <> 'normal'")
        if since is not None:
            wanted.append("raised_at >= ?")
            values.append(micros(since))
        if until is not None:
            wanted.append("raised_at < ?")
            values.append(micros(until))
        if tag is not None:
            wanted.append("tag = ?")
            values.append(tag)
        sql = (
            f"SELECT {self._columns()} FROM alarm WHERE {' AND '.join(wanted)} "
            "ORDER BY raised_at DESC, id DESC LIMIT ?"
        )
        return [_alarm(row) for row in self.ask(sql, [*values, limit])]

    def alarm(self, id: str) -> AlarmRecord | None:
        """One raising by its id, or None when there is none."""
        rows = self.ask(f"SELECT {self._columns()} FROM alarm WHERE id = ?", (id,))
        return _alarm(rows[0]) if rows else None

    def _columns(self) -> str:
        """The columns of a raising; a file that no collector of this version has opened yet lacks the later ones."""
        first_version = self.ask("SELECT 1 FROM pragma_user_version WHERE user_version < 2")
        return ", ".join(FIRST_COLUMNS if first_version else (*FIRST_COLUMNS, *LATER_COLUMNS))


def _alarm(row: tuple[Any, ...]) -> AlarmRecord:
    (
        id, key, tag, kind, occurrence, priority, urgency, name, value, phase, raised, back, acked, by, shelved, *later
    ) = row  # fmt: skip
    return AlarmRecord(
        id, key, tag, Kind(kind), occurrence, priority, Urgency(urgency), None if name is None else Limit(name),
        value, Phase(phase), moment(raised), maybe_moment(back), maybe_moment(acked), by, maybe_moment(shelved),
        *_later(*later) if later else (),
    )  # fmt: skip


def _later(
    comment: str, unseen: int, unseen_since: int | None, one_shot: int, since: int | None, *words: str
) -> tuple[Any, ...]:
    """The columns that the first version did not have."""
    return comment, unseen, maybe_moment(unseen_since), bool(one_shot), maybe_moment(since), *words
