"""The place for sharing: state in words, conflicts settled by keys, what waits, marks on rows, drafts that stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.conflicts import Take
from app.domain.forwarding import ForwardFigures
from app.domain.people import Actor, Role
from app.domain.plant import Equipment, Plant
from app.operations.change import Intent
from app.operations.orders import create_work_order, delete_work_orders, edit_work_orders
from app.operations.plant import apply_plant, set_maintenance
from app.operations.stages import advance_work_order
from app.plant import House
from app.store.queries.unsent import LidClosed, UnsentPhoto
from app.store.tables import Conflict, WorkOrder
from app.sync.status import (
    FILE_NAME,
    OFFLINE,
    ONLINE,
    PAUSED,
    REFUSED,
    Presence,
    Progress,
    SyncStatus,
    Transfer,
    read_status,
    write_status,
)
from tests.parking import AT, Parking, clash
from ui.bridge.desk import Desk
from ui.bridge.sync_status import CONFLICT_MARK, UNSENT_MARK, Sharing, SomebodyElse, SyncControl
from ui.models.form_card import FormCard
from ui.models.left_behind import lid_words
from ui.models.order_panel import OrderPanel
from ui.models.paged import PagedModel
from ui.models.sharing_words import (
    banner,
    facts,
    headline,
    presence_words,
    sent_words,
    size_words,
    tls_warning,
)
from ui.screens.board import BoardScreen
from ui.screens.orders import OrdersScreen
from ui.screens.sync.screen import CONFLICTS, MERGED, SharingScreen
from ui.theme import Density, Theme
from ui.widgets.form import Form
from ui.widgets.roles import UnsentRole
from ui.window.navigation import NARROW
from ui.window.sharing_banner import SharingBanner

WAIT = 10_000
NOW = datetime(2026, 4, 15, 12, 3, 20, tzinfo=UTC)


@pytest.fixture
def screen(qtbot: QtBot, desk: Desk, parking: Parking) -> SharingScreen:
    made = SharingScreen(desk)
    qtbot.addWidget(made)
    made.resize(1170, 640)
    made.show()
    qtbot.waitUntil(lambda: desk.sharing.now.joined, timeout=WAIT)
    return made


def disputed(parking: Parking, order: Callable[..., UUID], house: House, admin: Actor, lot: str) -> Conflict:
    row = order(lot="L0")
    parking.confirm()
    house.door.perform(edit_work_orders(ids=[row], lot=lot, customer="Acme"), admin)
    parking.set_row("work_order", row, lot="L2", customer="")
    return parking.park(fields=[clash("work_order", row, "lot", "L0", lot, "L2")])


@pytest.fixture
def conflict(parking: Parking, order: Callable[..., UUID], house: House, admin: Actor) -> Conflict:
    return disputed(parking, order, house, admin, "L1")


def row_of(conflict: Conflict, house: House) -> WorkOrder:
    row_id = json.loads(conflict.body)["rows"][0]["id"]
    with house.store.reader() as session:
        return session.get_one(WorkOrder, UUID(row_id))


def shown(qtbot: QtBot, screen: SharingScreen, conflict: Conflict) -> None:
    screen.open_with(conflict.seq)
    qtbot.waitUntil(
        lambda: screen.conflicts.details is not None and screen.conflicts.details.seq == conflict.seq,
        timeout=WAIT,
    )


def test_choosing_moves_no_button(qtbot: QtBot, screen: SharingScreen, conflict: Conflict) -> None:
    shown(qtbot, screen, conflict)
    buttons = [screen.findChild(QWidget, f"button-sharing.{key}") for key in ("mine", "next", "apply")]
    places = [button.geometry() for button in buttons if button is not None]
    for key in ("sharing.other", "sharing.mine", "sharing.theirs"):
        screen.actions_set.trigger(key)
        assert screen.actions_set.action("sharing.apply").text() != "Settle"
        assert [button.geometry() for button in buttons if button is not None] == places


def test_the_narrowest_window_for_gloves_shows_the_list_and_every_button(
    qtbot: QtBot, screen: SharingScreen, conflict: Conflict, theme: Theme
) -> None:
    theme.set_density(Density.TOUCH)
    screen.resize(900 - NARROW, 560)
    shown(qtbot, screen, conflict)
    screen.actions_set.trigger("sharing.theirs")
    settle = screen.findChild(QWidget, "button-sharing.apply")
    assert settle is not None
    qtbot.waitUntil(
        lambda: settle.mapTo(screen, QPoint(settle.width(), 0)).x() <= screen.width(), timeout=WAIT
    )
    assert screen.conflicts.list.width() >= 260


def test_keys_go_on_working_after_the_button_that_was_pressed_became_unavailable(
    qtbot: QtBot, screen: SharingScreen, conflict: Conflict
) -> None:
    shown(qtbot, screen, conflict)
    screen.activateWindow()
    screen.actions_set.trigger("sharing.theirs")
    settle = screen.findChild(QWidget, "button-sharing.apply")
    assert settle is not None
    settle.setFocus()
    QTest.mouseClick(settle, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not settle.isEnabled() or settle.isHidden(), timeout=WAIT)
    assert screen.conflicts.list.hasFocus()


# -- words


def test_the_banner_says_since_when_what_works_and_what_waits() -> None:
    since = NOW - timedelta(minutes=11)
    away = Sharing("07", SyncStatus(state=OFFLINE, since=since), False, 3, since, 0)
    clock = since.astimezone().strftime("%H:%M")
    assert banner(away, NOW) == f"Offline since {clock} · editing works · 3 to send"
    assert banner(Sharing("07", SyncStatus(state=ONLINE), False, 3, since, 0), NOW) == ""
    assert banner(Sharing(), NOW) == ""
    refused = SyncStatus(
        state=REFUSED, since=since, last_error="Station 07 was disabled; ask an administrator."
    )
    assert "Station 07 was disabled; ask an administrator. · editing works" in banner(
        Sharing("07", refused), NOW
    )
    assert "as chosen" in banner(Sharing("07", SyncStatus(state=PAUSED, since=since)), NOW)
    assert "Nothing is heard of the sync process" in banner(Sharing("07", None, True), NOW)


def test_facts_leave_out_what_is_of_no_matter() -> None:
    quiet = dict(
        facts(
            Sharing(
                "07", SyncStatus(state=ONLINE, checked_at=NOW - timedelta(seconds=4), clock_offset_s=0.4)
            ),
            NOW,
        )
    )
    assert quiet == {
        "Server": "● Connected",
        "Up to date": "4 s ago",
        "To send": "0",
        "Conflicts": "none",
    }
    busy = SyncStatus(state=ONLINE, clock_offset_s=-3600.0)
    loud = dict(facts(Sharing("07", busy, False, 3, NOW - timedelta(minutes=2), 1, 12_000), NOW))
    assert loud["To send"] == "3, oldest 2 min"
    assert loud["Conflicts"] == "1 open"
    assert loud["This computer's clock"].startswith("1 h slow")
    assert loud["Measured values waiting"] == "12,000"


def test_a_long_step_and_a_poor_connection_are_said() -> None:
    step = SyncStatus(state=ONLINE, progress=Progress("Taking over the server's data", 500, 2000), tls="none")
    assert headline(Sharing("07", step), NOW).text == "Taking over the server's data: 500 of 2,000"
    assert "not encrypted" in tls_warning(Sharing("07", step))
    assert tls_warning(Sharing("07", SyncStatus(tls="verified"))) == ""
    assert tls_warning(Sharing("07", SyncStatus(tls="local"))) == ""  # it does not leave this computer


def test_the_lid_question_is_answered_in_one_sentence() -> None:
    photo = UnsentPhoto("weld.jpg", 4_200_000, "K. Osei", NOW)
    words = lid_words(LidClosed(3, (), (photo,)), 1200)
    assert words.startswith(
        "If you closed the lid now, 3 changes, 1 photo or file (4.2 MB) and 1,200 measured values would"
    )
    assert lid_words(LidClosed(), 0) == ""
    assert "1 change would be on this computer alone. It is safe here and goes" in lid_words(LidClosed(1), 0)
    clock = NOW.astimezone().strftime("%H:%M")
    assert sent_words(Sharing("07", SyncStatus(confirmed_at=NOW)), NOW) == f"Everything sent {clock}"
    assert size_words(800) == "800 bytes"


def test_who_else_is_there_is_said_in_a_line() -> None:
    first, second = (SomebodyElse(name, "07") for name in ("K. Osei", "A. Lee"))
    assert presence_words([first]) == "K. Osei has this open on station 07"
    assert presence_words([first, second]).endswith(", 1 more have it open")
    editor = replace(second, editing=True)
    assert presence_words([first, editor]) == "A. Lee is editing this on station 07, 1 more have it open"
    assert presence_words([]) == ""


# -- the place


def test_a_computer_that_shares_nothing_says_so_and_how_to_join(qtbot: QtBot, desk: Desk) -> None:
    screen = SharingScreen(desk)
    qtbot.addWidget(screen)
    screen.show()
    assert screen.alone.isVisible()
    assert not screen.shared.isVisible()
    with qtbot.waitSignal(screen.action_wanted) as wanted:
        screen.alone.action_requested.emit()
    assert wanted.args == ["switch-user"]


def test_the_line_at_the_top_follows_the_sync_process(
    qtbot: QtBot, screen: SharingScreen, desk: Desk, told: Callable[..., None]
) -> None:
    banner_line = SharingBanner(desk)
    qtbot.addWidget(banner_line)
    told()
    qtbot.waitUntil(lambda: screen.status.values().get("Server") == "● Connected", timeout=WAIT)
    assert banner_line.isHidden()
    told(OFFLINE, last_error="The server does not answer.")
    qtbot.waitUntil(lambda: banner_line.text().startswith("Offline since"), timeout=WAIT)
    assert "The server does not answer." in screen.status.advice.text()
    assert not banner_line.isHidden()
    told()
    qtbot.waitUntil(banner_line.isHidden, timeout=WAIT)


def test_tabs_stay_where_they_are_when_the_server_goes(
    qtbot: QtBot, screen: SharingScreen, told: Callable[..., None]
) -> None:
    told()
    qtbot.waitUntil(lambda: screen.status.values().get("Server") == "● Connected", timeout=WAIT)
    before = screen.tabs.mapTo(screen, QPoint(0, 0))
    told(OFFLINE, last_error="Nobody answers at the address of the server.")
    qtbot.waitUntil(lambda: "Nobody answers" in screen.status.advice.text(), timeout=WAIT)
    assert "it is sent by itself when the server is back" in screen.status.advice.text()
    qtbot.waitUntil(lambda: list(screen.status.values())[:2] == ["Server", "Up to date"], timeout=WAIT)
    assert screen.tabs.mapTo(screen, QPoint(0, 0)) == before


def test_a_sync_process_that_is_just_starting_is_waited_for_longer_than_one_that_fell_silent(
    qtbot: QtBot, desk: Desk, parking: Parking
) -> None:
    qtbot.waitUntil(lambda: desk.sharing.now.joined, timeout=WAIT)
    watch, now = desk.sharing, desk.house.door.clock()
    watch._poll.stop()
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=WAIT)
    for _ in range(15):
        watch._take_status(None)
    assert not watch.now.silent
    assert headline(watch.now, now).text == "Connecting to the server…"
    watch._take_status(SyncStatus(state=ONLINE, written_at=now, station="07", pid=os.getpid()))
    for _ in range(7):
        watch._take_status(None)
    assert watch.now.silent


def test_a_sync_process_that_was_killed_is_not_taken_for_one_that_runs(
    qtbot: QtBot, desk: Desk, screen: SharingScreen, told: Callable[..., None]
) -> None:
    told()
    qtbot.waitUntil(lambda: desk.sharing.now.online, timeout=WAIT)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    told(pid=ended.pid)  # it wrote a moment ago, and is no more
    qtbot.waitUntil(lambda: desk.sharing.now.status is None, timeout=WAIT)
    assert not desk.sharing.now.online


def test_three_columns_say_what_was_wanted_and_by_whom(
    qtbot: QtBot, screen: SharingScreen, conflict: Conflict
) -> None:
    shown(qtbot, screen, conflict)
    text = screen.conflicts.detail.text()
    assert "⚡ A. Lee changed the same value meanwhile." in text
    assert "A. Lee wrote  (2)" in text
    assert "You wrote  (1)" in text
    row = screen.conflicts.detail.rows[0]
    assert (row.base.text(), row.mine.text(), row.theirs.text()) == ("L0", "L1", "L2")
    assert [r.shown.point.field for r in screen.conflicts.detail.rows] == ["lot", "customer"]


def test_the_choices_of_a_conflict_grow_with_the_size_of_the_controls(
    qtbot: QtBot, theme: Theme, screen: SharingScreen, conflict: Conflict
) -> None:
    shown(qtbot, screen, conflict)
    row = screen.conflicts.detail.rows[0]
    theme.set_density(Density.TOUCH)
    try:
        assert row.mine.minimumHeight() == row.other.minimumHeight() == Density.TOUCH.control_height
    finally:
        theme.set_density(Density.DESK)


def test_a_conflict_is_settled_by_keys_alone(
    qtbot: QtBot, screen: SharingScreen, conflict: Conflict, house: House
) -> None:
    shown(qtbot, screen, conflict)
    page = screen.conflicts
    assert screen.actions_set.reason("sharing.apply") == "Choose 1, 2 or 3 first."
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: page.detail.whole is Take.MINE, timeout=WAIT)
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: row_of(conflict, house).lot == "L1", timeout=WAIT)
    qtbot.waitUntil(lambda: page.details is not None and page.details.state == "settling", timeout=WAIT)
    assert row_of(conflict, house).customer == "Acme"
    assert "settled already" in str(screen.actions_set.reason("sharing.mine"))


def test_other_values_are_typed_beside_the_two(
    qtbot: QtBot, screen: SharingScreen, conflict: Conflict, house: House
) -> None:
    shown(qtbot, screen, conflict)
    screen.actions_set.trigger("sharing.other")
    field = screen.conflicts.detail.rows[0].field
    assert isinstance(field, QLineEdit)
    field.clear()
    QTest.keyClicks(field, "L12")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: row_of(conflict, house).lot == "L12", timeout=WAIT)


def test_theirs_leaves_what_is_there_and_mine_can_be_brought_back(
    qtbot: QtBot, screen: SharingScreen, conflict: Conflict, house: House, parking: Parking, desk: Desk
) -> None:
    shown(qtbot, screen, conflict)
    page = screen.conflicts
    assert screen.actions_set.reason("sharing.bring-back") is not None
    screen.actions_set.trigger("sharing.theirs")
    with qtbot.waitSignal(desk.performed, timeout=WAIT):
        screen.actions_set.trigger("sharing.apply")
    parking.settle(conflict)
    qtbot.waitUntil(lambda: page.details is not None and page.details.state == "settled", timeout=WAIT)
    assert "All values stay readable" in page.detail.text()
    assert page.detail.rows[0].mine.text() == "L1"
    assert row_of(conflict, house).lot == "L2"
    with qtbot.waitSignal(desk.performed, timeout=WAIT) as done:
        screen.actions_set.trigger("sharing.bring-back")
    assert done.args[0].undoable
    assert row_of(conflict, house).lot == "L1"


def test_next_goes_from_one_open_conflict_to_the_other(
    qtbot: QtBot,
    screen: SharingScreen,
    conflict: Conflict,
    parking: Parking,
    order: Callable[..., UUID],
    house: House,
    admin: Actor,
) -> None:
    other = disputed(parking, order, house, admin, "L8")
    screen.refresh()
    qtbot.waitUntil(lambda: screen.conflicts.model.rowCount() == 2, timeout=WAIT)
    shown(qtbot, screen, conflict)
    screen.actions_set.trigger("sharing.next")
    qtbot.waitUntil(
        lambda: screen.conflicts.details is not None and screen.conflicts.details.seq == other.seq,
        timeout=WAIT,
    )
    assert screen.tabs.tabText(CONFLICTS) == "Conflicts (2)"


def test_a_denied_change_shows_the_servers_words_and_other_buttons(
    qtbot: QtBot,
    screen: SharingScreen,
    parking: Parking,
    order: Callable[..., UUID],
    as_role: Callable[..., Actor],
) -> None:
    order()
    denied = parking.park(
        verdict="denied", sentence="The role operator may not create and change work orders."
    )
    shown(qtbot, screen, denied)
    assert "The role operator may not" in screen.conflicts.detail.text()
    assert screen.actions_set.action("sharing.theirs").text() == "Discard"
    assert screen.actions_set.action("sharing.mine").text() == "Try again"
    as_role(Role.OPERATOR)
    assert "may not settle conflicts of others" in str(screen.actions_set.reason("sharing.mine"))


def test_a_half_typed_settlement_belongs_to_its_person(
    qtbot: QtBot, screen: SharingScreen, conflict: Conflict, desk: Desk, as_role: Callable[..., Actor]
) -> None:
    shown(qtbot, screen, conflict)
    owner = desk.actor
    page = screen.conflicts
    screen.actions_set.trigger("sharing.other")
    assert page.detail.rows[0].field is not None
    page.detail.rows[0].field.set_value("half-ty")
    desk.set_actor(None)
    assert page.details is None
    as_role(Role.SUPERVISOR)
    qtbot.waitUntil(lambda: page.details is not None, timeout=WAIT)
    assert page.detail.whole is None
    desk.set_actor(None)
    desk.set_actor(owner)
    qtbot.waitUntil(lambda: page.details is not None, timeout=WAIT)
    assert page.detail.rows[0].field.value() == "half-ty"
    assert page.detail.rows[0].take is Take.OTHER


def test_what_waits_is_listed_with_who_and_when(
    qtbot: QtBot, screen: SharingScreen, order: Callable[..., UUID], parking: Parking
) -> None:
    screen.tabs.setCurrentIndex(1)
    order()
    qtbot.waitUntil(lambda: len(screen.unsent.rows.rows()) == 1, timeout=WAIT)
    line = screen.unsent.rows.rows()[0]
    assert line[1].startswith("Created work order")
    assert line[2] == "Ada Boss"
    assert line[3].endswith("rows")
    assert screen.unsent.sentence.text().startswith("If you closed the lid now, 1 change would")
    parking.confirm()
    qtbot.waitUntil(lambda: not screen.unsent.rows.rows(), timeout=WAIT)


def test_why_photos_wait_is_said_over_the_list(
    qtbot: QtBot, screen: SharingScreen, desk: Desk, told: Callable[..., None]
) -> None:
    problem = "The store s3://photos for photos and files does not accept this key."
    told(transfers=(Transfer("ab" * 32, True, 0, 10, problem), Transfer("cd" * 32, False, 0, 10, "Another.")))
    qtbot.waitUntil(
        lambda: desk.sharing.now.status is not None and bool(desk.sharing.now.status.transfers), timeout=WAIT
    )
    screen.unsent.behind = LidClosed(photos=(UnsentPhoto("seam.jpg", 10, "Ada", AT),))
    screen.unsent.tell()
    assert screen.unsent.sentence.text().endswith(f" {problem}")


def test_merged_changes_and_those_of_other_stations_are_told(
    qtbot: QtBot, screen: SharingScreen, parking: Parking, order: Callable[..., UUID]
) -> None:
    row = order(number="WO-9")
    parking.shared("Changed lot of WO-9", merged=[{"e": "work_order", "id": str(row), "fields": ["lot"]}])
    screen.tabs.setCurrentIndex(MERGED)
    qtbot.waitUntil(lambda: len(screen.merged.rows.rows()) == 1, timeout=WAIT)
    assert screen.merged.rows.rows()[0][1:] == ("WO-9", "Changed lot of WO-9", "A. Lee", "03", "lot")
    with qtbot.waitSignal(screen.open_requested) as opened:
        screen.merged.list.activated_row.emit(0)
    assert opened.args == ["orders", row]
    screen.tabs.setCurrentIndex(3)
    qtbot.waitUntil(lambda: screen.all_changes.rowCount() == 1, timeout=WAIT)
    assert screen.all_changes.values_at(0)["station"] == "03"


# -- marks on rows


def mark(model: PagedModel, row: int) -> object:
    return model.data(model.index(row, 0), UnsentRole)


def test_rows_carry_a_mark_until_the_server_has_them_and_lead_to_their_conflict(
    qtbot: QtBot, desk: Desk, parking: Parking, order: Callable[..., UUID], house: House, admin: Actor
) -> None:
    orders = OrdersScreen(desk)
    qtbot.addWidget(orders)
    orders.resize(1170, 640)
    orders.show()
    row = order(lot="L0")
    qtbot.waitUntil(
        lambda: orders.model.rowCount() == 1 and mark(orders.model, 0) == UNSENT_MARK, timeout=WAIT
    )
    parking.confirm()
    qtbot.waitUntil(lambda: mark(orders.model, 0) == "", timeout=WAIT)
    house.door.perform(edit_work_orders(ids=[row], lot="L1"), admin)
    conflict = parking.park(fields=[clash("work_order", row, "lot", "L0", "L1", "L2")])
    qtbot.waitUntil(lambda: mark(orders.model, 0) == CONFLICT_MARK, timeout=WAIT)
    cell = orders.list.visualRect(orders.model.index(0, 1))
    with qtbot.waitSignal(orders.open_requested, timeout=WAIT) as opened:
        at = QPoint(cell.right() - 6, cell.center().y())
        QTest.mouseClick(orders.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert opened.args == ["sharing", conflict.seq]


def test_a_machine_carries_the_mark_of_what_was_done_to_it(
    qtbot: QtBot, desk: Desk, parking: Parking, house: House, admin: Actor
) -> None:
    house.door.perform(apply_plant(plant=Plant(equipment=(Equipment("CNC-2", "Milling"),))), admin)
    parking.confirm()
    house.door.perform(set_maintenance(equipment="CNC-2", in_maintenance=True), admin)
    qtbot.waitUntil(lambda: desk.sharing.marks.machine("CNC-2") == UNSENT_MARK, timeout=WAIT)
    assert desk.sharing.marks.machine("CNC-3") == ""
    parking.confirm()
    qtbot.waitUntil(lambda: desk.sharing.marks.machine("CNC-2") == "", timeout=WAIT)


def test_nothing_is_marked_where_nothing_is_shared(
    qtbot: QtBot, desk: Desk, order: Callable[..., UUID]
) -> None:
    orders = OrdersScreen(desk)
    qtbot.addWidget(orders)
    order()
    qtbot.waitUntil(lambda: orders.model.rowCount() == 1, timeout=WAIT)
    desk.sharing.look()
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=WAIT)
    assert not mark(orders.model, 0)


def test_a_refused_creation_can_be_made_with_another_number(
    qtbot: QtBot, screen: SharingScreen, parking: Parking, house: House, admin: Actor
) -> None:
    created: UUID = house.door.perform(
        create_work_order(product="FRAME-M", quantity=5, number="WO-1"), admin
    ).result
    parking.ghost("work_order", created)
    refused = parking.park(
        verdict="rejected",
        sentence="Another work order already has this number.",
        fields=[clash("work_order", created, "number", None, "WO-1", "WO-1")],
    )
    shown(qtbot, screen, refused)
    assert screen.actions_set.action("sharing.other").text() == "Edit"
    screen.actions_set.trigger("sharing.other")
    row = screen.conflicts.detail.rows[0]
    assert row.shown.point.field == "number"
    assert row.field is not None
    row.field.set_value("WO-2")
    screen.actions_set.trigger("sharing.apply")

    def number() -> str:
        with house.store.reader() as session:
            return session.get_one(WorkOrder, created).number

    qtbot.waitUntil(lambda: number() == "WO-2", timeout=WAIT)


def test_a_status_file_that_cannot_be_read_is_no_status(tmp_path: Path) -> None:
    assert read_status(tmp_path) is None
    (tmp_path / FILE_NAME).write_text("{")
    assert read_status(tmp_path) is None
    write_status(tmp_path, SyncStatus(state=ONLINE, since=AT))
    found = read_status(tmp_path)
    assert found is not None
    assert (found.state, found.since) == (ONLINE, AT)


def test_a_card_on_the_board_carries_the_mark_of_its_moved_stage(
    qtbot: QtBot, desk: Desk, parking: Parking, order: Callable[..., UUID], house: House, admin: Actor
) -> None:
    row = order()
    parking.confirm()
    board = BoardScreen(desk)
    qtbot.addWidget(board)
    board.show()
    board.refresh()
    qtbot.waitUntil(lambda: board.model.order(str(row)) is not None, timeout=WAIT)
    house.door.perform(advance_work_order(order_id=row), admin)

    def badges() -> tuple[str, ...]:
        found = board.model.order(str(row))
        return board.model.card(found).badges if found is not None else ()

    qtbot.waitUntil(lambda: UNSENT_MARK in badges(), timeout=WAIT)
    parking.confirm()
    qtbot.waitUntil(lambda: UNSENT_MARK not in badges(), timeout=WAIT)


@dataclass
class _Process(SyncControl):
    """Stands for the sync process, and remembers what it was asked."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    def sync_now(self) -> None:
        self.asked.append(("now",))

    def work_offline(self, offline: bool) -> None:
        self.asked.append(("offline", offline))

    def look_at(self, entity: str, row_id: UUID | None, actor: str = "", editing: bool = False) -> None:
        self.asked.append(("edit" if editing else "look", entity, row_id))

    def fetch_file(self, sha256: str) -> None:
        self.asked.append(("fetch", sha256))


