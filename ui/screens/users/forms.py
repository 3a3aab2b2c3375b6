"""The forms of an account: a new one, another role, a new password."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.people import Role
from app.operations.change import Intent
from app.operations.people import add_user, reset_password, set_role
from ui.widgets.form import Form

_ROLES = [(role.value, role.value.capitalize()) for role in Role]


def new_form(password: str) -> Form:
    """A new account with the password that is made up for it."""
    form = Form("Add user")
    form.add_text("name", "Name")
    form.add_choice("role", "Role", _ROLES).set_value(Role.OPERATOR.value)
    form.add_text("password", "One-time password").set_value(password)
    form.field("password").setToolTip("For the first login; the person then chooses a password of their own.")
    return form


def new_intent(form: Form) -> Intent[Any]:
    """The operation that a filled-in new account means."""
    values = form.values()
    return add_user(
        name=str(values["name"]), role=Role(str(values["role"])), password=str(values["password"])
    )


def role_form(role: Role) -> Form:
    """Asks for another role."""
    form = Form("Change role")
    form.add_choice("role", "Role", _ROLES).set_value(role.value)
    return form


def role_intent(user_id: UUID, form: Form) -> Intent[Any]:
    """The operation that a chosen role means."""
    return set_role(user_id=user_id, role=Role(str(form.values()["role"])))


def reset_form(password: str) -> Form:
    """Offers the password that is made up for the next login."""
    form = Form("Reset password")
    form.add_text("password", "One-time password").set_value(password)
    return form


def reset_intent(user_id: UUID, form: Form) -> Intent[Any]:
    """The operation that a new password means."""
    return reset_password(user_id=user_id, password=str(form.values()["password"]))
