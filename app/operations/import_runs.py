"""One import from file to rows: find the table, plan it against the store, take fixes, apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from app.domain.errors import Refused
from app.domain.people import Actor
from app.domain.sheets.cells import Cell, RawSheet, Workbook, is_blank, shown
from app.domain.sheets.dry_run import DryRun, Fixes
from app.domain.sheets.fields import ImportTarget
from app.domain.sheets.layout import Layout, best_layout, best_target, header_texts
from app.domain.sheets.matching import ColumnMatch, MappingTemplate
from app.domain.sheets.plan import ColumnMapping, ImportPlan
from app.domain.sheets.targets import TARGETS, target_of
from app.domain.sheets.values import Value
from app.operations.door import Door
from app.operations.import_rules import settled
from app.operations.import_tags import settled_tags
from app.operations.imports import ImportSummary, Progress, apply_import
from app.store.queries.imports import existing_rows, templates
from app.store.queries.plant import read_plant
from app.store.sessions import Store
from app.store.workbooks import read_workbook

Rules = Callable[[ImportPlan, Mapping[str, Mapping[str, Value]]], ImportPlan]
Lookup = Callable[[ImportTarget, Iterable[str]], Mapping[str, Mapping[str, Value]]]
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class ImportChoices:
    """What a person decided; everything empty means: as found.

    `columns` maps header → field key, an empty text for a column that is left out. `header_row` counts from 1.
    """

    target: str = ""
    sheet: str = ""
    header_row: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    template: MappingTemplate | None = None


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One column of the file: its place (from 0), header, first values, and the key of its field (empty: not read)."""

    column: int
    header: str
    samples: tuple[str, ...]
    field: str
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file; `summary` is None after a dry run."""

    plan: ImportPlan
    layout: Layout
    summary: ImportSummary | None


class ImportDraft:
    """One file on its way in. Every method may take seconds for a large file; use it from one thread at a time."""

    def __init__(
        self, book: Workbook, choices: ImportChoices, lookup: Lookup, rules: Rules = settled
    ) -> None:
        """Raises `Refused` when no table is found or a choice names what is not there."""
        self.book = book
        self.choices = choices
        self._lookup = lookup
        self._rules = rules
        self.layout = _layout(book, choices)
        self.target = target_of(self.layout.target)
        self.sheet = book.sheet(self.layout.sheet)
        headers = header_texts(
            self.sheet, self.layout.header_row - 1, self.layout.first_column, self.layout.last_column
        )
        self._headers = {column: readings[0] for column, readings in headers.items()}
        self._matches = _chosen(self.layout, self._headers, choices.columns, self.target)
        self.mapping = ColumnMapping(
            self.layout.sheet,
            self.layout.header_row,
            {match.field: match.column for match in self._matches},
            self._headers,
        )
        self._held: dict[str, Mapping[str, Value]] = {}
        self._asked: set[str] = set()
        self._dry_run = DryRun(self.sheet, self.mapping, self.target, choices.answers, self._held)
        self.fixes: dict[tuple[int, str], str] = {}
        self.skip_rows: frozenset[int] = frozenset()
        self.plan = self._planned()

    def columns(self) -> tuple[FileColumn, ...]:
        """All columns of the table, in the order of the sheet."""
        by_column = {match.column: match for match in self._matches}
        return tuple(
            self._file_column(column, header, by_column.get(column))
            for column, header in sorted(self._headers.items())
        )

    def _file_column(self, column: int, header: str, match: ColumnMatch | None) -> FileColumn:
        samples = tuple(_samples(self.sheet, self.layout.header_row, column))
        if match is None:
            return FileColumn(column, header, samples, "", 0.0, "not read")
        return FileColumn(column, header, samples, match.field, match.confidence, match.why)

    def recheck(self, fixes: Fixes, skip_rows: frozenset[int] = frozenset()) -> ImportPlan:
        """The plan with cells fixed in place, (row, field key) → text, and rows left out; re-reads only those cells."""
        self.fixes.update(fixes)
        self.skip_rows = skip_rows
        self.plan = self._planned()
        return self.plan

    def _planned(self) -> ImportPlan:
        plan = self._dry_run.recheck(self.fixes, self.skip_rows)
        unknown = {row.identity for row in plan.rows} - self._asked
        if unknown:
            self._asked |= unknown
            found = self._lookup(self.target, unknown)
            self._held.update(found)
            if found:
                plan = self._dry_run.plan(self.skip_rows)
        return self._rules(plan, self._held)

    def template(self, name: str) -> MappingTemplate:
        """What to remember, so that the next file with these headers needs no choices."""
        headers = {column.header: column.field for column in self.columns()}
        return MappingTemplate(
            name, headers, self.layout.sheet, self.layout.header_row, dict(self.choices.answers)
        )


def _layout(book: Workbook, choices: ImportChoices) -> Layout:
    if not choices.target and not choices.sheet and not choices.header_row and choices.template is None:
        return best_target(book, TARGETS)
    targets = (target_of(choices.target),) if choices.target else TARGETS
    found: list[Layout] = []
    refusal: Refused | None = None
    for target in targets:
        try:
            found.append(
                best_layout(
                    book,
                    target,
                    sheet=choices.sheet,
                    header_row=choices.header_row,
                    template=choices.template,
                )
            )
        except Refused as error:
            refusal = error
    if not found:
        raise refusal or Refused("No table was found in this file.", field="sheet")
    return max(found, key=_score)


def _score(layout: Layout) -> float:
    return layout.score


def _chosen(
    layout: Layout, headers: Mapping[int, str], wanted: Mapping[str, str], target: ImportTarget
) -> tuple[ColumnMatch, ...]:
    """The found matches with the person's own put over them."""
    known = {spec.key for spec in target.fields}
    columns = {header.casefold(): column for column, header in headers.items()}
    matches = {match.column: match for match in layout.matches}
    for header, key in wanted.items():
        column = columns.get(header.strip().casefold())
        if column is None:
            raise Refused(f"The table has no column “{header}”.", field="columns")
        if key and key not in known:
            fields = ", ".join(spec.key for spec in target.fields)
            raise Refused(f"There is no field “{key}”; there are {fields}.", field="columns")
        matches = {place: match for place, match in matches.items() if match.field != key and place != column}
        if key:
            matches[column] = ColumnMatch(key, column, headers[column], 1.0, "chosen by you")
    return tuple(matches[column] for column in sorted(matches))


