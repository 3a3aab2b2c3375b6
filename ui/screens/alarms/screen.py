"""The alarms screen: most urgent first, acknowledged, shelved, charted, and the journal of what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QWidget

from app.domain.alarms import Phase
from app.domain.errors import Refused
from app.operations.alarms import acknowledge_alarm, shelve_alarm, unshelve_alarm
from app.operations.change import Intent
from app.store.history import AlarmRecord, JournalLine
from ui.actions import ActionSet
from ui.bridge.alarm_board import FLOOD, RATE_WINDOW, condition_words, is_active, is_unacked, machine_name
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.alarm_journal import AlarmJournal
from ui.models.alarm_list import AlarmList
from ui.models.machine_words import age_words
from ui.screens.alarms.forms import comment_form, shelf_form
from ui.widgets.buttons import ActionButton
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.tabs import Tabs
from ui.widgets.themed import RoleLabel

ACTIVE, SHELVED, JOURNAL = range(3)
JOURNAL_LINES = 1000
READING_MS = 4000
_CHOOSE = "Choose an alarm first."


class AlarmsScreen(Pane):
    """Three pages: active, shelved, journal. The filter narrows the page that shows."""

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__("alarms", "Alarms", parent)
        self._desk, self._live = desk, live
        self.model = AlarmList(live, self._is_wanted, self)
        self.shelf = AlarmList(live, self._is_shelved, self)
        self.journal = AlarmJournal(self)
        self.tabs = Tabs()
        self.rate = RoleLabel("", "meta", "text2")
        self.more = ActionButton("")
        self.more.hide()
        self._paused = False
        self._buttons: dict[str, ActionButton] = {}
        # Nothing moves under a pointer that is on its way to a row; one that lies still for long reads nothing.
        self._reading = QTimer(self, singleShot=True, interval=READING_MS)
        self._reading.timeout.connect(self._hold_or_not)
        self.table = _table("alarms-active", self.model)
        self.shelf_table = _table("alarms-shelved", self.shelf)
        self.journal_table = _table("alarms-journal", self.journal)
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "alarms.ack": self.acknowledge,
                "alarms.ack-visible": self.acknowledge_visible,
                "alarms.comment": self.ask_comment,
                "alarms.shelve": self.ask_shelf,
                "alarms.unshelve": self.unshelve,
                "alarms.chart": self.open_chart,
                "alarms.pause": self.toggle_pause,
            },
        )
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        self.tabs.setObjectName("alarm-tabs")
        for words in ("Active", "Shelved", "Journal"):
            self.tabs.addTab(words)
        self.add_filter("machine, signal or state", ("line", "lines"))
        self.add_tool(self.more)
        for key in ("pause", "chart", "shelve", "unshelve", "ack-visible", "ack"):
            button = self._buttons[key] = self.actions_set.button(f"alarms.{key}")
            self.add_tool(button)
        self._buttons["unshelve"].hide()
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.tabs)
        line.addSpacing(8)
        line.addWidget(self.rate, 1)
        self._pages = QStackedWidget()
        for table in (self.table, self.shelf_table, self.journal_table):
            self._pages.addWidget(table)
        self.body.addLayout(line)
        self.body.addWidget(self._pages, 1)
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._on_tab)
        self.table.viewport().setMouseTracking(True)
        self.table.viewport().installEventFilter(self)
        self.more.clicked.connect(self._let_go)
        self.model.waiting_changed.connect(self._on_waiting)
        for table in (self.table, self.shelf_table):
            table.selectionModel().selectionChanged.connect(self._on_selection)
            table.activated_row.connect(self._on_activated)
            table.context_requested.connect(self._show_menu)
            table.empty_action_requested.connect(self._on_empty_action)
        if self.filter is not None:
            self.filter.filter_changed.connect(self._filter_changed)
        self._live.alarms_changed.connect(self.refresh)
        self._live.plant_changed.connect(self.refresh)
        self._live.ticked.connect(self._on_live_tick)
        self._live.collector_changed.connect(self._on_collector)

    # -- what is shown -------------------------------------------------------------------------------

    def _is_wanted(self, record: AlarmRecord) -> bool:
        return (is_active(record) or is_unacked(record)) and self._fits(record)

    def _is_shelved(self, record: AlarmRecord) -> bool:
        return record.phase is Phase.SHELVED and self._fits(record)

    def _fits(self, record: AlarmRecord) -> bool:
        words = self.filter.text().casefold().split() if self.filter else []
        if not words:
            return True
        plant = self._live.plant
        machine = machine_name(plant, plant.tag(record.tag), record.tag)
        seen = "unacknowledged" if is_unacked(record) else "acknowledged"
        text = f"{machine} {record.tag} {condition_words(record, plant)} p{record.priority} {seen}".casefold()
        return all(word in text.split() if word == "acknowledged" else word in text for word in words)

    @Slot()
    def refresh(self) -> None:
        """Look again at all alarms; the journal only while it shows."""
        self.model.refresh()
        self.shelf.refresh()
        records = self._live.board.open()
        active = [r for r in records if is_active(r) or is_unacked(r)]
        unacked = sum(is_unacked(r) for r in active)
        shelved = sum(r.phase is Phase.SHELVED for r in records)
        self.tabs.setTabText(ACTIVE, f"Active {len(active)} · unacknowledged {unacked}")
        self.tabs.setTabText(SHELVED, f"Shelved {shelved}")
        if self.tabs.currentIndex() == JOURNAL:
            self._read_journal()
        self._say_rate()
        self._say_empty()
        self._tell_actions()

    def _say_rate(self) -> None:
        count = self._live.raised_lately(RATE_WINDOW)
        minutes = int(RATE_WINDOW / timedelta(minutes=1))
        flood = f" · flood: {FLOOD} or more, deal with the first of each machine" if count >= FLOOD else ""
        paused = " · list paused" if self._paused else ""
        self.rate.setText(f"{count} raised in the last {minutes} min{flood}{paused}")

    def _say_empty(self) -> None:
        """Silence has to prove that the link lives."""
        if self.filter is not None and self.filter.text():
            self.table.set_empty("No alarm fits the filter.", "Clear the filter")
            self.shelf_table.set_empty("No shelved alarm fits the filter.", "Clear the filter")
            return
        cleared = self._live.board.last_cleared()
        last = f"last cleared {cleared.astimezone():%d %b %H:%M}" if cleared else "none cleared lately"
        age = self._live.data_age
        if self._live.collector_state.live and age is not None:
            words = f"No active alarms · {last} · source age {age_words(age)}"
        else:
            words = f"No alarms are known of, but nobody is watching: {self._live.collector_state.sentence}"
        self.table.set_empty(words, "Open the journal")
        self.shelf_table.set_empty("Nothing is shelved.", "Active alarms")
        self.journal_table.set_empty("Nothing has happened yet.")

    @Slot(frozenset)
    def _on_live_tick(self, touched: frozenset[str]) -> None:
        if touched or not self.isVisible():
            return
        self.model.tick()
        self.shelf.tick()
        self._say_empty()

    @Slot(object)
    def _on_collector(self, _state: object) -> None:
        state = self._live.collector_state
        self.banner.show_text("" if state.live else f"{state.sentence} The list shows what was last known.")
        self.refresh()

    @Slot(int)
    def _on_waiting(self, count: int) -> None:
        self.more.setText(f"+{count} new")
        self.more.setToolTip("Let the list go on")
        self.more.setVisible(count > 0)

    @Slot(int)
    def _on_tab(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self._buttons["shelve"].setVisible(page != SHELVED)
        self._buttons["unshelve"].setVisible(page == SHELVED)
        self.setFocusProxy((self.table, self.shelf_table, self.journal_table)[page])
        if page == JOURNAL:
            self._read_journal()
        self._tell_actions()

    @Slot()
    def _on_empty_action(self) -> None:
        if self.filter is not None and self.filter.text():
            self.filter.clear()
        else:
            self.tabs.setCurrentIndex(JOURNAL if self.tabs.currentIndex() == ACTIVE else ACTIVE)

    @Slot(str)
    def _filter_changed(self, text: str) -> None:
        self.journal.set_filter(text)
        self.refresh()

    def _read_journal(self) -> None:
        history = self._live.history
        self._desk.tasks.run(
            lambda: history.journal(limit=JOURNAL_LINES),
            self._take_journal,
            owner=self,
            key="journal",
            failed=self._not_read,
        )

    def _take_journal(self, lines: list[JournalLine]) -> None:
        self.journal.set_lines(lines, self._live.plant)
        shown = self.journal.rowCount()
        if self.filter is not None and self.tabs.currentIndex() == JOURNAL:
            self.filter.set_count(shown, shown < self.journal.total)

    def _not_read(self, error: BaseException) -> None:
        self.banner.show_text(getattr(error, "sentence", str(error)), "")

    # -- which alarms are meant ----------------------------------------------------------------------

    def _view(self) -> tuple[ListView, AlarmList] | None:
        page = self.tabs.currentIndex()
        if page == JOURNAL:
            return None
        return (self.table, self.model) if page == ACTIVE else (self.shelf_table, self.shelf)

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
        none = _CHOOSE if not chosen else None
        seen = None if any(is_unacked(r) for r in chosen) else "Everything chosen is acknowledged already."
        visible = any(is_unacked(r) for r in self.model.records())
        tell = self.actions_set.set_unavailable
        tell("alarms.ack", none or seen)
        tell("alarms.comment", none or seen)
        tell("alarms.ack-visible", None if visible else "Nothing waits for an acknowledgement.")
        tell("alarms.shelve", none or ("It is shelved already." if page == SHELVED else None))
        tell("alarms.unshelve", none or (None if page == SHELVED else "It is not shelved."))
        tell("alarms.chart", none)
        tell("alarms.pause", None if page == ACTIVE else "Only the active list can be paused.")

    def select_next_unacked(self) -> None:
        """Go to the next alarm that waits for somebody (F8)."""
        self.tabs.setCurrentIndex(ACTIVE)
        records = self.model.records()
        start = self.table.currentIndex().row() + 1
        order = [*range(start, len(records)), *range(min(start, len(records)))]
        row = next((r for r in order if is_unacked(records[r])), None)
        if row is not None:
            self.table.selectRow(row)
            self.table.setFocus()

    def open_with(self, argument: object) -> None:
        """A filter line, an alarm's key or id, or "next" for the next unacknowledged one."""
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
        self._acknowledge(self.selected(), "")

    def acknowledge_visible(self) -> None:
        """Acknowledge what stands in the list; what waits behind "+4 new" was not seen and is not included."""
        self._acknowledge(self.model.records(), "")

    def _acknowledge(self, records: Sequence[AlarmRecord], comment: str) -> None:
        for record in records:
            if is_unacked(record) and not self._live.is_pending(record.key):
                self._act(record.key, acknowledge_alarm(alarm=record.key, comment=comment))

    def _act(self, key: str, intent: Intent[Any], failed: Callable[[Refused], None] | None = None) -> None:
        self._desk.perform(intent, owner=self, done=partial(self._acted, key), failed=failed)

    def _acted(self, key: str, _outcome: object) -> None:
        """It is written down here; the collector applies it and says so on the stream."""
        self._live.act_sent(key)

    def ask_comment(self) -> None:
        """Acknowledge the chosen alarms with a comment."""
        records = [r for r in self.selected() if is_unacked(r)]
        self._ask("Acknowledge", comment_form(len(records)), partial(self._take_comment, records))

    def _take_comment(self, records: list[AlarmRecord], form: Form, card: DialogCard) -> None:
        self._acknowledge(records, str(form.values()["comment"] or ""))
        card.close()

    def ask_shelf(self) -> None:
        """Shelve the chosen alarms for some minutes, with a reason."""
        records = self.selected()
        self._ask("Shelve", shelf_form(len(records)), partial(self._take_shelf, records))

    def _take_shelf(self, records: list[AlarmRecord], form: Form, card: DialogCard) -> None:
        values = form.values()
        minutes, reason = int(str(values["minutes"] or 0)), str(values["reason"] or "")
        if not reason.strip():
            form.set_error("reason", "Say why the alarm is shelved.")
            return
        for record in records:
            intent = shelve_alarm(alarm=record.key, minutes=minutes, reason=reason)
            self._act(record.key, intent)
        card.close()

    def _ask(self, title: str, form: Form, take: Callable[[Form, DialogCard], None]) -> None:
        card = DialogCard(title, form, self)
        card.setObjectName(f"{title.lower()}-card")
        form.submitted.connect(partial(take, form, card))
        form.cancelled.connect(card.close)
        card.show_card()
        form.focus_first()

    def unshelve(self) -> None:
        """Bring the chosen alarms back before their time."""
        for record in self.selected():
            if record.phase is Phase.SHELVED:
                self._act(record.key, unshelve_alarm(alarm=record.key))

    def open_chart(self) -> None:
        """The chart of the chosen alarms' signals."""
        tags = list(dict.fromkeys(r.tag for r in self.selected()))
        if tags:
            self.open_requested.emit("charts", tags)

    def toggle_pause(self) -> None:
        """Hold the list still, or let it go on."""
        self._paused = not self._paused
        self.actions_set.rename("alarms.pause", "Go on" if self._paused else "Pause list")
        self._hold_or_not()
        self._say_rate()

    @Slot()
    def _hold_or_not(self) -> None:
        self.model.hold(self._paused or self._reading.isActive())

    @Slot()
    def _let_go(self) -> None:
        self._reading.stop()
        if self._paused:
            self.toggle_pause()
        else:
            self._hold_or_not()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            self._reading.start()
            if not self.model.held:
                self._hold_or_not()
        elif event.type() == QEvent.Type.Leave:
            self._reading.stop()
            self._hold_or_not()
        return False

    @Slot(int)
    def _on_activated(self, _row: int) -> None:
        self.open_chart()

    @Slot(int, QPoint)
    def _show_menu(self, row: int, at: QPoint) -> None:
        if row < 0:
            return
        menu = QMenu(self)
        for key in ("alarms.ack", "alarms.comment", "alarms.shelve", "alarms.unshelve", "alarms.chart"):
            if self.actions_set.reason(key) is None:
                menu.addAction(self.actions_set.action(key))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)


def _table(name: str, model: AlarmList | AlarmJournal) -> ListView:
    """A list whose order is the model's own."""
    table = ListView()
    table.setObjectName(name)
    table.setAccessibleName(name.replace("-", " "))
    table.horizontalHeader().setSectionsClickable(False)
    table.setModel(model)
    table.horizontalHeader().setStretchLastSection(True)
    return table