def test_who_opens_an_order_is_told_who_else_has_it_open(
    qtbot: QtBot, desk: Desk, parking: Parking, order: Callable[..., UUID], told: Callable[..., None]
) -> None:
    row = order()
    process = _Process()
    desk.sharing.control = process
    panel = OrderPanel(desk)
    qtbot.addWidget(panel)
    qtbot.waitUntil(lambda: desk.sharing.now.joined, timeout=WAIT)
    panel.show_order(row)
    qtbot.waitUntil(lambda: ("look", "work_order", row) in process.asked, timeout=WAIT)
    assert panel.sharing.words.isHidden()
    below = panel._scroll.mapTo(panel, QPoint(0, 0))
    there = Presence("work_order", str(row), "K. Osei", "03", AT)
    told(presence=(there, Presence("work_order", str(row), "Ada Boss", "07", AT)))
    qtbot.waitUntil(lambda: not panel.sharing.words.isHidden(), timeout=WAIT)
    assert panel.sharing.words.text() == "K. Osei has this open on station 03"
    assert panel._scroll.mapTo(panel, QPoint(0, 0)) == below  # nothing moved when the name came
    card = FormCard(desk, panel)
    card.open("edit", "Edit", lambda: Form("Save"), _no_intent, row=("work_order", row))
    qtbot.waitUntil(lambda: process.asked[-1] == ("edit", "work_order", row), timeout=WAIT)
    card.close()
    qtbot.waitUntil(lambda: process.asked[-1] == ("look", "work_order", row), timeout=WAIT)
    panel.hide()
    qtbot.waitUntil(lambda: process.asked[-1] == ("look", "work_order", None), timeout=WAIT)


