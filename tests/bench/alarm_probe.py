"""3,000 active alarms with 500 updates a second in a process of its own: how long frames and acknowledgements take.

`python -m tests.bench.alarm_probe ours|plain FRAMES` prints one JSON line: the seconds of every frame, and those of
every acknowledgement from the key to the painted row. `plain` is a QStandardItemModel under a QSortFilterProxyModel.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QSortFilterProxyModel, Qt, QTimer
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QApplication, QTableView, QWidget

from app.domain.alarms import Kind, Limit, Phase, Urgency, condition_words, machine_of
from app.domain.people import Actor, Role
from app.domain.plant import AlarmSettings, Connection, Equipment, Limits, Plant, Tag
from app.domain.samples import Sample
from app.live.feed import FeedStatus
from app.operations.people import create_first_admin
from app.operations.plant import apply_plant
from app.plant import opened_house
from app.store.history import AlarmRecord
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.alarms import AlarmsScreen
from ui.tasks import Tasks
from ui.theme import install_theme
from ui.window.garbage import GarbageRounds

ALARMS, PER_SECOND, MACHINES = 3000, 500, 100
FRAME_MS = 16
ACK_EVERY = 20  # frames
_SIZE = (1600, 900)
_PHASES = (Phase.UNACK, Phase.UNACK, Phase.ACKED, Phase.RTN_UNACK)
_COLUMNS = ("State", "Raised", "Age", "Machine", "What", "Now", "Acknowledged", "What to do")


def workshop() -> Plant:
    """A hundred machines with thirty signals each."""
    machines = tuple(Equipment(f"M-{n:03}", f"Machine number {n}") for n in range(MACHINES))
    tags = tuple(
        Tag(f"M-{n % MACHINES:03}/signal_{n}", f"M-{n % MACHINES:03}", "plc", f"ns=2;s=T{n}", "°C",
            limits=Limits(hi=80.0, hihi=90.0), alarm=AlarmSettings(priority=1 + n % 4, response="Look at it."))
        for n in range(ALARMS)
    )  # fmt: skip
    return Plant(machines, (Connection("plc", "opcua", "opc.tcp://127.0.0.1:4840"),), tags)


class Updates:
    """What a collector would say: one alarm of each tag, that comes, goes and rings again."""

    def __init__(self, plant: Plant) -> None:
        self._chance = Random(5)
        self.untouched: set[str] = set()  # keys of alarms that somebody is about to acknowledge
        now = datetime.now(UTC)
        self.records = [
            AlarmRecord(
                f"{n}#1", tag.name, tag.name, Kind.VALUE, 1, tag.alarm.priority, Urgency.WARNING, Limit.HI,
                80.0 + n % 9, self._chance.choice(_PHASES), now - timedelta(seconds=self._chance.randint(1, 9000)),
                unseen=1,
            )
            for n, tag in enumerate(plant.tags)
        ]  # fmt: skip

    def some(self, count: int) -> tuple[list[AlarmRecord], list[Sample]]:
        """The next updates: half of them turn an alarm to another phase, a tenth raise it anew."""
        now = datetime.now(UTC)
        records, samples = [], []
        for n in self._chance.sample(range(ALARMS), count):
            if self.records[n].key in self.untouched:
                continue
            record = replace(self.records[n], value=80.0 + self._chance.random() * 9)
            if self._chance.random() < 0.5:
                record = replace(record, phase=self._chance.choice(_PHASES))
            if self._chance.random() < 0.1:
                again = record.occurrence + 1
                record = replace(
                    record, id=f"{n}#{again}", occurrence=again, phase=Phase.UNACK, raised_at=now
                )
            self.records[n] = record
            records.append(record)
            samples.append(Sample(record.tag, now, now, record.value, 0))
        return records, samples


class Shown(Protocol):
    """A list of alarms on the screen."""

    @property
    def widget(self) -> QWidget:
        """The whole of it."""

    @property
    def viewport(self) -> QWidget:
        """What its rows are painted on."""

    def take(self, records: list[AlarmRecord], samples: list[Sample]) -> None:
        """Bring in updates."""

    def acknowledge(self) -> str:
        """As if the key was pressed on some alarm that waits; returns which."""

    def acknowledged(self) -> bool:
        """Whether the row says so."""


class Ours:
    """The alarms screen of Lineside."""

    def __init__(self, live: LiveDesk, desk: Desk) -> None:
        self.live = live
        self.widget: QWidget
        self.widget = self.screen = AlarmsScreen(desk, live)
        self.viewport = self.screen.table.viewport()
        self._key = ""

    def take(self, records: list[AlarmRecord], samples: list[Sample]) -> None:
        self.live.take_alarms(records)
        self.live.take_samples(samples)

    def acknowledge(self) -> str:
        rows = self.screen.model.records()
        row = next(n for n, r in enumerate(rows) if r.phase.unacked and not self.live.is_pending(r.key))
        self._key = rows[row].key
        self.screen.table.selectRow(row)
        self.screen.acknowledge()
        return self._key

    def acknowledged(self) -> bool:
        return self.live.is_pending(self._key)


class Plain:
    """The plain way: items in a standard model, put in order by a proxy that follows every change."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.model = QStandardItemModel(0, len(_COLUMNS))
        self.model.setHorizontalHeaderLabels(list(_COLUMNS))
        self.proxy = QSortFilterProxyModel()
        self.proxy.setSourceModel(self.model)
        self.proxy.setSortRole(Qt.ItemDataRole.UserRole)
        self.widget = self.table = QTableView()
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setModel(self.proxy)
        self.proxy.sort(0)
        self.viewport = self.table.viewport()
        self._items: dict[str, list[QStandardItem]] = {}
        self._chosen: QStandardItem | None = None

    def take(self, records: list[AlarmRecord], samples: list[Sample]) -> None:
        for record in records:
            items = self._items.get(record.key)
            if items is None:
                items = self._items[record.key] = [QStandardItem() for _ in _COLUMNS]
                self._write(items, record)
                self.model.appendRow(items)
            else:
                self._write(items, record)

    def _write(self, items: list[QStandardItem], record: AlarmRecord) -> None:
        texts = (
            record.phase.value,
            f"{record.raised_at.astimezone():%H:%M:%S}",
            f"{(datetime.now(UTC) - record.raised_at).total_seconds():.0f} s",
            machine_of(self._plant, record.tag),
            condition_words(record, self._plant),
            f"{record.value:.2f} °C",
            record.acked_by,
            "Look at it.",
        )
        for item, text in zip(items, texts, strict=True):
            if item.text() != text:
                item.setText(text)
        order = f"{record.priority}{not record.phase.unacked:d}{1e11 - record.raised_at.timestamp():018.3f}"
        if items[0].data(Qt.ItemDataRole.UserRole) != order:
            items[0].setData(order, Qt.ItemDataRole.UserRole)

    def acknowledge(self) -> str:
        index = self.proxy.index(0, 0)
        self.table.selectRow(0)
        self._chosen = self.model.itemFromIndex(self.proxy.mapToSource(index))
        self._chosen.setText("being acknowledged…")
        return ""

    def acknowledged(self) -> bool:
        return self._chosen is not None


