"""What happened, as pins on the charts: read off the GUI thread, chosen by kind, opened by click or key."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMenu, QWidget
from sqlalchemy.orm import Session

from app.domain.plant import Tag
from app.store.history import AlarmRecord, HistoryReader
from app.store.queries.chart_events import MOST, ChartEvent, EventKind, alarm_events, work_events
from ui.bridge.desk import EVERYTHING, Desk
from ui.bridge.live import LiveDesk
from ui.models.preferences import remember, remembered
from ui.widgets.chart_marks import EventPin

_TABLES = frozenset(
    {"stage", "inspection", "issue", "note", "maintenance_order", "machine_write", "correction"}
)
_KINDS = {
    EventKind.STAGE: "stage",
    EventKind.ISSUE: "issue",
    EventKind.NOTE: "note",
    EventKind.MAINTENANCE: "maintenance",
    EventKind.WRITE: "write",
    EventKind.CORRECTION: "correction",
}
_SOON_MS = 250

Found = tuple[list[ChartEvent], list[ChartEvent]]


class EventLayer(QObject):
    """`changed` when other events are to be drawn; `kinds` are those that are shown."""

    changed = Signal()

    def __init__(self, desk: Desk, live: LiveDesk, host: QWidget) -> None:
        super().__init__(host)
        self._desk, self._live = desk, live
        self.kinds: set[EventKind] = set(EventKind)
        self.events: list[ChartEvent] = []
        self._all: list[ChartEvent] = []
        self._machines: frozenset[str] = frozenset()
        self._wish = (0.0, 0.0)
        self._covered: tuple[float, float, frozenset[str]] = (0.0, 0.0, frozenset())
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._read)
        self.menu = QMenu("Events", host)
        self.menu.setObjectName("event-menu")
        for kind in EventKind:
            action = self.menu.addAction(kind.value)
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(partial(self._toggle, kind))
        live.alarms_changed.connect(self._again)
        desk.changed.connect(self._on_changed)

    # -- which ---------------------------------------------------------------------------------------

    def show_kinds(self, names: list[str]) -> None:
        """Show the kinds with these names and no others."""
        wanted = {kind for kind in EventKind if kind.name in names}
        for kind, action in zip(EventKind, self.menu.actions(), strict=True):
            action.setChecked(kind in wanted)

    def restore(self) -> None:
        """Show what this person showed last."""
        kept = remembered(self._person(), "charts/events")
        self.show_kinds(kept.split() or [kind.name for kind in EventKind])

    def _person(self) -> str:
        return self._desk.actor.name if self._desk.actor is not None else ""

    def _toggle(self, kind: EventKind, shown: bool) -> None:
        (self.kinds.add if shown else self.kinds.discard)(kind)
        remember(self._person(), "charts/events", " ".join(k.name for k in EventKind if k in self.kinds))
        self._choose()

    def want(self, tags: list[Tag], start: float, end: float) -> None:
        """See to it that everything about these machines from `start` to `end` is there."""
        self._machines, self._wish = frozenset(tag.equipment for tag in tags), (start, end)
        first, last, machines = self._covered
        if machines != self._machines or start < first or end > last:
            self._soon.start()

    def _again(self) -> None:
        """Something new was told; what is there may be old."""
        if self._machines and not self._soon.isActive():
            self._soon.start()

    def _on_changed(self, entities: frozenset[str]) -> None:
        if entities == EVERYTHING or entities & _TABLES:
            self._again()

    def _read(self) -> None:
        start, end = self._wish
        margin = (end - start) * 0.3
        first, last = start - margin, end + margin
        machines = self._machines
        if not machines:
            self._take((first, last, machines), ([], []))
            return
        plant, history = self._live.plant, self._live.history
        board = list(self._live.board.everything())
        span = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)

        def query(session: Session) -> Found:
            alarms = _alarms(history, board, *span)
            return work_events(session, plant, machines, *span), alarm_events(alarms, *span)

        self._desk.read(query, partial(self._take, (first, last, machines)), owner=self, key="events")

    def _take(self, covered: tuple[float, float, frozenset[str]], found: Found) -> None:
        self._covered = covered
        work, alarms = found
        plant = self._live.plant
        mine = [event for event in alarms if (tag := plant.tag(event.tag)) and tag.equipment in covered[2]]
        self._all = sorted([*work, *mine], key=_at)
        self._choose()

    def _choose(self) -> None:
        events = [event for event in self._all if event.kind in self.kinds]
        if events != self.events:
            self.events = events
            self.changed.emit()

    # -- as pins -------------------------------------------------------------------------------------

    def pins(self) -> list[tuple[frozenset[str], EventPin]]:
        """Pins with the tags they concern (none: all); an alarm stands in the charts that show its tag."""
        found = []
        for number, event in enumerate(self.events):
            tags: frozenset[str] = frozenset()
            if event.tag:
                tags = frozenset({event.tag})
            elif event.equipment:
                tags = frozenset(
                    tag.name for tag in self._live.plant.tags if tag.equipment == event.equipment
                )
            found.append((tags, _pin(event, number)))
        return found

    def event_of(self, pin: EventPin) -> ChartEvent | None:
        """The event that a pin stands for; None when it is gone meanwhile."""
        number = int(pin.key or -1)
        return self.events[number] if 0 <= number < len(self.events) else None

    def neighbour(self, moment: float, direction: int) -> ChartEvent | None:
        """The next event after (direction 1) or before (-1) a moment, within what is in view."""
        start, end = self._wish
        there = [event for event in self.events if start <= _at(event).timestamp() <= end]
        if direction > 0:
            return next((event for event in there if _at(event).timestamp() > moment + 1e-3), None)
        return next((event for event in reversed(there) if _at(event).timestamp() < moment - 1e-3), None)


def _at(event: ChartEvent) -> datetime:
    return event.at


def _pin(event: ChartEvent, number: int) -> EventPin:
    kind = _KINDS.get(event.kind, "event")
    if event.kind is EventKind.INSPECTION:
        kind = "passed" if event.good else "failed"
    clock = event.at.astimezone().strftime("%H:%M:%S")
    return EventPin(
        event.at.timestamp(), f"{clock} {event.text}", event.priority, kind, event.over, str(number)
    )


def _alarms(
    history: HistoryReader, board: list[AlarmRecord], start: datetime, end: datetime
) -> list[AlarmRecord]:
    """Stored alarms since `start`; what the window heard of last is the newest state of each."""
    known = {record.id: record for record in history.alarms(since=start, limit=MOST)}
    known |= {record.id: record for record in board if record.raised_at < end}
    return list(known.values())
