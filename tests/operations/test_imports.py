"""Imports: all or nothing, the same file twice makes nothing twice, one undo, and the floor's own word is kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import UTC
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.domain.errors import Denied, NotFound, Refused, Stale
from app.domain.orders import OrderStatus, status_from_stages
from app.domain.people import Role
from app.domain.stages import StageStatus
from app.operations.import_runs import ImportChoices, ImportReport, begin_draft, import_file
from app.operations.imports import apply_import, save_import_template
from app.operations.orders import edit_work_orders
from app.operations.stages import move_stage
from app.operations.undo import undo
from app.store.journal import first_broken_line
from app.store.queries.imports import change_of_run, recent_runs, split_assignee, with_assignee
from app.store.tables import ImportRun, MaintenanceOrder, Outbox, Stage, WorkOrder
from app.store.workbooks import read_workbook
from tests.chance import examples
from tests.operations.sheets import (
    maintenance_csv,
    order_book,
    order_row,
    polish_book,
    service_book,
)
from tests.operations.shop import Shop

REAL_FILES = Path(__file__).parents[3] / "shared" / "data"


def brought_in(
    shop: Shop, path: Path, choices: ImportChoices | None = None, *, skip_errors: bool = False
) -> ImportReport:
    house = shop.house
    return import_file(
        house.store, house.door, shop.people[Role.PLANNER], path, choices, skip_errors=skip_errors
    )


def orders(shop: Shop) -> dict[str, WorkOrder]:
    with shop.house.store.reader() as session:
        found = session.execute(select(WorkOrder).where(~WorkOrder.deleted)).scalars()
        return {order.number: order for order in found}


def count(shop: Shop, table: type[WorkOrder] | type[Stage] | type[ImportRun] | type[Outbox]) -> int:
    with shop.house.store.reader() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def changed_id(report: ImportReport) -> UUID:
    assert report.summary is not None
    return report.summary.change_id


def test_rows_become_orders_with_the_stages_of_their_route_in_one_change(shop: Shop, tmp_path: Path) -> None:
    before = count(shop, Outbox)
    report = brought_in(shop, order_book(tmp_path, [order_row(n) for n in range(1, 21)]))
    assert report.summary is not None
    assert (report.summary.created, report.summary.run) == (20, "A-IM-000001")
    order = orders(shop)["F-007"]
    assert (order.product, order.quantity, order.priority) == ("RAHMEN-1", 70, 2)
    assert [stage.name for stage in shop.stages(order.id)] == ["Cut", "Weld", "Paint", "Inspect", "Pack"]
    assert count(shop, Outbox) == before + 1


def test_a_due_date_without_time_is_the_end_of_that_day_by_the_clock_on_the_wall(
    shop: Shop, tmp_path: Path
) -> None:
    brought_in(shop, order_book(tmp_path, [order_row(1, Liefertermin="24.05.2026")]))
    due = orders(shop)["F-001"].planned_end
    assert due.tzinfo is UTC
    assert f"{due.astimezone():%Y-%m-%d %H:%M}" == "2026-05-24 23:59"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("geplant", OrderStatus.PLANNED),
        ("in Arbeit", OrderStatus.IN_PROGRESS),
        ("gesperrt", OrderStatus.BLOCKED),
        ("fertig", OrderStatus.DONE),
        ("storniert", OrderStatus.CANCELLED),
    ],
)
def test_the_stages_of_a_new_order_stand_so_that_its_status_follows_from_them(
    shop: Shop, tmp_path: Path, word: str, status: OrderStatus
) -> None:
    brought_in(shop, order_book(tmp_path, [order_row(1, Status=word, Bemerkung="kein Material")]))
    order = orders(shop)["F-001"]
    stages = shop.stages(order.id)
    assert order.status is status
    if status is not OrderStatus.CANCELLED:
        assert status_from_stages([stage.status for stage in stages]) is status
    if status is OrderStatus.BLOCKED:
        assert stages[0].blocked_reason == "kein Material"
    if status is OrderStatus.DONE:
        assert all(stage.started_at and stage.finished_at for stage in stages)
        assert all(stage.finished_at <= shop.now for stage in stages if stage.finished_at)


def test_the_same_file_twice_makes_nothing_twice(shop: Shop, tmp_path: Path) -> None:
    for path in (order_book(tmp_path, [order_row(1), order_row(2)]), maintenance_csv(tmp_path)):
        brought_in(shop, path)
        again = brought_in(shop, path)
        assert again.summary is None
        assert again.plan.counts["create"] == again.plan.counts["change"] == 0


def test_a_changed_file_changes_only_what_differs(shop: Shop, tmp_path: Path) -> None:
    brought_in(shop, order_book(tmp_path, [order_row(1), order_row(2)]))
    report = brought_in(
        shop, order_book(tmp_path, [order_row(1, Menge=99), order_row(2), order_row(3)], "neu.xlsx")
    )
    assert report.summary is not None
    assert (report.summary.created, report.summary.changed, report.summary.same) == (1, 1, 1)
    assert orders(shop)["F-001"].quantity == 99


def test_one_undo_takes_back_everything_and_a_second_one_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.order(number="F-001", quantity=5)
    before = shop.snapshot()
    report = brought_in(shop, order_book(tmp_path, [order_row(n) for n in range(1, 6)]))
    with shop.house.store.reader() as session:
        change_id = change_of_run(session, "a-im-000001")
    assert change_id == changed_id(report)
    shop.do(undo(change_id=change_id), Role.PLANNER)
    alive = {row_id: row for row_id, row in shop.snapshot().items() if not row["deleted"]}
    assert alive == before
    with shop.house.store.reader() as session:
        assert recent_runs(session)[0].undone
        assert first_broken_line(session) is None
    with pytest.raises(Refused, match="undone already"):
        shop.do(undo(change_id=change_id), Role.PLANNER)


def test_the_file_can_come_again_after_it_was_undone(shop: Shop, tmp_path: Path) -> None:
    path = order_book(tmp_path, [order_row(1)])
    shop.do(undo(change_id=changed_id(brought_in(shop, path))), Role.PLANNER)
    assert brought_in(shop, path).summary is not None
    assert list(orders(shop)) == ["F-001"]


def test_an_undo_is_refused_when_an_imported_order_has_moved_on_the_board_since(
    shop: Shop, tmp_path: Path
) -> None:
    report = brought_in(shop, order_book(tmp_path, [order_row(1)]))
    shop.do(move_stage(stage_id=shop.stages(orders(shop)["F-001"].id)[0].id, to=StageStatus.IN_PROGRESS))
    with pytest.raises(Stale):
        shop.do(undo(change_id=changed_id(report)), Role.PLANNER)
    assert "F-001" in orders(shop)


def test_a_plan_with_errors_is_refused_unless_their_rows_are_left_out(shop: Shop, tmp_path: Path) -> None:
    path = order_book(tmp_path, [order_row(1), order_row(2, Menge="viele")])
    assert brought_in(shop, path).summary is None
    plan = begin_draft(shop.house.store, read_workbook(path)).plan
    with pytest.raises(Refused, match="C3"):
        shop.do(apply_import(plan=plan, file_name=path.name))
    report = brought_in(shop, path, skip_errors=True)
    assert report.summary is not None
    assert report.summary.errors_left_out == 1
    assert list(orders(shop)) == ["F-001"]


@pytest.mark.parametrize("moved", ["made", "changed"])
def test_what_moved_since_the_dry_run_is_never_overwritten(shop: Shop, tmp_path: Path, moved: str) -> None:
    mine = shop.order(number="F-001", quantity=5)
    draft = begin_draft(shop.house.store, read_workbook(order_book(tmp_path, [order_row(1), order_row(2)])))
    if moved == "made":
        shop.order(number="F-002")
    else:
        shop.do(edit_work_orders(ids=[mine], quantity=6))
    before = shop.snapshot()
    with pytest.raises(Stale, match="meanwhile"):
        shop.do(apply_import(plan=draft.plan, file_name="x.xlsx"))
    assert shop.snapshot() == before


def test_a_failure_in_the_middle_leaves_no_trace(shop: Shop, tmp_path: Path) -> None:
    draft = begin_draft(
        shop.house.store, read_workbook(order_book(tmp_path, [order_row(n) for n in range(1, 31)]))
    )

    def fail(done: int, total: int) -> None:
        raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        shop.do(apply_import(plan=draft.plan, file_name="x.xlsx", progress=fail))
    assert (count(shop, WorkOrder), count(shop, Stage), count(shop, ImportRun)) == (0, 0, 0)
    summary = shop.do(apply_import(plan=draft.plan, file_name="x.xlsx")).result
    assert summary.run == "A-IM-000001"


def test_it_can_be_stopped_at_any_moment(shop: Shop, tmp_path: Path) -> None:
    house, path = shop.house, order_book(tmp_path, [order_row(1)])
    for asked in range(4):
        answers = iter([False] * asked + [True] * 10)
        with pytest.raises(CancelledError):
            import_file(house.store, house.door, shop.people[Role.ADMIN], path, cancelled=answers.__next__)
        assert count(shop, WorkOrder) == 0


def test_a_file_never_sets_an_order_back(shop: Shop, tmp_path: Path) -> None:
    path = order_book(tmp_path, [order_row(1)])
    brought_in(shop, path)
    shop.do(move_stage(stage_id=shop.stages(orders(shop)["F-001"].id)[0].id, to=StageStatus.IN_PROGRESS))
    report = brought_in(shop, path)
    assert report.plan.counts["change"] == 0
    assert any("gone further" in warning for warning in report.plan.warnings)


def test_a_file_that_says_done_takes_the_stages_along(shop: Shop, tmp_path: Path) -> None:
    brought_in(shop, order_book(tmp_path, [order_row(1)]))
    brought_in(shop, order_book(tmp_path, [order_row(1, Status="fertig")], "neu.xlsx"))
    order = orders(shop)["F-001"]
    assert order.status is OrderStatus.DONE
    assert order.quantity_done == order.quantity
    assert {stage.status for stage in shop.stages(order.id)} == {StageStatus.DONE}


def test_a_text_that_is_too_long_is_an_error_of_its_cell(shop: Shop, tmp_path: Path) -> None:
    report = brought_in(shop, order_book(tmp_path, [order_row(1, Artikelnummer="x" * 121)]))
    assert [(error.cell, error.field) for error in report.plan.errors] == [("B2", "product")]


@pytest.mark.parametrize(
    ("make", "rows"),
    [(service_book, 40), (polish_book, 10), (maintenance_csv, 15)],
    ids=["service", "polish", "csv"],
)
def test_files_as_workshops_send_them_come_in_without_a_choice(
    shop: Shop, tmp_path: Path, make: Callable[[Path], Path], rows: int
) -> None:
    report = brought_in(shop, make(tmp_path))
    assert report.plan.errors == ()
    assert report.summary is not None
    assert report.summary.created == rows


@pytest.mark.parametrize("name", ["service_work_orders.xlsx", "zlecenia.xlsx", "maintenance_work_orders.csv"])
def test_the_real_files_come_in(shop: Shop, name: str) -> None:
    path = REAL_FILES / name
    if not path.exists():
        pytest.skip("the real files are not on this computer")
    report = brought_in(shop, path)
    assert report.plan.errors == ()
    assert report.summary is not None
    again = brought_in(shop, path)
    assert again.plan.counts["create"] == again.plan.counts["change"] == 0


def test_maintenance_without_numbers_takes_the_next_free_ones_in_the_order_of_the_file(
    shop: Shop, tmp_path: Path
) -> None:
    brought_in(shop, maintenance_csv(tmp_path))
    with shop.house.store.reader() as session:
        rows = session.execute(select(MaintenanceOrder).order_by(MaintenanceOrder.number)).scalars().all()
    assert [(row.number, row.title) for row in rows[:2]] == [
        ("A-MO-000001", "Check mast 0"),
        ("A-MO-000002", "Check mast 1"),
    ]


def test_choices_replace_what_was_found(shop: Shop, tmp_path: Path) -> None:
    path = order_book(tmp_path, [order_row(1)])
    brought_in(shop, path, ImportChoices(columns={"Bemerkung": "customer", "Liefertermin": ""}))
    with pytest.raises(Refused, match="no column"):
        brought_in(shop, path, ImportChoices(columns={"Nope": "customer"}))
    with pytest.raises(Refused, match="no field"):
        brought_in(shop, path, ImportChoices(columns={"Menge": "colour"}))


def test_a_saved_mapping_is_used_by_itself_for_a_file_with_the_same_headers(
    shop: Shop, tmp_path: Path
) -> None:
    path = order_book(tmp_path, [order_row(1)])
    draft = begin_draft(
        shop.house.store, read_workbook(path), ImportChoices(columns={"Bemerkung": "customer"})
    )
    kept = draft.template("monthly")
    shop.do(
        save_import_template(
            name=kept.name,
            target="work-orders",
            headers=kept.headers,
            sheet=kept.sheet,
            header_row=kept.header_row,
        )
    )
    fresh = begin_draft(shop.house.store, read_workbook(path))
    assert "customer" in fresh.plan.mapping.columns


def test_whoever_may_not_import_is_refused_below_the_screen(shop: Shop, tmp_path: Path) -> None:
    house, path = shop.house, order_book(tmp_path, [order_row(1)])
    with pytest.raises(Denied):
        import_file(house.store, house.door, shop.people[Role.OPERATOR], path)
    assert count(shop, WorkOrder) == 0


def test_an_unknown_run_is_a_sentence(shop: Shop) -> None:
    with shop.house.store.reader() as session, pytest.raises(NotFound, match="A-IM-000009"):
        change_of_run(session, "A-IM-000009")


@given(
    note=st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=50),
    name=st.text(alphabet=st.characters(categories=["L"]), max_size=20),
)
def test_a_person_kept_in_the_note_comes_out_as_he_went_in(note: str, name: str) -> None:
    if "Assigned to:" in note:
        return
    assert split_assignee(with_assignee(note, name)) == (note, name)


@examples(12, same_fixtures=True)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 12),
            st.integers(1, 999),
            st.sampled_from(["geplant", "in Arbeit", "gesperrt", "fertig", "storniert"]),
        ),
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_after_any_import_each_open_order_agrees_with_its_stages_and_an_undo_brings_back_what_was(
    shop: Shop, tmp_path: Path, rows: list[tuple[int, int, str]]
) -> None:
    before = shop.snapshot()
    path = order_book(
        tmp_path, [order_row(n, Menge=quantity, Status=word) for n, quantity, word in rows] or [order_row(13)]
    )
    report = brought_in(shop, path)
    for order in orders(shop).values():
        if order.status is not OrderStatus.CANCELLED:
            assert order.status is status_from_stages([stage.status for stage in shop.stages(order.id)])
    if report.summary is not None:
        shop.do(undo(change_id=report.summary.change_id))
        alive = {row_id: row for row_id, row in shop.snapshot().items() if row_id in before}
        assert alive == before
        shop.wait(minutes=1)
        brought_in(shop, path)
