"""System: each link from the sensor to this window with its age, what waits to be sent, and the audit trail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget
from sqlalchemy.orm import Session

from app.domain.errors import LinesideError
from app.domain.people import Permission
from app.store.queries.listing import ListRequest
from app.store.queries.lists import AUDIT
from app.store.queries.station import StationState, broken_audit_line, file_sizes, station_state
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.paged import ColumnLook, PagedModel
from ui.models.sharing_words import sharing_sentence
from ui.models.wording import moment
from ui.screens.system.facts import Facts
from ui.screens.system.history_room import HistoryRoom, megabytes, room_words
from ui.screens.system.links import LinkTable
from ui.screens.system.pulse import Pulse, memory_bytes
from ui.widgets.buttons import ActionButton
from ui.widgets.list_view import ListView
from ui.widgets.pane import Pane
from ui.widgets.themed import RoleLabel

_SECOND_MS = 1000
_OUTCOMES = {"done": "✔ done", "refused": "✖ refused", "denied": "✖ denied"}


def _outcome(values: Mapping[str, Any]) -> str:
    return _OUTCOMES.get(values["outcome"], str(values["outcome"]))


LOOKS = (
    ColumnLook("seq", "No.", 70),
    ColumnLook("at", "When", 140),
    ColumnLook("actor", "Who", 150),
    ColumnLook("outcome", "Outcome", 110, words=_outcome),
    ColumnLook("operation", "Operation", 170),
    ColumnLook("sentence", "What", 460),
)


@dataclass(frozen=True)
class _Files:
    """What was read of the disk."""

    state: StationState
    sizes: Mapping[str, int]
    crashes: int


def sync_sentence(pending: int) -> str:
    """How sharing stands, in words."""
    if pending == 0:
        return "Nothing waits to be sent. No server is set up yet."
    changes = "1 change waits" if pending == 1 else f"{pending:,} changes wait"
    return f"{changes} for a server; no server is set up yet: everything is kept here."


class SystemScreen(Pane):
    """Links in figures, facts, and the audit trail for those who may see it."""

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__("system", "System", parent)
        self._desk, self._live = desk, live
        self.chain = Facts("From the collector on")
        self.history = Facts("History of measured values")
        self.station = Facts("This station")
        self.links = LinkTable(live)
        self.pulse = Pulse(self)
        self.model = PagedModel(desk, AUDIT, LOOKS, frozenset({"*"}), parent=self)
        self.list = ListView()
        self.no_audit = RoleLabel("", "body", "text2")
        self.verify_button = ActionButton("Check the trail")
        self.verdict = RoleLabel("", "body", "text2")
        self.copy_button = ActionButton("Copy diagnostics", icon="copy")
        self.logs_button = ActionButton("Open the logs", icon="list-bullets")
        self.sound_button = ActionButton("Test the alarm sound", icon="speaker-high")
        self._asked = False
        self._build()
        self._connect()
        self._second = QTimer(self, interval=_SECOND_MS)
        self._second.timeout.connect(self._show_live)
        self._soon = QTimer(self, singleShot=True, interval=300)
        self._soon.timeout.connect(self.refresh)
        self._on_actor()

    def _build(self) -> None:
        for button in (self.sound_button, self.logs_button, self.copy_button):
            self.add_tool(button)
        self.body.addWidget(RoleLabel("Links to machines", "section"))
        self.body.addWidget(self.links)
        self.body.addSpacing(4)
        facts = QHBoxLayout()
        facts.setSpacing(32)
        for part in (self.chain, self.history, self.station):
            facts.addWidget(part, 1, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(facts)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(RoleLabel("Audit trail", "section"))
        head.addWidget(self.verdict)
        head.addWidget(self.no_audit)
        head.addStretch(1)
        head.addWidget(self.verify_button)
        self.body.addSpacing(4)
        self.body.addLayout(head)
        self.add_filter("audit trail: words, actor:…, outcome:denied", ("line", "lines"))
        self.list.setObjectName("audit-list")
        self.list.setAccessibleName("Audit trail")
        self.list.setModel(self.model)
        self.list.set_sort("seq", True)
        self.body.addWidget(self.list, 1)
        self.body.addStretch(0)
        self.setFocusProxy(self.links)

    def _connect(self) -> None:
        if self.filter is not None:
            self.filter.filter_changed.connect(self._on_filter)
        self.model.counted.connect(self._on_counted)
        self.model.failed.connect(self._on_failed)
        self.model.loading.connect(self.list.set_loading)
        self.list.sort_requested.connect(self._on_sort)
        self.list.empty_action_requested.connect(self._show_all)
        self.banner.action_requested.connect(self.refresh)
        self.verify_button.clicked.connect(self.verify)
        self.copy_button.clicked.connect(self.copy_diagnostics)
        self.logs_button.clicked.connect(self._open_logs)
        self.sound_button.clicked.connect(self._test_sound)
        self.links.empty_action_requested.connect(self._to_connections)
        self.links.activated_row.connect(self._to_connections)
        self._desk.changed.connect(self._on_changed)
        self._desk.actor_changed.connect(self._on_actor)
        self._live.collector_changed.connect(self._on_collector)

    # -- facts

    def refresh(self) -> None:
        folder = self._desk.house.folder

        def look(session: Session) -> _Files:
            crashes = len(list((folder / "crashes").glob("crash-*.json")))
            return _Files(station_state(session), file_sizes(folder), crashes)

        self._desk.read(look, self._take_files, owner=self, key="files", failed=self._on_read_failed)
        self._read_history()
        self._show_live()
        if self._may_audit():
            self.model.refresh()

    def _take_files(self, files: _Files) -> None:
        self.banner.show_text("")
        sharing = self._desk.sharing.now
        self.chain.show_fact(
            "Sharing", sharing_sentence(sharing, self._live.now()) or sync_sentence(files.state.pending)
        )
        self.station.show_fact("Data file", megabytes(files.sizes.get("lineside.sqlite")))
        self.station.show_fact("Schema", f"{files.state.revision} · {files.state.audit_lines:,} audit lines")
        folder = self._desk.house.folder
        self.station.show_fact("Data folder", str(folder))
        self.station.show_fact("Logs", str(folder / "logs"))
        reports = "none" if files.crashes == 0 else f"{files.crashes} in {folder / 'crashes'}"
        self.station.show_fact("Crash reports", reports)

    def _show_live(self) -> None:
        self.links.refresh()
        seconds = self._live.data_age
        heard = "never heard" if seconds is None else f"heard {seconds:.0f} s ago"
        lost = [
            f"{count:,} values {what}"
            for count, what in ((self._live.skipped, "skipped"), (self._live.given_up, "given up"))
            if count
        ]
        self.chain.show_fact(
            "Collector", " · ".join([self._live.collector_state.sentence.rstrip("."), heard, *lost])
        )
        p95 = self.pulse.p95()
        answers = "measuring…" if p95 is None else f"answers within {p95:.0f} ms, 95 times of 100"
        self.chain.show_fact("This window", answers)
        self.station.show_fact("Memory", megabytes(memory_bytes()))

    def _read_history(self) -> None:
        history, folder = self._live.history, self._desk.house.folder

        def look() -> HistoryRoom:
            return HistoryRoom(history.stats(), disk_usage(folder).free)

        self._desk.tasks.run(look, self._take_history, owner=self, key="history", failed=self._on_read_failed)

    def _take_history(self, room: HistoryRoom) -> None:
        for name, words in room_words(room).items():
            self.history.show_fact(name, words)

    def _on_read_failed(self, error: BaseException) -> None:
        if isinstance(error, LinesideError):
            self.banner.show_text(error.sentence, "Retry")
        else:
            self._desk.tasks.unhandled.emit(error)

    def _on_changed(self, _entities: object) -> None:
        if self.isVisible():
            self._soon.start()

    def _on_collector(self, _state: object) -> None:
        self._show_live()

    def _open_logs(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log_folder())))

    def _log_folder(self) -> Path:
        return self._desk.house.folder / "logs"

    def _test_sound(self) -> None:
        self.action_wanted.emit("test-sound")

    def _to_connections(self, _row: int = 0) -> None:
        self.open_requested.emit("machines", None)

    def copy_diagnostics(self) -> None:
        """What whoever helps needs to know, as text on the clipboard; nothing secret is in it."""
        told = {
            "at": moment(self._live.now()),
            "links": self.links.facts(),
            **self.chain.facts(),
            **self.history.facts(),
            **self.station.facts(),
        }
        QGuiApplication.clipboard().setText(json.dumps(told, ensure_ascii=False, indent=1))
        self.copy_button.setText("Copied")

    # -- the trail

    def _may_audit(self) -> bool:
        return self._desk.actor is not None and self._desk.denial(Permission.SEE_AUDIT) is None

    def _on_actor(self, _actor: object = None) -> None:
        if self._desk.actor is None:
            return
        reason = self._desk.denial(Permission.SEE_AUDIT)
        self.list.setVisible(reason is None)
        self.no_audit.setVisible(reason is not None)
        self.no_audit.setText(reason or "")
        self.verify_button.refuse(reason)
        if self.filter is not None:
            self.filter.setVisible(reason is None)
        if reason is None and not self._asked:
            self._asked = True
            self._ask()

    def _ask(self) -> None:
        sort, descending = self.list.sort() or ("seq", True)
        text = self.filter.text() if self.filter is not None else ""
        self.model.set_request(ListRequest(text, sort, descending))

    def _on_filter(self, _text: str) -> None:
        self._ask()

    def _on_sort(self, _key: str, _descending: bool) -> None:
        self._ask()

    def _show_all(self) -> None:
        if self.filter is not None:
            self.filter.clear()

    def _on_counted(self, rows: int, filtered: bool) -> None:
        if self.filter is not None:
            self.filter.set_count(rows, filtered)
        self.list.set_empty("No line matches this filter.", "Show all lines")

    def _on_failed(self, sentence: str) -> None:
        self.banner.show_text(sentence, "Retry")

    def verify(self) -> None:
        """Check that every line of the trail follows from the one before it."""
        self.verify_button.setEnabled(False)
        self.verdict.setText("Checking…")
        self._desk.read(
            broken_audit_line, self._take_verdict, owner=self, key="verify", failed=self._verify_failed
        )

    def _take_verdict(self, broken: int | None) -> None:
        self.verify_button.setEnabled(True)
        when = moment(self._live.now())
        if broken is None:
            self.verdict.setText(f"✔ Every line follows from the one before it (checked {when}).")
        else:
            self.verdict.setText(
                f"✖ Line {broken} does not follow from the lines before it: the file was changed by hand."
            )

    def _verify_failed(self, error: BaseException) -> None:
        self.verify_button.setEnabled(True)
        self.verdict.setText("")
        self._on_read_failed(error)

    # -- Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.pulse.start()
        self._second.start()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.pulse.stop()
        self._second.stop()
        self.copy_button.setText("Copy diagnostics")
