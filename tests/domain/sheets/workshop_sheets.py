"""Sheets as workshops write them, and the way from a sheet to its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.sheets.cells import Cell, RawSheet, Workbook
from app.domain.sheets.dry_run import DryRun
from app.domain.sheets.fields import ImportTarget
from app.domain.sheets.layout import best_layout, best_target, header_texts
from app.domain.sheets.matching import MappingTemplate
from app.domain.sheets.plan import ImportPlan, mapping_of
from app.domain.sheets.targets import TARGETS, target_of
from app.domain.sheets.values import Value


def book_of(*sheets: RawSheet, name: str = "plan.xlsx") -> Workbook:
    return Workbook(name, sheets, "0" * 64)


def sheet_of(
    rows: Sequence[Sequence[Cell]], name: str = "Sheet1", **more: tuple[tuple[int, int, int, int], ...]
) -> RawSheet:
    return RawSheet(name, [list(row) for row in rows], more.get("merged", ()))


def dry_run(
    book: Workbook,
    target: ImportTarget | None = None,
    answers: Mapping[str, str] | None = None,
    existing: Mapping[str, Mapping[str, Value]] | None = None,
    template: MappingTemplate | None = None,
) -> DryRun:
    layout = best_target(book, TARGETS) if target is None else best_layout(book, target, template=template)
    sheet = book.sheet(layout.sheet)
    headers = header_texts(sheet, layout.header_row - 1, layout.first_column, layout.last_column)
    return DryRun(sheet, mapping_of(layout, headers), target_of(layout.target), answers, existing)


def planned(
    book: Workbook,
    target: ImportTarget | None = None,
    answers: Mapping[str, str] | None = None,
    existing: Mapping[str, Mapping[str, Value]] | None = None,
) -> ImportPlan:
    return dry_run(book, target, answers, existing).plan()
