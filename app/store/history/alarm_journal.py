"""The journal of alarms: searched, narrowed, page by page, or all of it for a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.domain.alarms import Event, Limit, Phase, Urgency, tags_called
from app.domain.plant import Plant
from app.store.history.alarm_rows import JournalLine
from app.store.history.file import HistoryFile
from app.store.history.schema import micros, moment

PAGE = 1000
_EMPTY = Plant()
_COLUMNS = (
    "j.n, j.at, j.key, j.alarm, j.event, j.phase, j.urgency, j.limit_name, j.value, j.actor, j.reason, "
    "(SELECT priority FROM alarm WHERE id = j.alarm)"
)
_WORD = (
    "(j.key LIKE ? ESCAPE '!' OR j.event LIKE ? ESCAPE '!' OR j.actor LIKE ? ESCAPE '!' OR j.reason LIKE ? ESCAPE '!' "
    "OR j.limit_name LIKE ? ESCAPE '!' "
    "OR substr(j.key, 1, instr(j.key || '!', '!') - 1) IN (SELECT value FROM json_each(?)))"
)


@dataclass(frozen=True, slots=True)
class JournalQuery:
    """Which lines are wanted: start <= time < end; every word of `search` occurs in the line; of these `events`.

    `plant` makes the search know machines and signals by their names. `key` is one alarm, `priority` all of that
    priority. `before` is the number of a line: only older ones, for the next page.
    """

    start: datetime | None = None
    end: datetime | None = None
    search: str = ""
    events: Sequence[Event] = ()
    priority: int | None = None
    key: str | None = None
    before: int | None = None
    plant: Plant = field(default=_EMPTY, repr=False)


class JournalReader(HistoryFile):
    """What happened to alarms."""

    def journal(
        self, since: datetime | None = None, key: str | None = None, limit: int = PAGE
    ) -> list[JournalLine]:
        """What happened to alarms, newest first."""
        return self.journal_page(JournalQuery(start=since, key=key), limit)

    def journal_page(self, query: JournalQuery, limit: int = PAGE) -> list[JournalLine]:
        """The newest `limit` lines that a query asks for, newest first; go on with `before` the last one's `n`."""
        wanted, values = _conditions(query)
        sql = f"SELECT {_COLUMNS} FROM alarm_journal j WHERE {wanted} ORDER BY j.n DESC LIMIT ?"
        return [_line(row) for row in self.ask(sql, [*values, limit])]

    def journal_lines(self, query: JournalQuery) -> Iterator[JournalLine]:
        """All lines that a query asks for, newest first, a page in memory at a time."""
        while page := self.journal_page(query):
            yield from page
            if len(page) < PAGE:
                return
            query = replace(query, before=page[-1].n)


def _conditions(query: JournalQuery) -> tuple[str, list[object]]:
    wanted, values = ["1"], list[object]()
    for condition, value in (
        ("j.at >= ?", None if query.start is None else micros(query.start)),
        ("j.at < ?", None if query.end is None else micros(query.end)),
        ("j.key = ?", query.key),
        ("j.n < ?", query.before),
        ("(SELECT priority FROM alarm WHERE id = j.alarm) = ?", query.priority),
    ):
        if value is not None:
            wanted.append(condition)
            values.append(value)
    if query.events:
        wanted.append(f"j.event IN ({', '.join('?' * len(query.events))})")
        values += [event.value for event in query.events]
    for word in query.search.split():
        pattern = "%" + "".join(f"!{c}" if c in "!%_" else c for c in word) + "%"
        wanted.append(_WORD)
        values += [pattern] * 5 + [json.dumps(tags_called(query.plant, word))]
    return " AND ".join(wanted), values


def _line(row: tuple[Any, ...]) -> JournalLine:
    n, at, key, alarm, event, phase, urgency, name, value, actor, reason, priority = row
    return JournalLine(
        moment(at), key, alarm, event, Phase(phase), Urgency(urgency), None if name is None else Limit(name),
        value, actor, reason, n, priority,
    )  # fmt: skip
