"""The list of work orders: filter, views, editing in place and in bulk, new orders and drafts, undo, export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.people import Actor, Role
from app.operations.orders import create_work_order, edit_work_orders
from app.plant import House, utc_now
from app.store.tables import WorkOrder
from ui.bridge.desk import Desk
from ui.models.orders import LOOKS
from ui.screens.orders import OrdersScreen
from ui.widgets.roles import ErrorRole

Make = Callable[..., UUID]
COLUMN = {look.key: at for at, look in enumerate(LOOKS)}


def read(house: House, order_id: UUID) -> WorkOrder:
    with house.store.reader() as session:
        return session.get_one(WorkOrder, order_id)


def numbers(screen: OrdersScreen) -> list[str]:
    return [str(screen.model.values_at(row).get("number")) for row in range(screen.model.rowCount())]


def bulk_orders(house: House, count: int) -> int:
    """Many open orders; returns how many."""
    actor = Actor(None, "setup", Role.ADMIN)
    for number in range(count):
        house.door.perform(create_work_order(product="FRAME-M", quantity=1, number=f"B-{number:05}"), actor)
    return count


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, order: Make) -> OrdersScreen:
    """Three open orders, the second one late."""
    now = utc_now()
    for number, days in (("WO-1", 2), ("WO-2", -1), ("WO-3", 5)):
        start = now + timedelta(days=days - 3)
        order(number=number, planned_start=start, planned_end=now + timedelta(days=days), customer=number[-1])
    made = OrdersScreen(desk)
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    qtbot.waitUntil(lambda: made.model.rowCount() == 3, timeout=5000)
    return made


def test_open_orders_come_first_due_first_and_the_figures_count_the_late_ones(
    qtbot: QtBot, screen: OrdersScreen
) -> None:
    assert numbers(screen) == ["WO-2", "WO-1", "WO-3"]
    qtbot.waitUntil(lambda: screen.figures.text().startswith("1 late of 3 open"), timeout=5000)


def test_typing_a_filter_narrows_the_list_and_says_so(qtbot: QtBot, screen: OrdersScreen) -> None:
    assert screen.filter is not None
    screen.filter.set_text("open:yes due<now")
    qtbot.waitUntil(lambda: numbers(screen) == ["WO-2"], timeout=5000)
    assert screen.filter.count_text() == "1 order · filtered"


def test_a_filter_that_cannot_be_read_says_what_was_expected_and_keeps_the_rows(
    qtbot: QtBot, screen: OrdersScreen
) -> None:
    assert screen.filter is not None
    screen.filter.set_text("due<someday")
    qtbot.waitUntil(lambda: "a day such as" in screen.banner.text(), timeout=5000)
    assert screen.model.rowCount() == 3


def test_an_edit_in_the_cell_shows_at_once_and_is_kept(
    qtbot: QtBot, screen: OrdersScreen, house: House
) -> None:
    index = screen.model.index(0, COLUMN["customer"])
    order_id = screen.model.id_at(0)
    assert order_id is not None
    assert screen.model.setData(index, "Hansen")
    assert index.data() == "Hansen"
    qtbot.waitUntil(lambda: read(house, order_id).customer == "Hansen", timeout=5000)


def test_a_wrong_edit_is_taken_back_with_a_sentence_at_its_cell(screen: OrdersScreen) -> None:
    index = screen.model.index(0, COLUMN["quantity"])
    before = index.data()
    assert not screen.model.setData(index, "4O")
    assert index.data() == before
    assert index.data(ErrorRole) == "“4O” is not a whole number."


def test_an_edit_that_the_rules_refuse_is_rolled_back(
    qtbot: QtBot, screen: OrdersScreen, house: House
) -> None:
    index = screen.model.index(0, COLUMN["planned_end"])
    before = index.data()
    assert screen.model.setData(index, "2001-01-01")
    qtbot.waitUntil(lambda: bool(index.data(ErrorRole)), timeout=5000)
    assert index.data() == before


def test_a_form_does_not_overwrite_what_came_while_it_was_open(
    qtbot: QtBot, screen: OrdersScreen, house: House, admin: Actor
) -> None:
    screen.list.selectRow(0)
    order_id = screen.model.id_at(0)
    assert order_id is not None
    screen.edit_selected()
    form = screen.forms.form
    assert form is not None
    house.door.perform(edit_work_orders(ids=[order_id], lot="EL-1"), admin)
    form.set_values({"lot": "LOT-7"})
    form.submit()
    qtbot.waitUntil(lambda: "“EL-1”" in (form.error("lot") or ""), timeout=5000)
    assert read(house, order_id).lot == "EL-1"
    form.submit()
    qtbot.waitUntil(lambda: read(house, order_id).lot == "LOT-7", timeout=5000)


def test_a_bulk_edit_changes_the_touched_field_of_all_selected_orders(
    qtbot: QtBot, screen: OrdersScreen, house: House
) -> None:
    screen.list.selectAll()
    ids = screen.selected_ids()
    QTest.keyClick(screen.list, Qt.Key.Key_E)
    form = screen.forms.form
    assert form is not None
    form.set_values({"customer": "Nordwerk"})
    form.submit()
    qtbot.waitUntil(lambda: {read(house, i).customer for i in ids} == {"Nordwerk"}, timeout=5000)
    assert {read(house, i).priority for i in ids} == {3}
    qtbot.waitUntil(lambda: screen.forms.form is None or not screen.forms.form.isVisible(), timeout=5000)


def test_a_refresh_keeps_the_selection_on_its_rows(
    qtbot: QtBot, screen: OrdersScreen, house: House, admin: Actor
) -> None:
    screen.list.selectRow(0)
    chosen = screen.selected_ids()
    later = utc_now() + timedelta(days=30)
    house.door.perform(edit_work_orders(ids=chosen, planned_end=later), admin)
    qtbot.waitUntil(lambda: numbers(screen)[-1] == "WO-2", timeout=5000)
    assert screen.selected_ids() == chosen


def test_a_deleted_order_comes_back_by_undo(qtbot: QtBot, screen: OrdersScreen, desk: Desk) -> None:
    screen.list.selectRow(0)
    with qtbot.waitSignal(desk.performed, timeout=5000) as performed:
        QTest.keyClick(screen.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: screen.model.rowCount() == 2, timeout=5000)
    assert performed.args is not None
    desk.undo(performed.args[0].change_id)
    qtbot.waitUntil(lambda: numbers(screen) == ["WO-2", "WO-1", "WO-3"], timeout=5000)


def test_a_new_order_with_a_wrong_field_says_so_beside_it_and_is_made_when_it_is_right(
    qtbot: QtBot, screen: OrdersScreen
) -> None:
    screen.new_order()
    form = screen.forms.form
    assert form is not None
    form.submit()
    qtbot.waitUntil(lambda: form.error("product") == "Enter the product.", timeout=5000)
    form.set_values({"product": "RAIL-S"})
    form.submit()
    qtbot.waitUntil(lambda: screen.model.rowCount() == 4, timeout=5000)


def test_half_typed_orders_survive_a_change_of_user(
    qtbot: QtBot, screen: OrdersScreen, desk: Desk, admin: Actor, as_role: Callable[[Role], Actor]
) -> None:
    screen.new_order()
    form = screen.forms.form
    assert form is not None
    QTest.keyClicks(form.field("product"), "RAIL")
    desk.set_actor(None)
    assert screen.forms.form is None
    as_role(Role.PLANNER)
    assert screen.forms.form is None, "nobody else sees it"
    desk.set_actor(admin)
    again = screen.forms.form
    assert again is not None
    assert again.values()["product"] == "RAIL"


def test_the_list_as_shown_is_written_to_a_file(qtbot: QtBot, screen: OrdersScreen, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    screen.export.write(str(file))
    qtbot.waitUntil(lambda: screen.banner.text() == f"Wrote 3 rows to {file}.", timeout=5000)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Order,Product,")
    assert [line.split(",")[0] for line in lines[1:]] == ["WO-2", "WO-1", "WO-3"]


def test_selected_rows_are_copied_with_their_headers(screen: OrdersScreen) -> None:
    screen.list.selectRow(0)
    screen.list.copy_selection()
    text = QApplication.clipboard().text().splitlines()
    assert text[0].startswith("!\tOrder\tProduct")
    assert "WO-2" in text[1]


def test_space_peeks_at_an_order_and_enter_pins_it(qtbot: QtBot, screen: OrdersScreen) -> None:
    screen.list.setCurrentIndex(screen.model.index(0, 1))
    QTest.keyClick(screen.list, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "WO-2" in screen.panel.text() and "Why late" in screen.panel.text(), timeout=5000)
    QTest.keyClick(screen.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: "WO-1" in screen.panel.text(), timeout=5000)
    QTest.keyClick(screen.list, Qt.Key.Key_Return)
    QTest.keyClick(screen.list, Qt.Key.Key_Down)
    assert screen.panel.pinned
    assert screen.panel.order_id == screen.model.id_at(1)


def test_who_may_not_plan_sees_why_and_cannot_edit(
    screen: OrdersScreen, as_role: Callable[[Role], Actor]
) -> None:
    as_role(Role.OPERATOR)
    reason = screen.actions_set.reason("orders.new")
    assert reason is not None
    assert "may not create and change work orders" in reason
    index = screen.model.index(0, COLUMN["customer"])
    assert not screen.model.flags(index) & Qt.ItemFlag.ItemIsEditable


def test_a_refresh_keeps_a_long_selection_and_one_that_was_scrolled_away(
    qtbot: QtBot, desk: Desk, house: House, admin: Actor
) -> None:
    entries = bulk_orders(house, 1_000)
    made = OrdersScreen(desk)
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    qtbot.waitUntil(lambda: made.model.rowCount() == entries, timeout=10_000)
    made.list.selectAll()
    assert made.selected_ids() == []
    qtbot.waitUntil(lambda: len(made.selected_ids()) == entries, timeout=10_000)
    with qtbot.waitSignal(made.model.layoutChanged, timeout=5000), qtbot.waitSignal(made.model.counted):
        made.model.refresh()
    assert len(made.list.chosen_rows()) == entries
    qtbot.waitUntil(lambda: len(made.selected_ids()) == entries, timeout=10_000)


def test_rows_still_being_read_are_refused_not_left_out(qtbot: QtBot, desk: Desk, house: House) -> None:
    entries = bulk_orders(house, 1_000)
    made = OrdersScreen(desk)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.model.rowCount() == entries, timeout=10_000)
    made.list.selectAll()
    with qtbot.waitSignal(desk.refused, timeout=2000) as refused:
        made.delete_selected()
    assert refused.args == ["Some of the chosen rows are still being read; try again in a moment."]
