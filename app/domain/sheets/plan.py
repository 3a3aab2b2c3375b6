"""What an import would do, row by row, and every cell that stands in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.domain.sheets.fields import ImportTarget
from app.domain.sheets.layout import Layout
from app.domain.sheets.questions import Question
from app.domain.sheets.values import Value

Action = Literal["create", "change", "same", "skip", "error"]


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where the table is and which column (from 0) is which field; `headers` are all headers of the table."""

    sheet: str
    header_row: int
    columns: Mapping[str, int]
    headers: Mapping[int, str]

    def header_of(self, key: str) -> str:
        """The header over a field's column, an empty text when the field has none."""
        return self.headers.get(self.columns.get(key, -1), "")

    def ignored(self) -> tuple[str, ...]:
        """Headers of the columns that are not read."""
        used = set(self.columns.values())
        return tuple(header for column, header in self.headers.items() if column not in used)


@dataclass(frozen=True, slots=True)
class CellError:
    """One cell that cannot be taken: `cell` such as B17, `column` its header; `suggestion` may be empty."""

    sheet: str
    cell: str
    row: int
    field: str
    column: str
    value: str
    expected: str
    sentence: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """`row` as counted in the sheet. `values` holds the filled fields only; `changes` maps field → (old, new).

    `identity` is the row's number, or, where it has none, `~` and a digest of what names it; keep it with what is
    made of the row, so that the same file makes nothing twice. Dates are wall-clock times of the workshop (naive).
    """

    row: int
    action: Action
    identity: str
    values: Mapping[str, Value]
    changes: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The whole dry run. Nothing may be applied while `errors` is not empty."""

    target: ImportTarget
    mapping: ColumnMapping
    rows: tuple[PlannedRow, ...]
    errors: tuple[CellError, ...]
    warnings: tuple[str, ...]
    questions: tuple[Question, ...]
    skipped: tuple[int, ...]
    counts: Mapping[Action, int]

    @property
    def sentence(self) -> str:
        """For example `create 210 · change 4 · same 0 · skip 6 · error 0`."""
        return " · ".join(f"{action} {count:,}" for action, count in self.counts.items())


def mapping_of(layout: Layout, headers: Mapping[int, tuple[str, ...]]) -> ColumnMapping:
    """The mapping that a layout proposes; `headers` as `header_texts` gives them."""
    return ColumnMapping(
        layout.sheet,
        layout.header_row,
        layout.columns(),
        {column: readings[0] for column, readings in headers.items()},
    )
