"""The connections of the plant as a list: state, last good value, reconnects, tags, and why one is silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.domain.plant import Connection, Plant
from ui.bridge.live import LiveDesk
from ui.models.machine_words import age_words
from ui.models.table_header import header_answer
from ui.screens.machines.draft import PROTOCOL_NAMES
from ui.widgets.form import Form
from ui.widgets.roles import GlyphRole, MutedRole

Index = QModelIndex | QPersistentModelIndex
_COLUMNS = (
    ("name", "Connection", 150), ("protocol", "Protocol", 130), ("url", "Address", 220), ("state", "State", 120),
    ("station", "Station", 70), ("good", "Last good", 80), ("outages", "Reconnects", 90), ("tags", "Tags", 60),
    ("why", "What to know", 420),
)  # fmt: skip
_NUMBERS = ("good", "outages", "tags")
_STATE = 3
_STATES = {"online": ("running", "talks"), "offline": ("stopped", "silent")}


@dataclass(frozen=True)
class ConnectionNow:
    """One row, in words."""

    connection: Connection
    glyph: str
    state: str
    good: str
    outages: str
    tags: int
    why: str
    station: str = ""


def connection_now(connection: Connection, plant: Plant, live: LiveDesk, now: datetime) -> ConnectionNow:
    """How a connection is doing, as far as this window has heard."""
    tags, link = plant.tags_of(connection.name), live.links.get(connection.name)
    times = [s.receive_time for t in tags if (s := live.latest(t.name)) is not None and not s.bad]
    figures = live.figures.get(connection.name)
    if figures is not None and figures.last_good is not None:
        times.append(figures.last_good)
    good = age_words(max(0.0, (now - max(times)).total_seconds())) if times else "–"
    if not connection.enabled:
        return ConnectionNow(connection, "idle", "switched off", good, "", len(tags), "It is not read.")
    if not live.collector_state.live:
        return ConnectionNow(
            connection, "unknown", "not known", good, "", len(tags), live.collector_state.sentence
        )
    if link is None:
        why = "" if tags else "It has no tags yet, so it is not called."
        return ConnectionNow(connection, "unknown", "not known", good, "", len(tags), why)
    glyph, state = _STATES.get(link.state.value, ("unknown", "is called"))
    if not link.heard:
        glyph, state = "unknown", "not heard"
    outages = str(figures.reconnects if figures is not None else link.outages)
    why = "" if link.state.value == "online" and link.sentence == "Connected." else link.sentence
    return ConnectionNow(connection, glyph, state, good, outages, len(tags), why, link.station)


class ConnectionList(QAbstractTableModel):
    """One row a connection; a refresh with the same connections keeps selection and scroll."""

    def __init__(self, live: LiveDesk) -> None:
        super().__init__(live)
        self._live = live
        self.rows: list[ConnectionNow] = []

    def refresh(self, words: str = "") -> None:
        """Look again; `words` filter by name, protocol and address."""
        live, now = self._live, self._live.now()
        rows = [connection_now(c, live.plant, live, now) for c in live.plant.connections]
        wanted = [row for row in rows if _matches(row, words.casefold().split())]
        if [r.connection.name for r in wanted] == [r.connection.name for r in self.rows]:
            self.rows = wanted
            if wanted:
                self.dataChanged.emit(self.index(0, 0), self.index(len(wanted) - 1, len(_COLUMNS) - 1))
            return
        self.beginResetModel()
        self.rows = wanted
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(row)[column]
        if role == GlyphRole and column == _STATE:
            return ("state", row.glyph)
        if role == MutedRole:
            return not row.connection.enabled
        return None

    @staticmethod
    def _words(row: ConnectionNow) -> tuple[str, ...]:
        c = row.connection
        now = (row.state, row.station, row.good, row.outages, f"{row.tags:,}", row.why)
        return (c.name, PROTOCOL_NAMES[c.driver], c.url, *now)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        return header_answer(_COLUMNS[section], role, right=_COLUMNS[section][0] in _NUMBERS)


def facts_of(row: ConnectionNow, live: LiveDesk) -> str:
    """Everything known of one connection, in a line or two: why it is silent, how fast and how well it answers."""
    name, found = row.connection.name, live.figures.get(row.connection.name)
    words = [f"{name}: {row.why or row.state}".rstrip(".")]
    if found is not None and found.requests:
        rate = 100 * found.failures / found.requests
        words.append(f"{found.requests:,} requests, {rate:.1f} % failed")
        words.append(f"last answer after {1000 * found.poll_seconds:,.0f} ms")
        words.append(f"slowest of the last minute {1000 * found.slowest_seconds:,.0f} ms")
    if found is not None:
        words.append(f"{found.values_per_second:,.1f} values a second")
        if found.interval_seconds:
            words.append(f"the machine grants no less than {found.interval_seconds:g} s")
        if found.overflows:
            words.append(f"{found.overflows:,} values lost because its queue was full")
    return " · ".join(words)


def takeover_form(station: str) -> Form:
    """Field `reason`."""
    form = Form(f"Take over from station {station}")
    form.add_text("reason", "Reason", hint="Why this station (may stay empty)")
    return form


def _matches(row: ConnectionNow, words: list[str]) -> bool:
    c = row.connection
    text = f"{c.name} {PROTOCOL_NAMES[c.driver]} {c.driver} {c.url} {row.state}".casefold()
    return all(word in text for word in words)
