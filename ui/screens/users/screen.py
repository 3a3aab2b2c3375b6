"""Users: who has an account, in which role, and what each role may do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QWidget

from app.operations.people import disable_user, enable_user
from app.store.queries.lists import USERS
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.filtered_list import FilteredList
from ui.models.form_card import FormCard
from ui.models.paged import ColumnLook, PagedModel
from ui.screens.users.forms import new_form, new_intent, reset_form, reset_intent, role_form, role_intent
from ui.screens.users.one_time_password import OneTimeCard, one_time_password
from ui.screens.users.permission_matrix import PermissionMatrix
from ui.screens.users.role_summary import RoleSummary, state_of
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane

_NOBODY = "Choose a user first."


def _is_disabled(values: Mapping[str, Any]) -> bool:
    return bool(values["disabled"])


LOOKS = (
    ColumnLook("name", "Name", 240),
    ColumnLook("role", "Role", 130),
    ColumnLook("disabled", "State", 190, words=state_of),
    ColumnLook("created_at", "Since", 170),
)


class UsersScreen(Pane):
    """Accounts on one page, the permission table on the other."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("users", "Users", parent)
        self._desk = desk
        self._given, self._given_to = "", ""
        self.forms = FormCard(desk, self)
        self.model = PagedModel(
            desk, USERS, LOOKS, frozenset({"user_account"}), muted=_is_disabled, parent=self
        )
        self.list = ListView()
        self.matrix = PermissionMatrix()
        self.summary = RoleSummary()
        self.tabs = QTabWidget()
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "users.new": self.add,
                "users.role": self.change_role,
                "users.disable": self.disable,
                "users.enable": self.enable,
                "users.reset": self.reset,
            },
        )
        self._build()
        self._connect()
        self._show_current()
        self._filtered.ask()

    def _build(self) -> None:
        self.add_filter("name, role:inspector, disabled:yes", ("user", "users"))
        for key in ("users.enable", "users.disable", "users.reset", "users.role", "users.new"):
            self.add_tool(self.actions_set.button(key))
        self.list.setObjectName("users-list")
        self.list.setAccessibleName("Users")
        self._filtered = FilteredList(self._desk, self, self.list, self.model, sort=("name", False))
        people = QWidget()
        columns = QHBoxLayout(people)
        columns.setContentsMargins(0, 8, 0, 0)
        columns.setSpacing(16)
        columns.addWidget(self.list, 1)
        columns.addWidget(self.summary)
        self.tabs.setObjectName("usersTabs")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(people, "People")
        self.tabs.addTab(self.matrix, "Who may do what")
        self.body.addWidget(self.tabs, 1)

    def _connect(self) -> None:
        self._filtered.counted.connect(self._on_counted)
        self._filtered.current_changed.connect(self._show_current)
        self.list.activated_row.connect(self._on_activated)
        self.list.empty_action_requested.connect(self._show_all)

    # -- the list

    def refresh(self) -> None:
        self.model.refresh()

    def _show_all(self) -> None:
        if self.filter is not None:
            self.filter.clear()

    def _on_counted(self, _rows: int, _filtered: bool) -> None:
        self.list.set_empty("No user matches this filter.", "Show all users")
        self._filtered.choose_row()

    def _on_activated(self, _row: int) -> None:
        self.actions_set.trigger("users.role")

    # -- the current user

    def current(self) -> Mapping[str, Any]:
        """Values of the current user, empty when there is none."""
        return self._filtered.current()

    def _show_current(self) -> None:
        values = self.current()
        self.summary.show_user(values)
        self.matrix.mark(values.get("role"))
        for key in ("users.role", "users.reset"):
            self.actions_set.set_unavailable(key, None if values else _NOBODY)
        closed = values.get("disabled")
        name = values.get("name", "")
        self.actions_set.set_unavailable(
            "users.disable", _NOBODY if not values else f"{name} is disabled already." if closed else None
        )
        self.actions_set.set_unavailable(
            "users.enable", _NOBODY if not values else None if closed else f"{name} is not disabled."
        )

    def add(self) -> None:
        """Ask for a new account."""
        given = one_time_password()
        self.forms.open(
            "add-user", "Add user", partial(new_form, given), new_intent, done=partial(self._added, "")
        )
        self._remember()

    def _remember(self) -> None:
        """Keep what is typed, so that it can be shown once when the door has accepted it."""
        form = self.forms.form
        if form is not None:
            form.submitted.connect(partial(self._note, form))

    def _note(self, form: Form) -> None:
        values = form.values()
        self._given = str(values["password"])
        self._given_to = str(values.get("name") or self._given_to)

    def _added(self, name: str, _result: object) -> None:
        card = OneTimeCard(name or self._given_to, self._given)
        self._given = ""
        shell = DialogCard("Password for one login", card, self)
        card.closed.connect(shell.close)
        shell.show_card()

    def change_role(self) -> None:
        """Ask for another role for the current user."""
        values = self.current()
        self.forms.open(
            "role",
            f"Role of {values['name']}",
            partial(role_form, values["role"]),
            partial(role_intent, values["id"]),
        )

    def disable(self) -> None:
        self._desk.perform(disable_user(user_id=self.current()["id"]), owner=self)

    def enable(self) -> None:
        self._desk.perform(enable_user(user_id=self.current()["id"]), owner=self)

    def reset(self) -> None:
        """Give the current user a password for one login; lifts a lock-out too."""
        values = self.current()
        self.forms.open(
            "reset",
            f"Reset the password of {values['name']}",
            partial(reset_form, one_time_password()),
            partial(reset_intent, values["id"]),
            done=partial(self._added, values["name"]),
        )
        self._remember()
