"""Runs everything that talks to machines: one link each, the disk, the alarms and the live stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import structlog

from app.domain.errors import LinesideError, Refused, WorldFault
from app.domain.identity import uuid7
from app.domain.plant import Connection, Plant
from app.domain.samples import Quality, Sample
from app.drivers import open_driver
from app.drivers.protocol import Credentials, Driver, Watch
from app.live.alarm_desk import AlarmDesk
from app.live.intake import Intake
from app.live.link import BackOff, Link
from app.live.messages import AlarmChanged, LinkStatus, Message, Ping
from app.live.scanning import watches_of
from app.live.source import PlantSource
from app.live.stream import StreamServer
from app.store.filelock import FileLock
from app.store.history import FILE_NAME, AlarmRecord, HistoryReader, HistoryWriter

log = structlog.get_logger(__name__)

COMMIT_SECONDS = 0.4  # at most this much, and what a disk needs, is lost when the power goes
IDLE = timedelta(seconds=5)  # a collector with nothing to write still leaves a sign of life this often
TICK_SECONDS = 0.25
LOOK_SECONDS = 1.0
_T = TypeVar("_T")
Opener = Callable[[Connection, Credentials], Driver]


def utc_now() -> datetime:
    """The clock of the collector."""
    return datetime.now(UTC)


class Collector:
    """One for each data folder; `run` collects until cancelled, `stop` is called or the time is over."""

    def __init__(
        self,
        source: PlantSource,
        data_dir: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[datetime], UUID] = uuid7,
        opener: Opener = open_driver,
        back_off: BackOff | None = None,
        silence: float | None = None,
        port: int = 0,
    ) -> None:
        self._source, self._data_dir, self._clock = source, data_dir, clock
        self._opener, self._back_off, self._silence = opener, back_off or BackOff(), silence
        self.desk = AlarmDesk(new_id, self._alarm_changed)
        self.intake = Intake(clock, self._samples_came)
        self.stream = StreamServer(
            data_dir, clock=clock, snapshot=self._snapshot, on_poke=self._look_now, port=port
        )
        self._links: dict[str, tuple[Link, asyncio.Task[None]]] = {}
        self._statuses: dict[str, LinkStatus] = {}
        self._passwords: dict[str, str] = {}
        self._version: int | None = None
        self._actions_until = 0
        self._committing = asyncio.Lock()
        self._committed = clock() - IDLE
        self._look = asyncio.Event()
        self._stop = asyncio.Event()
        self.ready = asyncio.Event()
        self.trouble = ""

    # Life ---------------------------------------------------------------------------------------------------------

    async def run(self, seconds: float | None = None) -> None:
        """Collect; raises Refused when another collector has this folder or its history cannot be used."""
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            lock = FileLock(self._data_dir / "collector.lock")
            stack.callback(lock.close)
            try:
                stack.enter_context(lock.held(timeout=0))
            except WorldFault:
                raise Refused("Another collector is already running for this data folder.") from None
            self._disk = ThreadPoolExecutor(1, "history")
            stack.callback(self._disk.shutdown)
            self._asking = ThreadPoolExecutor(1, "plant-source")
            stack.callback(self._asking.shutdown)
            self._writer = await self._on_disk(HistoryWriter, self._data_dir / FILE_NAME)
            stack.callback(self._writer.close)
            await self._restore()
            stack.push_async_callback(self._commit)
            stack.push_async_callback(self._end_links)
            await self.stream.start()
            stack.push_async_callback(self.stream.stop)
            await self._work(seconds)

    async def _work(self, seconds: float | None) -> None:
        """The standing tasks; the first one that fails brings the collector down, since then it lies."""
        loops = [
            asyncio.create_task(loop, name=name)
            for name, loop in (
                ("history", self._keep_committing()),
                ("ticker", self._keep_ticking()),
                ("plant", self._keep_looking()),
            )
        ]
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait(
                [*loops, stopped], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            for task in (*loops, stopped):
                task.cancel()
            await asyncio.gather(*loops, stopped, return_exceptions=True)

    def stop(self) -> None:
        """End `run` soon; call it on the event loop."""
        self._stop.set()

    async def _on_disk(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, partial(work, *arguments))

    async def _ask(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._asking, partial(work, *arguments))

    async def _restore(self) -> None:
        """Take over the alarms of the last collector, and close the curves that its end left open."""
        states, until = (
            await self._on_disk(self._writer.alarm_states),
            await self._on_disk(self._writer.actions_until),
        )
        alarms, ended = await self._on_disk(self._left_open)
        self.desk.restore(states, alarms)
        self._actions_until = until
        await self._on_disk(self._writer.write, ended)

    def _left_open(self) -> tuple[list[AlarmRecord], list[Sample]]:
        """Open alarm records, and one bad sample for each tag whose last one still looks good."""
        with HistoryReader(self._data_dir / FILE_NAME) as reader:
            alarms = reader.alarms(active_only=True, limit=100_000)
            alive = self._writer.last_commit()
            good = [sample for sample in reader.latest().values() if sample.good]
        ends = [max(sample.source_time, alive or sample.source_time) for sample in good]
        ended = [
            Sample(sample.tag, end, end, None, Quality.BAD_NOT_CONNECTED)
            for sample, end in zip(good, ends, strict=True)
        ]
        return alarms, ended

    # Standing tasks -----------------------------------------------------------------------------------------------

    async def _keep_committing(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            # A commit that is under way when the collector stops is finished; the last one waits for it.
            await asyncio.shield(asyncio.create_task(self._commit(), name="commit"))

    async def _commit(self) -> None:
        """Put everything that waits on the disk; what the disk refuses is kept and tried again."""
        async with self._committing:
            samples, alarms, now = self.intake.take_batch(), self.desk.take_batch(), self._clock()
            if not samples and not alarms and now - self._committed < IDLE:
                return
            try:
                await self._on_disk(self._writer.write, samples, alarms, now)
            except WorldFault as fault:
                self.intake.give_back(samples)
                self.desk.give_back(alarms)
                if not self.trouble:
                    log.warning("history not written", reason=fault.sentence)
                self.trouble = fault.sentence
                return
            self._committed = now
            if self.trouble:
                log.info("history written again", given_up=self.intake.given_up)
            self.trouble = ""

    async def _keep_ticking(self) -> None:
        pinged = self._clock()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._clock()
            self.intake.tick(now)
            self.desk.tick(now)
            if abs((now - pinged).total_seconds()) >= 1.0:
                pinged = now
                self.stream.event(Ping(now, self.intake.waiting, self.trouble))

    async def _keep_looking(self) -> None:
        """Follow the configuration and what people do to alarms; a poke makes it at once."""
        told = ""
        while True:
            try:
                await self._follow()
                told = ""
            except LinesideError as fault:
                if fault.sentence != told:
                    log.warning("plant not followed", reason=fault.sentence)
                told = fault.sentence
            self.ready.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look.wait()
            self._look.clear()

    def _look_now(self) -> None:
        self._look.set()

    async def _follow(self) -> None:
        version = await self._ask(self._source.version)
        if version != self._version:
            plant = await self._ask(self._source.load)
            passwords = {
                c.name: await self._ask(self._source.password, c.name) for c in plant.connections if c.user
            }
            await self._reconfigure(plant, passwords)
            self._version = version
        for action in await self._ask(self._source.alarm_actions, self._actions_until):
            self.desk.act(action)
            self._actions_until = max(self._actions_until, action.number)

    # Links --------------------------------------------------------------------------------------------------------

    async def _reconfigure(self, plant: Plant, passwords: dict[str, str]) -> None:
        """End links that are gone or changed, start new ones; the others do not notice."""
        wanted = {c.name: (c, watches_of(plant, c.name)) for c in plant.connections if c.enabled}
        changed = [
            name
            for name, (link, _) in self._links.items()
            if wanted.get(name) != (link.connection, link.watches)
            or self._passwords.get(name) != passwords.get(name)
        ]
        await asyncio.gather(*(self._end_link(name) for name in changed))
        self._passwords = passwords
        self.desk.configure(plant, self._clock())
        self.intake.configure(plant)
        for connection in plant.connections:
            if not connection.enabled:
                self.intake.lost(connection.name, Quality.BAD_OUT_OF_SERVICE)
        for name in wanted.keys() - self._links.keys():
            self._start_link(*wanted[name])
        log.info("plant loaded", connections=len(self._links), tags=len(plant.tags), restarted=changed)

    def _start_link(self, connection: Connection, watches: tuple[Watch, ...]) -> None:
        link = Link(
            connection,
            watches,
            opener=self._open,
            on_readings=partial(self.intake.accept, connection.name),
            on_lost=partial(self.intake.lost, connection.name),
            on_status=self._link_changed,
            clock=self._clock,
            back_off=self._back_off,
            silence=self._silence,
        )
        self._links[connection.name] = (link, asyncio.create_task(link.run(), name=f"link {connection.name}"))

    def _open(self, connection: Connection) -> Driver:
        return self._opener(connection, Credentials(self._passwords.get(connection.name, "")))

    async def _end_link(self, name: str) -> None:
        _, task = self._links.pop(name)
        self._statuses.pop(name, None)
        while not task.done():
            # Again and again: before Python 3.12, asyncio.wait_for in a library may lose a cancellation.
            task.cancel()
            await asyncio.wait([task], timeout=1.0)

    async def _end_links(self) -> None:
        await asyncio.gather(*(self._end_link(name) for name in list(self._links)))

    # What everybody is told -----------------------------------------------------------------------------------------

    def _samples_came(self, samples: Sequence[Sample]) -> None:
        for sample in samples:
            self.desk.observe(sample)
        self.stream.samples(samples)

    def _alarm_changed(self, record: AlarmRecord) -> None:
        self.stream.event(AlarmChanged(record))

    def _link_changed(self, status: LinkStatus) -> None:
        self._statuses[status.connection] = status
        self.stream.event(status)

    def _snapshot(self) -> tuple[list[Sample], list[Message]]:
        events: list[Message] = list(self._statuses.values())
        events += [AlarmChanged(record) for record in self.desk.open_records()]
        return self.intake.latest(), events
