"""What a workbook gives before anyone has judged it: sheets of cells that still have their type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class CellFault:
    """A cell that holds no usable value: `text` as the program shows it (#REF!), `sentence` why it is unusable."""

    text: str
    sentence: str


Cell = str | int | float | bool | date | datetime | time | timedelta | CellFault
"""An empty cell is the empty text; text is never turned into a number by the reader."""


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One sheet from cell A1 on. `merged` holds (top row, left column, bottom row, right column), from 0, inclusive."""

    name: str
    rows: Sequence[Sequence[Cell]]
    merged: tuple[tuple[int, int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file as it was read; `digest` is the SHA-256 of its bytes in hex, so that the same file is known again."""

    name: str
    sheets: tuple[RawSheet, ...]
    digest: str
    notes: tuple[str, ...] = field(default=())

    def sheet(self, name: str) -> RawSheet:
        """The sheet of that name; KeyError when there is none."""
        for sheet in self.sheets:
            if sheet.name == name:
                return sheet
        raise KeyError(name)


def column_letter(column: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_name(row: int, column: int) -> str:
    """The name on the screen of a spreadsheet, for example B17; `row` counts from 1, `column` from 0."""
    return f"{column_letter(column)}{row}"


def is_blank(cell: Cell) -> bool:
    """True for an empty cell and for one that holds only spaces."""
    return isinstance(cell, str) and not cell.strip()


def shown(cell: Cell) -> str:
    """The cell as a person would read it: 250.0 is 250, midnight is no time of day."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, CellFault):
        return cell.text
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes")
    return str(cell)
