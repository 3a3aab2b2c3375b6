"""Where in a workbook the table is: the sheet and the header row under which the target's fields stand best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10

from app.domain.errors import Refused
from app.domain.sheets.cells import Cell, RawSheet, Workbook, is_blank, shown
from app.domain.sheets.fields import ImportTarget, weak_rank
from app.domain.sheets.matching import ColumnMatch, MappingTemplate, header_score, match_columns
from app.domain.sheets.wording import normal, squashed

_LOOK_DEPTH = 60  # rows from the top in which a header is looked for
_SAMPLE_ROWS = 200
_PIVOT_WORDS = (
    "grand total",
    "sum of",
    "count of",
    "average of",
    "row labels",
    "column labels",
    "gesamtergebnis",
    "suma koncowa",
    "zeilenbeschriftungen",
    "etykiety wierszy",
    "total general",
    "somme de",
    "nombre de ",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """One place where a table may stand. `header_row` counts from 1; columns count from 0, both ends inclusive."""

    sheet: str
    header_row: int
    first_column: int
    last_column: int
    target: str
    matches: tuple[ColumnMatch, ...]
    score: float
    reasons: tuple[str, ...]

    def columns(self) -> dict[str, int]:
        """Field key → column, as found."""
        return {match.field: match.column for match in self.matches}


def find_layouts(
    book: Workbook, targets: Sequence[ImportTarget], template: MappingTemplate | None = None
) -> tuple[Layout, ...]:
    """All places where a table of one of the targets may stand, the best first; empty when there is none."""
    found = [
        layout
        for sheet in book.sheets
        for row in _header_rows(sheet)
        for target in targets
        for layout in _layouts_in_row(sheet, row, target, template, book.name)
        if len(layout.matches) > 1
    ]
    return tuple(sorted(found, key=lambda layout: -layout.score))


def _layouts_in_row(
    sheet: RawSheet, row: int, target: ImportTarget, template: MappingTemplate | None, file_name: str
) -> Iterator[Layout]:
    segments = list(_segments(sheet, row))
    for first, last in segments:
        yield layout_at(sheet, row + 1, target, template, first, last, file_name)
    if len(segments) > 1:
        # One table with empty columns inside it, rather than two tables, must be clearly better.
        whole = layout_at(sheet, row + 1, target, template, segments[0][0], segments[-1][1], file_name)
        yield replace(whole, score=whole.score - 1.5)


def best_layout(
    book: Workbook,
    target: ImportTarget,
    *,
    sheet: str = "",
    header_row: int = 0,
    template: MappingTemplate | None = None,
) -> Layout:
    """The best place for the target, or the place that the person names. Raises Refused when nothing fits."""
    if template is not None:
        sheet, header_row = sheet or template.sheet, header_row or template.header_row
    sheets = [raw for raw in book.sheets if not sheet or raw.name == sheet]
    if not sheets and template is not None and sheet == template.sheet:
        sheets = list(book.sheets)
    if not sheets:
        raise Refused(f"The workbook has no sheet “{sheet}”.", field="sheet")
    if header_row:
        if all(header_row > len(raw.rows) for raw in sheets):
            raise Refused(f"Row {header_row} lies below the last row of the sheet.", field="header_row")
        places = [
            layout
            for raw in sheets
            if header_row <= len(raw.rows)
            for layout in _layouts_in_row(raw, header_row - 1, target, template, book.name)
        ]
        if not places:
            raise Refused(f"Row {header_row} is empty; it cannot be the header.", field="header_row")
        return max(places, key=lambda layout: layout.score)
    layouts = find_layouts(Workbook(book.name, tuple(sheets), book.digest), (target,), template)
    if not layouts:
        raise Refused(
            f"No table of {target.many} was found: no row holds headers that are known.", field="sheet"
        )
    return layouts[0]


def best_target(book: Workbook, targets: Sequence[ImportTarget]) -> Layout:
    """The best place of all targets; its `target` says which one the file is. Raises Refused when nothing fits."""
    layouts = find_layouts(book, targets)
    if not layouts:
        raise Refused("No table was found in this file: no row holds headers that are known.", field="sheet")
    return layouts[0]


def layout_at(
    sheet: RawSheet,
    header_row: int,
    target: ImportTarget,
    template: MappingTemplate | None = None,
    first_column: int = 0,
    last_column: int | None = None,
    file_name: str = "",
) -> Layout:
    """Judges one row (from 1) as the header of a table of the target."""
    row = header_row - 1
    headers = header_texts(sheet, row, first_column, last_column)
    data = _first_block(sheet.rows[row + 1 : row + 1 + _SAMPLE_ROWS])
    samples = {column: [line[column] for line in data if column < len(line)] for column in headers}
    matches = match_columns(headers, samples, target, template)
    score, reasons = _score(sheet, row, headers, matches, target, file_name)
    last = max(headers, default=first_column) if last_column is None else last_column
    return Layout(sheet.name, header_row, first_column, last, target.key, matches, score, reasons)


def _first_block(rows: Sequence[Sequence[Cell]]) -> list[Sequence[Cell]]:
    """Rows up to the first blank one: what stands below a gap may be a legend or another table."""
    block: list[Sequence[Cell]] = []
    for line in rows:
        if not all(is_blank(cell) for cell in line):
            block.append(line)
        elif block:
            break
    return block


def header_texts(
    sheet: RawSheet, row: int, first_column: int = 0, last_column: int | None = None
) -> dict[int, tuple[str, ...]]:
    """Column → header and its other readings; merged titles above lend their text (`Planned` over `Start`)."""
    cells = sheet.rows[row]
    last = len(cells) - 1 if last_column is None else min(last_column, len(cells) - 1)
    texts: dict[int, tuple[str, ...]] = {}
    for column in range(first_column, last + 1):
        own = shown(cells[column]).strip()
        above = _merged_above(sheet, row, column)
        if own and above and squashed(above) != squashed(own):
            texts[column] = (own, f"{above} {own}")
        elif own or above:
            texts[column] = (own or above,)
    return texts


def _merged_above(sheet: RawSheet, row: int, column: int) -> str:
    for top, left, bottom, right in sheet.merged:
        over = top < row <= bottom + 1 and left <= column <= right and right - left < 12
        if over and (bottom >= row or right > left):
            return shown(sheet.rows[top][left]).strip()
    return ""


def _header_rows(sheet: RawSheet) -> Iterator[int]:
    """Rows (from 0) that may be headers: at least two texts, more texts than anything else."""
    for row, cells in enumerate(sheet.rows[:_LOOK_DEPTH]):
        filled = [cell for cell in cells if not is_blank(cell)]
        words = [cell for cell in filled if isinstance(cell, str) and len(cell) < 80]
        if len({squashed(word) for word in words}) >= 2 and len(words) * 3 >= len(filled) * 2:
            yield row


def _segments(sheet: RawSheet, row: int) -> Iterator[tuple[int, int]]:
    """Column ranges of tables side by side: split where neither a header nor a value stands."""
    below = sheet.rows[row : row + 40]
    width = max((len(line) for line in below), default=0)
    used = [
        any(column < len(line) and not is_blank(line[column]) for line in below) for column in range(width)
    ]
    start: int | None = None
    for column, filled in enumerate([*used, False]):
        if filled and start is None:
            start = column
        elif not filled and start is not None:
            yield start, column - 1
            start = None


def _score(
    sheet: RawSheet,
    row: int,
    headers: Mapping[int, tuple[str, ...]],
    matches: Sequence[ColumnMatch],
    target: ImportTarget,
    file_name: str,
) -> tuple[float, tuple[str, ...]]:
    named = {match.field for match in matches}
    points = sum(
        match.confidence * (2 if target.spec(match.field).required or match.field == target.identity else 1)
        for match in matches
    )
    reasons = [f"{len(matches)} of {len(headers)} headers are known"]
    for spec in target.fields:
        if spec.required and spec.key not in named and spec.default is None:
            offered = any(weak_rank(spec, readings[0]) is not None for readings in headers.values())
            points -= 0.5 if offered else 2
            reasons.append(f"no column is surely the {spec.title.lower()}")
    length = _rows_below(sheet.rows, row, headers)
    reasons.append(f"{length} rows below")
    points += min(log10(length + 1), 3) * 0.5 - (3 if not length else 0)
    points += len(matches) / max(len(headers), 1)
    if _is_pivot(sheet.rows, row):
        points -= 4
        reasons.append("it looks like a pivot table")
    if any(word in normal(f"{file_name} {sheet.name}") for word in target.file_words):
        points += 0.4
        reasons.append("the name of the file or sheet fits")
    return round(points, 3), tuple(reasons)


def _rows_below(rows: Sequence[Sequence[Cell]], row: int, headers: Mapping[int, tuple[str, ...]]) -> int:
    columns = list(headers)
    return sum(
        1
        for line in rows[row + 1 : row + 2001]
        if any(column < len(line) and not is_blank(line[column]) for column in columns)
    )


def _is_pivot(rows: Sequence[Sequence[Cell]], row: int) -> bool:
    near = rows[max(row - 2, 0) : row + 2]
    words = [normal(cell) for line in near for cell in line if isinstance(cell, str) and cell]
    return any(word.startswith(mark) for word in words for mark in _PIVOT_WORDS)


def known_headers(cells: Sequence[Cell], target: ImportTarget) -> int:
    """How many of the cells are, as words, surely headers of the target; a second table below gives itself away so."""
    words = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    return sum(
        1 for word in words if max(header_score(word, spec, target)[0] for spec in target.fields) > 0.95
    )
