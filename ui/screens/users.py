"""Users: who has an account, in which role, and what each role may do."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QTableView, QTabWidget, QVBoxLayout, QWidget

from app.domain.people import PERMISSIONS, Permission, Role
from app.operations.change import Intent
from app.operations.people import add_user, disable_user, enable_user, reset_password, set_role
from app.store.queries.listing import ListRequest
from app.store.queries.lists import USERS
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.models.form_card import FormCard
from ui.models.paged import ColumnLook, PagedModel
from ui.theme import current_theme
from ui.widgets.buttons import ActionButton
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.themed import LEFT, RoleLabel

_NOBODY = "Choose a user first."
_ROLES = [(role.value, role.value.capitalize()) for role in Role]
# No letters or digits that are mistaken for one another when read aloud or from paper.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Twelve characters in three groups, about 59 bits, to be read aloud once."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))


def _state(values: Mapping[str, Any]) -> str:
    if values["disabled"]:
        return "■ disabled"
    return "○ new password due" if values["must_change_password"] else "▶ active"


def _is_disabled(values: Mapping[str, Any]) -> bool:
    return bool(values["disabled"])


LOOKS = (
    ColumnLook("name", "Name", 240),
    ColumnLook("role", "Role", 130),
    ColumnLook("disabled", "State", 190, words=_state),
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
        self._ask()

    def _build(self) -> None:
        self.add_filter("name, role:inspector, disabled:yes", ("user", "users"))
        for key in ("users.enable", "users.disable", "users.reset", "users.role", "users.new"):
            self.add_tool(self.actions_set.button(key))
        self.list.setObjectName("users-list")
        self.list.setAccessibleName("Users")
        self.list.setModel(self.model)
        self.list.set_sort("name", False)
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
        if self.filter is not None:
            self.filter.filter_changed.connect(self._on_filter)
        self.model.counted.connect(self._on_counted)
        self.model.failed.connect(self._on_failed)
        self.model.loading.connect(self.list.set_loading)
        self.model.layoutChanged.connect(self._show_current)
        self.model.modelReset.connect(self._show_current)
        self.list.sort_requested.connect(self._on_sort)
        self.list.activated_row.connect(self._on_activated)
        self.list.selectionModel().currentRowChanged.connect(self._on_current)
        self.list.empty_action_requested.connect(self._show_all)
        self.banner.action_requested.connect(self.refresh)

    # -- the list

    def refresh(self) -> None:
        self.model.refresh()

    def _ask(self) -> None:
        sort, descending = self.list.sort() or ("name", False)
        text = self.filter.text() if self.filter is not None else ""
        self.model.set_request(ListRequest(text, sort, descending))

    def _on_filter(self, _text: str) -> None:
        self._ask()

    def _on_sort(self, _key: str, _descending: bool) -> None:
        self._ask()

    def _show_all(self) -> None:
        if self.filter is not None:
            self.filter.clear()

    def _on_counted(self, rows: int, filtered: bool) -> None:
        self.banner.show_text("")
        if self.filter is not None:
            self.filter.set_count(rows, filtered)
        self.list.set_empty("No user matches this filter.", "Show all users")
        if rows and not self.list.currentIndex().isValid():
            self.list.selectRow(0)

    def _on_failed(self, sentence: str) -> None:
        self.banner.show_text(sentence, "Retry")

    def _on_activated(self, _row: int) -> None:
        self.actions_set.trigger("users.role")

    # -- the current user

    def current(self) -> Mapping[str, Any]:
        """Values of the current user, empty when there is none."""
        index = self.list.currentIndex()
        return self.model.values_at(index.row()) if index.isValid() else {}

    def _on_current(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self._show_current()

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
            "add-user", "Add user", partial(_new_form, given), _new_intent, done=partial(self._added, "")
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
            partial(_role_form, values["role"]),
            partial(_role_intent, values["id"]),
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
            partial(_reset_form, one_time_password()),
            partial(_reset_intent, values["id"]),
            done=partial(self._added, values["name"]),
        )
        self._remember()


def _new_form(password: str) -> Form:
    form = Form("Add user")
    form.add_text("name", "Name")
    form.add_choice("role", "Role", _ROLES).set_value(Role.OPERATOR.value)
    form.add_text("password", "One-time password").set_value(password)
    form.field("password").setToolTip("For the first login; the person then chooses a password of their own.")
    return form


def _new_intent(form: Form) -> Intent[Any]:
    values = form.values()
    return add_user(
        name=str(values["name"]), role=Role(str(values["role"])), password=str(values["password"])
    )


def _role_form(role: Role) -> Form:
    form = Form("Change role")
    form.add_choice("role", "Role", _ROLES).set_value(role.value)
    return form


def _role_intent(user_id: UUID, form: Form) -> Intent[Any]:
    return set_role(user_id=user_id, role=Role(str(form.values()["role"])))


def _reset_form(password: str) -> Form:
    form = Form("Reset password")
    form.add_text("password", "One-time password").set_value(password)
    return form


def _reset_intent(user_id: UUID, form: Form) -> Intent[Any]:
    return reset_password(user_id=user_id, password=str(form.values()["password"]))


class OneTimeCard(QWidget):
    """The password of one login, shown this once."""

    closed = Signal()

    def __init__(self, name: str, password: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("oneTimeCard")
        self._password = password
        words = RoleLabel(
            f"Give this password to {name}. It is shown this once; at the next login {name} chooses another one."
        )
        words.setWordWrap(True)
        words.setMinimumWidth(380)
        self.shown = RoleLabel(password, "title")
        self.shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy, close = ActionButton("Copy"), ActionButton("Close", primary=True)
        copy.clicked.connect(self._copy)
        close.clicked.connect(self.closed)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(12)
        for widget in (words, self.shown):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._password)


class RoleSummary(QWidget):
    """What the chosen person can do and cannot do, in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(340)
        self.name = RoleLabel("", "section")
        self.role = RoleLabel("", "body", "text2")
        self.can, self.cannot = RoleLabel(), RoleLabel("", "body", "text2")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        for label in (self.name, self.role, self.can, self.cannot):
            layout.addWidget(label)

    def show_user(self, values: Mapping[str, Any]) -> None:
        if not values:
            self.name.setText("")
            self.role.setText("Choose a user to see what they may do.")
            self.can.setText("")
            self.cannot.setText("")
            return
        role: Role = values["role"]
        self.name.setText(values["name"])
        self.role.setText(f"{role.value.capitalize()} · {_state(values)}")
        may = [p.value for p, roles in PERMISSIONS.items() if role in roles]
        not_ = [p.value for p, roles in PERMISSIONS.items() if role not in roles]
        self.can.setText("May\n" + "\n".join(f"✔ {words}" for words in may))
        self.cannot.setText("May not\n" + "\n".join(f"– {words}" for words in not_) if not_ else "")


