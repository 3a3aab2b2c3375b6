"""Reads the history for charts, lists and the command line; never changes it, never needs the collector to run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from app.domain.corrections import Correction
from app.domain.errors import Refused
from app.domain.samples import Sample
from app.store.history import blocks, curves
from app.store.history.alarm_reader import AlarmReader
from app.store.history.corrected import corrected_pieces, corrected_sample, edges
from app.store.history.rows import Buckets, HistoryStats
from app.store.history.schema import micros, moment, told
from app.store.history.stats import figures

_BLOCK_ROWS = 50_000
_BLOCK_CHUNKS = 8


class HistoryReader(AlarmReader):
    """Samples, curves, alarms and figures. As long as there is no file, everything is empty. Thread-safe."""

    def tags(self) -> list[str]:
        """Names of all tags that ever had a sample."""
        return [name for (name,) in self.ask("SELECT name FROM tag ORDER BY name")]

    def _tag(self, name: str) -> tuple[int, str] | None:
        rows = self.ask("SELECT id, kind FROM tag WHERE name = ?", (name,))
        return rows[0] if rows else None

    def samples(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        limit: int = 1_000_000,
        corrections: Sequence[Correction] = (),
    ) -> list[Sample]:
        """Stored samples with start <= source time < end, oldest first; at most `limit`.

        Of samples that were dropped because of their age there is nothing here; `buckets` still has their figures.
        """
        found: list[Sample] = []
        for block in self.blocks(tag, start, end, corrections):
            found += block[: limit - len(found)]
            if len(found) >= limit:
                break
        return found

    def blocks(
        self, tag: str, start: datetime, end: datetime, corrections: Sequence[Correction] = ()
    ) -> Iterator[list[Sample]]:
        """What `samples` gives, some ten thousand at a time, so that years of it need no more memory."""
        known = self._tag(tag)
        cursor, last = micros(start), micros(end)
        while known is not None and cursor < last:
            with self.snapshot() as db:
                if db is None:
                    return
                block = blocks.fetch(db, known[0], cursor, last)
            cursor = block.end
            with told(self.path):
                samples = [_sample(tag, known[1], *row) for row in blocks.rows_of(block)]
            if corrections:
                samples = [corrected_sample(sample, corrections) for sample in samples]
            if samples:
                yield samples

    def buckets(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        pixels: int,
        corrections: Sequence[Correction] = (),
        *,
        exact: bool = False,
    ) -> Buckets:
        """The curve of a tag from `start` to `end`, reduced to at most `pixels` buckets without losing a spike.

        `corrections` of this tag are laid over; without them the curve is what was measured.
        `exact` buckets end where their pixel ends, to the microsecond, however many samples must be unpacked for it.
        """
        if pixels < 1 or end <= start:
            raise Refused("A chart needs a range that ends after it begins.")
        known = self._tag(tag)
        first, last = micros(start), micros(end)
        width = max(1, -(-(last - first) // pixels))
        stored = curves.Stored((), (), {}, {})
        before = None
        with self.snapshot() as db:
            if db is not None and known is not None:
                stored = curves.fetch(
                    db, known[0], first, last, 0 if exact else width // curves.SHARE, edges(corrections)
                )
                before = blocks.before(db, known[0], first)
        with told(self.path):
            pieces, touched = corrected_pieces(curves.pieces_between(stored, first, last), corrections)
        held = None if before is None or known is None else _sample(tag, known[1], *before)
        if held is not None:
            held = corrected_sample(held, corrections)
        return curves.buckets_of(pieces, touched, first, width, held)

    def before(self, tag: str, time: datetime) -> Sample | None:
        """The newest sample older than `time`, or None when there is none."""
        known = self._tag(tag)
        with self.snapshot() as db:
            found = None if db is None or known is None else blocks.before(db, known[0], micros(time))
        return None if known is None or found is None else _sample(tag, known[1], *found)

    def latest(self, tags: Iterable[str] | None = None) -> dict[str, Sample]:
        """The newest sample of each tag (of all tags when None); tags without samples are left out."""
        known = {name: (id, kind) for id, name, kind in self.ask("SELECT id, name, kind FROM tag")}
        found: dict[str, Sample] = {}
        for name in known if tags is None else tags:
            if name not in known:
                continue
            id, kind = known[name]
            rows = self.ask(
                "SELECT t, v, q, late FROM sample WHERE tag = ? ORDER BY t DESC, n DESC LIMIT 1", (id,)
            )
            if rows:
                found[name] = _sample(name, kind, *rows[0])
        return found

    def counts(self, since: datetime) -> dict[str, int]:
        """How many samples each tag has from `since` on."""
        with self.snapshot() as db:
            return {} if db is None else blocks.counts(db, micros(since))

    def check_chunks(self) -> None:
        """Unpack every chunk; raises `Refused` when one is damaged."""
        last = 0
        while True:
            rows = self.ask("SELECT id, body FROM chunk_data WHERE id > ? ORDER BY id LIMIT 100", (last,))
            if not rows:
                return
            with told(self.path):
                blocks.check(body for _, body in rows if body is not None)
            last = rows[-1][0]

    def stats(self) -> HistoryStats:
        """Counts and sizes of what is stored."""
        with self.snapshot() as db:
            return HistoryStats(0, 0, 0, 0, None, None) if db is None else figures(db)


def _sample(tag: str, kind: str, t: int, v: Any, q: int, late: int) -> Sample:
    value = bool(v) if kind == "bool" and isinstance(v, int) else v
    return Sample(tag, moment(t), moment(t + late), value, q)
