"""Plans an import without doing it: reads the table by its mapping, asks what is open, compares with what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.domain.errors import Refused
from app.domain.sheets.cells import Cell, RawSheet, cell_name, shown
from app.domain.sheets.extent import find_extent
from app.domain.sheets.fields import FieldSpec, ImportTarget, weak_rank
from app.domain.sheets.matching import looks_like
from app.domain.sheets.plan import Action, CellError, ColumnMapping, ImportPlan, PlannedRow
from app.domain.sheets.questions import Option, Question
from app.domain.sheets.styles import column_styles
from app.domain.sheets.values import BadCell, ColumnStyle, ParsedColumn, Value, parse_cell, parse_column
from app.domain.sheets.wording import squashed

Existing = Mapping[str, Mapping[str, Value]]
Fixes = Mapping[tuple[int, str], str]


@dataclass(slots=True)
class _Table:
    """The table as parsed: `rows` are 0-based, columns run parallel to them; kept by the checker between fixes."""

    rows: list[int]
    columns: dict[str, ParsedColumn]
    constants: dict[str, Value]
    styles: dict[str, ColumnStyle]
    fixed: dict[tuple[int, str], str] = field(default_factory=dict)


class DryRun:
    """One file against one target. `plan` judges everything; `recheck` re-reads only the cells that were fixed."""

    def __init__(
        self,
        sheet: RawSheet,
        mapping: ColumnMapping,
        target: ImportTarget,
        answers: Mapping[str, str] | None = None,
        existing: Existing | None = None,
    ) -> None:
        if not 1 <= mapping.header_row <= len(sheet.rows):
            raise Refused(f"Sheet “{sheet.name}” has no row {mapping.header_row}.", field="header_row")
        self._sheet = sheet
        self._target = target
        self._answers = dict(answers or {})
        self._existing = {} if existing is None else existing  # may be filled while the dry run lives
        self._questions: list[Question] = []
        self._mapping, constants = self._complete(mapping)
        self._extent = find_extent(sheet, mapping.header_row, dict(self._mapping.columns), target)
        self._table = self._parse(constants)

    def _cells(self, column: int, rows: Iterable[int]) -> list[Cell]:
        lines = self._sheet.rows
        return [line[column] if column < len(line := lines[row]) else "" for row in rows]

    def _complete(self, mapping: ColumnMapping) -> tuple[ColumnMapping, dict[str, Value]]:
        """Fills required fields that no column was found for: by a likely column, or by one value for all rows."""
        columns = {key: column for key, column in mapping.columns.items() if key in self._known_fields()}
        constants: dict[str, Value] = {}
        for spec in self._target.fields:
            if not spec.required or spec.key in columns:
                continue
            question = self._missing(spec, replace(mapping, columns=columns))
            self._questions.append(question)
            kind, _, text = question.answer.partition(":")
            if kind == "column":
                columns[spec.key] = next(c for c, header in mapping.headers.items() if header == text)
            else:
                try:
                    constants[spec.key] = parse_cell(spec, text, ColumnStyle())
                except BadCell as bad:
                    raise Refused(
                        f"{bad.sentence} {spec.title} must be {spec.describe()}.", field=spec.key
                    ) from None
        return replace(mapping, columns=columns), constants

    def _known_fields(self) -> set[str]:
        return {spec.key for spec in self._target.fields}

    def _missing(self, spec: FieldSpec, mapping: ColumnMapping) -> Question:
        sample = range(mapping.header_row, min(mapping.header_row + 200, len(self._sheet.rows)))
        taken = set(mapping.columns.values())
        offered = {
            header: column
            for column, header in mapping.headers.items()
            if column not in taken and looks_like(spec, self._cells(column, sample))
        }
        ranks = {header: weak_rank(spec, header) for header in mapping.headers.values()}
        likely = sorted((h for h in offered if ranks[h] is not None), key=lambda h: ranks[h] or 0)
        # A required text may also be taken from a column that another field reads, such as the description.
        shared = [
            header
            for column, header in mapping.headers.items()
            if column in taken and ranks[header] is not None
        ]
        options = tuple(
            Option(f"column:{header}", f"take column “{header}”")
            for header in [*likely, *(header for header in offered if header not in likely), *shared]
        )
        if spec.default is not None:
            options = (Option(f"value:{spec.default}", f"use {spec.default} for every row"), *options)
            default = options[0].key
            sentence = f"{spec.title} is not in this file: use {spec.default} for every row?"
        else:
            best = [f"column:{header}" for header in [*likely, *shared]]
            default = best[0] if best else f"value:not named ({self._sheet.name})"
            told = f"take column “{best[0][7:]}”" if best else "use one name for all rows"
            sentence = f"{spec.title} is not in this file: {told}?"
        answer = self._answers.get(f"missing:{spec.key}", default)
        if not answer.startswith("value:") and answer not in {option.key for option in options}:
            answer = default
        return Question(
            f"missing:{spec.key}",
            sentence,
            options,
            default,
            answer,
            spec.key,
            free=True,
            answered=f"missing:{spec.key}" in self._answers,
        )

    def _parse(self, constants: dict[str, Value]) -> _Table:
        rows = self._extent.rows
        specs = [spec for spec in self._target.fields if spec.key in self._mapping.columns]
        cells = {spec.key: self._cells(self._mapping.columns[spec.key], rows) for spec in specs}
        headers = {spec.key: self._mapping.header_of(spec.key) for spec in specs}
        styles, questions = column_styles(specs, cells, headers, self._sheet, self._answers)
        self._questions += questions
        columns = {spec.key: parse_column(spec, cells[spec.key], styles[spec.key]) for spec in specs}
        return _Table(rows, columns, constants, styles)

    def recheck(self, fixes: Fixes, skip_rows: frozenset[int] = frozenset()) -> ImportPlan:
        """The plan after fixes in place: (row as counted in the sheet, field key) → the text that stands there now."""
        places = {row + 1: index for index, row in enumerate(self._table.rows)}
        for (row, key), text in fixes.items():
            if (
                self._table.fixed.get((row, key)) == text
                or row not in places
                or key not in self._table.columns
            ):
                continue
            self._table.fixed[row, key] = text
            column, index = self._table.columns[key], places[row]
            column.faults.pop(index, None)
            column.notes.pop(index, None)
            try:
                column.values[index] = parse_cell(self._target.spec(key), text, self._table.styles[key])
            except BadCell as bad:
                column.values[index] = None
                column.faults[index] = bad
        return self.plan(skip_rows)

    def plan(self, skip_rows: frozenset[int] = frozenset()) -> ImportPlan:
        """The whole plan; `skip_rows` are rows (as counted in the sheet) that the person leaves out."""
        leave = (
            {index for index, row in enumerate(self._table.rows) if row + 1 in skip_rows}
            if skip_rows
            else set()
        )
        errors = self._cell_errors(leave)
        identities, doubles = self._identities(leave)
        errors += doubles
        planned = self._rows(identities, {error.row for error in errors}, leave)
        counts: dict[Action, int] = {
            "create": 0,
            "change": 0,
            "same": 0,
            "skip": len(self._extent.skipped),
            "error": 0,
        }
        for row in planned:
            counts[row.action] += 1
        errors.sort(key=lambda error: (error.row, self._mapping.columns.get(error.field, 0)))
        return ImportPlan(
            self._target,
            self._mapping,
            planned,
            tuple(errors),
            tuple(self._warnings(identities)),
            tuple(self._questions),
            tuple(sorted(row + 1 for row in self._extent.skipped)),
            counts,
        )

    def _error(self, index: int, key: str, bad: BadCell) -> CellError:
        row, column = self._table.rows[index], self._mapping.columns.get(key, 0)
        line = self._sheet.rows[row]
        value = self._table.fixed.get((row + 1, key), shown(line[column]) if column < len(line) else "")
        return CellError(
            self._sheet.name,
            cell_name(row + 1, column),
            row + 1,
            key,
            self._mapping.header_of(key),
            value,
            self._target.spec(key).describe(),
            bad.sentence,
            bad.suggestion,
        )

    def _cell_errors(self, leave: set[int]) -> list[CellError]:
        found: list[CellError] = []
        for key, column in self._table.columns.items():
            spec = self._target.spec(key)
            faults = dict(column.faults)
            if spec.required:
                empty = BadCell(f"{spec.title} is missing.", spec.default or "")
                faults |= {
                    index: empty
                    for index, value in enumerate(column.values)
                    if value is None and index not in faults
                }
            found += [self._error(index, key, bad) for index, bad in faults.items() if index not in leave]
        return found + self._order_errors(leave)

    def _order_errors(self, leave: set[int]) -> list[CellError]:
        found: list[CellError] = []
        for first, second in self._target.ordered:
            if first not in self._table.columns or second not in self._table.columns:
                continue
            pairs = zip(self._table.columns[first].values, self._table.columns[second].values, strict=True)
            for index, (start, end) in enumerate(pairs):
                if not isinstance(start, datetime) or not isinstance(end, datetime) or index in leave:
                    continue
                if (start.tzinfo is None) == (end.tzinfo is None) and start >= end:
                    title = self._target.spec(first).title.lower()
                    found.append(
                        self._error(
                            index,
                            second,
                            BadCell(
                                f"{end:%Y-%m-%d %H:%M} does not lie after the {title}, {start:%Y-%m-%d %H:%M}."
                            ),
                        )
                    )
        return found

    def _identities(self, leave: set[int]) -> tuple[list[str], list[CellError]]:
        """Identity per row, and an error for each number that the file holds twice."""
        count = len(self._table.rows)
        named = self._table.columns.get(self._target.identity)
        numbers: Sequence[Value] = named.values if named is not None else [None] * count
        content = [
            self._table.columns[key].values for key in self._target.content if key in self._table.columns
        ]
        content = content or [column.values for column in self._table.columns.values()]
        first_seen: dict[str, int] = {}
        identities: list[str] = []
        doubles: list[CellError] = []
        for index, number in enumerate(numbers):
            identity = (
                str(number) if number is not None else _content_key(column[index] for column in content)
            )
            if index not in leave and identity in first_seen:
                if number is not None:
                    other = self._table.rows[first_seen[identity]] + 1
                    doubles.append(
                        self._error(
                            index,
                            self._target.identity,
                            BadCell(
                                f"{identity} is already in row {other}; a number names one {self._target.one} only."
                            ),
                        )
                    )
                else:
                    first_seen[identity] += 1  # alike rows without a number are told apart by their count
                    identity = f"{identity}#{first_seen[identity]}"
            elif index not in leave:
                first_seen[identity] = index if number is not None else 1
            identities.append(identity)
        return identities, doubles

    def _rows(self, identities: Sequence[str], bad: set[int], leave: set[int]) -> tuple[PlannedRow, ...]:
        keys = list(self._table.columns)
        constants = self._table.constants
        planned: list[PlannedRow] = []
        lines = zip(*(self._table.columns[key].values for key in keys), strict=True)
        for index, (row, identity, line) in enumerate(zip(self._table.rows, identities, lines, strict=True)):
            values = {key: value for key, value in zip(keys, line, strict=True) if value is not None}
            old = self._existing.get(identity)
            changes: dict[str, tuple[Value, Value]] = {}
            action: Action = "create"
            if index in leave:
                action = "skip"
            elif row + 1 in bad:
                action = "error"
            elif old is not None:
                # An empty cell takes nothing away, and one value for all rows is meant for new ones.
                changes = {
                    key: (old.get(key), value)
                    for key, value in values.items()
                    if _differ(old.get(key), value)
                }
                action = "change" if changes else "same"
            planned.append(PlannedRow(row + 1, action, identity, {**constants, **values}, changes))
        return tuple(planned)

    def _warnings(self, identities: Sequence[str]) -> list[str]:
        warnings = list(self._extent.notes)
        unnamed = sum(1 for identity in identities if identity.startswith("~"))
        if unnamed:
            title = self._target.spec(self._target.identity).title.lower()
            warnings.append(
                f"{unnamed:,} of {len(identities):,} rows have no {title}; new ones get the next free number."
            )
        for key, column in self._table.columns.items():
            header = self._mapping.header_of(key)
            if column.notes:
                index, note = next(iter(column.notes.items()))
                cell = cell_name(self._table.rows[index] + 1, self._mapping.columns[key])
                more = f", and {len(column.notes) - 1} more like it" if len(column.notes) > 1 else ""
                warnings.append(f"{header} {cell}: {note} and was read as empty{more}.")
            broken = next(
                (i for i, value in enumerate(column.values) if isinstance(value, str) and _is_garbled(value)),
                None,
            )
            if broken is not None:
                cell = cell_name(self._table.rows[broken] + 1, self._mapping.columns[key])
                warnings.append(
                    f"{header} {cell}: letters look wrongly decoded by the program that made the file."
                )
        if ignored := self._mapping.ignored():
            warnings.append("Columns that are not read: " + ", ".join(ignored) + ".")
        return warnings


def _is_garbled(text: str) -> bool:
    """Accented letters that were UTF-8 and were read as Latin-1 by someone earlier: Ã¼ for ü, Â° for °."""
    return any(
        mark in text for mark in ("Ã¼", "Ã¶", "Ã¤", "Ã©", "Ã¨", "Ã³", "Â°", "Â ", "â€", "ÃŸ", "Ä…", "Ä™")
    )


def _differ(old: Value, new: Value) -> bool:
    """A file keeps times to the minute (CSV) or the millisecond (Excel), the store to the microsecond."""
    if isinstance(old, datetime) and isinstance(new, datetime):
        return old.replace(second=0, microsecond=0) != new.replace(second=0, microsecond=0)
    return old != new


def _content_key(values: Iterable[Value]) -> str:
    text = "\x1f".join(
        "" if value is None else squashed(value) if isinstance(value, str) else str(value) for value in values
    )
    return "~" + hashlib.sha256(text.encode()).hexdigest()[:24]


def plan_import(
    sheet: RawSheet,
    mapping: ColumnMapping,
    target: ImportTarget,
    answers: Mapping[str, str] | None = None,
    existing: Existing | None = None,
    *,
    fixes: Fixes | None = None,
    skip_rows: frozenset[int] = frozenset(),
) -> ImportPlan:
    """The dry run in one call. `answers` maps question keys to option keys; open questions take their default.

    `existing` maps identity (number or the key kept from an earlier import) → that row's values, in the plan's form.
    Raises Refused when the mapping names a row or a value that cannot be.
    """
    run = DryRun(sheet, mapping, target, answers, existing)
    return run.recheck(fixes, skip_rows) if fixes else run.plan(skip_rows)
