"""A person changes their own password while they work."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.domain.errors import Refused
from app.operations.change import Outcome
from app.operations.people import change_own_password
from ui.bridge.desk import Desk
from ui.screens.login import RULE
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form


class PasswordCard(DialogCard):
    """Old password, new one twice; closes when it is done."""

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        self._form = Form("Change password")
        self._form.add_text("old_password", "Present password", secret=True)
        self._form.add_text("password", "New password", secret=True).setToolTip(RULE)
        self._form.add_text("again", "The same again", secret=True)
        super().__init__("Change my password", self._form, parent)
        self.setObjectName("passwordCard")
        self._desk = desk
        self._form.submitted.connect(self._send)
        self._form.cancelled.connect(self.close)
        self._form.focus_first()

    @property
    def form(self) -> Form:
        return self._form

    def _send(self) -> None:
        values = {key: str(value) for key, value in self._form.values().items()}
        if values["password"] != values["again"]:
            self._form.set_error("again", "The two new passwords differ.")
            return
        intent = change_own_password(old_password=values["old_password"], new_password=values["password"])
        self._form.submit_button.setEnabled(False)
        self._desk.perform(intent, owner=self, done=self._done, failed=self._refused)

    def _done(self, _outcome: Outcome[None]) -> None:
        self.close()

    def _refused(self, refused: Refused) -> None:
        self._form.submit_button.setEnabled(True)
        self._form.set_error(refused.field, refused.sentence)
