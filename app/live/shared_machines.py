"""The machines that other stations drive, as this collector knows them: values, links and alarms for its windows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from app.domain.alarms import Kind, Phase, home_of, split_key
from app.domain.machine_news import LinkStatus, WriteAnswered
from app.domain.plant import Plant
from app.domain.samples import Quality, Sample
from app.live.alarm_desk import AlarmDesk
from app.live.commands import STILL_FRESH, CommandDesk
from app.live.intake import Intake
from app.live.links import Links
from app.live.messages import AlarmChanged, Message
from app.live.scanning import watches_of
from app.live.source import AlarmAction
from app.live.stream import StreamServer
from app.store.fellows import AlarmNews, Fellows
from app.store.history import AlarmBatch, AlarmRecord

log = structlog.get_logger(__name__)

_ACTS_KEPT = timedelta(days=7)  # for alarms of others, in case that this station takes their machine over


class SharedMachines:
    """Hears what other stations say (`Ears`) and keeps the newest of it; `look` has the collector look at its plant."""

    def __init__(
        self,
        fellows: Fellows,
        *,
        clock: Callable[[], datetime],
        desk: AlarmDesk,
        links: Links,
        intake: Intake,
        commands: CommandDesk,
        stream: StreamServer,
        look: Callable[[], None],
    ) -> None:
        self._fellows, self._clock, self._look = fellows, clock, look
        self._desk, self._links, self._intake = desk, links, intake
        self._commands, self._stream = commands, stream
        self._plant = Plant()
        self._samples: dict[str, Sample] = {}
        self._statuses: dict[str, LinkStatus] = {}
        self._alarms: dict[str, AlarmRecord] = {}
        self._waiting: dict[str, AlarmAction] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.acted: set[str] = set()

    def follow(self, plant: Plant) -> None:
        """Follow a new plant; what is driven here now is not another's any more."""
        self._plant = plant
        for tag in plant.tags:
            if self._fellows.drives(tag.connection):
                self._samples.pop(tag.name, None)
        driven = {c.name for c in plant.connections if self._fellows.drives(c.name)}
        self._statuses = {name: s for name, s in self._statuses.items() if name not in driven}
        self._alarms = {id: r for id, r in self._alarms.items() if not self._is_driven(r.tag)}

    async def end(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_driven(self, tag: str) -> bool:
        known = self._plant.tag(tag)
        return known is not None and self._fellows.drives(known.connection)

    # What windows are told ------------------------------------------------------------------------------------------

    def snapshot(self) -> tuple[list[Sample], list[Message]]:
        """Everything that others have said and that still holds."""
        alarms = [AlarmChanged(record) for record in self._alarms.values()]
        return list(self._samples.values()), [*self._statuses.values(), *alarms]

    def told_elsewhere(self, tag: str) -> bool:
        """Whether another station speaks for this tag."""
        return tag in self._samples

    # What people do -------------------------------------------------------------------------------------------------

    def take_acts(self, actions: Iterable[AlarmAction]) -> None:
        """Apply the acts on alarms that are judged here; the others wait, in case that it will be so."""
        for action in actions:
            mine = self._as_mine(action)
            if mine is not None:
                self._waiting.pop(action.id, None)
                self.acted.add(action.id)
                self._desk.act(mine)
            elif self._clock() - action.at < _ACTS_KEPT:
                self._waiting[action.id] = action

    def try_waiting(self) -> None:
        """Look again at acts that waited, after machines have changed hands."""
        self.take_acts([a for a in self._waiting.values() if a.id not in self.acted])

    def _as_mine(self, action: AlarmAction) -> AlarmAction | None:
        """The act as the desk understands it; None for an alarm of another station."""
        tag, kind = split_key(action.target)
        if not self._fellows.station:
            return action
        if kind is Kind.SYSTEM:
            key, home = home_of(action.target)
            return replace(action, target=key) if home == self._fellows.station else None
        return action if self._desk.knows(action.target) or self._is_driven(tag) else None

    def concerns(self, connection: str, at: datetime) -> bool:
        """Whether a value sent `at` that moment is for this station: another that held the machine then answered it."""
        since = self._fellows.held_since(connection)
        fresh = abs(self._clock() - at) <= STILL_FRESH
        return self._fellows.drives(connection) and (fresh or since is None or since <= at)

    # What is told to the others -------------------------------------------------------------------------------------

    def tell_samples(self, samples: Sequence[Sample]) -> None:
        """New values of machines that are driven here."""
        if self._fellows.station:
            self._fellows.tell_samples(samples)

    def tell_stored(self, batch: AlarmBatch) -> None:
        """Alarms that are on the disk now."""
        if self._fellows.station:
            self._fellows.tell_alarms(self._desk.news_of(batch), batch.acts)

    # Ears ------------------------------------------------------------------------------------------------------------

    def leases_moved(self) -> None:
        """Have the collector look at what it may drive."""
        self._look()

    def lost(self, connection: str) -> None:
        """Another station drives this machine now: hang up at once, and only then say so."""
        log.warning("machine given to another station", connection=connection)
        self._desk.configure(self._plant, self._clock(), self._fellows.drives)
        self._intake.lost(connection, Quality.BAD_NOT_CONNECTED)
        self._intake.forget(connection)
        task = asyncio.create_task(self._hang_up(connection), name=f"hand over {connection}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._look()

    async def _hang_up(self, connection: str) -> None:
        await self._links.hang_up(connection)
        self._fellows.let_go(connection)

    def inherited(self, connection: str, alarms: Sequence[AlarmNews], acts: Iterable[str]) -> None:
        """This station drives a machine from now on: its alarms go on as they stood."""
        log.info("machine taken", connection=connection, alarms=len(alarms))
        self._desk.inherit(alarms)
        fresh = [act for act in acts if act not in self.acted]
        self.acted.update(fresh)
        self._desk.dealt_with(fresh)

    def samples_told(self, samples: Sequence[Sample]) -> None:
        """Values of machines that others drive; alarms judged here may depend on them."""
        theirs = [s for s in samples if not self._is_driven(s.tag)]
        for sample in theirs:
            self._samples[sample.tag] = sample
            self._desk.observe(sample)
        self._stream.samples(theirs)

    def link_told(self, status: LinkStatus) -> None:
        """How it goes with a machine that another drives."""
        if not self._fellows.drives(status.connection) and self._statuses.get(status.connection) != status:
            self._statuses[status.connection] = status
            self._stream.event(status)

    def alarms_told(self, alarms: Sequence[AlarmRecord]) -> None:
        """Alarms that others judge: they ring here too, and are in the lists of this station."""
        for record in alarms:
            if self._is_driven(record.tag):
                continue
            if record.phase is Phase.NORMAL:
                self._alarms.pop(record.id, None)
            else:
                self._alarms[record.id] = record
            self._desk.note(record)
            self._stream.event(AlarmChanged(record))

    def answers_told(self, answers: Sequence[WriteAnswered]) -> None:
        """What became of values that others sent to their machines."""
        for answer in answers:
            task = asyncio.create_task(self._commands.take_answer(answer), name="answer of another station")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def answers(self, connection: str) -> bool:
        """Whether a machine answers this station, tried now."""
        known = next((c for c in self._plant.connections if c.name == connection), None)
        return known is not None and await self._links.answers(known, watches_of(self._plant, connection))

    def listeners(self) -> int:
        """How many windows look."""
        return self._stream.readers

    def everything(self) -> tuple[Sequence[Sample], Sequence[LinkStatus], Sequence[AlarmNews]]:
        """All that is known of the machines that are driven here."""
        samples = [sample for sample in self._intake.latest() if self._is_driven(sample.tag)]
        return samples, self._links.statuses(), self._desk.all_news()
