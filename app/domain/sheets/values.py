"""Reads the cells of one column as the field's kind; good cells cost a lookup, bad ones get a sentence of their own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from app.domain.sheets.cells import Cell, CellFault, shown
from app.domain.sheets.dates import from_serial, nearest_date, parse_date
from app.domain.sheets.fields import FieldSpec, choice_words
from app.domain.sheets.numbers import DecimalMark, nearest_number, parse_number, without_unit
from app.domain.sheets.wording import NO, YES, squashed, tidy

Value = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class ColumnStyle:
    """How one column writes: `day_first` in 03/04/2026, its decimal mark, what a numeric priority's levels mean."""

    day_first: bool = True
    decimal: DecimalMark = "."
    levels: Mapping[int, str] = field(default_factory=dict)


class BadCell(ValueError):
    """The cell does not hold what the field expects; `suggestion` is what was probably meant, or empty."""

    def __init__(self, sentence: str, suggestion: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.suggestion = suggestion


@dataclass(slots=True)
class ParsedColumn:
    """`values` has one entry per cell, None for an empty one; `faults` and `notes` are by index."""

    values: list[Value]
    faults: dict[int, BadCell] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)


def parse_column(spec: FieldSpec, cells: Sequence[Cell], style: ColumnStyle) -> ParsedColumn:
    """Parses all cells. Texts repeat in a column, so each different one is read once."""
    values: list[Value] = []
    column = ParsedColumn(values)
    seen: dict[str, Value] = {"": None}
    add = values.append
    for index, cell in enumerate(cells):
        if cell.__class__ is str and cell in seen:
            add(seen[cell])
            continue
        try:
            value = parse_cell(spec, cell, style)
        except BadCell as bad:
            column.faults[index] = bad
            add(None)
            continue
        add(value)
        if isinstance(cell, str):
            seen[cell] = value
            if value is None and cell.strip():
                column.notes[index] = f"“{tidy(cell)}” is no known {spec.title.lower()}"
        elif value is None:
            column.notes[index] = (
                f"{shown(cell)} is no {'name' if spec.kind == 'person' else spec.title.lower()}"
            )
    return column


def parse_cell(spec: FieldSpec, cell: Cell, style: ColumnStyle) -> Value:
    """The value of one cell, None when it is empty. Raises BadCell."""
    if isinstance(cell, CellFault):
        raise BadCell(cell.sentence)
    if isinstance(cell, str):
        cell = cell.strip()  # also takes no-break spaces
        if not cell:
            return None
    return _PARSERS[spec.kind](spec, cell, style)


def _text(_: FieldSpec, cell: Cell, __: ColumnStyle) -> Value:
    return str(cell).replace("\u00a0", " ") if isinstance(cell, str) else shown(cell)


def _identifier(_: FieldSpec, cell: Cell, __: ColumnStyle) -> Value:
    return tidy(shown(cell))


def _person(_: FieldSpec, cell: Cell, __: ColumnStyle) -> Value:
    # A formula that points at an empty cell gives the number 0; nobody is called 0.
    if not isinstance(cell, str) and cell == 0:
        return None
    return tidy(shown(cell))


def _integer(spec: FieldSpec, cell: Cell, style: ColumnStyle) -> Value:
    number = _number(spec, cell, style)
    if isinstance(number, float) and not number.is_integer():
        raise BadCell(
            f"{shown(cell)} is not a whole number.", str(round(number)) if round(number) > 0 else ""
        )
    return int(number)


def _decimal(spec: FieldSpec, cell: Cell, style: ColumnStyle) -> Value:
    return _number(spec, cell, style)


