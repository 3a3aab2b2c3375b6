"""Writes the stored samples of some signals as a file that any spreadsheet opens."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from app.domain.plant import Tag
from app.domain.samples import describe_quality
from app.store.history import HistoryReader

KINDS = "CSV (*.csv)"
HEADINGS = ("time_utc", "tag", "value", "unit", "quality")
_PIECE = 20_000

Progress = Callable[[float], bool]
Row = tuple[str, str, object, str, str]


def write_samples(
    path: Path,
    history: HistoryReader,
    tags: Sequence[Tag],
    start: datetime,
    end: datetime,
    progress: Progress,
) -> int | None:
    """Every stored sample from `start` to `end`, tag by tag; returns how many. Raises OSError.

    `progress` hears the share done and answers whether to go on; else the file is removed and None is returned.
    """
    count = 0
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        lines = csv.writer(file)
        lines.writerow(HEADINGS)
        for share, rows in _pieces(history, tags, start, end):
            lines.writerows(rows)
            count += len(rows)
            if not progress(share):
                break
        else:
            return count
    path.unlink(missing_ok=True)
    return None


def _pieces(
    history: HistoryReader, tags: Sequence[Tag], start: datetime, end: datetime
) -> Iterator[tuple[float, list[Row]]]:
    """Rows in pieces that fit into memory, with the share of the work that is done after each."""
    for number, tag in enumerate(tags):
        first = start
        while first < end:
            samples = history.samples(tag.name, first, end, _PIECE)
            rows: list[Row] = []
            for sample in samples:
                moment = sample.source_time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                value = "" if sample.value is None else sample.value
                rows.append((moment, tag.name, value, tag.unit, describe_quality(sample.quality)))
            full = len(samples) == _PIECE
            first = samples[-1].source_time + timedelta(microseconds=1) if full else end
            done = (first - start) / (end - start)
            yield (number + min(done, 1.0)) / len(tags), rows
