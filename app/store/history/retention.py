"""Keeps the history within its time and its size: old samples become figures, older figures and alarms go."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from app.store.history import stream_marks
from app.store.history.alarm_writer import drop_before
from app.store.history.rows import Keeping
from app.store.history.schema import micros, moment

log = structlog.get_logger(__name__)

YOUNG = timedelta(days=7)  # never dropped, however full the file is
DROPPED_UNTIL = "dropped until"
_STEP = 200  # chunks in one transaction
_ALARMS = 2_000  # raisings, and lines of the journal, in one transaction
_GIVE_BACK = 2_000  # free pages given back to the disk in one step
_SHARE_FREE = 0.25  # of the file; fewer free pages are soon filled again
_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What one step dropped: samples of which only figures are left, figures that went; `more` is left to do.

    `alarms` are raisings that are over, and lines of the journal.
    """

    samples: int = 0
    figures: int = 0
    more: bool = False
    alarms: int = 0


class Retention:
    """Works in steps, oldest first."""

    def __init__(self, db: sqlite3.Connection, rules: Keeping) -> None:
        self._db, self._rules = db, rules
        self._pause_until: datetime | None = None

    def step(self, now: datetime, keep_from: tuple[int, int] | None) -> Dropped:
        """Drop at most some hundred chunks in one transaction, and give free pages back."""
        if self._pause_until is not None and now < self._pause_until <= now + _PAUSE:
            return Dropped()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            dropped = self._drop(now, keep_from)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        more = self._give_back() or dropped.more
        if not more:
            self._pause_until = now + _PAUSE
        return replace(dropped, more=more)

    def _drop(self, now: datetime, keep_from: tuple[int, int] | None) -> Dropped:
        rules = self._rules
        limit = micros(now - max(rules.keep, YOUNG))
        why = "age"
        found = self._whole_chunks(limit, keep_from)
        if not found and self._used_bytes() > rules.most_bytes:
            why = "size"
            found = self._whole_chunks(micros(now - YOUNG), keep_from)
            if not found and keep_from is not None:
                why = "size, before they were forwarded"
                found = self._whole_chunks(micros(now - YOUNG), None)
                stream_marks.note_given_up(self._db, sum(count for *_, count in found))
        self._reduce([(id, tag, t0) for id, tag, t0, _, _ in found])
        rows = self._drop_rows(limit, keep_from)
        figures = self._drop_figures(micros(now - max(rules.keep_figures, rules.keep)))
        alarms = drop_before(self._db, now - max(rules.keep_alarms, rules.keep), _ALARMS)
        samples = sum(count for *_, count in found) + rows
        if found:
            until = max(t1 for *_, t1, _ in found)
            self._db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (DROPPED_UNTIL, until))
            log.info(
                "old samples dropped, their figures are kept", samples=samples, until=moment(until), why=why
            )
        more = len(found) == _STEP or figures == _STEP or alarms >= _ALARMS
        return Dropped(samples, figures, more, alarms)

    def _whole_chunks(
        self, limit: int, keep_from: tuple[int, int] | None
    ) -> list[tuple[int, int, int, int, int]]:
        """Id, tag, first and last time and number of samples of chunks that end before `limit`, oldest first."""
        epoch, n = keep_from or (2**62, 0)
        return self._db.execute(
            "SELECT id, tag, t0, t1, count FROM chunk WHERE t1 < ? AND bytes > 0 AND (epoch, n) < (?, ?) "
            "ORDER BY t1 LIMIT ?",
            (limit, epoch, n, _STEP),
        ).fetchall()

    def _reduce(self, found: list[tuple[int, int, int]]) -> None:
        self._db.executemany("UPDATE chunk_data SET body = NULL WHERE id = ?", [(id,) for id, _, _ in found])
        self._db.executemany(
            "UPDATE chunk SET bytes = 0 WHERE tag = ? AND t0 = ?", [(tag, t0) for _, tag, t0 in found]
        )

    def _drop_rows(self, limit: int, keep_from: tuple[int, int] | None) -> int:
        """Rows that came too late for their chunk; the newest one of each tag stays."""
        epoch, n = keep_from or (2**62, 0)
        dropped = 0
        for (tag,) in self._db.execute("SELECT id FROM tag").fetchall():
            dropped += self._db.execute(
                "DELETE FROM sample WHERE tag = ?1 AND t < ?2 AND (epoch, n) < (?3, ?4) "
                "AND t <= (SELECT max(t1) FROM chunk WHERE tag = ?1 AND bytes = 0) "
                "AND t < (SELECT max(t) FROM sample WHERE tag = ?1)",
                (tag, limit, epoch, n),
            ).rowcount
        return dropped

    def _drop_figures(self, limit: int) -> int:
        found = self._db.execute(
            "SELECT id, tag, t0 FROM chunk WHERE t1 < ? AND bytes = 0 ORDER BY t1 LIMIT ?", (limit, _STEP)
        ).fetchall()
        self._db.executemany("DELETE FROM chunk_data WHERE id = ?", [(id,) for id, _, _ in found])
        self._db.executemany("DELETE FROM chunk WHERE tag = ? AND t0 = ?", [row[1:] for row in found])
        return len(found)

    def _used_bytes(self) -> int:
        return used_bytes(self._db)

    def _give_back(self) -> bool:
        """Let the disk have pages that are free, where they are many; whether there are more of them."""
        pages, free = (
            int(self._db.execute(f"PRAGMA {what}").fetchone()[0]) for what in ("page_count", "freelist_count")
        )
        if free < _GIVE_BACK or free < pages * _SHARE_FREE:
            return False
        self._db.executescript(
            f"PRAGMA incremental_vacuum({_GIVE_BACK})"
        )  # `execute` would give back one page
        (left,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return bool(left < free)  # an old file cannot give pages back; they are used again


def used_bytes(db: sqlite3.Connection) -> int:
    """What the file holds, without its free pages."""
    pages, free, size = (
        int(db.execute(f"PRAGMA {what}").fetchone()[0])
        for what in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
