"""One window: it puts the strips, the navigation and the screens together and leads from one to another."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.domain.people import Actor, denial
from ui.actions import PLACES, ActionSet
from ui.bridge.annunciator import Annunciator
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.login import LoginScreen
from ui.widgets.palette import CommandPalette
from ui.widgets.pane import Pane
from ui.widgets.status_strip import StatusStrip
from ui.window.bottom_line import BottomLine
from ui.window.commands import WindowCommands
from ui.window.departure import Departure
from ui.window.farewell import FarewellPage
from ui.window.hidden_cards import HiddenCards
from ui.window.history import Trail, Visit
from ui.window.jobs import JobsArea
from ui.window.layout_memory import LayoutMemory
from ui.window.navigation import Navigation, digit_of
from ui.window.palette_items import PaletteWiring, screen_actions
from ui.window.places import TITLES, PaneStack
from ui.window.sessions import Sessions
from ui.window.sharing_banner import SharingBanner
from ui.window.status import StatusFeed
from ui.window.top_strip import TopStrip
from ui.window.undoing import Footer, UndoHistory

FIRST_SIZE = (1366, 768)
_CROWDED = 1100  # px; narrower windows need the room that the words of the navigation take
_SEGMENT_PLACES = {"collector": "system", "store": "system", "queue": "sharing", "age": "equipment"}


class MainWindow(QMainWindow):
    """The shell. `closed` comes when it goes; `window_requested` asks for a second one at the same desk;
    `screen_failed` carries the exception of a screen that could not be made.
    """

    closed = Signal(object)
    window_requested = Signal()
    screen_failed = Signal(object)

    def __init__(
        self,
        desk: Desk,
        live: LiveDesk,
        sessions: Sessions,
        undo_history: UndoHistory,
        memory: LayoutMemory,
        sound: Annunciator,
    ) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Lineside")
        self.setAcceptDrops(True)
        self.resize(*FIRST_SIZE)
        self.setMinimumSize(900, 560)
        self.desk, self.sessions, self.undo_history, self.sound = desk, sessions, undo_history, sound
        self._memory = memory
        self._trail = Trail()
        self._actor: Actor | None = None
        self._role = ""
        self._restored = False
        self.top = TopStrip(desk, live, sound)
        self.navigation = Navigation(desk)
        self.panes = PaneStack(desk, live)
        self.sharing = SharingBanner(desk)
        self.footer = Footer(desk, undo_history)
        self.jobs = JobsArea()
        self.status = StatusStrip()
        self.bottom = BottomLine(self.footer, [self.jobs, self.sharing], self.status)
        self.login = LoginScreen(clock=desk.house.door.clock)
        self.farewell = FarewellPage()
        self.departure = Departure(self.farewell, desk, self)
        self._work = self._lay_out_work()
        self._curtain = QStackedWidget()
        self._lay_out()
        self._cards = HiddenCards(self)
        self.actions_set = ActionSet(self, desk, WindowCommands(self).handlers())
        self.top.fill_menu(self.actions_set)
        self.palette_popup = CommandPalette(self)
        self.palette_wiring = PaletteWiring(
            self.palette_popup, desk, self.navigation, self.actions_set, self.panes.current
        )
        StatusFeed(self.status, desk, live)
        sessions.bind(self.login)
        self._connect()
        self._add_going_keys()

    def begin(self) -> None:
        """Open the first place; whoever wants to hear what happens there listens before."""
        self._on_actor(self.desk.actor)

    # -- building

    def _lay_out_work(self) -> QWidget:
        work = QWidget()
        columns = QHBoxLayout(work)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(0)
        columns.addWidget(self.navigation)
        columns.addWidget(self.panes, 1)
        return work

    def _lay_out(self) -> None:
        # While nobody is logged in, the work is behind the login card; the alarm strip above stays.
        self._curtain.addWidget(self._work)
        self._curtain.addWidget(self.login)
        self._curtain.addWidget(self.farewell)
        central = QWidget()
        rows = QVBoxLayout(central)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.top)
        rows.addWidget(self._curtain, 1)
        rows.addWidget(self.bottom)
        self.setCentralWidget(central)

    def _connect(self) -> None:
        self.top.action_requested.connect(self.actions_set.trigger)
        self.top.place_requested.connect(self.open_place)
        self.top.navigation_toggled.connect(self.navigation.toggle)
        self.sharing.place_requested.connect(self.open_place)
        self.navigation.chosen.connect(self.open_place)
        self.panes.made.connect(self._on_pane_made)
        self.panes.failed.connect(self.screen_failed)
        self.panes.retry_requested.connect(self.open_place)
        self.palette_wiring.place_chosen.connect(self.open_place)
        self.palette_popup.closed.connect(self._focus_pane)
        self.status.segment_clicked.connect(self._on_segment)
        self.jobs.cancel_requested.connect(self._cancel_job)
        self.desk.actor_changed.connect(self._on_actor)
        for pressed in (
            self.footer.undo_bar.undo_requested,
            self.footer.line.action_requested,
            self.sharing.button.clicked,
            self.jobs.cancel_requested,
        ):
            pressed.connect(self._back_to_work)
        self.departure.held.connect(self._say_farewell)
        self.departure.stayed.connect(self._go_on)
        self.departure.leave.connect(self.close)

    def _add_going_keys(self) -> None:
        for place in PLACES:
            keys = [f"G,{place.letter}"] + ([f"Alt+{digit_of(place)}"] if digit_of(place) else [])
            for key in keys:
                # Parented to the work area: a key must not lead past the login card.
                shortcut = QShortcut(QKeySequence(key), self._work)
                shortcut.activated.connect(partial(self.open_place, place.key))

    # -- places

    def open_place(self, place: str, argument: object = None) -> Pane | None:
        """Bring a place to the front and hand it `argument`; says why when this person may not go there."""
        if self.desk.actor is None:
            return None
        needed = next(p.permission for p in PLACES if p.key == place)
        reason = denial(self.desk.actor.role, needed) if needed is not None else None
        if reason is not None:
            self.desk.refused.emit(reason)
            return None
        return self._show(Visit(place, argument))

    def _show(self, visit: Visit) -> Pane:
        self.departure.stay()
        self._trail.visit(visit)
        pane = self.panes.show_place(visit.place)
        self.navigation.show_current(visit.place)
        self.setWindowTitle(f"{TITLES[visit.place]} – Lineside")
        if visit.argument is not None:
            pane.open_with(visit.argument)
        self._focus_pane(anew=True)
        return pane

    def go_back(self) -> None:
        """To where this window was before."""
        visit = self._trail.back()
        if visit is not None and self.navigation.allowed(visit.place):
            self._show(visit)

    def _on_pane_made(self, pane: Pane) -> None:
        pane.open_requested.connect(self.open_place)
        pane.job_changed.connect(self.jobs.show_job)
        pane.action_wanted.connect(self.actions_set.trigger)
        own = screen_actions(pane)
        for key in set(own.keys()).intersection(self.actions_set.keys()) if own is not None else ():
            # One key, one meaning: two actions with the same key in sight of each other do nothing at all.
            assert own is not None
            own.action(key).setShortcut(QKeySequence())
        pane.order_stops(self.navigation.last_stop)
        pane.refresh()

    def _cancel_job(self, key: str) -> None:
        for place in TITLES:
            pane = self.panes.pane(place)
            if pane is not None:
                pane.cancel_job(key)

    def _focus_pane(self, *, anew: bool = False) -> None:
        """Keys go to the main content of the screen: in a filter field they would be taken as text."""
        pane = self.panes.current()
        if pane is None or self.desk.actor is None or (not anew and pane.isAncestorOf(self.focusWidget())):
            return
        views = (view for view in pane.findChildren(QAbstractScrollArea) if view.isVisibleTo(pane))
        main = pane.focusProxy() or next(
            (view for view in views if view.focusPolicy() & Qt.FocusPolicy.TabFocus), None
        )
        (main or pane).setFocus(Qt.FocusReason.OtherFocusReason)

    def _back_to_work(self, _what: object = None) -> None:
        """A button of the bottom line was pressed by key; it may go, and the keys with it."""
        if self.bottom.isAncestorOf(self.focusWidget()):
            self._focus_pane(anew=True)

    def _on_segment(self, key: str) -> None:
        self.open_place(_SEGMENT_PLACES.get(key, "system"))

    # -- people

    def _on_actor(self, actor: Actor | None) -> None:
        self.top.set_locked(actor is None)
        self.bottom.set_locked(actor is None)
        if actor is None:
            self.palette_popup.close_palette()
            self._cards.hide_all(self._actor.user_id if self._actor else None)
            self._curtain.setCurrentWidget(self.login)
            return
        self._curtain.setCurrentWidget(self._work)
        self._actor = actor
        if not self._restored:
            self._restored = True
            self._restore(actor.role.value)
        visit = self._trail.now
        if visit is None or not self.navigation.allowed(visit.place):
            self._show(Visit("dashboard"))
        self._cards.show_for(actor.user_id)
        self._focus_pane()

    # -- the frame

    def _restore(self, role: str) -> None:
        self._role = role
        narrow, place = self._memory.restore(self, role)
        self.navigation.set_narrow(narrow)
        if place in TITLES and self.navigation.allowed(place):
            self._show(Visit(place))

    def reset_layout(self) -> None:
        """Back to the size and columns of the first start."""
        self._memory.forget(self._role)
        self.showNormal()
        self.resize(*FIRST_SIZE)
        self.navigation.set_narrow(False)
        self.footer.say(
            "The layout is as at the first start; lists take their columns when they are opened again."
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        crowded = self.width() < _CROWDED
        if crowded != (event.oldSize().width() < _CROWDED and event.oldSize().isValid()):
            self.navigation.set_crowded(crowded)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._focus_pane()

    def _say_farewell(self) -> None:
        self.palette_popup.close_palette()
        self._curtain.setCurrentWidget(self.farewell)
        self.farewell.setFocus(Qt.FocusReason.OtherFocusReason)

    def _go_on(self) -> None:
        self._curtain.setCurrentWidget(self.login if self.desk.actor is None else self._work)
        self._focus_pane(anew=True)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.departure.may_close():
            event.ignore()
            return
        visit = self._trail.now
        self._memory.save(
            self, self._role, narrow=self.navigation.narrow, place=visit.place if visit else "dashboard"
        )
        self.closed.emit(self)
        super().closeEvent(event)

    # -- files dropped anywhere

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.desk.actor is not None and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.open_place("import", files[0])
            if len(files) > 1:
                self.footer.say(f"One file at a time: {files[0].name} was taken.")
