"""The journal: everything that happened to alarms, searched, narrowed, scrolled back for years, saved to a file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.alarms import Event
from app.store.history import JournalLine
from app.store.history.alarm_journal import PAGE, JournalQuery
from app.store.history.journal_export import write_journal
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.models.alarm_journal import AlarmJournal, elsewhere_words
from ui.screens.alarms.tables import alarm_table
from ui.widgets.fields import ChoiceField
from ui.widgets.themed import RoleLabel

_EVENTS: dict[str, tuple[Event, ...]] = {
    "": (),
    "raised": (Event.RAISED, Event.ESCALATED, Event.RANG_AGAIN),
    "gone": (Event.RETURNED, Event.CLEARED),
    "seen": (Event.ACKNOWLEDGED, Event.RESET),
    "aside": (
        Event.SHELVED, Event.UNSHELVED, Event.SUPPRESSED, Event.UNSUPPRESSED, Event.TAKEN_OUT, Event.PUT_BACK,
    ),
}  # fmt: skip
_EVENT_CHOICES = (
    ("", "Every event"),
    ("raised", "Raised"),
    ("gone", "Went away"),
    ("seen", "Acknowledged, reset"),
    ("aside", "Put aside, brought back"),
)
_PRIORITIES = (("", "Every priority"), *((str(p), f"Priority {p}") for p in (1, 2, 3, 4)))
_DAYS = (("1", "Last 24 hours"), ("7", "Last 7 days"), ("31", "Last 31 days"), ("", "All time"))
_LOOK_MS = 1000


class JournalPage(QWidget):
    """`failed` and `saved` carry a sentence."""

    failed = Signal(str)
    saved = Signal(str)

    def __init__(self, desk: Desk, live: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._live = desk, live
        self._search = ""
        self._more = False
        self._asked: JournalQuery | None = None
        self.model = AlarmJournal(self)
        self.table = alarm_table("alarms-journal", self.model)
        self.events = _choice(_EVENT_CHOICES, "journal-events", "Which events")
        self.priority = _choice(_PRIORITIES, "journal-priority", "Which priority")
        self.days = _choice(_DAYS, "journal-days", "How far back")
        self.days.set_value("7")
        self._count = RoleLabel("", "meta", "text2")
        self._again = QTimer(self, singleShot=True, interval=_LOOK_MS)
        self._again.timeout.connect(self.refresh)
        self._lay_out()
        for choice in (self.events, self.priority, self.days):
            choice.currentIndexChanged.connect(self.start_over)
        self.table.verticalScrollBar().valueChanged.connect(self._on_scrolled)

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        for choice in (self.days, self.events, self.priority):
            line.addWidget(choice)
        line.addWidget(self._count)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(line)
        layout.addWidget(self.table, 1)
        self.setFocusProxy(self.table)

    def query(self) -> JournalQuery:
        """What the fields ask for."""
        days, priority = str(self.days.value() or ""), str(self.priority.value() or "")
        start = self._live.now() - timedelta(days=int(days)) if days else None
        return JournalQuery(
            start=start,
            search=self._search,
            events=_EVENTS[str(self.events.value() or "")],
            priority=int(priority) if priority else None,
            plant=self._live.plant,
        )

    def search(self, text: str) -> None:
        """Only lines in which every word of `text` occurs."""
        if text != self._search:
            self._search = text
            if self.isVisible():
                self.start_over()

    @Slot()
    def start_over(self) -> None:
        """Ask anew, from the newest line on."""
        self._read(self.query(), anew=True)

    @Slot()
    def refresh(self) -> None:
        """Bring in what happened since; what was scrolled to stays."""
        self._read(self.query(), anew=False)

    def soon(self) -> None:
        """Alarms moved: look again, at most once a second."""
        if self.isVisible() and not self._again.isActive():
            self._again.start()

    def _read(self, query: JournalQuery, *, anew: bool) -> None:
        history = self._live.history
        self._desk.tasks.run(
            lambda: history.journal_page(query),
            self._take_anew if anew else self._take,
            owner=self,
            key="journal",
            failed=self._not_read,
        )

    def _take_anew(self, lines: list[JournalLine]) -> None:
        self.model.start_over(lines, self._live.plant)
        self._more = len(lines) == PAGE
        self._say()

    def _take(self, lines: list[JournalLine]) -> None:
        if not self.model.rowCount():
            self._more = len(lines) == PAGE
        self.model.set_lines(lines, self._live.plant)
        self._say()

    def _say(self) -> None:
        count = self.model.rowCount()
        words = f"{count:,} lines{', scroll for older ones' if self._more else ''}"
        others = sorted({link.station for link in self._live.links.values() if link.station})
        self._count.setText(f"{words}{elsewhere_words(others)}")
        narrowed = bool(self._search or self.events.value() or self.priority.value() or self.days.value())
        self.table.set_empty(
            "No line fits: choose a longer time or fewer words." if narrowed else "Nothing has happened yet."
        )

    @Slot(int)
    def _on_scrolled(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        if self._more and bar.maximum() and value >= bar.maximum() - bar.pageStep():
            self._more = False  # until the answer is there
            history, last = self._live.history, self.model.last
            query = self.query()
            older = JournalQuery(
                query.start, query.end, query.search, query.events, query.priority, None, last, query.plant
            )
            self._desk.tasks.run(
                lambda: history.journal_page(older),
                self._take_older,
                owner=self,
                key="journal-older",
                failed=self._not_read,
            )

    def _take_older(self, lines: list[JournalLine]) -> None:
        self.model.add_older(lines, self._live.plant)
        self._more = len(lines) == PAGE
        self._say()

    def _not_read(self, error: BaseException) -> None:
        self.failed.emit(getattr(error, "sentence", str(error)))

    def choose_file(self) -> None:
        """Ask where the lines that the fields ask for shall go."""
        dialog = QFileDialog(self, "Save the journal", "alarms.xlsx", "Excel (*.xlsx);;CSV (*.csv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("xlsx")
        dialog.fileSelected.connect(self.save)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def save(self, name: str) -> None:
        """Write all lines that the fields ask for, also those not scrolled to yet."""
        history, query = self._live.history, self.query()
        self._desk.tasks.run(
            lambda: write_journal(Path(name), history.journal_lines(query), query.plant),
            self._written,
            owner=self,
            key="journal-file",
            failed=self._not_read,
        )

    def _written(self, count: int) -> None:
        self.saved.emit(f"Saved {count:,} lines of the journal.")


def _choice(choices: tuple[tuple[str, str], ...], name: str, words: str) -> ChoiceField:
    field = ChoiceField(choices)
    field.setObjectName(name)
    field.setAccessibleName(words)
    field.set_value("")
    return field
