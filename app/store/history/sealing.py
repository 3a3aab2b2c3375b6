"""Seals rows of samples into compressed chunks, a few tags at a time; never is a sample missing or there twice."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from app.store.history import chunks
from app.store.history.columns import Columns, columns_of, joined
from app.store.history.damage import Damaged
from app.store.history.rows import Keeping
from app.store.history.schema import micros

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger(__name__)

MOST = 40_000  # samples in a chunk
_LONGEST = 3_600_000_000  # µs
_PAUSE = timedelta(minutes=1)  # between two rounds through all tags
_ROWS = "SELECT t, n, epoch, v, q, late FROM sample WHERE tag = ? AND t > ? AND t < ? ORDER BY t, n LIMIT ?"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one step of sealing did; `more` says that there is more to do at once."""

    samples: int = 0
    chunks: int = 0
    more: bool = False


@dataclass
class Sealing:
    """Goes round the tags; what it does not finish in its time it goes on with at the next step."""

    db: sqlite3.Connection
    rules: Keeping
    _tags: list[int] = field(default_factory=list)
    _pause_until: datetime | None = None

    def step(self, now: datetime, budget_seconds: float) -> Sealed:
        """Seal what is old enough at `now`, in one transaction of about `budget_seconds`; at least one tag."""
        if not self._tags:
            if (
                self._pause_until is not None
                and abs(self._pause_until - now) <= _PAUSE
                and now < self._pause_until
            ):
                return Sealed()
            self._tags = [id for (id,) in self.db.execute("SELECT id FROM tag ORDER BY id DESC")]
        until = time.monotonic() + budget_seconds
        samples = made = 0
        left = list(self._tags)
        self.db.execute("BEGIN IMMEDIATE")
        try:
            while left:
                sealed = self._try_tag(left[-1], now)
                samples, made = samples + sealed.samples, made + sealed.chunks
                if not sealed.more:
                    left.pop()
                if time.monotonic() >= until:
                    break
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        self._tags = left
        if not left:
            self._pause_until = now + _PAUSE
        return Sealed(samples, made, bool(left))

    def _try_tag(self, tag: int, now: datetime) -> Sealed:
        """One portion of a tag; its rows stay where they are when the chunk that they belong to is damaged."""
        self.db.execute("SAVEPOINT tag")
        try:
            sealed = _seal_tag(self.db, tag, now, self.rules)
        except Damaged as damage:
            self.db.execute("ROLLBACK TO tag")
            log.warning("samples not sealed, since a chunk is damaged", tag=tag, reason=str(damage))
            sealed = Sealed()
        self.db.execute("RELEASE tag")
        return sealed


def _seal_tag(db: sqlite3.Connection, tag: int, now: datetime, rules: Keeping) -> Sealed:
    """One portion of the rows of a tag that are old enough, if it is time for them."""
    cutoff = micros(now - rules.seal_after)
    # Where only figures are left, nothing can be put in between any more; such rows stay until they are dropped.
    (floor,) = db.execute("SELECT max(t1) FROM chunk WHERE tag = ? AND bytes = 0", (tag,)).fetchone()
    floor = -(2**63) if floor is None else floor
    first = db.execute(_ROWS, (tag, floor, cutoff, 1)).fetchone()
    if first is None:
        return Sealed()
    waits_long = first[0] + first[5] < cutoff - micros_of(rules.seal_within)
    if not waits_long:
        enough = "SELECT 1 FROM sample WHERE tag = ? AND t > ? AND t < ? LIMIT 1 OFFSET ?"
        if db.execute(enough, (tag, floor, cutoff, rules.seal_least)).fetchone() is None:
            return Sealed()
    rows = _portion(db, tag, floor, cutoff)
    newest = db.execute(
        "SELECT t, n FROM sample WHERE tag = ? ORDER BY t DESC, n DESC LIMIT 1", (tag,)
    ).fetchone()
    more = len(rows) >= MOST
    if rows and rows[-1][:2] == newest:  # the newest sample of a tag stays a row, where it is found at once
        rows.pop()
    if not rows:
        return Sealed()
    made = _put_away(db, tag, columns_of(rows), rules.seal_least)
    db.executemany(
        "DELETE FROM sample WHERE tag = ? AND t = ? AND n = ?", [(tag, row[0], row[1]) for row in rows]
    )
    return Sealed(len(rows), made, more)


def micros_of(span: timedelta) -> int:
    """Microseconds of a span of time."""
    return span // timedelta(microseconds=1)


def _portion(
    db: sqlite3.Connection, tag: int, floor: int, cutoff: int
) -> list[tuple[int, int, int, object, int, int]]:
    """At most about `MOST` rows, oldest first; an instant is never torn apart."""
    rows = db.execute(_ROWS, (tag, floor, cutoff, MOST)).fetchall()
    if len(rows) == MOST:
        last = rows[-1][0]
        rows = [row for row in rows if row[0] != last]
        rows += db.execute(_ROWS, (tag, last - 1, last + 1, -1)).fetchall()
    return rows


def _put_away(db: sqlite3.Connection, tag: int, samples: Columns, least: int) -> int:
    """Samples of a tag, in order, as new chunks or into the ones that already hold their time; returns how many."""
    made = 0
    while len(samples):
        t = int(samples.t[0])
        host, after = chunks.around(db, tag, t)
        if host is not None and host.bytes and t <= host.t1:
            end = host.t1 + 1
        elif after is not None:
            end = after.t0
        else:
            end = None
        here = len(samples) if end is None else int(samples.t.searchsorted(end))
        portion, samples = samples.part(slice(None, here)), samples.part(slice(here, None))
        inside = host if host is not None and host.bytes and t <= host.t1 else None
        if (
            inside is None and after is not None and here < least // 4
        ):  # too few for a chunk between two others
            inside = after if after.bytes else host if host is not None and host.bytes else None
        made += (
            _write(db, tag, portion, least) if inside is None else _fold_in(db, tag, inside, portion, least)
        )
    return made


def _fold_in(db: sqlite3.Connection, tag: int, host: chunks.Head, late: Columns, least: int) -> int:
    from app.store.history.codec import decode

    stored = decode(chunks.bodies(db, [host.id])[host.id])
    chunks.remove_chunk(db, tag, host)
    return _write(db, tag, joined([stored, late]).in_order(), least)


def _write(db: sqlite3.Connection, tag: int, samples: Columns, least: int) -> int:
    parts = _split(samples, least)
    for part in parts:
        chunks.add_chunk(db, tag, part)
    return len(parts)


def _split(samples: Columns, least: int) -> Sequence[Columns]:
    """Samples in parts of about equal length, none much longer than `MOST`; an instant is never torn apart.

    A part with more than `least` samples is not much longer than an hour, so that its figures tell about that hour.
    """
    count = -(-len(samples) // (MOST + MOST // 4))
    hours = -(int(samples.t[0] - samples.t[-1]) // _LONGEST)
    count = max(count, min(hours, len(samples) // least))
    cuts = [0]
    for part in range(1, count):
        at = int(samples.t.searchsorted(samples.t[part * len(samples) // count]))
        if at > cuts[-1]:
            cuts.append(at)
    ends = [*cuts[1:], len(samples)]
    return [samples.part(slice(begin, end)) for begin, end in zip(cuts, ends, strict=True)]
