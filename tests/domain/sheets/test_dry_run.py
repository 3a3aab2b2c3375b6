"""The dry run names every bad cell, asks what is open once, and makes nothing twice."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.sheets.cells import Cell, CellFault, cell_name
from app.domain.sheets.plan import ImportPlan
from app.domain.sheets.targets import MAINTENANCE, WORK_ORDERS
from app.domain.sheets.values import Value
from tests.domain.sheets.workshop_sheets import book_of, dry_run, planned, sheet_of

_HEADERS = ["Order no", "Product", "Quantity", "Priority", "Start", "Due", "Status"]


def _good(count: int) -> list[list[Cell]]:
    return [
        [
            f"WO-{row:03}",
            f"P-{row % 7}",
            float(row + 1),
            "high",
            date(2026, 3, 1),
            date(2026, 3, 20),
            "planned",
        ]
        for row in range(count)
    ]


def _rows_of(plan: ImportPlan) -> dict[str, dict[str, Value]]:
    return {row.identity: dict(row.values) for row in plan.rows}


_PLANTED: list[tuple[int, int, Cell, str]] = [
    (0, 2, "4O", "40"),
    (1, 2, -5.0, "5"),
    (2, 2, 0.0, ""),
    (3, 2, "", "1"),
    (4, 2, 2.5, "2"),
    (5, 2, "twelve", ""),
    (6, 2, CellFault("#N/A", "The spreadsheet shows the error #N/A here."), ""),
    (7, 1, "", ""),
    (8, 1, CellFault("=", "It is a formula without a stored result."), ""),
    (9, 3, "hgih", "high"),
    (10, 3, "purple", ""),
    (11, 4, "31.02.2026", ""),
    (12, 4, "soon", ""),
    (13, 5, "2026-O3-20", "2026-03-20"),
    (14, 5, date(2026, 2, 1), ""),
    (15, 5, True, ""),
    (16, 6, "plannd", "Planned"),
    (17, 6, "???", ""),
    (18, 0, "WO-001", ""),
    (19, 5, date(1899, 12, 31), ""),
]


def test_twenty_planted_errors_are_twenty_named_cells() -> None:
    rows = _good(40)
    for row, column, cell, _ in _PLANTED:
        rows[row][column] = cell
    plan = planned(book_of(sheet_of([_HEADERS, *rows])), WORK_ORDERS)
    assert [error.cell for error in plan.errors] == [
        cell_name(row + 2, column) for row, column, _, _ in _PLANTED
    ]
    assert [error.suggestion for error in plan.errors] == [suggestion for *_, suggestion in _PLANTED]
    assert all(
        error.sheet == "Sheet1" and error.column and error.expected and error.sentence
        for error in plan.errors
    )
    assert plan.counts == {"create": 20, "change": 0, "same": 0, "skip": 0, "error": 20}


def test_a_fix_in_place_reads_only_what_it_touches_and_clears_the_error() -> None:
    rows = _good(5)
    rows[2][2] = "4O"
    rows[3][3] = "hgih"
    run = dry_run(book_of(sheet_of([_HEADERS, *rows])), WORK_ORDERS)
    assert [error.cell for error in run.plan().errors] == ["C4", "D5"]
    plan = run.recheck({(4, "quantity"): "40"})
    assert [error.cell for error in plan.errors] == ["D5"]
    assert plan.rows[2].values["quantity"] == 40
    plan = run.recheck({(4, "quantity"): "x", (5, "priority"): "high"})
    assert [(error.cell, error.value) for error in plan.errors] == [("C4", "x")]


def test_a_row_that_is_skipped_counts_no_error() -> None:
    rows = _good(3)
    rows[1][2] = "x"
    plan = dry_run(book_of(sheet_of([_HEADERS, *rows])), WORK_ORDERS).plan(frozenset({3}))
    assert plan.errors == ()
    assert [row.action for row in plan.rows] == ["create", "skip", "create"]


def test_the_same_file_twice_makes_nothing_twice() -> None:
    book = book_of(sheet_of([_HEADERS, *_good(9)]))
    again = planned(book, WORK_ORDERS, existing=_rows_of(planned(book, WORK_ORDERS)))
    assert again.counts == {"create": 0, "change": 0, "same": 9, "skip": 0, "error": 0}


def test_a_changed_cell_is_a_change_from_old_to_new() -> None:
    rows = _good(3)
    existing = _rows_of(planned(book_of(sheet_of([_HEADERS, *rows])), WORK_ORDERS))
    rows[1][2] = 99.0
    rows[2][3] = ""  # an empty cell takes nothing away
    plan = planned(book_of(sheet_of([_HEADERS, *rows])), WORK_ORDERS, existing=existing)
    assert [row.action for row in plan.rows] == ["same", "change", "same"]
    assert plan.rows[1].changes == {"quantity": (2, 99)}


def test_rows_without_a_number_are_known_again_by_what_they_say() -> None:
    rows: list[list[Cell]] = [
        ["ID", "Title", "Asset", "Status", "Date created"],
        ["", "Oil change", "Press 4", "Open", "2026-03-01"],
        ["", "Oil change", "Press 4", "Open", "2026-03-01"],
        ["", "Belt", "Press 5", "Open", "2026-03-02"],
    ]
    first = planned(book_of(sheet_of(rows)), MAINTENANCE)
    assert len({row.identity for row in first.rows}) == 3
    rows[3][3] = "Complete"
    again = planned(
        book_of(sheet_of([rows[0], rows[3], rows[1], rows[2]])), MAINTENANCE, existing=_rows_of(first)
    )
    assert [row.action for row in again.rows] == ["change", "same", "same"]
    assert again.rows[0].changes == {"status": ("scheduled", "completed")}


def test_an_ambiguous_date_is_asked_about_once_a_column_and_the_answer_counts() -> None:
    rows: list[list[Cell]] = [
        ["Order no", "Product", "Qty", "Due"],
        ["A", "P", "1", "03/04/2026"],
        ["B", "P", "1", "05/06/2026"],
    ]
    book = book_of(sheet_of(rows))
    plan = planned(book, WORK_ORDERS)
    assert [(question.key, question.answered) for question in plan.questions] == [
        ("day-order:planned_end", False)
    ]
    assert plan.rows[0].values["planned_end"] == datetime.fromisoformat("2026-04-03T23:59")
    plan = planned(book, WORK_ORDERS, {"day-order:planned_end": "month-first"})
    assert plan.rows[0].values["planned_end"] == datetime.fromisoformat("2026-03-04T23:59")
    assert plan.questions[0].answered


def test_which_end_of_a_numeric_priority_is_urgent_is_asked_and_a_legend_answers() -> None:
    rows: list[list[Cell]] = [
        ["Order no", "Product", "Qty", "Priority"],
        ["A", "P", "1", 5.0],
        ["B", "P", "1", "1"],
    ]
    plan = planned(book_of(sheet_of(rows)), WORK_ORDERS)
    assert [question.key for question in plan.questions] == ["levels:priority"]
    assert [row.values["priority"] for row in plan.rows] == [5, 1]
    plan = planned(book_of(sheet_of(rows)), WORK_ORDERS, {"levels:priority": "last"})
    assert [row.values["priority"] for row in plan.rows] == [1, 5]
    plan = planned(book_of(sheet_of([*rows, [], ["Priority", "1 = low, 5 = urgent"]])), WORK_ORDERS)
    assert [row.values["priority"] for row in plan.rows] == [1, 5]
    assert plan.questions[0].reason


def test_a_quantity_that_the_file_lacks_is_asked_for_with_a_default() -> None:
    rows: list[list[Cell]] = [["Order no", "Product", "Due"], ["A", "P", "2026-03-01"]]
    book = book_of(sheet_of(rows))
    plan = planned(book, WORK_ORDERS)
    assert [(question.key, question.default) for question in plan.questions] == [
        ("missing:quantity", "value:1")
    ]
    assert plan.rows[0].values["quantity"] == 1
    assert planned(book, WORK_ORDERS, {"missing:quantity": "value:12"}).rows[0].values["quantity"] == 12
    with pytest.raises(Refused, match="whole number"):
        planned(book, WORK_ORDERS, {"missing:quantity": "value:many"})
    # One value for all rows is meant for new rows: it overwrites nothing that is there.
    again = planned(book, WORK_ORDERS, existing={"A": {**plan.rows[0].values, "quantity": 7}})
    assert again.counts["same"] == 1


def test_a_likely_column_is_offered_for_a_product_that_the_file_lacks() -> None:
    rows: list[list[Cell]] = [
        ["WO", "Service", "District", "LeadTech"],
        ["A", "Repair", "North", 0.0],
        ["B", "Assess", "South", "Khan"],
    ]
    plan = planned(book_of(sheet_of(rows)), WORK_ORDERS)
    assert plan.questions[0].default == "column:Service"
    assert [row.values["product"] for row in plan.rows] == ["Repair", "Assess"]
    assert "assignee" not in plan.rows[0].values
    assert any("C2" in warning or "D2" in warning for warning in plan.warnings)


def test_numbers_that_identify_stay_text() -> None:
    rows: list[list[Cell]] = [
        ["Order no", "Product", "Lot", "Qty"],
        ["00123", "007", "0042", "5"],
        [124.0, 8.0, 43.0, 5.0],
    ]
    plan = planned(book_of(sheet_of(rows)), WORK_ORDERS)
    assert [row.identity for row in plan.rows] == ["00123", "124"]
    assert plan.rows[0].values["product"] == "007"
    assert plan.rows[0].values["lot"] == "0042"
    assert plan.rows[1].values["lot"] == "43"


_CELLS = st.one_of(
    st.text(max_size=12), st.floats(allow_nan=True), st.booleans(), st.integers(-(10**20), 10**20), st.dates(),
    st.datetimes(), st.times(), st.timedeltas(), st.just(CellFault("#REF!", "It is an error.")),
)  # fmt: skip


@given(st.lists(st.lists(_CELLS, min_size=7, max_size=7), max_size=6))
def test_any_cells_give_a_plan_and_never_a_crash(rows: list[list[Cell]]) -> None:
    plan = planned(book_of(sheet_of([_HEADERS, *_good(3), *rows])), WORK_ORDERS)
    assert sum(plan.counts.values()) == len(plan.rows) + len(plan.skipped)
    assert plan.counts["error"] == len({error.row for error in plan.errors})
