"""Which rows under a header are the table: not the sums, not the legend below it, not the next table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from app.domain.sheets.cells import Cell, RawSheet, shown
from app.domain.sheets.fields import ImportTarget
from app.domain.sheets.layout import known_headers
from app.domain.sheets.wording import TOTAL_WORDS, normal, squashed


@dataclass(slots=True)
class Extent:
    """`rows` are the table's rows (0-based); `skipped` the rows with content that were left out; `notes` say why."""

    rows: list[int]
    skipped: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_extent(sheet: RawSheet, header_row: int, columns: dict[str, int], target: ImportTarget) -> Extent:
    """The rows below `header_row` (from 1) that are rows of the table; `columns` maps field key → column."""
    wanted = sorted(set(columns.values()))
    counts = [_filled(row, wanted) for row in sheet.rows[header_row:]]
    blocks = _blocks(counts, header_row)
    extent = Extent([])
    if not blocks:
        return extent
    typical = median(counts[row - header_row] for row in blocks[0][:200])
    needed = [columns[spec.key] for spec in target.fields if spec.required and spec.key in columns]
    for place, block in enumerate(blocks):
        if place and known_headers(sheet.rows[block[0]], target) >= 3:
            below = [row for later in blocks[place:] for row in later]
            extent.skipped += below
            extent.notes.append(f"{_span(below)} left out: another table.")
            break
        if place and not _is_data(sheet.rows, block, needed, wanted, typical):
            extent.skipped += block
            extent.notes.append(f"{_span(block)} left out: below the table and not like its rows.")
            continue
        _take(sheet.rows, block, header_row, wanted, typical, extent)
    _note_strays(sheet.rows, header_row, counts, extent)
    return extent


def _filled(row: Sequence[Cell], columns: Sequence[int]) -> int:
    width = len(row)
    return sum(
        1 for column in columns if column < width and (cell := row[column]) != "" and not _is_space(cell)
    )


def _is_space(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.isspace()


def _blocks(counts: Sequence[int], first_row: int) -> list[list[int]]:
    blocks: list[list[int]] = []
    open_block = False
    for offset, count in enumerate(counts):
        if not count:
            open_block = False
        elif open_block:
            blocks[-1].append(first_row + offset)
        else:
            blocks.append([first_row + offset])
            open_block = True
    return blocks


def _is_data(
    rows: Sequence[Sequence[Cell]],
    block: Sequence[int],
    needed: Sequence[int],
    wanted: Sequence[int],
    typical: float,
) -> bool:
    complete = sum(
        1
        for row in block
        if _filled(rows[row], needed) == len(needed) and _filled(rows[row], wanted) >= max(1.0, typical * 0.4)
    )
    return complete * 2 >= len(block)


def _take(
    rows: Sequence[Sequence[Cell]],
    block: Sequence[int],
    header_row: int,
    wanted: Sequence[int],
    typical: float,
    extent: Extent,
) -> None:
    header = [shown(rows[header_row - 1][column]) for column in wanted if column < len(rows[header_row - 1])]
    for row in block:
        cells = rows[row]
        if _is_total(cells, wanted, typical):
            extent.skipped.append(row)
            extent.notes.append(f"Row {row + 1} left out: totals.")
        elif header and cells[wanted[0] : wanted[0] + 1] == [header[0]] and _repeats(cells, wanted, header):
            extent.skipped.append(row)
            extent.notes.append(f"Row {row + 1} left out: it repeats the header.")
        else:
            extent.rows.append(row)


def _repeats(cells: Sequence[Cell], wanted: Sequence[int], header: Sequence[str]) -> bool:
    return [shown(cells[column]) for column in wanted if column < len(cells)] == list(header)


def _is_total(cells: Sequence[Cell], wanted: Sequence[int], typical: float) -> bool:
    """A row with few cells, of which the first text says total, or which are all numbers where the table has texts."""
    count = _filled(cells, wanted)
    if count > max(typical * 0.6, 1):
        return False
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    if not texts:
        return typical >= 3 and all(not isinstance(cell, bool) for cell in cells)
    words = normal(texts[0]).split()
    return squashed(texts[0]) in TOTAL_WORDS or (bool(words) and words[0] in TOTAL_WORDS and len(words) <= 3)


def _note_strays(
    rows: Sequence[Sequence[Cell]], header_row: int, counts: Sequence[int], extent: Extent
) -> None:
    strays = [
        header_row + offset
        for offset, count in enumerate(counts)
        if not count and any(cell != "" and not _is_space(cell) for cell in rows[header_row + offset])
    ]
    if strays:
        extent.skipped += strays
        extent.notes.append(f"{_span(strays)} left out: nothing in the columns that are read.")


def _span(rows: Sequence[int]) -> str:
    if len(rows) == 1:
        return f"Row {rows[0] + 1}"
    if rows[-1] - rows[0] == len(rows) - 1:
        return f"Rows {rows[0] + 1} to {rows[-1] + 1}"
    named = ", ".join(str(row + 1) for row in rows[:5])
    return f"Rows {named}" + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
