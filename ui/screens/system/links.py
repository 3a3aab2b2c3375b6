"""How the talk with each machine goes, in figures: the first link of the chain from the sensor to the window."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt

from app.domain.plant import Connection
from ui.bridge.live import LiveDesk
from ui.models.machine_words import age_words
from ui.models.text_table import TextColumn, TextTable
from ui.models.wording import NONE, age
from ui.widgets.list_view import ListView

_STATES = {"online": "▶ online", "connecting": "○ connecting", "offline": "■ offline"}
_COLUMNS = (
    TextColumn("name", "Machine link", 150),
    TextColumn("state", "State", 110),
    TextColumn("since", "For", 64, number=True),
    TextColumn("rate", "Values/s", 76, number=True),
    TextColumn("poll", "Answer", 76, number=True),
    TextColumn("slowest", "Slowest", 76, number=True),
    TextColumn("failures", "Failed", 110, number=True),
    TextColumn("reconnects", "Reconnects", 88, number=True),
    TextColumn("overflows", "Lost", 60, number=True),
    TextColumn("good", "Last good", 80, number=True),
    TextColumn("interval", "Interval", 84, number=True),
    TextColumn("why", "What to know", 260),
)
_LEAST_SHOWN, _MOST_SHOWN = 3, 10


class LinkTable(ListView):
    """A row for each connection of the plant; a refresh keeps selection and scroll.

    It is as high as its rows, up to ten of them.
    """

    def __init__(self, live: LiveDesk) -> None:
        super().__init__()
        self._live = live
        self.rows = TextTable(_COLUMNS, self)
        self.setObjectName("link-list")
        self.setAccessibleName("Links to machines")
        self.horizontalHeader().setSectionsClickable(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.setModel(self.rows)
        self.setVerticalScrollMode(ListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.set_empty("No machine is connected yet.", "Connections")

    def refresh(self) -> None:
        """Look again at all links."""
        live, now = self._live, self._live.now()
        self.rows.set_rows([link_row(c, live, now) for c in live.plant.connections])
        shown = min(_MOST_SHOWN, max(_LEAST_SHOWN, self.rows.rowCount()))
        high = shown * self.verticalHeader().defaultSectionSize() + 2 * self.frameWidth()
        head = self.horizontalHeader()
        self.setFixedHeight(high + max(head.height(), head.sizeHint().height()) + 2)

    def facts(self) -> dict[str, dict[str, str]]:
        """What is on show, for the diagnostics: figures by title, by link."""
        titles = [column.title for column in _COLUMNS]
        return {row[0]: dict(zip(titles[1:], row[1:], strict=True)) for row in self.rows.rows()}


def link_row(connection: Connection, live: LiveDesk, now: datetime) -> tuple[str, ...]:
    """One row in words; a dash where nothing is known."""
    status = live.links.get(connection.name)
    if not connection.enabled:
        state, since, why = "○ switched off", NONE, ""
    elif status is None or not live.collector_state.live:
        state, since = "? not known", NONE
        why = "" if live.collector_state.live else live.collector_state.sentence
    elif not status.heard:
        state, since, why = "? not heard", age(status.since, now), status.sentence
    else:
        state, since = _STATES[status.state.value], age(status.since, now)
        why = "" if status.state.value == "online" else status.sentence
    return (connection.name, state, since, *_figures(connection.name, live, now), why)


def _figures(connection: str, live: LiveDesk, now: datetime) -> tuple[str, ...]:
    found = live.figures.get(connection)
    if found is None:
        return (NONE,) * 8
    failed = f"{found.failures:,} of {found.requests:,}" if found.failures else "0"
    good = found.last_good
    return (
        f"{found.values_per_second:,.1f}",
        _milliseconds(found.poll_seconds),
        _milliseconds(found.slowest_seconds),
        failed,
        f"{found.reconnects:,}",
        f"{found.overflows:,}",
        NONE if good is None else age_words(max(0.0, (now - good).total_seconds())),
        f"{found.interval_seconds:g} s" if found.interval_seconds else "as wished",
    )


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds else NONE
