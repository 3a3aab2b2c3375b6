"""What the chosen person can do and cannot do, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.domain.people import PERMISSIONS, Role
from ui.widgets.themed import RoleLabel


def state_of(values: Mapping[str, Any]) -> str:
    """How an account is, for its row and beside it."""
    if values["disabled"]:
        return "■ disabled"
    return "○ new password due" if values["must_change_password"] else "▶ active"


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
        self.role.setText(f"{role.value.capitalize()} · {state_of(values)}")
        may = [p.value for p, roles in PERMISSIONS.items() if role in roles]
        not_ = [p.value for p, roles in PERMISSIONS.items() if role not in roles]
        self.can.setText("May\n" + "\n".join(f"✔ {words}" for words in may))
        self.cannot.setText("May not\n" + "\n".join(f"– {words}" for words in not_) if not_ else "")
