"""Files that an export fills: CSV, workbooks and Parquet, each written row by row under a temporary name."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from app.domain.errors import Refused, WorldFault
from app.store.delimited import harmless
from app.store.finished_file import finished_file

SHEET_ROWS = 1_048_576  # of which Excel knows no more
MOST_SHEETS = 5


@dataclass(frozen=True)
class Column:
    """One column: its title and what it holds ("time": aware UTC, "local": wall clock, "number", "text",
    "flag", or "any": a number or a text)."""

    title: str
    kind: str


class Sink(Protocol):
    """Takes rows in the order of the columns; None is an empty cell."""

    def rows(self, rows: Sequence[Sequence[Any]]) -> None: ...

    def close(self) -> None: ...


@contextmanager
def whole_file(path: Path, columns: Sequence[Column]) -> Iterator[Sink]:
    """A file of the kind that its ending says; it appears under its name once it is complete, or not at all.

    Raises `Refused` for an unknown ending or too many rows, `WorldFault` for a disk that refuses.
    """
    make = _SINKS.get(path.suffix.lower())
    if make is None:
        raise Refused(f"“{path.name}” should end in .csv, .xlsx or .parquet.", field="file")
    with finished_file(path, WorldFault) as part:
        sink = make(part, columns)
        try:
            yield sink
        finally:
            sink.close()


class _Csv:
    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._lines = csv.writer(self._file)
        self._lines.writerow([column.title for column in columns])

    def rows(self, rows: Sequence[Sequence[Any]]) -> None:
        self._lines.writerows([_csv_text(value) for value in row] for row in rows)

    def close(self) -> None:
        self._file.close()


def _csv_text(value: Any) -> Any:
    if isinstance(value, datetime):
        text = value.isoformat(timespec="microseconds", sep="T" if value.tzinfo else " ")
        return text.replace("+00:00", "Z")
    return harmless(value) if isinstance(value, str) else value


class _Workbook:
    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        from openpyxl import Workbook

        self._path, self._titles = path, [column.title for column in columns]
        self._book = Workbook(write_only=True)
        self._sheets = self._left = 0

    def rows(self, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            if not self._left:
                self._next_sheet()
            self._sheet.append([self._cell(value) for value in row])
            self._left -= 1

    def _next_sheet(self) -> None:
        if self._sheets == MOST_SHEETS:
            raise Refused(
                f"These are more than the {MOST_SHEETS * (SHEET_ROWS - 1):,} rows that fit into {MOST_SHEETS} sheets "
                "of a workbook: choose a shorter time, a step, or a CSV or Parquet file.",
                field="file",
            )
        self._sheets += 1
        self._sheet = self._book.create_sheet("Samples" if self._sheets == 1 else f"Samples {self._sheets}")
        self._sheet.append(self._titles)
        self._left = SHEET_ROWS - 1

    def _cell(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            return str(value)
        if not isinstance(value, str):
            return value
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        cell = WriteOnlyCell(self._sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        cell.data_type = "s"  # a text that looks like a formula stays a text
        return cell

    def close(self) -> None:
        if not self._sheets:
            self._next_sheet()
        self._book.save(self._path)


class _Parquet:
    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        kinds = {
            "time": pa.timestamp("us", tz="UTC"),
            "local": pa.timestamp("us"),
            "number": pa.float64(),
            "text": pa.string(),
            "flag": pa.bool_(),
        }
        self._arrow = pa
        self._any = [column.kind == "any" for column in columns]
        fields: list[Any] = []
        for column in columns:
            fields.append(pa.field(column.title, kinds["number" if column.kind == "any" else column.kind]))
            if column.kind == "any":  # a column of Parquet has one type: texts have a column of their own
                fields.append(pa.field(f"{column.title}_text", pa.string()))
        self._schema = pa.schema(fields)
        self._writer = parquet.ParquetWriter(str(path), self._schema, compression="zstd")

    def rows(self, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        columns: list[Sequence[Any]] = []
        for values, mixed in zip(zip(*rows, strict=True), self._any, strict=True):
            if not mixed:
                columns.append(values)
                continue
            columns.append([None if v is None or isinstance(v, str) else float(v) for v in values])
            columns.append([v if isinstance(v, str) else None for v in values])
        arrays = [
            self._arrow.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


_SINKS: dict[str, Callable[[Path, Sequence[Column]], Sink]] = {
    ".csv": _Csv,
    ".xlsx": _Workbook,
    ".parquet": _Parquet,
}