def test_the_buttons_ask_the_sync_process(
    qtbot: QtBot, screen: SharingScreen, desk: Desk, told: Callable[..., None]
) -> None:
    assert "Nothing is heard" in str(screen.actions_set.reason("sharing.now"))
    process = _Process()
    desk.sharing.control = process
    told()
    qtbot.waitUntil(lambda: desk.sharing.now.online, timeout=WAIT)
    screen.actions_set.trigger("sharing.now")
    qtbot.waitUntil(lambda: ("now",) in process.asked, timeout=WAIT)
    told(PAUSED)
    qtbot.waitUntil(lambda: desk.sharing.now.paused, timeout=WAIT)
    assert "Go online comes first" in str(screen.actions_set.reason("sharing.now"))
    assert "until you press Go online" in screen.status.advice.text()
    assert screen.actions_set.action("sharing.offline").text() == "Go online"
    screen.actions_set.trigger("sharing.offline")
    qtbot.waitUntil(lambda: ("offline", False) in process.asked, timeout=WAIT)


def test_the_banner_of_chosen_silence_leads_back(
    qtbot: QtBot, screen: SharingScreen, desk: Desk, told: Callable[..., None]
) -> None:
    process = _Process()
    desk.sharing.control = process
    line = SharingBanner(desk)
    qtbot.addWidget(line)
    told(PAUSED)
    qtbot.waitUntil(lambda: line.text().startswith("Working offline"), timeout=WAIT)
    line.button.click()
    qtbot.waitUntil(lambda: ("offline", False) in process.asked, timeout=WAIT)


