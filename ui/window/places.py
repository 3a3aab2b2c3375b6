"""Makes each screen when it is first opened; one that fails shows what failed and can be tried again."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.domain.errors import LinesideError
from ui.actions import PLACES
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.widgets.pane import Pane
from ui.widgets.states import ErrorState


def _dashboard(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.dashboard import DashboardScreen

    return DashboardScreen(desk, live)


def _orders(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.orders import OrdersScreen

    return OrdersScreen(desk)


def _board(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.board import BoardScreen

    return BoardScreen(desk)


def _equipment(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.equipment import EquipmentScreen

    return EquipmentScreen(desk, live)


def _charts(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.charts import ChartsScreen

    return ChartsScreen(desk, live)


def _alarms(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.alarms import AlarmsScreen

    return AlarmsScreen(desk, live)


def _inspections(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.inspections import InspectionsScreen

    return InspectionsScreen(desk)


def _issues(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.issues import IssuesScreen

    return IssuesScreen(desk)


def _maintenance(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.maintenance import MaintenanceScreen

    return MaintenanceScreen(desk)


def _machines(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.machines import MachinesScreen

    return MachinesScreen(desk, live)


def _import(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.imports import ImportScreen

    return ImportScreen(desk)


def _users(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.users import UsersScreen

    return UsersScreen(desk)


def _sharing(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.sync import SharingScreen

    return SharingScreen(desk)


def _system(desk: Desk, live: LiveDesk) -> Pane:
    from ui.screens.system import SystemScreen

    return SystemScreen(desk, live)


FACTORIES: dict[str, Callable[[Desk, LiveDesk], Pane]] = {
    "dashboard": _dashboard,
    "orders": _orders,
    "board": _board,
    "equipment": _equipment,
    "charts": _charts,
    "alarms": _alarms,
    "inspections": _inspections,
    "issues": _issues,
    "maintenance": _maintenance,
    "machines": _machines,
    "import": _import,
    "users": _users,
    "sharing": _sharing,
    "system": _system,
}

TITLES = {place.key: place.title for place in PLACES}


class FailedPane(Pane):
    """Stands where a screen could not be made."""

    retry_requested = Signal(str)

    def __init__(self, place: str, error: BaseException) -> None:
        super().__init__(place, TITLES[place])
        why = error.sentence if isinstance(error, LinesideError) else "Lineside made a mistake here."
        details = "".join(traceback.format_exception(error))
        state = ErrorState(
            f"{TITLES[place]} could not be opened. {why}", "Everything else works as before.", details
        )
        state.retry_requested.connect(partial(self.retry_requested.emit, place))
        self.body.addWidget(state)


class PaneStack(QStackedWidget):
    """The screens of one window, each made when it is first asked for.

    `failed` carries the exception of a screen that could not be made; `made` each new pane.
    """

    made = Signal(object)
    failed = Signal(object)
    retry_requested = Signal(str)

    def __init__(
        self,
        desk: Desk,
        live: LiveDesk,
        parent: QWidget | None = None,
        *,
        factories: dict[str, Callable[[Desk, LiveDesk], Pane]] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("paneStack")
        self._desk = desk
        self._live = live
        self._factories = FACTORIES if factories is None else factories
        self._panes: dict[str, Pane] = {}

    def pane(self, place: str) -> Pane | None:
        """The pane of a place that was opened before."""
        return self._panes.get(place)

    def current(self) -> Pane | None:
        shown = self.currentWidget()
        return shown if isinstance(shown, Pane) else None

    def show_place(self, place: str) -> Pane:
        """Bring a place to the front, made now if need be."""
        pane = self._panes.get(place)
        if pane is None or isinstance(pane, FailedPane):
            fresh = self._make(place)
            if pane is not None:
                self.removeWidget(pane)
                pane.deleteLater()
            pane = self._panes[place] = fresh
            self.addWidget(pane)
            self.made.emit(pane)
        self.setCurrentWidget(pane)
        return pane

    def _make(self, place: str) -> Pane:
        try:
            return self._factories[place](self._desk, self._live)
        except Exception as error:  # noqa: BLE001  (a screen that fails must not take the others along)
            self.failed.emit(error)
            failed = FailedPane(place, error)
            failed.retry_requested.connect(self.retry_requested)
            return failed
