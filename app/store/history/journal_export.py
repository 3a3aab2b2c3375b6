"""The journal of alarms as rows for a spreadsheet, and as a CSV file or a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.domain.alarms import machine_of, signal_of, split_key
from app.domain.errors import Refused
from app.domain.plant import Plant
from app.store.history.alarm_rows import JournalLine

JOURNAL_TITLES = (
    "Time", "Event", "Machine", "Signal", "Tag", "Alarm", "Limit", "Value", "Unit", "Priority", "State", "Who",
    "Reason or comment",
)  # fmt: skip
MOST_IN_A_WORKBOOK = 200_000


def journal_rows(lines: Iterable[JournalLine], plant: Plant) -> Iterator[tuple[Any, ...]]:
    """One row a line, in the order of `JOURNAL_TITLES`; times are local."""
    for line in lines:
        name, kind = split_key(line.key)
        tag = plant.tag(name)
        yield (
            line.at.astimezone(),
            line.event.replace("-", " "),
            machine_of(plant, name),
            signal_of(plant, name) if name else "",
            name,
            kind.value,
            "" if line.limit is None else line.limit.value,
            line.value,
            tag.unit if tag is not None else "",
            line.priority,
            line.phase.value.replace("-", " "),
            line.actor,
            line.reason,
        )


def write_journal(path: Path, lines: Iterable[JournalLine], plant: Plant) -> int:
    """Write lines to `path` (.csv or .xlsx) as they come; returns how many. Raises `Refused` with a sentence."""
    from app.store.queries.exporting import write_rows

    kind = path.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise Refused(
            f"{path.name} is neither .csv nor .xlsx; the journal is written as one of them.", field="file"
        )
    written = 0

    def counted() -> Iterator[tuple[Any, ...]]:
        nonlocal written
        for row in journal_rows(lines, plant):
            written += 1
            if kind == ".xlsx" and written > MOST_IN_A_WORKBOOK:
                raise Refused(
                    f"More than {MOST_IN_A_WORKBOOK:,} lines are too many for a workbook; save a CSV file.",
                    field="file",
                )
            yield row if kind == ".xlsx" else (f"{row[0]:%Y-%m-%d %H:%M:%S}", *row[1:])

    write_rows(path, "Alarm journal", JOURNAL_TITLES, counted())
    return written