class Clockwork(QObject):
    """Feeds updates in every frame, acknowledges now and then, and measures both."""

    def __init__(self, shown: Shown, updates: Updates, frames: int) -> None:
        super().__init__()
        self._shown, self._updates, self._left = shown, updates, frames
        self._frame_began = self._ack_began = 0.0
        self._owed = 0.0
        self.frames: list[float] = []
        self.acks: list[float] = []
        shown.viewport.installEventFilter(self)
        self._beat = QTimer(self, interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)

    def start(self) -> None:
        """Begin."""
        self._frame_began = time.perf_counter()
        self._beat.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._ack_began and self._shown.acknowledged():
            QTimer.singleShot(0, self._painted)
        return False

    def _painted(self) -> None:
        if self._ack_began:
            self.acks.append(time.perf_counter() - self._ack_began)
            self._ack_began = 0.0

    def _on_beat(self) -> None:
        now = time.perf_counter()
        passed, self._frame_began = now - self._frame_began, now
        self.frames.append(passed)
        if len(self.frames) >= self._left and not self._ack_began:
            self._beat.stop()
            QApplication.quit()
            return
        self._owed += passed * PER_SECOND
        count, self._owed = min(int(self._owed), ALARMS), self._owed % 1
        self._shown.take(*self._updates.some(count))
        if not self._ack_began and len(self.frames) % ACK_EVERY == 0:
            self._ack_began = time.perf_counter()
            self._updates.untouched = {self._shown.acknowledge()}


def main(which: str, frames: int) -> None:
    """Show the list, let it run, print what it took."""
    app = QApplication(sys.argv[:1])
    install_theme(app)
    plant = workshop()
    with TemporaryDirectory() as folder, opened_house(Path(folder)) as house:
        nobody = Actor(None, "setup", Role.ADMIN)
        made = house.door.perform(create_first_admin(name="Bench", password="a start in two seconds"), nobody)
        actor = Actor(made.result, "Bench", Role.ADMIN)
        house.door.perform(apply_plant(plant=plant), actor)
        tasks = Tasks()
        desk = Desk(house, tasks)
        desk.set_actor(actor)
        live = LiveDesk(desk)
        live._on_status(FeedStatus(True, "Live."))
        live.reload_plant()
        shown: Shown = Ours(live, desk) if which == "ours" else Plain(plant)
        updates = Updates(plant)
        shown.take(updates.records, [])
        shown.widget.resize(*_SIZE)
        shown.widget.show()
        clockwork = Clockwork(shown, updates, frames)
        rounds = GarbageRounds()
        QTimer.singleShot(1500, clockwork.start)
        app.exec()
        rounds.deleteLater()
        shown.widget.close()
        live.close()
        desk.close()
        tasks.close()
    sys.stdout.write(json.dumps({"frames": clockwork.frames, "acks": clockwork.acks}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
