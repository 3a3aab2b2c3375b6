"""Who are you: opening the data, the first administrator, logging in, a password that must be changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.screens.login.card import BESIDE, CARD_WIDTH, RULE, Card, Pages, rating, words
from ui.screens.login.join_page import JoinPage
from ui.widgets.buttons import ActionButton
from ui.widgets.form import Form
from ui.widgets.states import LoadingBar
from ui.widgets.themed import RoleLabel, ThemedWidget


def utc_now() -> datetime:
    return datetime.now(UTC)


class LoginScreen(ThemedWidget):
    """Asks and shows answers; whoever owns it opens the data and checks passwords.

    `painted` comes once, after the first frame; slow work may begin then. `join_requested` carries a pasted line,
    `join_stopped` means that nobody wants to wait for it any more.
    """

    join_requested = Signal(str)
    join_stopped = Signal()
    admin_requested = Signal(str, str)
    login_requested = Signal(str, str)
    password_requested = Signal(str, str)
    retry_requested = Signal()
    folder_requested = Signal()
    quit_requested = Signal()
    painted = Signal()

    def __init__(self, parent: QWidget | None = None, *, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(parent)
        self.setObjectName("loginScreen")
        self._clock = clock
        self._first_frame = True
        self._after_frame = QTimer(self, singleShot=True, interval=0)
        self._after_frame.timeout.connect(self.painted)
        self._locked_until: datetime | None = None
        self._title = RoleLabel("Lineside", "title")
        self._lead = words()
        self._pages = Pages()
        self._opening = self._make_opening()
        self._fault = self._make_fault()
        self._admin, self._admin_rule = self._make_admin()
        self._login = self._make_login()
        self._change, self._change_rule = self._make_change()
        self._join = self._make_join()
        self._tick = QTimer(self, interval=500)
        self._tick.timeout.connect(self._count_down)
        self._caps = words("Caps Lock seems to be on.")
        self._caps.hide()
        self._lay_out()
        for form in (self._admin, self._login, self._change):
            for key in form.values():
                form.field(key).installEventFilter(self)
        self.show_opening()

    # -- building

    def _lay_out(self) -> None:
        self._card = Card()
        self._card.setFixedWidth(CARD_WIDTH)
        self._card.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Maximum)
        inside = QVBoxLayout(self._card)
        inside.setContentsMargins(BESIDE, 20, BESIDE, 12)
        inside.setSpacing(8)
        for label in (self._title, self._lead):
            label.setContentsMargins(16, 0, 16, 0)
            inside.addWidget(label)
        inside.addLayout(self._pages)
        self._caps.setContentsMargins(16, 0, 16, 8)
        inside.addWidget(self._caps)
        outside = QVBoxLayout(self)
        outside.addStretch(2)
        outside.addWidget(self._card, 0, Qt.AlignmentFlag.AlignHCenter)
        outside.addStretch(3)

    def _add_page(self, page: QWidget) -> None:
        self._pages.addWidget(page)
        page.installEventFilter(self)

    def _make_opening(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 8, 16, 8)
        self._loading = LoadingBar()
        layout.addWidget(self._loading)
        layout.addStretch(1)
        self._add_page(page)
        return page

    def _make_fault(self) -> QWidget:
        page = QWidget()
        self._fault_words = words("", "text")
        self._fault_words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        retry = ActionButton("Retry", primary=True)
        folder = ActionButton("Choose another folder…")
        leave = ActionButton("Quit")
        retry.clicked.connect(self.retry_requested)
        folder.clicked.connect(self.folder_requested)
        leave.clicked.connect(self.quit_requested)
        self.retry_button, self.folder_button, self.quit_button = retry, folder, leave
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(leave)
        buttons.addStretch(1)
        buttons.addWidget(folder)
        buttons.addWidget(retry)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.setSpacing(16)
        layout.addWidget(self._fault_words)
        layout.addStretch(1)
        layout.addLayout(buttons)
        self._add_page(page)
        return page

    def _make_admin(self) -> tuple[Form, RoleLabel]:
        form = Form("Create and log in", "")
        form.setObjectName("firstAdminForm")
        form.add_text("name", "Your name")
        form.add_text("password", "Password", secret=True)
        form.add_text("again", "The same again", secret=True)
        form.submitted.connect(self._submit_admin)
        self.join_button = ActionButton("Join a server…")
        self.join_button.setObjectName("joinServer")
        self.join_button.clicked.connect(self.show_join)
        return form, self._with_rule(form, self.join_button)

    def _make_login(self) -> Form:
        form = Form("Log in", "")
        form.setObjectName("loginForm")
        form.add_text("name", "Name")
        form.add_text("password", "Password", secret=True)
        form.submitted.connect(self._submit_login)
        self._add_page(form)
        return form

    def _make_change(self) -> tuple[Form, RoleLabel]:
        form = Form("Change and go on", "")
        form.setObjectName("changePasswordForm")
        form.add_text("old_password", "Present password", secret=True)
        form.add_text("password", "New password", secret=True)
        form.add_text("again", "The same again", secret=True)
        form.submitted.connect(self._submit_change)
        return form, self._with_rule(form)

    def _make_join(self) -> JoinPage:
        page = JoinPage()
        page.join_requested.connect(self.join_requested)
        page.stop_requested.connect(self.join_stopped)
        page.back_requested.connect(self.show_first_admin)
        self._add_page(page)
        return page

    def _with_rule(self, form: Form, other_way: ActionButton | None = None) -> RoleLabel:
        """A page of the form and below it what a password must be, how far the typed one is, and another way in."""
        page = QWidget()
        rule, state = words(RULE), words("", "text")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 8)
        layout.setSpacing(4)
        for label in (rule, state):
            label.setContentsMargins(16, 0, 16, 0)
        layout.addWidget(rule)
        layout.addWidget(form)
        layout.addWidget(state)
        if other_way is not None:
            beside = QHBoxLayout()
            beside.setContentsMargins(16, 0, 16, 8)
            beside.addWidget(other_way)
            beside.addStretch(1)
            layout.addLayout(beside)
        form.changed.connect(self._rate)
        self._add_page(page)
        return state

    # -- what is on show

    def show_opening(self) -> None:
        self._show(self._opening, "Opening the data…")
        self._loading.start()

    def show_fault(self, sentence: str) -> None:
        """Why the data cannot be opened, in one sentence."""
        self._loading.finish()
        self._fault_words.setText(sentence)
        self._show(self._fault, "The data could not be opened.")
        self.retry_button.setFocus()

    def show_first_admin(self) -> None:
        """The store has no users yet."""
        self._show(
            self._admin, "Nobody has an account here yet. Make the first one; it becomes the administrator."
        )
        self._rate()
        self._admin.focus_first()

    def show_join(self) -> None:
        """Others work already: fetch their data instead of beginning with none."""
        self._show(self._join, "Join a server that others share.")
        self._join.clear()

    def show_join_progress(self, what: str, done: int, total: int) -> None:
        """How far the joining is; `total` 0 when nobody knows."""
        self._join.show_progress(what, done, total)

    def show_login(self, name: str = "", lead: str = "Log in to go on.") -> None:
        """Ask for name and password; with `name` the cursor stands in the password."""
        self._login.set_values({"name": name, "password": ""})
        self._login.clear_errors()
        self._lift_lock()
        self._show(self._login, lead)
        self._login.field("password" if name else "name").setFocus()

    def show_password_change(self, name: str) -> None:
        self._change.set_values(dict.fromkeys(("old_password", "password", "again"), ""))
        self._change.clear_errors()
        self._change_name = name
        self._show(self._change, f"{name}, choose a password of your own before you go on.")
        self._rate()
        self._change.focus_first()

    def _show(self, page: QWidget, lead: str) -> None:
        self._loading.finish()
        self._lead.setText(lead)
        holder = self._holder(page)
        for i in range(self._pages.count()):
            other = self._pages.widget(i)
            if other is not None:
                # A hidden page must not reserve the height of the largest one.
                shown = other is holder
                vertical = QSizePolicy.Policy.Preferred if shown else QSizePolicy.Policy.Ignored
                other.setSizePolicy(QSizePolicy.Policy.Preferred, vertical)
                other.setMinimumHeight(0)
        self._pages.setCurrentWidget(holder)
        self._caps.hide()
        self.set_busy(False)
        self._fit()

    def _fit(self) -> None:
        """Give the page on show the height of its words, which change with every sentence beside a field."""
        page = self._pages.currentWidget()
        if page is not None:
            page.setMinimumHeight(self._pages.needed_height())
            self._card.adjustSize()

    def _holder(self, page: QWidget) -> QWidget:
        """The page of the stack that shows `page`: itself or the one around it."""
        around = page.parentWidget()
        return page if self._pages.indexOf(page) >= 0 or around is None else around

    @property
    def form(self) -> Form | None:
        """The form on show, if any."""
        for form in (self._admin, self._login, self._change, self._join.form):
            if self._pages.currentWidget() is self._holder(form):
                return form
        return None

    def sentence(self) -> str:
        """What stands below the title."""
        return self._fault_words.text() if self._pages.currentWidget() is self._fault else self._lead.text()

    def set_busy(self, busy: bool) -> None:
        """While an answer is on its way nothing can be sent twice."""
        for form in (self._admin, self._login, self._change):
            form.submit_button.setEnabled(not busy and self._locked_until is None)
        if not busy:
            self._join.set_busy(False)

    def refuse(self, field: str | None, sentence: str) -> None:
        """Show why it was refused, beside the field when the form has it."""
        self.set_busy(False)
        form = self.form
        if form is not None:
            form.set_error(field if field in form.values() else None, sentence)

    # -- lock-out

    def lock_until(self, until: datetime) -> None:
        """Count down while this name is locked; nothing can be sent meanwhile."""
        self._locked_until = until
        self._login.submit_button.setEnabled(False)
        self._tick.start()
        self._count_down()

    def _count_down(self) -> None:
        if self._locked_until is None:
            return
        seconds = -(-(self._locked_until - self._clock()).total_seconds() // 1)
        if seconds <= 0:
            self._lift_lock()
            self._login.set_error("password", None)
            return
        wait = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
        self._login.set_error(
            "password", f"Too many wrong passwords: wait {wait}, or ask an administrator to reset it."
        )

    def _lift_lock(self) -> None:
        self._locked_until = None
        self._tick.stop()
        self._login.submit_button.setEnabled(True)

    # -- sending

    def _submit_admin(self) -> None:
        values = {key: str(value) for key, value in self._admin.values().items()}
        if values["password"] != values["again"]:
            self._admin.set_error("again", "The two passwords differ.")
            return
        self.set_busy(True)
        self.admin_requested.emit(values["name"], values["password"])

    def _submit_login(self) -> None:
        values = {key: str(value) for key, value in self._login.values().items()}
        if not values["name"]:
            self._login.set_error("name", "Enter your name.")
            return
        self.set_busy(True)
        self.login_requested.emit(values["name"], values["password"])

    def _submit_change(self) -> None:
        values = {key: str(value) for key, value in self._change.values().items()}
        if values["password"] != values["again"]:
            self._change.set_error("again", "The two new passwords differ.")
            return
        self.set_busy(True)
        self.password_requested.emit(values["old_password"], values["password"])

    def _rate(self) -> None:
        """Say how the typed password stands against the rule."""
        name = str(self._admin.values()["name"])
        self._admin_rule.setText(rating(str(self._admin.values()["password"]), name))
        changing = str(self._change.values()["password"])
        self._change_rule.setText(rating(changing, getattr(self, "_change_name", "")))

    # -- Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            text, shift = event.text(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if text.isalpha() and text.upper() != text.lower():
                self._caps.setVisible(text.isupper() and not shift)
        elif event.type() == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_CapsLock:
                self._caps.hide()
            if watched is self._login.field("name") and self._locked_until is not None:
                # The lock belongs to a name; another one may try.
                self._lift_lock()
                self._login.clear_errors()
                self._login.field("name").setFocus()
        elif event.type() == QEvent.Type.LayoutRequest and watched is self._pages.currentWidget():
            self._fit()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.canvas)
        finally:
            painter.end()
        if self._first_frame:
            self._first_frame = False
            self._after_frame.start()

    def sizeHint(self) -> QSize:
        return QSize(720, 560)