def test_measured_values_count_as_waiting_when_they_wait_for_long(
    desk: Desk, screen: SharingScreen, house: House
) -> None:
    now = house.door.clock()
    on_their_way = ForwardFigures(waiting=20, oldest_waiting=now - timedelta(seconds=2))
    desk.sharing.take_forwarding(on_their_way)
    assert desk.sharing.now.samples_waiting == 0
    desk.sharing.take_forwarding(replace(on_their_way, oldest_waiting=now - timedelta(hours=2)))
    assert desk.sharing.now.samples_waiting == 20
    screen.refresh()
    assert "20 measured values" in screen.unsent.sentence.text()


def test_a_deletion_against_a_change_says_who_changed_what(
    qtbot: QtBot,
    screen: SharingScreen,
    parking: Parking,
    order: Callable[..., UUID],
    house: House,
    admin: Actor,
) -> None:
    row = order(customer="")
    parking.confirm()
    house.door.perform(delete_work_orders(ids=[row]), admin)
    parking.set_row("work_order", row, customer="Acme", deleted=False)
    created = clash("work_order", row, "deleted", False, True, False) | {
        "by": "Who Made It",
        "at": "2026-04-01T08:00:00+00:00",
    }
    parked = parking.park(fields=[created, clash("work_order", row, "customer", None, None, "Acme")])
    shown(qtbot, screen, parked)
    text = screen.conflicts.detail.text()
    assert "A. Lee wrote  (2)" in text
    assert "Who Made It" not in text
    assert "Meanwhile customer of 07-WO-000001 became Acme (A. Lee, station 03" in text
    assert "Together with it: 07-WO-000001" in text
    only = screen.conflicts.detail.rows
    assert [(line.shown.point.field, line.field) for line in only] == [("deleted", None)]