def _samples(sheet: RawSheet, header_row: int, column: int) -> list[str]:
    found: list[str] = []
    for row in sheet.rows[header_row : header_row + 50]:
        cell: Cell = row[column] if column < len(row) else ""
        if not is_blank(cell) and shown(cell) not in found:
            found.append(shown(cell))
        if len(found) == _SAMPLES:
            break
    return found


def store_lookup(store: Store) -> Lookup:
    """Looks up in the store what the file's rows are compared with."""

    def look(target: ImportTarget, identities: Iterable[str]) -> Mapping[str, Mapping[str, Value]]:
        with store.reader() as session:
            return existing_rows(session, target, identities)

    return look


def store_rules(store: Store) -> Rules:
    """What the store demands of a plan: of tags that its connections can read them, of orders what the floor wants."""

    def judge(plan: ImportPlan, held: Mapping[str, Mapping[str, Value]]) -> ImportPlan:
        if plan.target.key != "tags":
            return settled(plan, held)
        with store.reader() as session:
            return settled_tags(plan, read_plant(session))

    return judge


def begin_draft(store: Store, book: Workbook, choices: ImportChoices | None = None) -> ImportDraft:
    """The dry run of a file that was read; a saved mapping whose headers are all there is used by itself."""
    choices = choices or ImportChoices()
    draft = ImportDraft(book, choices, store_lookup(store), store_rules(store))
    if choices != ImportChoices():
        return draft
    headers = [column.header for column in draft.columns()]
    with store.reader() as session:
        saved = templates(session, draft.target.key)
    for target, template in saved:
        if template.fits(headers) and len(template.headers) == len(headers):
            known = replace(choices, target=target, template=template, answers=template.answers)
            return ImportDraft(book, known, store_lookup(store), store_rules(store))
    return draft


def import_file(
    store: Store,
    door: Door,
    actor: Actor,
    path: Path,
    choices: ImportChoices | None = None,
    *,
    dry_run: bool = False,
    skip_errors: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReport:
    """Read, check and apply one file. Raises `Refused` with one sentence; `CancelledError` when `cancelled()` says so.

    Nothing is written unless all of it is. A plan with errors comes back without a summary unless `skip_errors`.
    """

    def watch(done: int, total: int) -> None:
        if cancelled is not None and cancelled():
            raise CancelledError
        if progress is not None:
            progress(done, total)

    watch(0, 0)
    book = read_workbook(path)
    watch(0, 0)
    draft = begin_draft(store, book, choices)
    plan = draft.plan
    watch(0, len(plan.rows))
    nothing_new = not plan.counts.get("create", 0) and not plan.counts.get("change", 0)
    if dry_run or nothing_new or (plan.errors and not skip_errors):
        return ImportReport(plan, draft.layout, None)
    intent = apply_import(
        plan=plan, file_name=book.name, digest=book.digest, skip_errors=skip_errors, progress=watch
    )
    return ImportReport(plan, draft.layout, door.perform(intent, actor).result)


def change_of(report: ImportReport) -> UUID | None:
    """What an undo takes back, None when nothing was applied."""
    return None if report.summary is None else report.summary.change_id