class PermissionModel(QAbstractTableModel):
    """Rows are permissions, columns are roles."""

    permissions = tuple(Permission)
    roles = tuple(Role)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.permissions)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.roles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation is Qt.Orientation.Horizontal:
            return self.roles[section].value.capitalize()
        words = self.permissions[section].value
        return words[0].upper() + words[1:]

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        permission, who = self.permissions[index.row()], self.roles[index.column()]
        allowed = who in PERMISSIONS[permission]
        if role == Qt.ItemDataRole.DisplayRole:
            return "✔" if allowed else "–"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"{who.value} {'may' if allowed else 'may not'} {permission.value}"
        return None


class PermissionMatrix(QTableView):
    """The whole permission table; the role of the chosen user is marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("permissionMatrix")
        self.setAccessibleName("Who may do what")
        self.setModel(PermissionModel(self))
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectColumns)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.horizontalHeader().setDefaultSectionSize(104)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultAlignment(LEFT)
        self.verticalHeader().setHighlightSections(False)
        self.verticalHeader().setFixedWidth(300)
        current_theme().changed.connect(self._restyle)
        self._restyle()

    def mark(self, role: Role | None) -> None:
        """Mark the column of a role."""
        if role is None:
            self.clearSelection()
        else:
            self.selectColumn(PermissionModel.roles.index(role))

    def _restyle(self) -> None:
        self.verticalHeader().setDefaultSectionSize(current_theme().density.row_height)