def test_a_form_with_typed_text_outlives_a_lock_and_another_person(
    qtbot: QtBot, desk: Desk, as_role: Callable[..., Actor], theme: object
) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.show()
    cards = FormCard(desk, host)

    def build() -> Form:
        form = Form("Save")
        form.add_text("text", "Text")
        return form

    owner = desk.actor
    form = cards.open("edit", "Edit", build, _no_intent)
    form.set_values({"text": "half-ty"})
    desk.set_actor(None)
    assert cards.form is None
    as_role(Role.OPERATOR)
    assert cards.form is None
    desk.set_actor(None)
    desk.set_actor(owner)
    assert cards.form is not None
    assert cards.form.values() == {"text": "half-ty"}
    cards.close()


def _no_intent(_form: Form) -> Intent[None]:
    raise AssertionError("nobody saves here")


def test_the_history_of_an_order_tells_what_other_stations_did(
    qtbot: QtBot, desk: Desk, parking: Parking, order: Callable[..., UUID]
) -> None:
    row = order(number="WO-9")
    parking.shared("Changed lot of WO-9", station="03")
    parking.shared("Changed lot of WO-99", station="04")
    panel = OrderPanel(desk)
    qtbot.addWidget(panel)
    panel.show_order(row)
    qtbot.waitUntil(lambda: panel.details is not None, timeout=WAIT)
    assert "A. Lee, station 03" in panel.text()
    assert "station 04" not in panel.text()
    panel.hide()
