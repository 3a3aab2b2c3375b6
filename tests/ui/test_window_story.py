"""The story of the first day: an administrator, an operator, a forgotten password, a lock, an undo, a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import delete

from app.domain.errors import Denied
from app.domain.people import Actor, Role
from app.operations.orders import create_work_order
from app.operations.people import add_user, disable_user, set_role
from app.plant import open_house
from app.store.sealing import seal
from app.store.tables import LoginGrant
from ui.actions import PLACES
from ui.screens.login import LoginScreen
from ui.theme import Theme
from ui.widgets.form import Form
from ui.window.desktop import Desktop
from ui.window.main_window import MainWindow

WAIT = 15_000
ADMIN, OPERATOR = "Ada Boss", "Olu Hand"
SECRET = "a good long sentence"


@pytest.fixture
def start(qapp: QApplication, theme: Theme, data_dir: Path) -> Iterator[Callable[[], Desktop]]:
    """Starts the program on the data folder, as often as asked; the last one is closed at the end."""
    open_now: list[Desktop] = []

    def begin() -> Desktop:
        close()
        desktop = Desktop(data_dir, None)
        open_now.append(desktop)
        desktop.start()
        return desktop

    def close() -> None:
        while open_now:
            desktop = open_now.pop()
            desktop.close()
            desktop.deleteLater()
            desktop.login.deleteLater()

    yield begin
    close()


@pytest.fixture
def with_admin(data_dir: Path) -> Actor:
    """A store in which an administrator and an operator have accounts."""
    from app.domain.people import THE_PLANT
    from app.operations.people import create_first_admin

    house = open_house(data_dir)
    try:
        user_id = house.door.perform(create_first_admin(name=ADMIN, password=SECRET), THE_PLANT).result
        admin = Actor(user_id, ADMIN, Role.ADMIN)
        intent = add_user(name=OPERATOR, role=Role.OPERATOR, password=SECRET, must_change_password=False)
        house.door.perform(intent, admin)
    finally:
        house.close()
    return admin


def form_of(screen: LoginScreen) -> Form:
    assert screen.form is not None
    return screen.form


def type_into(form: Form, **texts: str) -> None:
    for key, text in texts.items():
        field = form.field(key)
        assert isinstance(field, QLineEdit)
        field.clear()
        QTest.keyClicks(field, text)
    QTest.keyClick(form.field(next(reversed(texts))), Qt.Key.Key_Return)


def log_in(qtbot: QtBot, desktop: Desktop, name: str) -> MainWindow:
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    type_into(form_of(desktop.login), name=name, password=SECRET)
    qtbot.waitUntil(lambda: len(desktop.windows) == 1, timeout=WAIT)
    return desktop.windows[0]


def unlock(qtbot: QtBot, window: MainWindow, name: str) -> None:
    type_into(form_of(window.login), name=name, password=SECRET)
    qtbot.waitUntil(lambda: window.desk.actor is not None, timeout=WAIT)


def visible_places(window: MainWindow) -> list[str]:
    entries = (window.navigation.findChild(QWidget, f"nav-{place.key}") for place in PLACES)
    return [entry.objectName()[4:] for entry in entries if entry is not None and not entry.isHidden()]


def test_the_first_start_makes_an_administrator_and_opens_the_window(
    qtbot: QtBot, start: Callable[[], Desktop]
) -> None:
    desktop = start()
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    form = form_of(desktop.login)
    assert form.objectName() == "firstAdminForm"

    type_into(form, name=ADMIN, password="short", again="short")
    qtbot.waitUntil(lambda: form.error("password") is not None, timeout=WAIT)
    assert "at least 10 characters" in str(form.error("password"))
    type_into(form, name=ADMIN, password=SECRET, again="another sentence")
    assert form.error("again") == "The two passwords differ."
    type_into(form, name=ADMIN, password=SECRET, again=SECRET)

    qtbot.waitUntil(lambda: len(desktop.windows) == 1, timeout=WAIT)
    assert desktop.windows[0].isVisible()
    assert not desktop.login.isVisible()
    assert visible_places(desktop.windows[0]) == [place.key for place in PLACES]


def test_an_operator_does_not_see_the_users_and_is_refused_below_the_screen_too(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    window = log_in(qtbot, start(), OPERATOR)
    assert "users" not in visible_places(window)
    assert "board" in visible_places(window)

    assert window.open_place("users") is None
    assert "may not manage users" in window.footer.sentence()
    pane = window.open_place("orders")
    assert pane is not None
    button = pane.findChild(QWidget, "button-orders.new")
    assert button is not None
    assert not button.isEnabled()
    assert "may not create and change work orders" in button.toolTip()

    actor = window.desk.actor
    assert actor is not None
    intent = create_work_order(product="FRAME-M", quantity=1)
    with pytest.raises(Denied):
        window.desk.house.door.perform(intent, actor)


def test_five_wrong_passwords_lock_the_name_also_after_a_restart(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    desktop = start()
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    for _ in range(5):
        form = form_of(desktop.login)
        type_into(form, name=OPERATOR, password="not the password")
        qtbot.waitUntil(lambda: "wrong" in str(form_of(desktop.login).error("password")), timeout=WAIT)
        form.clear_errors() if "wait" not in str(form.error("password")) else None
    qtbot.waitUntil(lambda: "wait" in str(form_of(desktop.login).error("password")), timeout=WAIT)
    qtbot.waitUntil(lambda: not form_of(desktop.login).submit_button.isEnabled(), timeout=WAIT)

    again = start()
    qtbot.waitUntil(lambda: again.login.form is not None, timeout=WAIT)
    type_into(form_of(again.login), name=OPERATOR, password=SECRET)
    qtbot.waitUntil(lambda: "wait" in str(form_of(again.login).error("password")), timeout=WAIT)
    assert again.windows == []


def test_after_idle_time_the_window_locks_and_the_alarm_strip_stays(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    desktop = start()
    window = log_in(qtbot, desktop, ADMIN)
    idle = desktop.inside.idle
    now = [1000.0]
    idle._clock = lambda: now[0]
    idle.touch()
    now[0] += 15 * 60 - 1
    idle.check()
    assert window.desk.actor is not None
    QTest.mouseMove(window.windowHandle(), window.rect().center())
    qtbot.waitUntil(lambda: idle._touched == now[0], timeout=WAIT)
    now[0] += 15 * 60
    idle.check()

    assert window.desk.actor is None
    assert window.login.isVisible()
    assert window.top.alarms.isVisible()
    assert not window.panes.isVisible()
    assert form_of(window.login).values()["name"] == ADMIN
    unlock(qtbot, window, ADMIN)
    assert window.panes.isVisible()


def test_whoever_is_disabled_meanwhile_is_shown_out_and_a_new_role_counts_at_once(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor, data_dir: Path
) -> None:
    house = open_house(data_dir)
    jo = house.door.perform(
        add_user(name="Jo Wolf", role=Role.OPERATOR, password=SECRET, must_change_password=False), with_admin
    ).result
    house.close()
    window = log_in(qtbot, start(), "Jo Wolf")
    door = window.desk.house.door
    door.perform(set_role(user_id=jo, role=Role.MANAGER), with_admin)
    qtbot.waitUntil(
        lambda: window.desk.actor is not None and window.desk.actor.role is Role.MANAGER, timeout=WAIT
    )
    door.perform(disable_user(user_id=jo), with_admin)
    qtbot.waitUntil(lambda: window.desk.actor is None, timeout=WAIT)
    assert "The account Jo Wolf is disabled" in window.login.sentence()


def test_whose_password_was_changed_elsewhere_is_asked_to_log_in_again(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor, data_dir: Path
) -> None:
    window = log_in(qtbot, start(), ADMIN)
    house, secret = window.desk.house, bytes(range(32))
    user_id = with_admin.user_id
    assert user_id is not None

    def kept(_user: UUID) -> str | None:
        with house.store.reader() as session:
            grant = session.get(LoginGrant, user_id)
        return None if grant is None else grant.salt

    salt, sealed = seal(secret, SECRET, user_id)
    grant = LoginGrant(user_id=user_id, salt=salt, sealed=sealed, until=house.door.clock())
    house.store.submit(lambda session: session.add(grant)).result()
    house.signing.unlock(user_id, secret, kept)
    house.door.perform(create_work_order(product="FRAME-M", quantity=6), with_admin)
    assert window.desk.actor is not None
    sync_process = open_house(data_dir)
    sync_process.store.submit(lambda session: session.execute(delete(LoginGrant))).result()
    sync_process.close()
    qtbot.waitUntil(lambda: window.desk.actor is None, timeout=WAIT)
    assert "The password of Ada Boss was changed elsewhere" in window.login.sentence()


def test_another_person_comes_to_the_same_place_and_the_draft_waits_for_its_author(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    window = log_in(qtbot, start(), ADMIN)
    window.open_place("orders")
    window.actions_set.trigger("change-password")
    card = window.findChild(QWidget, "passwordCard")
    assert card is not None
    assert card.isVisible()

    window.actions_set.trigger("switch-user")
    assert not card.isVisible()
    assert form_of(window.login).values()["name"] == ""
    unlock(qtbot, window, OPERATOR)
    pane = window.panes.current()
    assert pane is not None
    assert pane.place == "orders"
    assert not card.isVisible()

    window.actions_set.trigger("switch-user")
    unlock(qtbot, window, ADMIN)
    assert card.isVisible()


def test_ctrl_z_goes_back_through_what_was_done_and_the_palette_finds_an_order(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    desktop = start()
    window = log_in(qtbot, desktop, ADMIN)
    made: list[UUID] = []
    for product in ("FRAME-ALPHA", "FRAME-BETA"):
        intent = create_work_order(product=product, quantity=5)
        window.desk.perform(intent, owner=window, done=lambda outcome: made.append(outcome.result))
    qtbot.waitUntil(lambda: len(made) == 2, timeout=WAIT)
    assert desktop.inside.undo.depth == 2
    assert window.footer.undo_bar.isVisible()

    window.palette_wiring.open_palette()
    search = window.palette_popup.focusProxy()
    assert search is not None
    QTest.keyClicks(search, "beta")
    qtbot.waitUntil(
        lambda: any("FRAME-BETA" in item.title for item in window.palette_popup.results()), timeout=WAIT
    )
    found = next(item for item in window.palette_popup.results() if "FRAME-BETA" in item.title)
    assert found.key == f"record:orders:{made[1]}"
    window.palette_popup.close_palette()

    for left in (1, 0):
        window.actions_set.trigger("undo")
        qtbot.waitUntil(lambda: desktop.inside.undo.depth == left, timeout=WAIT)  # noqa: B023  (waited for here)
        qtbot.waitUntil(lambda: desktop.tasks.idle, timeout=WAIT)
    assert desktop.inside.undo.depth == 0
    window.actions_set.trigger("undo")
    assert window.footer.sentence() == "There is nothing left to undo."


def test_a_file_dropped_on_the_window_opens_the_import(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor, tmp_path: Path
) -> None:
    window = log_in(qtbot, start(), ADMIN)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "plan.xlsx"))])
    drop = QDropEvent(
        QPointF(20, 20),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(drop)
    pane = window.panes.current()
    assert pane is not None
    assert pane.place == "import"


def test_a_second_window_shares_the_desk_and_locks_with_the_first(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    desktop = start()
    first = log_in(qtbot, desktop, ADMIN)
    first.actions_set.trigger("new-window")
    assert len(desktop.windows) == 2
    second = desktop.windows[1]
    second.open_place("system")
    assert first.panes.current() is not second.panes.current()

    second.actions_set.trigger("lock")
    for window in (first, second):
        assert window.login.isVisible()
        assert window.top.alarms.isVisible()
    unlock(qtbot, second, ADMIN)
    assert first.panes.isVisible()
    assert second.panes.isVisible()
    second.close()
    assert desktop.windows == [first]


def test_keys_lead_to_places_and_a_letter_in_a_field_stays_a_letter(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    window = log_in(qtbot, start(), ADMIN)
    window.activateWindow()
    window.open_place("users")
    QTest.keyClicks(window, "gy")
    pane = window.panes.current()
    assert pane is not None
    assert pane.place == "system"
    assert not isinstance(window.focusWidget(), QLineEdit)
    QTest.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    pane = window.panes.current()
    assert pane is not None
    assert pane.place == "users"
    assert pane.filter is not None
    QTest.keyClicks(window, "/")
    field = window.focusWidget()
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "gy")
    assert field.text() == "gy"
    assert window.panes.current() is pane


def test_the_tab_key_goes_from_the_places_to_the_filter_the_tools_and_the_list(
    qtbot: QtBot, start: Callable[[], Desktop], with_admin: Actor
) -> None:
    window = log_in(qtbot, start(), ADMIN)
    window.activateWindow()
    pane = window.open_place("orders")
    assert pane is not None
    assert pane.filter is not None
    window.navigation.last_stop.setFocus()
    came_by: list[str] = []
    for _ in range(5):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        came_by.append(
            "filter" if pane.filter.isAncestorOf(window.focusWidget()) else window.focusWidget().objectName()
        )
    assert came_by == ["filter", "orders-view", "", "button-orders.import", "button-orders.new"]
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    assert window.focusWidget().objectName() == "orders-list"


def test_a_new_person_must_choose_a_password_before_the_window_opens(
    qtbot: QtBot, start: Callable[[], Desktop], data_dir: Path, with_admin: Actor
) -> None:
    house = open_house(data_dir)
    house.door.perform(add_user(name="Jo Wolf", role=Role.INSPECTOR, password=SECRET), with_admin)
    house.close()
    desktop = start()
    qtbot.waitUntil(lambda: desktop.login.form is not None, timeout=WAIT)
    type_into(form_of(desktop.login), name="Jo Wolf", password=SECRET)
    qtbot.waitUntil(lambda: form_of(desktop.login).objectName() == "changePasswordForm", timeout=WAIT)
    assert desktop.windows == []
    type_into(
        form_of(desktop.login), old_password=SECRET, password="some other words", again="some other words"
    )
    qtbot.waitUntil(lambda: len(desktop.windows) == 1, timeout=WAIT)
