"""The alarms screen: most urgent first, what to do beside it, what was put aside, the journal, the load."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import QPoint, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QWidget

from app.domain.alarm_load import FLOOD_ABOVE
from app.domain.alarms import Phase
from app.store.history import AlarmRecord
from ui.actions import ActionSet
from ui.bridge.alarm_board import RATE_WINDOW
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.alarm_finding import AlarmFinding
from ui.models.alarm_list import AlarmList
from ui.screens.alarms.acts import AlarmActs
from ui.screens.alarms.guidance import Guidance
from ui.screens.alarms.journal_page import JournalPage
from ui.screens.alarms.load_page import LoadPage
from ui.screens.alarms.silence import doubt, no_alarms
from ui.screens.alarms.stillness import Stillness
from ui.screens.alarms.tables import alarm_table
from ui.widgets.buttons import ActionButton
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.tabs import Tabs
from ui.widgets.themed import RoleLabel

ACTIVE, ASIDE, JOURNAL, LOAD = range(4)
_ROOM_FOR_GUIDANCE = 1000  # px at 100 %; below it the list needs the width
_CHOOSE = "Choose an alarm first."
_TOOLS = ("pause", "group", "chart", "take-out", "put-back", "shelve", "unshelve", "reset", "export",
          "ack-visible", "ack")  # fmt: skip
_TOOLS_OF = {
    ACTIVE: {"pause", "group", "chart", "shelve", "reset", "ack-visible", "ack"},
    ASIDE: {"chart", "unshelve", "put-back"},
    JOURNAL: {"export"},
    LOAD: set[str](),
}
_ASIDE_TITLES = {"raised": "Since", "by": "By", "advice": "Why"}
_MENU = ("ack", "comment", "reset", "shelve", "unshelve", "take-out", "put-back", "chart")


class AlarmsScreen(Pane):
    """Four pages: active, put aside, journal, load. The filter narrows the page that shows."""

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__("alarms", "Alarms", parent)
        self._desk, self._live = desk, live
        self.model = AlarmList(live, self._wanted_here, self)
        self.aside = AlarmList(live, self._aside_here, self, titles=_ASIDE_TITLES)
        self.tabs = Tabs()
        self.rate = RoleLabel("", "meta", "text2")
        self._stale = False
        self._finding = AlarmFinding(live)
        self._buttons: dict[str, ActionButton] = {}
        self.table = alarm_table("alarms-active", self.model)
        self.aside_table = alarm_table("alarms-aside", self.aside)
        self._stillness = Stillness(self.table, self.model, self)
        self.more = self._stillness.button
        self.guidance = Guidance(live, self.model)
        self.journal = JournalPage(desk, live)
        self.load = LoadPage(desk, live)
        self.acts = AlarmActs(desk, live, self)
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "alarms.ack": self.acknowledge,
                "alarms.ack-visible": self.acknowledge_visible,
                "alarms.comment": self.ask_comment,
                "alarms.reset": self.reset,
                "alarms.shelve": self.ask_shelf,
                "alarms.unshelve": self.unshelve,
                "alarms.take-out": self.ask_out_of_service,
                "alarms.put-back": self.put_back,
                "alarms.chart": self.open_chart,
                "alarms.pause": self.toggle_pause,
                "alarms.group": self.toggle_groups,
                "alarms.export": self.journal.choose_file,
            },
        )
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        self.tabs.setObjectName("alarm-tabs")
        for words in ("Active", "Put aside", "Journal", "Load"):
            self.tabs.addTab(words)
        self.add_filter("machine, signal or state", ("line", "lines"))
        self.add_tool(self.more)
        for key in _TOOLS:
            button = self._buttons[key] = self.actions_set.button(f"alarms.{key}")
            self.add_tool(button)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.tabs)
        line.addSpacing(8)
        line.addWidget(self.rate, 1)
        self._pages = QStackedWidget()
        for page in (self.table, self.aside_table, self.journal, self.load):
            self._pages.addWidget(page)
        beside = QHBoxLayout()
        beside.setSpacing(8)
        beside.addWidget(self._pages, 1)
        beside.addWidget(self.guidance)
        self.body.addLayout(line)
        self.body.addLayout(beside, 1)
        self.setFocusProxy(self.table)
        self._show_tools()

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._on_tab)
        self._stillness.changed.connect(self._on_stillness)
        for table in (self.table, self.aside_table):
            table.selectionModel().selectionChanged.connect(self._on_selection)
            table.selectionModel().currentChanged.connect(self._on_selection)
            table.activated_row.connect(self._on_activated)
            table.context_requested.connect(self._show_menu)
            table.empty_action_requested.connect(self._on_empty_action)
        if self.filter is not None:
            self.filter.filter_changed.connect(self._filter_changed)
        self.journal.failed.connect(self.banner.show_text)
        self.journal.saved.connect(self.banner.show_text)
        self.load.failed.connect(self.banner.show_text)
        self.load.journal_requested.connect(self._open_journal)
        self._live.alarms_changed.connect(self._on_alarms)
        self._live.plant_changed.connect(self._on_alarms)
        self._live.ticked.connect(self._on_live_tick)
        self._live.collector_changed.connect(self._on_alarms)

    # -- what is shown -------------------------------------------------------------------------------

    def _typed(self) -> str:
        return self.filter.text() if self.filter else ""

    def _wanted_here(self) -> list[AlarmRecord]:
        return self._finding.fitting(self._live.board.wanted(), self._typed())

    def _aside_here(self) -> list[AlarmRecord]:
        return self._finding.fitting(self._live.board.aside(), self._typed())

    @Slot()
    def refresh(self) -> None:
        """Look again at all alarms; the journal only while it shows."""
        self._stale = False
        self.model.refresh()
        self.aside.refresh()
        active, aside = self._live.board.wanted(), len(self._live.board.aside())
        unacked = sum(r.phase.unacked for r in active)
        self.tabs.setTabText(ACTIVE, f"Active {len(active)} · unacknowledged {unacked}")
        self.tabs.setTabText(ASIDE, f"Put aside {aside}")
        self.tabs.setTabToolTip(ASIDE, "Shelved, suppressed by design, out of service")
        self.journal.soon()
        self._say_rate()
        self._say_silence()
        self._tell_actions()

    @Slot()
    def _on_alarms(self) -> None:
        """A list that nobody sees waits until somebody does."""
        self._stale = True
        if self.isVisible():
            self.refresh()

    def _catch_up(self) -> None:
        if self._stale:
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._catch_up()

    def _say_rate(self) -> None:
        count = self._live.raised_lately(RATE_WINDOW)
        minutes = int(RATE_WINDOW / timedelta(minutes=1))
        flood = (
            f" · FLOOD, more than {FLOOD_ABOVE}: deal with the first of each machine (M groups them)"
            if count > FLOOD_ABOVE
            else ""
        )
        paused = " · list paused" if self._stillness.paused else ""
        self.rate.setText(f"{count} raised in the last {minutes} min{flood}{paused}")

    def _say_silence(self) -> None:
        self.banner.show_text(doubt(self._live))
        if self.filter is not None and self.filter.text():
            self.table.set_empty("No alarm fits the filter.", "Clear the filter")
            self.aside_table.set_empty("No alarm that was put aside fits the filter.", "Clear the filter")
            return
        self.table.set_empty(no_alarms(self._live), "Open the journal")
        self.aside_table.set_empty("Nothing is shelved, suppressed or out of service.", "Active alarms")

    @Slot(frozenset)
    def _on_live_tick(self, touched: frozenset[str]) -> None:
        if touched or not self.isVisible():
            return
        self.model.tick()
        self.aside.tick()
        self._say_silence()

    @Slot(int)
    def _on_tab(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self.setFocusProxy((self.table, self.aside_table, self.journal, self.load)[page])
        if page == JOURNAL:
            self.journal.start_over()
        elif page == LOAD:
            self.load.refresh()
        self._show_tools()
        self._tell_actions()

    def _show_tools(self) -> None:
        """The buttons of the page that shows; the other actions stay in the menu of a row."""
        page = self.tabs.currentIndex()
        for key, button in self._buttons.items():
            button.setVisible(key in _TOOLS_OF[page])
        if self.filter is not None:
            self.filter.setVisible(page != LOAD)
        beside = self.width() >= _ROOM_FOR_GUIDANCE * self.theme.density.type_scale
        self.guidance.setVisible(page in (ACTIVE, ASIDE) and beside)
        # What the panel says in full need not stand in the list cut short.
        for table in (self.table, self.aside_table):
            advice = table.column_keys().index("advice")
            if table.isColumnHidden(advice) != beside:
                table.setColumnHidden(advice, beside)
                table.fit_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._buttons:
            self._show_tools()

    def restyle(self) -> None:
        super().restyle()
        if self._buttons:
            self._show_tools()

    @Slot()
    def _on_empty_action(self) -> None:
        if self.filter is not None and self.filter.text():
            self.filter.clear()
        else:
            self.tabs.setCurrentIndex(JOURNAL if self.tabs.currentIndex() == ACTIVE else ACTIVE)

    @Slot(str)
    def _filter_changed(self, text: str) -> None:
        self.journal.search(text)
        self.refresh()

    @Slot(str)
    def _open_journal(self, key: str) -> None:
        if self.filter is not None:
            self.filter.set_text(key)
        self.journal.search(key)
        self.tabs.setCurrentIndex(JOURNAL)

    # -- which alarms are meant ----------------------------------------------------------------------

    def _view(self) -> tuple[ListView, AlarmList] | None:
        page = self.tabs.currentIndex()
        if page == ACTIVE:
            return self.table, self.model
        return (self.aside_table, self.aside) if page == ASIDE else None

    def selected(self) -> list[AlarmRecord]:
        """The chosen alarms of the page that shows; the current row when nothing is selected."""
        view = self._view()
        if view is None:
            return []
        table, model = view
        rows = table.selected_rows() or [table.currentIndex().row()]
        return [record for row in rows if (record := model.record_at(row)) is not None]

    @Slot()
    def _on_selection(self) -> None:
        self._tell_actions()

    def _tell_actions(self) -> None:
        chosen, page = self.selected(), self.tabs.currentIndex()
        phases = {r.phase for r in chosen}
        none = _CHOOSE if not chosen else None
        seen = None if any(p.unacked for p in phases) else "Everything chosen is acknowledged already."
        visible = any(r.phase.unacked for r in self.model.records())
        tell = self.actions_set.set_unavailable
        tell("alarms.ack", none or seen)
        tell("alarms.comment", none or seen)
        tell("alarms.ack-visible", None if visible else "Nothing waits for an acknowledgement.")
        tell("alarms.reset", none or (None if any(p.latched for p in phases) else "It needs no reset."))
        tell("alarms.shelve", none or ("It is put aside already." if page == ASIDE else None))
        tell("alarms.unshelve", none or (None if Phase.SHELVED in phases else "It is not shelved."))
        out = Phase.OUT_OF_SERVICE in phases
        tell("alarms.take-out", none or ("It is out of service already." if out else None))
        tell("alarms.put-back", none or (None if out else "It is not out of service."))
        tell("alarms.chart", none)
        only_active = None if page == ACTIVE else "Only the active list can be arranged."
        tell("alarms.pause", only_active)
        tell("alarms.group", only_active)
        self.guidance.show_alarm(chosen[0] if chosen else None)

    def select_next_unacked(self) -> None:
        """Go to the next alarm that waits for somebody (F8)."""
        self._catch_up()
        self.tabs.setCurrentIndex(ACTIVE)
        records = self.model.records()
        start = self.table.currentIndex().row() + 1
        order = [*range(start, len(records)), *range(min(start, len(records)))]
        row = next((r for r in order if records[r].phase.unacked), None)
        if row is not None:
            self.table.selectRow(row)
            self.table.setFocus()

    def open_with(self, argument: object) -> None:
        """A filter line, an alarm's key or id, or "next" for the next unacknowledged one."""
        self._catch_up()
        records = self.model.records()
        row = next((i for i, r in enumerate(records) if str(argument) in (r.key, r.id)), None)
        if argument == "next":
            self.select_next_unacked()
        elif row is not None:
            self.tabs.setCurrentIndex(ACTIVE)
            self.table.selectRow(row)
        else:
            super().open_with(argument)

    # -- what people do ------------------------------------------------------------------------------

    def acknowledge(self) -> None:
        """Acknowledge the chosen alarms."""
        self.acts.acknowledge(self.selected())

    def acknowledge_visible(self) -> None:
        """Acknowledge what stands in the list; what waits behind "+4 new" was not seen and is not included."""
        self.acts.acknowledge(self.model.records())

    def ask_comment(self) -> None:
        """Acknowledge the chosen alarms with a comment."""
        self.acts.ask_comment(self.selected())

    def reset(self) -> None:
        """Let the chosen latched alarms go."""
        self.acts.reset(self.selected())

    def ask_shelf(self) -> None:
        """Shelve the chosen alarms for some minutes, with a reason."""
        self.acts.ask_shelf(self.selected())

    def unshelve(self) -> None:
        """Bring the chosen alarms back before their time."""
        self.acts.unshelve(self.selected())

    def ask_out_of_service(self) -> None:
        """Take the chosen alarms out of service."""
        self.acts.ask_out_of_service(self.selected())

    def put_back(self) -> None:
        """Put the chosen alarms back in service."""
        self.acts.put_back(self.selected())

    def open_chart(self) -> None:
        """The chart of the chosen alarms' signals."""
        tags = list(dict.fromkeys(r.tag for r in self.selected() if r.tag))
        if tags:
            self.open_requested.emit("charts", tags)

    def toggle_groups(self) -> None:
        """Alarms of a machine together with the first on top, or all by urgency."""
        self.model.group(not self.model.grouped)
        self.actions_set.rename(
            "alarms.group", "Sort by urgency" if self.model.grouped else "Group by machine"
        )

    def toggle_pause(self) -> None:
        """Hold the list still, or let it go on."""
        self._stillness.toggle()

    @Slot()
    def _on_stillness(self) -> None:
        self.actions_set.rename("alarms.pause", "Go on" if self._stillness.paused else "Pause list")
        self._say_rate()

    @Slot(int)
    def _on_activated(self, _row: int) -> None:
        self.open_chart()

    @Slot(int, QPoint)
    def _show_menu(self, row: int, at: QPoint) -> None:
        if row < 0:
            return
        menu = QMenu(self)
        for key in _MENU:
            if self.actions_set.reason(f"alarms.{key}") is None:
                menu.addAction(self.actions_set.action(f"alarms.{key}"))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)
