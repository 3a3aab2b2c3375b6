"""Counts what an alarm load report needs inside the database: a month is a few thousand numbers, not a million rows."""

from __future__ import annotations

from datetime import datetime

from app.domain.alarm_load import (
    CHATTER_COUNT,
    CHATTER_WITHIN,
    FLEETING_BELOW,
    STANDING_LONG,
    AlarmLoad,
    LoadCounts,
    SourceCounts,
    summarise,
)
from app.store.history.file import HistoryFile
from app.store.history.schema import micros

_MINUTE = 60_000_000
_WHERE = "occurrence > 0 AND raised_at >= :start AND raised_at < :end"
_MINUTES = (
    f"SELECT (raised_at - :start) / {_MINUTE} AS minute, count(*) FROM alarm WHERE {_WHERE} GROUP BY minute"
)
_SOURCES = f"""
WITH raised AS (
  SELECT key, priority, raised_at, returned_at,
    lag(raised_at, {CHATTER_COUNT - 1}) OVER (PARTITION BY key ORDER BY raised_at, id) AS earlier
  FROM alarm WHERE {_WHERE}
)
SELECT key, priority, count(*),
  count(*) FILTER (WHERE raised_at - earlier <= :chatter),
  count(*) FILTER (WHERE returned_at - raised_at < :fleeting)
FROM raised GROUP BY key, priority
"""
_STANDING = """
SELECT key, raised_at FROM alarm
WHERE occurrence > 0 AND raised_at < :end - :long AND coalesce(returned_at, :end) - raised_at > :long
  AND coalesce(returned_at, :end) >= :start
"""


class LoadReader(HistoryFile):
    """How many alarms people had to deal with."""

    def alarm_counts(self, start: datetime, end: datetime) -> LoadCounts:
        """The counts of all raisings with start <= time < end, and of what stood for long within that time."""
        first = micros(start)
        values: dict[str, object] = {
            "start": first,
            "end": micros(end),
            "chatter": micros_of(CHATTER_WITHIN.total_seconds()),
            "fleeting": micros_of(FLEETING_BELOW.total_seconds()),
            "long": micros_of(STANDING_LONG.total_seconds()),
        }
        minutes = dict(self.ask(_MINUTES, values))
        sources = [SourceCounts(*row) for row in self.ask(_SOURCES, values)]
        standing = tuple(key for key, _ in self.ask(_STANDING, values))
        return LoadCounts(start, end, minutes, tuple(sources), standing)

    def alarm_load(self, start: datetime, end: datetime) -> AlarmLoad:
        """The load figures of a time, see `AlarmLoad`; raises Refused when it ends before it begins."""
        return summarise(self.alarm_counts(start, end))


def micros_of(seconds: float) -> int:
    """Microseconds of a duration."""
    return round(seconds * 1_000_000)
