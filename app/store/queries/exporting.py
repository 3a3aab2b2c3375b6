"""Writes what a list shows into a workbook or a CSV file, away from the GUI thread and with progress."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from app.domain.errors import Refused
from app.domain.sheets.tag_target import TAGS
from app.store.delimited import harmless
from app.store.finished_file import finished_file
from app.store.queries.imports import tag_values
from app.store.queries.listing import Anchor, ListReader
from app.store.queries.plant import read_plant
from app.store.sessions import Store

MOST_ROWS = 200_000
"""What is still written into one file; it is also what an import reads."""
_CHUNK = 2_000


@dataclass(frozen=True)
class ExportColumn:
    """One column of the file; the value of a row comes from its `key`."""

    key: str
    title: str


class ExportStopped(Refused):
    """The person cancelled; nothing was written."""


def export_list(
    store: Store,
    reader: ListReader,
    columns: Sequence[ExportColumn],
    path: Path,
    progress: Callable[[int, int], None],
    stop: threading.Event,
) -> int:
    """Write the rows that `reader` finds, in its order; returns how many. Raises `Refused` with a sentence."""
    with store.reader() as session:
        total = reader.count(session)
        if total > MOST_ROWS:
            raise Refused(f"{total:,} rows are too many for one file; filter to at most {MOST_ROWS:,}.")
        rows: list[list[object]] = []
        for values in _all_rows(session, reader, total):
            if stop.is_set():
                raise ExportStopped("The export was stopped; nothing was written.")
            rows.append([_value(values.get(column.key)) for column in columns])
            if len(rows) % _CHUNK == 0:
                progress(len(rows), total)
    write_rows(path, reader.listing.title, [column.title for column in columns], rows)
    return len(rows)


def write_rows(path: Path, title: str, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows under titles into a CSV file or, for any other ending, a workbook with one sheet called `title`.

    A CSV file is written as the rows come. Raises `Refused` with a sentence, and leaves no half a file behind.
    """
    if path.suffix.lower() == ".csv":
        _write_csv(path, titles, rows)
        return
    from app.store.workbooks import write_workbook

    write_workbook(path, [(title, titles, list(rows))])


def export_tags(store: Store, path: Path) -> int:
    """Write the tags of all machines as an import of tags reads them; returns how many. Raises `Refused`."""
    with store.reader() as session:
        tags = read_plant(session).tags
    titles = [spec.title for spec in TAGS.fields]
    rows = [[values[spec.key] for spec in TAGS.fields] for values in map(tag_values, tags)]
    if path.suffix.lower() == ".csv":
        _write_csv(path, titles, rows)
    else:
        from app.store.workbooks import write_workbook

        write_workbook(path, [(TAGS.title, titles, rows)])
    return len(rows)


def _all_rows(session: Any, reader: ListReader, total: int) -> Iterator[Mapping[str, Any]]:
    last: Anchor | None = None
    for first in range(0, total, _CHUNK):
        window = reader.window(session, first, _CHUNK, total, [last] if last else [])
        for row in window:
            yield row.values
        if window:
            last = Anchor(first + len(window) - 1, window[-1].sort_value, window[-1].id)


def _value(value: Any) -> object:
    if isinstance(value, Enum):
        return str(value.value).replace("_", " ")
    return value


def _write_csv(path: Path, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with finished_file(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows([_csv_text(value) for value in row] for row in rows)


def _csv_text(value: object) -> object:
    """Local times as people read them; a text that a spreadsheet would run as a formula is quoted."""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    return harmless(value) if isinstance(value, str) else value
