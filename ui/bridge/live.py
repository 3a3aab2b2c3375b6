"""Everything live that screens show: values with age, machines, alarms, links; stale, never blank, when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal, Slot

from app.domain.forwarding import ForwardFigures
from app.domain.machine_news import LinkStatus, WriteAnswered
from app.domain.plant import Plant, Tag
from app.domain.samples import Sample
from app.domain.trend import Forecast
from app.live.feed import Feed, FeedStatus
from app.live.messages import (
    AlarmChanged,
    Forwarding,
    LinkFigures,
    Message,
    Ping,
    SampleBatch,
    Welcome,
)
from app.plant import utc_now
from app.store.history import FILE_NAME, AlarmRecord, HistoryReader
from app.sync.machines.shared_history import SharedHistory
from ui.bridge.alarm_board import AlarmBoard
from ui.bridge.desk import EVERYTHING, Desk
from ui.bridge.machine_states import MachineStates
from ui.bridge.machines import MachineNow, SignalNow
from ui.bridge.outlook import OutlookKeeper
from ui.bridge.rings import Ring
from ui.bridge.stored_values import PlantNow, Stored, newer_plant, read_stored
from ui.bridge.values_now import LinksLost, ValuesNow
from ui.widgets.alarm_strip import AlarmCount

TICK_MS = 100
ALARMS_MS = 250
ACTED_MS = 10  # what a person did is shown at once
SILENT_AFTER = 3.5  # s; the collector gives a sign of life each second
PENDING_SECONDS = 10.0
_PLANT_TABLES = frozenset({"equipment", "connection", "tag"})

CollectorKind = Literal["connecting", "live", "silent", "lost"]


@dataclass(frozen=True)
class CollectorState:
    """How it goes with the collector, and one sentence for the status strip."""

    kind: CollectorKind
    sentence: str

    @property
    def live(self) -> bool:
        return self.kind == "live"


class LiveDesk(QObject):
    """The live side of one window process.

    `ticked` names the tags with news (at most 10 times a second, an empty set once a second when only ages moved);
    `alarms_changed` comes at most 4 times a second; `plant_changed` when the configuration was read again;
    `figures_changed` names a connection whose `figures` are new, `write_answered` carries what became of a value
    that was sent to a machine.
    """

    ticked = Signal(frozenset)
    alarms_changed = Signal()
    collector_changed = Signal(object)
    plant_changed = Signal()
    figures_changed = Signal(str)
    write_answered = Signal(object)
    forwarding_changed = Signal()

    def __init__(
        self, desk: Desk, parent: QObject | None = None, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.history = HistoryReader(desk.house.folder / FILE_NAME)
        self.all_history = SharedHistory(self.history, desk.house.folder, desk.house.store.reader)
        self.plant = Plant()
        self._plant_stamp: object = None
        self.maintenance: frozenset[str] = frozenset()
        self.figures: dict[str, LinkFigures] = {}
        self.forwarding = ForwardFigures()
        self.board = AlarmBoard()
        self.trouble = ""
        self.skipped = 0
        self.given_up = 0
        self._clock = clock
        self._values = ValuesNow(clock)
        self._touched: set[str] = set()
        self._unconfirmed: set[str] = set()
        self._pending: dict[str, datetime] = {}
        self._collector = CollectorState("connecting", "Looking for the collector…")
        self.outlook = OutlookKeeper(desk.tasks, self.history, clock, self)
        self._states = MachineStates(
            self._values, clock=clock, alarms=self.board.by_tag, forecast=self._forecast
        )
        self._feed = Feed(desk.house.folder, self._on_message, self._on_status)
        self._task: asyncio.Task[None] | None = None
        self._tick = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._since_tick = QElapsedTimer()
        self._tick.timeout.connect(self._emit_tick)
        self._alarm_tick = QTimer(self, singleShot=True)
        self._alarm_tick.timeout.connect(self.alarms_changed)
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self._on_second)
        desk.changed.connect(self._on_changed)

    # -- life ----------------------------------------------------------------------------------------

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to listen on `loop` (the window's), and read what is stored meanwhile."""
        self._task = loop.create_task(self._feed.run(), name="live feed")
        self._second.start()
        self.reload_plant()

    async def stop(self) -> None:
        """Stop listening; the last values stay on the screen."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._set_collector(CollectorState("lost", "This window has stopped listening."))
        self.close()

    def close(self) -> None:
        """Stop the timers and let go of the history file."""
        for timer in (self._tick, self._alarm_tick, self._second):
            timer.stop()
        self.outlook.stop()
        if self._task is not None:
            self._task.cancel()
        self.all_history.close()
        self.history.close()

    def poke(self) -> None:
        """Ask the collector to look at once for what people changed."""
        self._feed.poke()

    # -- the plant -----------------------------------------------------------------------------------

    def reload_plant(self) -> None:
        """Read machines, connections and tags again, if they are not the same as before."""
        self.desk.read(
            partial(newer_plant, stamp=self._plant_stamp), self._take_plant, owner=self, key="plant"
        )

    @Slot(frozenset)
    def _on_changed(self, entities: frozenset[str]) -> None:
        if entities == EVERYTHING or entities & _PLANT_TABLES:
            self.reload_plant()

    def _take_plant(self, read: PlantNow | None) -> None:
        if read is None:
            return
        first = self._plant_stamp is None
        plant, maintenance, self._plant_stamp = read.plant, read.maintenance, read.stamp
        if not first and plant == self.plant and maintenance == self.maintenance:
            return
        self.plant, self.maintenance = plant, maintenance
        self._values.follow(plant)
        self._states.follow(plant, maintenance)
        self._load_stored([t.name for t in plant.tags if t.name not in self._values.rings])
        self.outlook.follow(plant)
        self.plant_changed.emit()
        self.alarms_changed.emit()

    def _load_stored(self, tags: list[str]) -> None:
        """Fill the screen with what was last known while the collector is still being looked for."""
        now, history = self._clock(), self.history
        for tag in tags:
            self._values.rings[tag] = Ring()
        self.desk.tasks.run(
            lambda: read_stored(history, tags, now), self._take_stored, owner=self, failed=self._not_stored
        )

    def _take_stored(self, stored: Stored) -> None:
        self._values.take_stored(stored.latest.values())
        for tag, (t, y) in stored.curves.items():
            self._values.rings[tag].put_before(t, y)
        known_ids = {record.id for record in self.board.open()}
        if self.board.take(r for r in stored.alarms if r.id not in known_ids and self.heard_at is None):
            self._alarms_moved()
        self._touch(stored.latest)

    def _not_stored(self, error: BaseException) -> None:
        self.desk.fault.emit("history", getattr(error, "sentence", str(error)))

    # -- what the collector says ---------------------------------------------------------------------

    def _on_status(self, status: FeedStatus) -> None:
        if status.connected:
            self._set_collector(CollectorState("live", "Live."))
        else:
            self._set_collector(CollectorState("lost", status.sentence))

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Welcome):
            self._values.begin_anew()
        self._values.heard_at = self._clock()
        if isinstance(message, SampleBatch):
            self.skipped = message.skipped
            self.take_samples(wire.sample() for wire in message.samples)
        elif isinstance(message, AlarmChanged):
            self._unconfirmed.discard(message.alarm.id)
            self.take_alarms([message.alarm])
        elif isinstance(message, LinkStatus):
            self.take_link(message)
        elif isinstance(message, LinkFigures):
            self.figures[message.connection] = message
            self.figures_changed.emit(message.connection)
        elif isinstance(message, Forwarding):
            self.forwarding = message.figures
            self.forwarding_changed.emit()
            self.desk.sharing.take_forwarding(message.figures)
        elif isinstance(message, WriteAnswered):
            self.write_answered.emit(message)
        elif isinstance(message, Ping):
            self._take_ping(message)
        elif isinstance(message, Welcome):
            self._unconfirmed = {record.id for record in self.board.open()}
            self.figures.clear()
        if self._collector.kind == "silent":
            self._set_collector(CollectorState("live", "Live."))

    def _take_ping(self, ping: Ping) -> None:
        """The collector lives; what it did not name since it welcomed us is over."""
        self.given_up = ping.given_up
        if ping.trouble != self.trouble:
            self.trouble = ping.trouble
            self.desk.fault.emit("collector-disk", ping.trouble or None)
        if self._unconfirmed:
            gone, self._unconfirmed = self._unconfirmed, set()
            if self.board.forget(gone):
                self._alarms_moved()

    def take_samples(self, samples: Iterable[Sample]) -> None:
        """Bring in newer samples; a tag that the plant does not name is kept all the same."""
        for sample in samples:
            self._values.take(sample)
            self._touched.add(sample.tag)
        self._soon()

    def take_alarms(self, records: Iterable[AlarmRecord]) -> None:
        """Bring in newer states of alarms."""
        records = list(records)
        if self.board.take(records, self._unconfirmed):
            for record in records:
                self._pending.pop(record.key, None)
            self._touch(record.tag for record in records)
            self._alarms_moved()

    def take_link(self, status: LinkStatus) -> None:
        """Bring in how a connection to a machine is doing."""
        self._values.take_link(status)
        self._touch(tag.name for tag in self.plant.tags_of(status.connection))

    def _set_collector(self, state: CollectorState) -> None:
        if state == self._collector:
            return
        was, self._collector = self._collector, state
        self._values.live = state.live
        if was.live != state.live:
            self._touch(self._values.tags())
            self._alarms_moved()
        self.collector_changed.emit(state)

    # -- drained by timers ---------------------------------------------------------------------------

    def _touch(self, tags: Iterable[str]) -> None:
        self._touched.update(tags)
        self._soon()

    def _soon(self) -> None:
        """Tick as soon as the last tick is long enough ago: news after a pause is shown at once."""
        if not self._tick.isActive():
            since = self._since_tick.elapsed() if self._since_tick.isValid() else TICK_MS
            self._tick.start(max(0, TICK_MS - since))

    def _alarms_moved(self, within: int = ALARMS_MS) -> None:
        """Tell of it at most so many milliseconds from now."""
        if not self._alarm_tick.isActive() or self._alarm_tick.remainingTime() > within:
            self._alarm_tick.start(within)

    @Slot()
    def _emit_tick(self) -> None:
        touched, self._touched = frozenset(self._touched), set()
        self._since_tick.start()
        self.ticked.emit(touched)

    @Slot()
    def _on_second(self) -> None:
        age = self.data_age
        if self._collector.live and age is not None and age > SILENT_AFTER:
            self._set_collector(CollectorState("silent", "The collector has fallen silent."))
        late = [key for key, since in self._pending.items() if self._seconds_since(since) > PENDING_SECONDS]
        for key in late:
            del self._pending[key]
        if late:
            self._alarms_moved()
        self.ticked.emit(frozenset())

    # -- what screens ask ----------------------------------------------------------------------------

    def now(self) -> datetime:
        """The clock that all ages are measured by."""
        return self._clock()

    def _seconds_since(self, moment: datetime) -> float:
        return max(0.0, (self._clock() - moment).total_seconds())

    @property
    def collector_state(self) -> CollectorState:
        return self._collector

    @property
    def heard_at(self) -> datetime | None:
        """When the collector last said anything."""
        return self._values.heard_at

    @property
    def data_age(self) -> float | None:
        """Seconds since the collector last said anything; None when it never did."""
        return None if self.heard_at is None else self._seconds_since(self.heard_at)

    @property
    def links(self) -> dict[str, LinkStatus]:
        """How every connection is doing, as far as the collector has said."""
        return self._values.links

    @property
    def links_lost(self) -> LinksLost:
        """Links to machines that give no data, and all links that are known of."""
        return self._values.links_lost()

    @property
    def alarm_counts(self) -> dict[int, AlarmCount]:
        """Active alarms by priority."""
        return self.board.counts()

    @property
    def newest_alarm(self) -> AlarmRecord | None:
        """The alarm that the strip names."""
        return self.board.newest()

    def latest(self, tag: str) -> Sample | None:
        """The newest sample of a tag, good or bad."""
        return self._values.latest(tag)

    def ring(self, tag: str) -> Ring | None:
        """The last quarter of an hour of a tag."""
        return self._values.rings.get(tag)

    def link_fault(self, connection: str) -> str:
        """Why a connection does not deliver; empty when it does or nothing is known of it."""
        return self._values.link_fault(connection)

    def confirmed(self, tag: Tag) -> datetime | None:
        """When the newest value was last known to hold."""
        return self._values.confirmed(tag)

    def signal(self, tag: Tag) -> SignalNow:
        """A tag as it is to be shown now."""
        return self._values.signal(tag)

    def machine(self, code: str) -> MachineNow | None:
        """A machine as it is to be shown now; None when the plant does not know it."""
        return self._states.machine(code)

    def machines(self) -> list[MachineNow]:
        """All machines in the order of the plant."""
        return self._states.machines()

    def _forecast(self, tag: str) -> Forecast | None:
        return self.outlook.of(tag).forecast

    # -- people's acts on alarms ---------------------------------------------------------------------

    def act_sent(self, key: str) -> None:
        """An act on the alarm `key` was committed here; the collector has yet to apply it."""
        self._pending[key] = self._clock()
        self.poke()
        self._alarms_moved(ACTED_MS)

    def is_pending(self, key: str) -> bool:
        """Whether the collector has yet to apply an act on this alarm."""
        return key in self._pending

    def raised_lately(self, window: timedelta) -> int:
        """How many alarms were raised within the last `window`."""
        return self.board.raised_since(self._clock() - window)