def _number(spec: FieldSpec, cell: Cell, style: ColumnStyle) -> int | float:
    if isinstance(cell, timedelta) and spec.kind == "decimal":
        cell = cell.total_seconds() / 3600
    elif isinstance(cell, time) and spec.kind == "decimal":
        cell = cell.hour + cell.minute / 60
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        raise BadCell(f"{shown(cell)} is not a number.")
    if isinstance(cell, str):
        try:
            number = parse_number(without_unit(cell), style.decimal)
        except (ValueError, OverflowError):
            raise BadCell(f"“{cell}” is not a number.", nearest_number(cell, style.decimal)) from None
    else:
        number = int(cell) if cell == cell and abs(cell) < 1e15 and cell == int(cell) else cell
    if number != number or abs(number) > 1e12:
        raise BadCell(f"{shown(cell)} is too large.")
    if spec.positive and number <= 0:
        raise BadCell(f"{shown(cell)} is not greater than 0.", str(-number) if number < 0 else "")
    if spec.minimum is not None and number < spec.minimum:
        raise BadCell(f"{shown(cell)} is less than {spec.minimum:g}.", str(-number))
    return number


def _date(_: FieldSpec, cell: Cell, style: ColumnStyle) -> Value:
    found = _moment(cell, style)
    return found.date() if isinstance(found, datetime) else found


def _datetime(spec: FieldSpec, cell: Cell, style: ColumnStyle) -> Value:
    found = _moment(cell, style)
    if isinstance(found, datetime) and (found.tzinfo or found.time() != time() or isinstance(cell, str)):
        return found
    return datetime.combine(found, time(23, 59) if spec.ends_day else time())


def _moment(cell: Cell, style: ColumnStyle) -> datetime | date:
    if isinstance(cell, date):
        found: datetime | date = cell
    else:
        try:
            if isinstance(cell, str):
                found = parse_date(cell, day_first=style.day_first)
            else:
                found = from_serial(
                    float("nan") if isinstance(cell, (bool, time, timedelta, CellFault)) else cell
                )
        except (ValueError, OverflowError):
            guess = nearest_date(cell, day_first=style.day_first) if isinstance(cell, str) else ""
            raise BadCell(f"“{shown(cell)}” is not a date.", guess) from None
    if not 1970 <= found.year <= 2199:
        raise BadCell(f"The year {found.year} cannot be right.")
    return found


def _choice(spec: FieldSpec, cell: Cell, style: ColumnStyle) -> Value:
    words = choice_words(spec)
    if spec.levels and (level := level_of(cell)) is not None:
        if level not in style.levels:
            raise BadCell(f"{shown(cell)} is not one of the levels {_span(style.levels)}.")
        return _level_value(style.levels[level])
    text = tidy(shown(cell))
    if (key := words.get(squashed(text))) is not None:
        return _level_value(key)
    if spec.lenient:
        parts = [words[word] for word in map(squashed, text.split()) if len(word) > 3 and word in words]
        return parts[0] if parts else None
    near = difflib.get_close_matches(squashed(text), list(words), n=1, cutoff=0.7)
    titles = {choice.key: choice.title for choice in spec.choices}
    raise BadCell(f"“{text}” is no known {spec.title.lower()}.", titles[words[near[0]]] if near else "")


def _span(levels: Mapping[int, str]) -> str:
    return f"{min(levels)} to {max(levels)}" if levels else "(none)"


def _level_value(key: str) -> Value:
    return int(key) if key.isdigit() else key


def level_of(cell: Cell) -> int | None:
    """The whole number in a cell (3, 3.0, "3"), None when it holds none."""
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        return None
    if isinstance(cell, str):
        text = cell.strip().removesuffix(".0")
        return int(text) if text.isdecimal() and len(text) < 6 else None
    return int(cell) if cell == cell and abs(cell) < 1e6 and cell == int(cell) else None


def _bool(_: FieldSpec, cell: Cell, __: ColumnStyle) -> Value:
    if isinstance(cell, bool):
        return cell
    word = squashed(shown(cell))
    if word in YES or word in NO:
        return word in YES
    raise BadCell(f"“{shown(cell)}” is neither yes nor no.")


_PARSERS: Mapping[str, Callable[[FieldSpec, Cell, ColumnStyle], Value]] = {
    "text": _text,
    "identifier": _identifier,
    "person": _person,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "datetime": _datetime,
    "choice": _choice,
    "bool": _bool,
}
