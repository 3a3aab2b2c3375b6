"""What the end of an earlier collector left open in the history: alarms, and curves that still look good."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.domain.samples import Quality, Sample
from app.store.history import AlarmRecord, HistoryReader


def left_open(history: Path, alive: datetime | None) -> tuple[list[AlarmRecord], list[Sample]]:
    """Open alarm records, and one bad sample for each tag whose last one still looks good.

    `alive` is when that collector last wrote, None when none ever did.
    """
    with HistoryReader(history) as reader:
        alarms = reader.alarms(active_only=True, limit=100_000)
        good = [sample for sample in reader.latest().values() if sample.good]
    ends = [max(sample.source_time, alive or sample.source_time) for sample in good]
    ended = [
        Sample(sample.tag, end, end, None, Quality.BAD_NOT_CONNECTED)
        for sample, end in zip(good, ends, strict=True)
    ]
    return alarms, ended
