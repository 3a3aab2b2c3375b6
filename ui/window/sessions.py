"""People coming and going at one desk: first administrator, log-in, forced password change, lock, switch."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from sqlalchemy.orm import Session

from app.domain.errors import LinesideError, Refused
from app.domain.people import THE_PLANT, Actor, check_password, check_user_name
from app.operations.change import Outcome
from app.operations.login import Login
from app.operations.people import change_own_password, create_first_admin
from app.store.queries.accounts import locked_until
from ui.bridge.desk import Desk
from ui.screens.login import LoginScreen

if TYPE_CHECKING:
    from app.sync.join import Joined


_RENEW_MS = 6 * 3600 * 1000


class Sessions(QObject):
    """Checks passwords on a worker thread and puts the person at the desk.

    `entered` comes when somebody may work; `left` when the desk is locked, with the name to ask for
    (empty: anybody). All bound login screens show the same question. `joined` names the station that this folder
    has just become.
    """

    entered = Signal(object)
    left = Signal(str)
    joined = Signal(str)
    _join_moved = Signal(str, int, int)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._screens: list[LoginScreen] = []
        self._waiting: Login | None = None
        self._last: Actor | None = None
        self._join_stopped = Event()
        self._join_moved.connect(self._show_join_progress)
        self._renewing = QTimer(self, interval=_RENEW_MS)
        self._renewing.timeout.connect(self._renew)

    def bind(self, screen: LoginScreen) -> None:
        """Let this screen ask and show the answers."""
        self._screens.append(screen)
        screen.login_requested.connect(self.log_in)
        screen.admin_requested.connect(self.create_admin)
        screen.password_requested.connect(self.change_password)
        screen.join_requested.connect(self.join)
        screen.join_stopped.connect(self.stop_joining)
        screen.destroyed.connect(partial(self._forget, screen))

    def _forget(self, screen: LoginScreen, _object: object = None) -> None:
        if screen in self._screens:
            self._screens.remove(screen)

    @property
    def locked(self) -> bool:
        """Whether nobody is at the desk."""
        return self._desk.actor is None

    @property
    def last(self) -> Actor | None:
        """Who worked here last."""
        return self._last

    def log_in(self, name: str, password: str) -> None:
        self._desk.tasks.run(
            partial(self._desk.house.log_in, name, password),
            self._take_login,
            owner=self,
            key="login",
            failed=partial(self._login_failed, name),
        )

    def join(self, line: str) -> None:
        """Share the server of a pasted line: all its data comes here first."""
        self._join_stopped.clear()
        self._desk.tasks.run(
            partial(self._desk.house.join, line, self._join_moved.emit, self._join_stopped.is_set),
            self._take_joined,
            owner=self,
            key="join",
            failed=self._refuse,
        )

    def stop_joining(self) -> None:
        """Nobody wants to wait any more; the folder stays as it was."""
        self._join_stopped.set()

    def _show_join_progress(self, what: str, done: int, total: int) -> None:
        for screen in self._screens:
            screen.show_join_progress(what, done, total)

    def _take_joined(self, report: Joined) -> None:
        for screen in self._screens:
            screen.show_login("", f"{report.sentence} Log in with your name and password.")
        self.joined.emit(report.station)

    def create_admin(self, name: str, password: str) -> None:
        """Make the first account and log in with it."""
        try:
            check_password(password, check_user_name(name))
        except Refused as refused:
            self._refuse(refused)
            return
        future = self._desk.house.door.submit(create_first_admin(name=name, password=password), THE_PLANT)
        self._desk.tasks.follow(
            future, partial(self._admin_made, name, password), owner=self, failed=self._refuse
        )

    def _admin_made(self, name: str, password: str, _outcome: object) -> None:
        self.log_in(name, password)

    def change_password(self, old: str, new: str) -> None:
        """The person who waits at the login screen chooses a password of their own."""
        waiting = self._waiting
        if waiting is None:
            return
        intent = change_own_password(old_password=old, new_password=new)
        future = self._desk.house.door.submit(intent, waiting.actor)
        self._desk.tasks.follow(
            future, partial(self._password_changed, waiting), owner=self, failed=self._refuse
        )

    def _password_changed(self, login: Login, _outcome: Outcome[None]) -> None:
        self.enter(login.actor)

    def _take_login(self, login: Login) -> None:
        if login.must_change_password:
            self._waiting = login
            for screen in self._screens:
                screen.show_password_change(login.actor.name)
            return
        self.enter(login.actor)

    def enter(self, actor: Actor) -> None:
        """This person is at the desk from now on; who they are was proven before."""
        self._waiting = None
        self._last = actor
        self._desk.set_actor(actor)
        self._renewing.start()
        self.entered.emit(actor)

    def _renew(self) -> None:
        """What somebody signs counts for some weeks after a login, or after this."""
        actor = self._desk.actor
        if actor is not None:
            renew = partial(self._desk.house.renew_login, actor)
            self._desk.tasks.run(renew, _noted, owner=self, key="renew", failed=self._not_renewed)

    def _not_renewed(self, error: BaseException) -> None:
        if isinstance(error, LinesideError):
            self._desk.refused.emit(error.sentence)
        else:
            self._desk.tasks.unhandled.emit(error)

    def lock(self, *, idle: bool = False) -> None:
        """Close the session and ask for the same person's password."""
        self._leave(idle=idle, name=self._desk.actor.name if self._desk.actor else "")

    def switch_user(self) -> None:
        """Close the session and ask who is next."""
        self._leave(idle=False, name="")

    def send_away(self, sentence: str) -> None:
        """Close the session of somebody who may not work here any more, and say why."""
        self._leave(idle=False, name="", lead=sentence)

    def _leave(self, *, idle: bool, name: str, lead: str = "") -> None:
        actor = self._desk.actor
        if actor is None:
            return
        self._desk.set_actor(None)
        self._renewing.stop()
        future = self._desk.house.log_out(actor, idle=idle)
        self._desk.tasks.follow(future, _noted, owner=self, failed=self._not_noted)
        usual = f"Locked. {name} was working here." if name else "Who is next? What is open stays open."
        for screen in self._screens:
            screen.show_login(name, lead or usual)
        self.left.emit(name)

    def _not_noted(self, error: BaseException) -> None:
        """The trail could not be written; the desk is locked all the same."""
        if isinstance(error, LinesideError):
            self._desk.fault.emit("store", error.sentence)
        else:
            self._desk.tasks.unhandled.emit(error)

    def _login_failed(self, name: str, error: BaseException) -> None:
        self._refuse(error)
        if isinstance(error, Refused):

            def until(session: Session) -> datetime | None:
                return locked_until(session, name)

            self._desk.read(until, self._take_lock, owner=self, key="lock")

    def _take_lock(self, until: datetime | None) -> None:
        if until is not None and until > self._desk.house.door.clock():
            for screen in self._screens:
                screen.lock_until(until)

    def _refuse(self, error: BaseException) -> None:
        field = error.field if isinstance(error, Refused) else None
        expected = isinstance(error, LinesideError)
        sentence = (
            error.sentence if isinstance(error, LinesideError) else "This did not work; see the report."
        )
        for screen in self._screens:
            screen.refuse(field, sentence)
        if not expected:
            self._desk.tasks.unhandled.emit(error)


def _noted(_outcome: object) -> None:
    """The audit trail has it; nothing else to do."""
