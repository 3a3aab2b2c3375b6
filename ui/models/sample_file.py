"""Writes the stored samples of some signals as a CSV file that any spreadsheet opens."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.domain.plant import Tag
from app.domain.samples import describe_quality
from app.store.history import HistoryReader

HEADINGS = ("time_utc", "tag", "value", "unit", "quality")


def write_samples(
    path: Path, history: HistoryReader, tags: Sequence[Tag], start: datetime, end: datetime
) -> int:
    """Every stored sample from `start` to `end`, tag by tag; returns how many. Raises OSError."""
    count = 0
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        lines = csv.writer(file)
        lines.writerow(HEADINGS)
        for tag in tags:
            for sample in history.samples(tag.name, start, end):
                moment = sample.source_time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                value = "" if sample.value is None else sample.value
                lines.writerow((moment, tag.name, value, tag.unit, describe_quality(sample.quality)))
                count += 1
    return count
