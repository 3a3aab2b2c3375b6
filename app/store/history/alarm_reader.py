"""Reads alarms and what happened to them from the history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.store.history.alarm_rows import AlarmRecord, JournalLine
from app.store.history.file import HistoryFile
from app.store.history.schema import maybe_moment, micros, moment


class AlarmReader(HistoryFile):
    """The part of the history that is about alarms."""

    def alarms(
        self,
        *,
        active_only: bool = False,
        since: datetime | None = None,
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
        if tag is not None:
            wanted.append("tag = ?")
            values.append(tag)
        sql = f"SELECT * FROM alarm WHERE {' AND '.join(wanted)} ORDER BY raised_at DESC, id DESC LIMIT ?"
        return [_alarm(row) for row in self.ask(sql, [*values, limit])]

    def journal(
        self, since: datetime | None = None, key: str | None = None, limit: int = 1000
    ) -> list[JournalLine]:
        """What happened to alarms, newest first."""
        rows = self.ask(
            "SELECT at, key, alarm, event, phase, urgency, limit_name, value, actor, reason FROM alarm_journal "
            "WHERE at >= ? AND (?2 IS NULL OR key = ?2) ORDER BY n DESC LIMIT ?3",
            (0 if since is None else micros(since), key, limit),
        )
        return [
            JournalLine(
                moment(at),
                k,
                alarm,
                event,
                Phase(phase),
                Urgency(urgency),
                _limit(name),
                value,
                actor,
                reason,
            )
            for at, k, alarm, event, phase, urgency, name, value, actor, reason in rows
        ]


def _limit(name: str | None) -> Limit | None:
    return None if name is None else Limit(name)


def _alarm(row: tuple[Any, ...]) -> AlarmRecord:
    (
        id,
        key,
        tag,
        kind,
        occurrence,
        priority,
        urgency,
        name,
        value,
        phase,
        raised,
        back,
        acked,
        by,
        shelved,
    ) = row
    return AlarmRecord(
        id, key, tag, Kind(kind), occurrence, priority, Urgency(urgency), _limit(name), value, Phase(phase),
        moment(raised), maybe_moment(back), maybe_moment(acked), by, maybe_moment(shelved),
    )  # fmt: skip
