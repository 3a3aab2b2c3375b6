"""The files of an import as a screen meets them: which can be read, reading one aside, writing down its errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.domain.sheets.plan import CellError
from app.store.workbooks import ReadJob, is_importable, read_in_worker, write_workbook

__all__ = ["ReadJob", "is_importable", "read_in_worker", "write_error_workbook"]

_HEADERS = ("Sheet", "Cell", "Header", "Value", "What is wrong", "Expected", "Suggestion")


def write_error_workbook(path: Path, errors: Sequence[CellError]) -> None:
    """Write one row for each error, for whoever made the file; raises what `write_workbook` raises."""
    rows = [(e.sheet, e.cell, e.column, e.value, e.sentence, e.expected, e.suggestion) for e in errors]
    write_workbook(path, [("Errors", _HEADERS, rows)])
