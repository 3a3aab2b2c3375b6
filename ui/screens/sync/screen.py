"""Sharing: how it goes with the server, what is not there yet, conflicts to settle, what was merged, who did what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.store.queries.listing import ListRequest
from app.store.queries.shared_changes import SHARED_CHANGES
from ui.actions import ActionSet
from ui.bridge.desk import Desk
from ui.bridge.sync_status import Sharing, go_offline, go_online, sync_now
from ui.models.paged import ColumnLook, PagedModel
from ui.screens.sync.conflicts_page import ConflictsPage
from ui.screens.sync.merged_page import MergedPage
from ui.screens.sync.status_line import StatusLine
from ui.screens.sync.unsent_page import UnsentPage
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.states import EmptyState
from ui.widgets.tabs import Tabs

CONFLICTS, UNSENT, MERGED, EVERYBODY = range(4)
NOT_SHARED = (
    "This computer works for itself: all data is here, and nothing is sent anywhere.\n\n"
    "Several computers can share one server. Each goes on working when the server is out of reach, and sends what "
    "was done when it is back. To join one, ask whoever runs it for the line that `lineside server add-station` "
    "prints, log out, and choose “Join a server…” at the login; or type `lineside join` and the line."
)
_OUTCOMES = {
    "applied": "✔ taken",
    "conflict": "⚡ conflict",
    "denied": "✖ not allowed",
    "rejected": "✖ not possible",
}


def _outcome(values: Mapping[str, Any]) -> str:
    return _OUTCOMES.get(values["verdict"], str(values["verdict"]))


LOOKS = (
    ColumnLook("seq", "No.", 70),
    ColumnLook("at", "When", 140),
    ColumnLook("station", "Station", 80),
    ColumnLook("actor", "Who", 140),
    ColumnLook("verdict", "Outcome", 120, words=_outcome),
    ColumnLook("label", "What", 460),
)


class SharingScreen(Pane):
    """`open_with` takes the number of a conflict, or words to look for."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("sharing", "Sharing", parent)
        self._desk = desk
        self._asked_all = False
        self.status = StatusLine(desk)
        self.tabs = Tabs()
        self.pages = QStackedWidget()
        self.conflicts = ConflictsPage(desk)
        self.unsent = UnsentPage(desk)
        self.merged = MergedPage(desk)
        self.everybody = ListView()
        self.all_changes = PagedModel(desk, SHARED_CHANGES, LOOKS, frozenset({"*"}), parent=self)
        self.alone = EmptyState(NOT_SHARED, "Log out to join a server…")
        self.shared = QWidget()
        page = self.conflicts
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "sharing.mine": page.mine,
                "sharing.theirs": page.theirs,
                "sharing.other": page.other,
                "sharing.next": page.next,
                "sharing.apply": page.apply,
                "sharing.bring-back": page.bring_back,
                "sharing.now": self.sync_now,
                "sharing.offline": self.toggle_offline,
                "refresh": self.refresh,
            },
        )
        self._build()
        self._connect()
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self._tell)
        self._on_sharing(desk.sharing.now)

    def _build(self) -> None:
        self.add_filter("words, who:…, station:07, why:denied", ("conflict", "conflicts"))
        self.add_tool(self.conflicts.state)
        for key in ("sharing.offline", "sharing.now"):
            self.add_tool(self.actions_set.button(key))
        self.conflicts.build(self.actions_set)
        self.everybody.setObjectName("shared-changes-list")
        self.everybody.setAccessibleName("Changes of all stations")
        self.everybody.setModel(self.all_changes)
        self.everybody.set_sort("seq", True)
        self.everybody.set_empty("Nothing came from the server yet.")
        self.tabs.setAccessibleName("What to see of sharing")
        for title, page in (
            ("Conflicts", self.conflicts),
            ("If you closed the lid now", self.unsent),
            ("Merged by themselves", self.merged),
            ("All stations", self.everybody),
        ):
            self.tabs.addTab(title)
            self.pages.addWidget(page)
        layout = QVBoxLayout(self.shared)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.status)
        layout.addWidget(self.tabs)
        layout.addWidget(self.pages, 1)
        self.body.addWidget(self.shared, 1)
        self.body.addWidget(self.alone, 1)
        self.setFocusProxy(self.conflicts)

    def _connect(self) -> None:
        if self.filter is not None:
            self.filter.filter_changed.connect(self._on_filter)
        self.tabs.currentChanged.connect(self._on_tab)
        self.conflicts.counted.connect(self._on_counted)
        self.conflicts.failed.connect(self._on_failed)
        self.all_changes.failed.connect(self._on_failed)
        self.all_changes.loading.connect(self.everybody.set_loading)
        self.all_changes.counted.connect(self._on_all_counted)
        self.everybody.sort_requested.connect(self._on_sort)
        self.merged.row_requested.connect(self.open_requested)
        self.banner.action_requested.connect(self.refresh)
        self.alone.action_requested.connect(self._to_login)
        self._desk.sharing.changed.connect(self._on_sharing)
        self._desk.changed.connect(self._on_changed)

    # -- what is shown

    def refresh(self) -> None:
        self.banner.show_text("")
        self._tell()
        if not self._desk.sharing.now.joined:
            return
        page = self.tabs.currentIndex()
        if page == CONFLICTS:
            self.conflicts.model.refresh()
        elif page == UNSENT:
            self.unsent.refresh()
        elif page == MERGED:
            self.merged.refresh()
        elif self._asked_all:
            self.all_changes.refresh()
        else:
            self._ask_all()

    def open_with(self, argument: object) -> None:
        """The number of a conflict, or words for the filter."""
        if isinstance(argument, int):
            self.tabs.setCurrentIndex(CONFLICTS)
            self.conflicts.show_conflict(argument)
        else:
            super().open_with(argument)

    def _on_sharing(self, sharing: Sharing) -> None:
        self.shared.setVisible(sharing.joined)
        self.alone.setVisible(not sharing.joined)
        if self.filter is not None:
            self.filter.setVisible(sharing.joined and self.tabs.currentIndex() in (CONFLICTS, EVERYBODY))
        self.conflicts.state.setVisible(sharing.joined and self.tabs.currentIndex() == CONFLICTS)
        self.actions_set.rename("sharing.offline", "Go online" if sharing.paused else "Work offline")
        silent = "Nothing is heard of the sync process at the moment."
        reason = (
            "Nothing is shared here." if not sharing.joined else silent if sharing.heard is None else None
        )
        self.actions_set.set_unavailable("sharing.offline", reason)
        chosen = "You chose to work offline; Go online comes first." if sharing.paused else None
        self.actions_set.set_unavailable("sharing.now", reason or chosen)
        self.tabs.setTabText(CONFLICTS, _with_count("Conflicts", sharing.conflicts))
        self.tabs.setTabText(UNSENT, _with_count("If you closed the lid now", sharing.to_send))
        self._tell()

    def _tell(self) -> None:
        self.status.tell()
        self.unsent.tell()

    def _on_changed(self, _entities: object) -> None:
        if self.isVisible() and self.tabs.currentIndex() in (UNSENT, MERGED):
            self.refresh()

    def _on_tab(self, page: int) -> None:
        self.pages.setCurrentIndex(page)
        self._on_sharing(self._desk.sharing.now)
        if self.filter is not None:
            self.filter.clear()
        self.refresh()

    def _on_filter(self, words: str) -> None:
        if self.tabs.currentIndex() == CONFLICTS:
            self.conflicts.ask(words)
        elif self.tabs.currentIndex() == EVERYBODY:
            self._ask_all()

    def _ask_all(self) -> None:
        self._asked_all = True
        sort, descending = self.everybody.sort() or ("seq", True)
        words = self.filter.text() if self.filter is not None else ""
        self.all_changes.set_request(ListRequest(words, sort, descending))

    def _on_sort(self, _key: str, _descending: bool) -> None:
        self._ask_all()

    def _on_counted(self, rows: int, filtered: bool) -> None:
        self.banner.show_text("")
        if self.filter is not None and self.tabs.currentIndex() == CONFLICTS:
            self.filter.set_count(rows, filtered)

    def _on_all_counted(self, rows: int, filtered: bool) -> None:
        self.banner.show_text("")
        if self.filter is not None and self.tabs.currentIndex() == EVERYBODY:
            self.filter.set_count(rows, filtered)

    def _on_failed(self, sentence: str) -> None:
        self.banner.show_text(sentence, "Retry")

    # -- what can be done

    def sync_now(self) -> None:
        """Try the server at once."""
        self._desk.sharing.ask(sync_now)

    def toggle_offline(self) -> None:
        """Send and receive nothing until told otherwise, or go on."""
        self._desk.sharing.ask(go_online if self._desk.sharing.now.paused else go_offline)

    def _to_login(self) -> None:
        self.action_wanted.emit("switch-user")

    # -- Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._second.start()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._second.stop()
        self.conflicts.detail.keep_draft()


def _with_count(title: str, count: int) -> str:
    return f"{title} ({count:,})" if count else title
