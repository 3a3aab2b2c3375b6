"""Puts the demo's supervisor at the desk without asking for a password, and may close the window after a while."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.operations.login import Login

if TYPE_CHECKING:
    from ui.window.desktop import Desktop


class DemoVisit(QObject):
    """Logs `name` in when the data is open; ends the program after `seconds` if given."""

    def __init__(self, name: str, password: str, seconds: float | None = None) -> None:
        super().__init__()
        self._name = name
        self._password = password
        self._seconds = seconds
        self._desktop: Desktop | None = None

    def begin(self, desktop: Desktop) -> None:
        """The data of `desktop` is open: come in."""
        self._desktop = desktop
        check = partial(desktop.inside.desk.house.log_in, self._name, self._password)
        desktop.tasks.run(check, self._enter, owner=self)
        if self._seconds is not None:
            QTimer.singleShot(round(self._seconds * 1000), desktop.quit)

    def _enter(self, login: Login) -> None:
        assert self._desktop is not None
        self._desktop.enter(login.actor)
