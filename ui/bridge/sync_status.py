"""How sharing goes, for every screen: what the sync process says, what waits here, which rows are on their way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from sqlalchemy.orm import Session

from app.domain.forwarding import ForwardFigures
from app.store.queries.conflicts import conflict_marks, open_conflicts
from app.store.queries.plant import equipment_codes
from app.store.queries.unsent import UnsentRows, unconfirmed
from app.store.sharing import joined_station
from app.sync.alive import is_alive
from app.sync.control import SyncControl as RunningSync
from app.sync.status import OFFLINE, ONLINE, PAUSED, REFUSED, SyncStatus, read_status

if TYPE_CHECKING:
    from ui.bridge.desk import Desk

LOOK_MS = 1000
_SOON_MS = 250
_LOOKED_AGAIN_MS = 20_000
_PATIENT_LOOKS = 6
"""A sync process that was heard and then said nothing for so many looks does not run."""
_FIRST_LOOKS = 20
"""One that starts beside the window on a slow computer takes longer."""
_ON_ITS_WAY = timedelta(seconds=10)  # samples that are forwarded at once do not count as waiting
_MACHINE = "equipment"
UNSENT_MARK, CONFLICT_MARK = "⇅", "⚡"


class SyncControl(Protocol):
    """What the sync process can be asked; each call may take some seconds and raises `LinesideError`."""

    def sync_now(self) -> None: ...

    def work_offline(self, offline: bool) -> None: ...

    def look_at(self, entity: str, row_id: UUID | None, actor: str = "", editing: bool = False) -> None: ...

    def fetch_file(self, sha256: str) -> None: ...


@dataclass(frozen=True)
class Sharing:
    """One look: `station` is None where nothing is shared; `status` None while no running sync process is heard.

    `silent` tells that none was heard for some seconds. `to_send` and `conflicts` are counted here; `samples_waiting`
    are measured values that the collector could not forward for some seconds.
    """

    station: str | None = None
    status: SyncStatus | None = None
    silent: bool = False
    to_send: int = 0
    oldest: datetime | None = None
    conflicts: int = 0
    samples_waiting: int = 0

    @property
    def joined(self) -> bool:
        return self.station is not None

    @property
    def heard(self) -> SyncStatus | None:
        """What the sync process says, None while nothing is heard of it."""
        return None if self.silent else self.status

    @property
    def online(self) -> bool:
        return self._state == ONLINE

    @property
    def offline(self) -> bool:
        """The server cannot be reached."""
        return self._state == OFFLINE

    @property
    def paused(self) -> bool:
        """A person chose to work offline."""
        return self._state == PAUSED

    @property
    def refused(self) -> bool:
        """The server lets this station do nothing until a person acts."""
        return self._state == REFUSED

    @property
    def _state(self) -> str:
        return self.heard.state if self.heard is not None else ""


@dataclass(frozen=True)
class SomebodyElse:
    """Who has a row open or edits it, and where."""

    actor: str
    station: str
    editing: bool = False


@dataclass(frozen=True)
class _Place:
    """A row that is open here, and whether in a form that changes it."""

    entity: str
    row_id: UUID
    editing: bool


@dataclass(frozen=True)
class Marks:
    """Rows with own changes on their way, by entity, and rows that an open conflict is about, with its number.

    `machines` gives the ids of the machines among them by code.
    """

    unsent: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    conflicts: Mapping[str, Mapping[UUID, int]] = field(default_factory=dict)
    machines: Mapping[str, UUID] = field(default_factory=dict)

    def mark(self, entity: str, row_id: UUID) -> str:
        """The sign that a row carries, empty for none; a conflict matters more."""
        if row_id in self.conflicts.get(entity, {}):
            return CONFLICT_MARK
        return UNSENT_MARK if row_id in self.unsent.get(entity, frozenset()) else ""

    def machine(self, code: str) -> str:
        """The sign that a machine carries."""
        return self.mark(_MACHINE, self.machines[code]) if code in self.machines else ""


@dataclass(frozen=True)
class _Look:
    """What one reading of the store found."""

    station: str | None
    to_send: int
    oldest: datetime | None
    conflicts: int
    marks: Marks


class SyncWatch(QObject):
    """Looks at the store after each commit and at `sync.json` once a second while a server is shared.

    `changed` carries a `Sharing`; `marks_changed` comes when rows were sent, changed or fell into conflict.
    """

    changed = Signal(object)
    marks_changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self.now = Sharing()
        self.marks = Marks()
        self.control: SyncControl = RunningSync(desk.house.folder)
        self._rows = UnsentRows()
        self._reading = self._again = False
        self._unheard = 0
        self._patience = _FIRST_LOOKS
        self._open: dict[int, _Place] = {}
        self._seen: _Place | None = None
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.look)
        self._poll = QTimer(self, interval=LOOK_MS)
        self._poll.timeout.connect(self._look_at_process)
        self._still_here = QTimer(self, interval=_LOOKED_AGAIN_MS)
        self._still_here.timeout.connect(self._say_where)
        desk.changed.connect(self._on_changed)
        self._soon.start(0)

    def stop(self) -> None:
        """Look no more."""
        for timer in (self._soon, self._poll, self._still_here):
            timer.stop()

    # -- the store

    @Slot(object)
    def _on_changed(self, _entities: object) -> None:
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def look(self) -> None:
        """Read the store again; while that is under way, once more afterwards."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._desk.read(self._read, self._take, owner=self, failed=self._not_read)

    def _read(self, session: Session) -> _Look:
        station = joined_station(session)
        if station is None:
            return _Look(None, 0, None, 0, Marks())
        count, oldest = unconfirmed(session)
        unsent, conflicts = self._rows.look(session), conflict_marks(session)
        machines = {*unsent.get(_MACHINE, ()), *conflicts.get(_MACHINE, ())}
        marks = Marks(unsent, conflicts, equipment_codes(session, machines))
        return _Look(station, count, oldest, open_conflicts(session), marks)

    def _take(self, look: _Look) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self._soon.start()
        if look.station is not None and not self._poll.isActive():
            self._poll.start()
            self._look_at_process()
        if look.marks != self.marks:
            self.marks = look.marks
            self.marks_changed.emit()
        self._show(
            replace(
                self.now,
                station=look.station,
                to_send=look.to_send,
                oldest=look.oldest,
                conflicts=look.conflicts,
            )
        )

    def _not_read(self, error: BaseException) -> None:
        self._reading = False
        self._desk.fault.emit("sharing", getattr(error, "sentence", str(error)))

    def _show(self, sharing: Sharing) -> None:
        if sharing != self.now:
            self.now = sharing
            self.changed.emit(sharing)

    # -- the process

    @Slot()
    def _look_at_process(self) -> None:
        folder = self._desk.house.folder
        self._desk.tasks.run(lambda: _heard(folder), self._take_status, owner=self, key="status")

    def _take_status(self, status: SyncStatus | None) -> None:
        alive = status is not None and is_alive(status, self._desk.house.door.clock())
        self._unheard = 0 if alive else self._unheard + 1
        if alive:
            self._patience = _PATIENT_LOOKS
        silent = self._unheard > self._patience
        self._show(replace(self.now, status=status if alive else None, silent=silent))

    def take_forwarding(self, figures: ForwardFigures) -> None:
        """How the samples of the collector beside this window get on."""
        oldest = figures.oldest_waiting
        late = oldest is not None and self._desk.house.door.clock() - oldest > _ON_ITS_WAY
        self._show(replace(self.now, samples_waiting=figures.waiting if late else 0))

    def ask(self, request: Callable[[SyncControl], None]) -> None:
        """Have the sync process do something, on a worker; what fails is told as a refusal."""
        control = self.control
        self._desk.tasks.run(
            lambda: request(control), self._asked, owner=self, key="ask", failed=self._not_asked
        )

    def _asked(self, _nothing: None) -> None:
        self._look_at_process()

    def _not_asked(self, error: BaseException) -> None:
        sentence = getattr(error, "sentence", "")
        if sentence:
            self._desk.refused.emit(sentence)
        else:
            self._desk.tasks.unhandled.emit(error)

    # -- who else is here

    def look_at(self, by: QObject, entity: str, row_id: UUID | None, *, editing: bool = False) -> None:
        """`by` has this row open (None: none any more), in a form where `editing`; others see that while it lasts."""
        self._open.pop(id(by), None)
        if row_id is not None:
            self._open[id(by)] = _Place(entity, row_id, editing)
        places = list(self._open.values())
        before, self._seen = self._seen, next((one for one in reversed(places) if one.editing), None)
        if self._seen is None and places:
            self._seen = places[-1]
        if self._seen == before or not self.now.joined:
            return
        if self._seen is None:
            self._still_here.stop()
            self._tell_place(before, here=False)
        else:
            self._say_where()
            self._still_here.start()

    @Slot()
    def _say_where(self) -> None:
        if self._desk.actor is not None:
            self._tell_place(self._seen)

    def _tell_place(self, place: _Place | None, *, here: bool = True) -> None:
        if place is None:
            return
        control = self.control
        name = self._desk.actor.name if self._desk.actor is not None else ""
        self._desk.tasks.run(
            lambda: control.look_at(
                place.entity, place.row_id if here else None, name, here and place.editing
            ),
            _nothing,
            owner=self,
            key="look_at",
            failed=_not_important,
        )

    def others_at(self, entity: str, row_id: UUID) -> list[SomebodyElse]:
        """Who at other stations has this row open."""
        status = self.now.heard
        if status is None:
            return []
        here = self.now.station
        return [
            SomebodyElse(one.actor, one.station, one.editing)
            for one in status.presence
            if one.entity == entity and one.id == str(row_id) and one.station != here
        ]


def sync_now(control: SyncControl) -> None:
    """For `ask`: try the server at once."""
    control.sync_now()


def go_offline(control: SyncControl) -> None:
    """For `ask`: send and receive nothing until told otherwise."""
    control.work_offline(True)


def go_online(control: SyncControl) -> None:
    """For `ask`: send and receive again."""
    control.work_offline(False)


def _heard(folder: Path) -> SyncStatus | None:
    return read_status(folder)


def _nothing(_done: None) -> None:
    """The process knows now."""


def _not_important(_error: BaseException) -> None:
    """A hint to others that did not arrive is told again soon."""
