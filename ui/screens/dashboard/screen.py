"""The dashboard: what needs somebody, by name; what is normal, as a count. Every number opens its list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from sqlalchemy.orm import Session

from app.domain.alarms import alarm_words
from app.domain.equipment import EquipmentState
from app.domain.inspections import Verdict
from app.domain.orders import OrderStatus
from app.store.history import AlarmRecord
from app.store.queries.dashboard import Overview, read_overview
from ui.actions import ActionSet
from ui.bridge.desk import EVERYTHING, Desk
from ui.bridge.live import LiveDesk
from ui.models.machine_words import STATE_ORDER, STATE_WORDS
from ui.models.text_table import TextColumn, TextTable
from ui.models.wording import age, duration, moment, percent
from ui.screens.dashboard.first_steps import FirstSteps
from ui.widgets.kpi import KpiTile
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.themed import RoleLabel

_SHOWS = frozenset({"work_order", "stage", "issue", "inspection", "equipment"})
_LINES = {
    "late": ("orders", "open:yes due<now"),
    "soon": ("orders", "open:yes due>=now"),
    "on-time": ("orders", "status:done"),
    "efficiency": ("orders", "status:done"),
    "issues": ("issues", "status!=resolved"),
    "passed": ("inspections", "verdict:pass"),
    "failed": ("inspections", "verdict:fail"),
}
_TITLES = {
    "late": "Late orders",
    "soon": "Will be late",
    "on-time": "On time, 30 days",
    "efficiency": "Efficiency, 30 days",
    "issues": "Open issues",
    "passed": "Passed today",
    "failed": "Failed today",
}
_RISK = (
    TextColumn("number", "Order", 115),
    TextColumn("product", "Product", 150),
    TextColumn("stage", "Stage", 90),
    TextColumn("due", "Due", 140),
    TextColumn("slip", "", 160),
)
_ALARMS = (TextColumn("mark", "", 50), TextColumn("alarm", "Alarm", 310), TextColumn("age", "Since", 70))
_INSPECTIONS = (
    TextColumn("number", "Inspection", 105),
    TextColumn("verdict", "Verdict", 75),
    TextColumn("order", "Order", 115),
    TextColumn("stage", "Stage", 80),
    TextColumn("at", "When", 55),
)
_NEWEST = 8
_NARROWEST = 88  # twelve of them side by side fit a screen of 1366 pixels
_STALE_AFTER = 5.0
_OLD = timedelta(seconds=65)


class DashboardScreen(Pane):
    """Figures of the store when something changed, of the machines once a second; no scrolling at 1366 × 768."""

    def __init__(self, desk: Desk, live: LiveDesk | None, parent: QWidget | None = None) -> None:
        super().__init__("dashboard", "Dashboard", parent)
        self._desk = desk
        self._live = live
        self._overview: Overview | None = None
        self.actions_set = ActionSet(self, desk, {"refresh": self.refresh})
        self.tiles = {key: KpiTile(title) for key, title in _TITLES.items()}
        self.statuses = {status: KpiTile(status.words.capitalize()) for status in OrderStatus}
        self.states = {state: KpiTile(STATE_WORDS[state]) for state in STATE_ORDER}
        self.risk, self.alarms, self.inspections = (
            TextTable(columns, self) for columns in (_RISK, _ALARMS, _INSPECTIONS)
        )
        self.risk_list, self.alarm_list, self.inspection_list = ListView(), ListView(), ListView()
        self.first = FirstSteps()
        self.pages = QStackedWidget()
        self._soon = QTimer(self, singleShot=True, interval=80)
        self._second = QTimer(self, interval=1000)
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(_row(self.tiles.values()))
        second = QHBoxLayout()
        second.setSpacing(16)
        second.addLayout(_titled("Orders by status", _row(self.statuses.values())), 87)
        second.addLayout(_titled("Machines by state", _row(self.states.values())), 113)
        column.addLayout(second)
        lists = QGridLayout()
        lists.setSpacing(8)
        lists.setColumnStretch(0, 3)
        lists.setColumnStretch(1, 2)
        for view, model, name, words in (
            (self.risk_list, self.risk, "Orders at risk", "No order is late or will be."),
            (self.alarm_list, self.alarms, "Newest alarms", "No alarm is active."),
            (
                self.inspection_list,
                self.inspections,
                "Today's inspections",
                "No inspection was logged today.",
            ),
        ):
            view.setObjectName(f"dashboard-{name.split()[-1]}")
            view.setAccessibleName(name)
            view.setModel(model)
            view.set_empty(words)
            view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        lists.addLayout(_titled("Orders at risk", self.risk_list), 0, 0, 2, 1)
        lists.addLayout(_titled("Newest alarms", self.alarm_list), 0, 1)
        lists.addLayout(_titled("Today's inspections", self.inspection_list), 1, 1)
        column.addLayout(lists, 1)
        self.pages.addWidget(page)
        self.pages.addWidget(self.first)
        self.body.addWidget(self.pages, 1)

    def _connect(self) -> None:
        for key, tile in self.tiles.items():
            tile.setObjectName(f"tile-{key}")
            tile.clicked.connect(partial(self._open_line, *_LINES[key]))
        for status, tile in self.statuses.items():
            tile.setObjectName(f"tile-{status.value}")
            tile.clicked.connect(partial(self._open_line, "orders", f"status:{status.value}"))
        for state, tile in self.states.items():
            tile.setObjectName(f"tile-{state.value}")
            tile.clicked.connect(partial(self._open_line, "equipment", f"state:{state.value}"))
        self.risk_list.activated_row.connect(self._open_order)
        self.alarm_list.activated_row.connect(self._open_alarm)
        self.inspection_list.activated_row.connect(self._open_inspection)
        self.first.chosen.connect(self._open_place)
        self.banner.action_requested.connect(self.refresh)
        self._desk.changed.connect(self._on_changed)
        self._soon.timeout.connect(self.refresh)
        self._second.timeout.connect(self._on_second)
        self._second.start()
        if self._live is not None:
            self._live.alarms_changed.connect(self._show_alarms)

    # -- from the store

    def refresh(self) -> None:
        now = self._desk.house.door.clock()
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)

        def query(session: Session) -> Overview:
            return read_overview(session, now, midnight.astimezone(UTC))

        self._desk.read(query, self._show, owner=self, key="overview", failed=self._on_failed)
        self._show_live()

    def _on_failed(self, error: BaseException) -> None:
        self.banner.show_text(f"The figures could not be read: {error}", "Retry")

    def _on_changed(self, entities: frozenset[str]) -> None:
        if entities == EVERYTHING or entities & _SHOWS:
            self._soon.start()

    def _show(self, overview: Overview) -> None:
        self.banner.show_text("")
        self._overview = overview
        self.pages.setCurrentIndex(1 if overview.is_fresh else 0)
        self._show_figures(overview)
        for status, tile in self.statuses.items():
            tile.set_value(f"{overview.by_status[status]:,}")
        self.risk.set_rows(
            [
                (
                    order.number,
                    order.product,
                    f"■ {order.stage}" if order.blocked else order.stage,
                    moment(order.due),
                    f"{duration(order.slip)} late"
                    if not order.will_be
                    else f"will be {duration(order.slip)} late",
                )
                for order in overview.at_risk
            ]
        )
        self.inspections.set_rows(
            [
                (
                    inspection.number,
                    "✔ pass" if inspection.verdict is Verdict.PASS else "✖ fail",
                    inspection.order,
                    inspection.stage,
                    f"{inspection.at.astimezone():%H:%M}",
                )
                for inspection in overview.inspections
            ]
        )

    def _show_figures(self, overview: Overview) -> None:
        now = self._desk.house.door.clock()
        old = age(overview.at, now) if now - overview.at > _OLD else ""  # read anew each minute
        figures = {
            "late": f"{overview.late:,}",
            "soon": f"{overview.will_be_late:,}",
            "on-time": percent(overview.on_time),
            "efficiency": percent(overview.efficiency),
            "issues": f"{overview.open_issues:,}",
            "passed": f"{overview.verdicts[Verdict.PASS]:,}",
            "failed": f"{overview.verdicts[Verdict.FAIL]:,}",
        }
        for key, text in figures.items():
            number, _, unit = text.partition(" %")
            self.tiles[key].set_value(number, "%" if text.endswith(" %") else unit, age=old)

    # -- from the machines

    def _on_second(self) -> None:
        if not self.isVisible():
            return
        overview = self._overview
        if overview is not None:
            self._show_figures(overview)
            if self._desk.house.door.clock() - overview.at > timedelta(minutes=1):
                self.refresh()  # orders become late by themselves
        self._show_live()

    def _show_live(self) -> None:
        self._show_states()
        self._show_alarms()

    def _show_states(self) -> None:
        live = self._live
        seconds = live.data_age if live is not None else None
        stale = seconds is None or seconds > _STALE_AFTER
        counted: Counter[EquipmentState] = Counter()
        if live is not None:
            counted.update(machine.state for machine in live.machines())
        old = "" if seconds is None else duration(timedelta(seconds=seconds))
        for state, tile in self.states.items():
            count = counted[state]
            shown = "–" if live is None or (stale and state is not EquipmentState.UNKNOWN) else f"{count:,}"
            tile.set_value(shown, age=old, stale=stale and live is not None)

    def _show_alarms(self) -> None:
        live = self._live
        if live is None:
            return
        unheard = live.links_lost.unheard
        quiet = f"No alarm is known of; nothing is heard of {unheard}." if unheard else "No alarm is active."
        heard = live.collector_state.live
        self.alarm_list.set_empty(quiet if heard else "The collector is not heard; alarms are unknown.")
        newest = sorted(live.board.wanted(), key=_raised_at, reverse=True)[:_NEWEST]
        self.alarms.set_rows(
            [
                (
                    f"{'⬢▲◆▽'[min(max(record.priority, 1), 4) - 1]} {record.priority}",
                    alarm_words(record, live.plant),
                    age(record.raised_at, live.now()),
                )
                for record in newest
            ]
        )

    # -- on to the lists

    def _open_line(self, place: str, line: str) -> None:
        self.open_requested.emit(place, line)

    def _open_place(self, place: str) -> None:
        self.open_requested.emit(place, None)

    def _open_order(self, row: int) -> None:
        if self._overview is not None and row < len(self._overview.at_risk):
            self.open_requested.emit("orders", self._overview.at_risk[row].id)

    def _open_alarm(self, _row: int) -> None:
        self.open_requested.emit("alarms", "")

    def _open_inspection(self, row: int) -> None:
        if self._overview is not None and row < len(self._overview.inspections):
            number = self._overview.inspections[row].number
            self.open_requested.emit("inspections", number)


def _raised_at(record: AlarmRecord) -> datetime:
    return record.raised_at


def _row(tiles: Iterable[KpiTile]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for tile in tiles:
        tile.setMinimumWidth(_NARROWEST)
        row.addWidget(tile)
    return row


def _titled(title: str, content: QWidget | QHBoxLayout) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(4)
    column.addWidget(RoleLabel(title, "section"))
    if isinstance(content, QWidget):
        column.addWidget(content, 1)
    else:
        column.addLayout(content)
    return column
