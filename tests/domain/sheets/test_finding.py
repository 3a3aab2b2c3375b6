"""The table is found, and its columns are known, in other people's languages and layouts."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from app.domain.errors import Refused
from app.domain.sheets.cells import Cell, CellFault
from app.domain.sheets.layout import best_layout, find_layouts
from app.domain.sheets.matching import MappingTemplate
from app.domain.sheets.targets import MAINTENANCE, TARGETS, WORK_ORDERS
from tests.domain.sheets.workshop_sheets import book_of, dry_run, planned, sheet_of

Rows = list[list[Cell]]

_GERMAN: Rows = [
    [
        "Auftragsnr.",
        "Artikelnummer",
        "Bezeichnung",
        "Menge (Stk)",
        "Priorität",
        "Kunde",
        "Starttermin",
        "Liefertermin",
        "Status",
    ],
    ["00123", "R-100", "Rahmen", "1.250", "hoch", "Müller GmbH", "03.03.2026", "12.03.2026", "in Arbeit"],
    ["00124", "R-200", "Halter", "80", "mittel", "Šimek", "04.03.2026", "13.03.2026", "geplant"],
]
_FRENCH: Rows = [
    [
        "N° OF",
        "Référence article",
        "Désignation",
        "Qté",
        "Priorité",
        "Client",
        "Date de début",
        "Échéance",
        "Commentaire",
    ],
    ["OF-1", "A1", "Cadre", "1 250", "haute", "Dupont", "03/03/2026", "13/03/2026", "à livrer"],
    ["OF-2", "A2", "Support", "12,0", "basse", "Durand", "04/03/2026", "12/03/2026", ""],
]
_ENGLISH: Rows = [
    ["WO Number", "Item", "Qty Ordered", "Urgency", "Customer Name", "Due By", "Remarks"],
    ["WO-1", "Frame M", 40.0, "High", "Lee", date(2026, 3, 9), "first"],
    ["WO-2", "Rail S", 12.0, "Low", "Kay", date(2026, 3, 10), ""],
]


def test_german_headers_and_values_are_read() -> None:
    plan = planned(book_of(sheet_of(_GERMAN)))
    assert plan.errors == ()
    assert plan.target is WORK_ORDERS
    first = plan.rows[0].values
    assert first == {
        "number": "00123", "product": "R-100", "product_name": "Rahmen", "quantity": 1250, "priority": 2,
        "customer": "Müller GmbH", "planned_start": datetime.fromisoformat("2026-03-03"),
        "planned_end": datetime.fromisoformat("2026-03-12T23:59"), "status": "in_progress",
    }  # fmt: skip


def test_french_headers_and_values_are_read_and_thirteen_proves_the_day() -> None:
    plan = planned(book_of(sheet_of(_FRENCH)))
    assert plan.errors == ()
    assert [row.values["quantity"] for row in plan.rows] == [1250, 12]
    assert plan.rows[0].values["planned_end"] == datetime.fromisoformat("2026-03-13T23:59")
    # The start column proves nothing by itself; the question names what its neighbour proves.
    assert [question.key for question in plan.questions] == ["day-order:planned_start"]
    assert plan.questions[0].reason
    assert plan.rows[0].values["planned_start"] == datetime.fromisoformat("2026-03-03")


def test_a_header_in_row_four_under_merged_titles_is_found() -> None:
    rows: Rows = [
        ["Production plan", "", "", "", "", "", ""],
        ["Printed 2026-03-01", "", "", "", "", "", ""],
        [],
        *_ENGLISH,
    ]
    layout = best_layout(book_of(sheet_of(rows, merged=((0, 0, 0, 6),))), WORK_ORDERS)
    assert layout.header_row == 4
    assert set(layout.columns()) == {
        "number",
        "product",
        "quantity",
        "priority",
        "customer",
        "planned_end",
        "description",
    }


def test_a_merged_group_title_lends_its_word_to_the_header_below() -> None:
    rows: Rows = [
        ["Work order", "Product", "Pieces", "Planned", ""],
        ["", "", "", "Start", "End"],
        ["A1", "Frame", 3.0, date(2026, 3, 1), date(2026, 3, 2)],
    ]
    sheet = sheet_of(rows, merged=((0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 1, 2), (0, 3, 0, 4)))
    plan = planned(book_of(sheet), WORK_ORDERS)
    assert plan.mapping.header_row == 2
    assert plan.errors == ()
    assert set(plan.rows[0].values) == {"number", "product", "quantity", "planned_start", "planned_end"}


def test_of_two_tables_side_by_side_the_fitting_one_is_taken() -> None:
    prices: Rows = [["Code", "Price"], ["x", 1.0], ["y", 2.0]]
    rows: Rows = [[*line, "", *other] for line, other in zip(_ENGLISH, prices, strict=True)]
    layout = best_layout(book_of(sheet_of(rows)), WORK_ORDERS)
    assert (layout.first_column, layout.last_column) == (0, 6)


def test_a_second_table_and_a_legend_below_are_left_out_with_a_note() -> None:
    legend: Rows = [[], ["--- Legend ---"], ["WO Number", "Required."]]
    plan = planned(book_of(sheet_of([*_ENGLISH, *legend])))
    assert plan.counts["create"] == 2
    assert any("Rows 5 to 6" in warning for warning in plan.warnings)
    plan = planned(book_of(sheet_of([*_ENGLISH, [], *_ENGLISH])))
    assert plan.counts["create"] == 2
    assert plan.errors == ()
    assert any("another table" in warning for warning in plan.warnings)


def test_totals_and_blank_rows_are_left_out_with_a_note() -> None:
    plan = planned(
        book_of(sheet_of([*_ENGLISH, ["Total", "", 52.0, "", "", "", ""], ["", "", "", "", "", "", ""]]))
    )
    assert plan.counts == {"create": 2, "change": 0, "same": 0, "skip": 1, "error": 0}
    assert any("totals" in warning for warning in plan.warnings)


def test_a_pivot_before_the_data_does_not_win() -> None:
    pivot: Rows = [
        ["Count of Order", "Priority", "", ""],
        ["Product", "High", "Low", "Grand Total"],
        ["Frame M", 1.0, 0.0, 1.0],
        ["Grand Total", 1.0, 0.0, 1.0],
    ]
    layouts = find_layouts(book_of(sheet_of(pivot, "Summary"), sheet_of(_ENGLISH, "Data")), TARGETS)
    assert layouts[0].sheet == "Data"


def test_maintenance_is_told_from_work_orders_by_its_columns() -> None:
    rows: Rows = [
        ["Nr zgłoszenia", "Zadanie", "Maszyna", "Priorytet", "Data zgłoszenia", "Technik", "Szacowany czas"],
        ["K-1", "Wymiana oleju", "Prasa 4", "wysoki", "2026-03-01", "Jan\u00a0Nowak", "1,5"],
    ]
    plan = planned(book_of(sheet_of(rows)))
    assert plan.target is MAINTENANCE
    assert plan.errors == ()
    assert plan.rows[0].values["assignee"] == "Jan Nowak"
    assert plan.rows[0].values["estimated_hours"] == 1.5
    assert plan.rows[0].values["priority"] == "high"


def test_one_field_is_given_to_one_column_only() -> None:
    rows: Rows = [["Order", "Order no", "Product", "Qty"], ["A1", "A1", "Frame", 1.0]]
    layout = best_layout(book_of(sheet_of(rows)), WORK_ORDERS)
    assert len({match.field for match in layout.matches}) == len(layout.matches)
    assert len({match.column for match in layout.matches}) == len(layout.matches)


def test_values_that_do_not_fit_take_a_header_its_meaning() -> None:
    rows: Rows = [["WO", "Product", "Qty", "End"]]
    rows += [[f"A{i}", "Frame", 1.0, "upper side"] for i in range(9)]
    assert "planned_end" not in best_layout(book_of(sheet_of(rows)), WORK_ORDERS).columns()


def test_a_misspelt_header_is_still_known_but_less_surely() -> None:
    rows: Rows = [["Order number", "Product", "Quanttity"], ["A1", "Frame", 1.0]]
    match = next(
        match
        for match in best_layout(book_of(sheet_of(rows)), WORK_ORDERS).matches
        if match.field == "quantity"
    )
    assert 0.55 <= match.confidence < 0.95


def test_a_template_overrides_what_the_words_say() -> None:
    template = MappingTemplate("Ours", {"Remarks": "lot", "Item": "product", "Urgency": ""})
    run = dry_run(book_of(sheet_of(_ENGLISH)), WORK_ORDERS, template=template)
    plan = run.plan()
    assert plan.mapping.header_of("lot") == "Remarks"
    assert "priority" not in plan.mapping.columns
    assert template.fits(["Remarks", "ITEM", "x"])
    assert not template.fits(["Item"])


def test_a_file_without_a_known_table_is_refused_in_one_sentence() -> None:
    with pytest.raises(Refused, match="headers that are known"):
        best_layout(book_of(sheet_of([["a", "b"], ["c", "d"]])), WORK_ORDERS)
    with pytest.raises(Refused, match="no sheet"):
        best_layout(book_of(sheet_of(_ENGLISH)), WORK_ORDERS, sheet="Other")
    with pytest.raises(Refused, match="Row 90"):
        best_layout(book_of(sheet_of(_ENGLISH)), WORK_ORDERS, header_row=90)


def test_an_error_in_a_column_that_is_not_read_harms_nothing() -> None:
    extra: list[Cell] = [
        "Margin",
        CellFault("#REF!", "It is an error."),
        CellFault("#REF!", "It is an error."),
    ]
    rows: Rows = [[*line, cell] for line, cell in zip(_ENGLISH, extra, strict=True)]
    assert planned(book_of(sheet_of(rows))).errors == ()


@pytest.mark.parametrize(
    ("header", "value", "field"),
    [
        ("Order Qty", 10.0, "quantity"),
        ("Qté à produire", "5", "quantity"),
        ("Množství", "5 ks", "quantity"),
        ("Data zak.", "05.03.2026", "planned_end"),
        ("Start geplant", 46082.0, "planned_start"),
    ],
)
def test_a_shortened_header_or_one_with_more_words_is_known(header: str, value: Cell, field: str) -> None:
    rows: Rows = [["WO", "Item", header], ["A1", "Frame", value]]
    assert best_layout(book_of(sheet_of(rows)), WORK_ORDERS).columns()[field] == 2


@pytest.mark.parametrize(
    "header", ["Part cost", "Qty produced", "Product type", "Customer phone", "Ist-Menge", "Actual start"]
)
def test_a_header_about_something_else_is_not_taken(header: str) -> None:
    rows: Rows = [["WO", "Item", header], ["A1", "Frame", 5.0]]
    assert set(best_layout(book_of(sheet_of(rows)), WORK_ORDERS).columns()) == {"number", "product"}
