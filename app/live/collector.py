"""Runs everything that talks to machines: one link each, the disk, the alarms and the live stream."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import structlog

from app.domain.errors import LinesideError, Refused, WorldFault
from app.domain.identity import uuid7
from app.domain.machine_news import LinkStatus, WriteAnswered
from app.domain.plant import Plant
from app.domain.samples import Quality, Sample
from app.drivers import certificates, open_driver
from app.drivers.protocol import Reading
from app.live.alarm_desk import AlarmDesk
from app.live.back_off import BackOff
from app.live.backlog import MOST_WAITING
from app.live.clock_watch import ClockWatch, Jump, seconds_with_sleep, unhurried
from app.live.commands import CommandDesk, CommandSource
from app.live.figures import FIGURES_SECONDS
from app.live.forward_watch import ForwardWatch
from app.live.forwarder import Forwarder
from app.live.intake import Intake
from app.live.left_open import left_open
from app.live.links import Links, Opener, other_machine
from app.live.messages import AlarmChanged, LinkFigures, Message, Ping
from app.live.passwords import Passwords
from app.live.saving import Saving
from app.live.sealing import keep_sealing, keeping_of
from app.live.shared_machines import SharedMachines
from app.live.source import PlantSource
from app.live.stream import StreamServer
from app.live.surroundings import FolderWatch, ServiceManager
from app.settings import load_settings
from app.store.fellows import Fellows, MachineSource, Nobody
from app.store.filelock import FileLock
from app.store.history import FILE_NAME, AlarmBatch, AlarmRecord, HistoryWriter
from app.store.machine_writes import WriteResults

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.25
LOOK_SECONDS = 1.0
PING_SECONDS = 1.0
_ASK_AGAIN = 65.0  # s; a keyring that did not answer is left alone for a minute
_DIAGNOSTIC = 4  # the priority of an alarm that tells of Lineside and its computer
_T = TypeVar("_T")


def utc_now() -> datetime:
    """The clock of the collector."""
    return datetime.now(UTC)


class Collector:
    """One for each data folder; `run` collects until cancelled, `stop` is called or the time is over.

    `asleep` and `awake` are seconds of clocks that nobody sets, with and without the sleep of this computer;
    `ends_when` is asked each second whether there is a reason to end.
    """

    def __init__(
        self,
        source: PlantSource,
        data_dir: Path,
        *,
        commands: CommandSource | None = None,
        machines: MachineSource | None = None,
        fellows: Fellows | None = None,
        forwarder: Forwarder | None = None,
        clock: Callable[[], datetime] = utc_now,
        asleep: Callable[[], float] = seconds_with_sleep,
        awake: Callable[[], float] = time.monotonic,
        new_id: Callable[[datetime], UUID] = uuid7,
        opener: Opener = open_driver,
        back_off: BackOff | None = None,
        silence: float | None = None,
        port: int = 0,
        most_waiting: int = MOST_WAITING,
        parent: int = 0,
        ends_when: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source, self._data_dir, self._clock = source, data_dir, clock
        self._command_source, self._ends_when = commands, ends_when
        self._machines, self.fellows = machines, fellows or Nobody()
        self._time = ClockWatch(clock, asleep, awake)
        self.desk = AlarmDesk(new_id, self._alarm_changed, clock=clock)
        self.intake = Intake(clock, self._samples_came, most_waiting)
        self.stream = StreamServer(
            data_dir,
            clock=clock,
            snapshot=self._snapshot,
            on_poke=self._look_now,
            port=port,
            parent=parent,
        )
        self.links = Links(
            opener=opener,
            certificates=data_dir / certificates.FOLDER,
            clock=clock,
            on_readings=self._readings_came,
            on_lost=self.intake.lost,
            on_status=self._link_changed,
            back_off=back_off,
            silence=silence,
            drives=self.fellows.drives,
        )
        self.saving = Saving(self.intake.backlog, self.desk, clock, self._on_disk, self._alarms_stored)
        self.forwarding = ForwardWatch(forwarder, self.desk, self.saving)
        self.commands = CommandDesk(
            clock=clock,
            driver_of=self.links.driver_of,
            why_silent=self.links.why_silent,
            on_disk=self._on_disk,
            on_answer=self._write_answered,
            concerns=self._concerns,
            why_not=self.fellows.why_not_send,
        )
        self.shared = SharedMachines(
            self.fellows,
            clock=clock,
            desk=self.desk,
            links=self.links,
            intake=self.intake,
            commands=self.commands,
            stream=self.stream,
            look=self._leases_moved,
        )
        self._passwords: dict[str, str] = {}
        self._keyring, self._ask_passwords_at = Passwords(source), math.inf
        self._plant = Plant()
        self._version: int | None = None
        self._moved = True
        self._look = asyncio.Event()
        self._poked = False
        self._stop = asyncio.Event()
        self.ready = asyncio.Event()
        self.last_figures: list[LinkFigures] = []

    # Life ---------------------------------------------------------------------------------------------------------

    async def run(self, seconds: float | None = None) -> None:
        """Collect; raises Refused when another collector has this folder, its history cannot be used or it is gone."""
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
            keeping = keeping_of(load_settings(self._data_dir))
            self._writer = await self._on_disk(HistoryWriter, self._data_dir / FILE_NAME, 1, keeping)
            stack.callback(self._writer.close)
            results = await self._on_disk(WriteResults, self._data_dir / FILE_NAME)
            stack.callback(results.close)
            self._folder = FolderWatch(self._data_dir / FILE_NAME)
            self._alive = await self._on_disk(self._writer.last_commit)
            await self._restore(results)
            stack.push_async_callback(asyncio.to_thread, self.forwarding.end)
            self.forwarding.begin(self._writer, lambda: len(self.intake.backlog))
            stack.push_async_callback(self.saving.commit)
            stack.push_async_callback(self.links.end_all)
            stack.push_async_callback(self.commands.end)
            await self.stream.start()
            stack.push_async_callback(self.stream.stop)
            await self.fellows.begin(self.shared)
            stack.push_async_callback(self.shared.end)
            stack.push_async_callback(self.fellows.end)
            await self._work(seconds)

    async def _work(self, seconds: float | None) -> None:
        """The standing tasks; the first one that fails brings the collector down, since then it lies."""
        loops = [
            asyncio.create_task(loop, name=name)
            for name, loop in (
                ("history", self.saving.keep_committing()),
                ("sealing", self._keep_sealing()),
                ("ticker", self._keep_ticking()),
                ("plant", self._keep_looking()),
                ("surroundings", self._keep_an_eye_on_the_folder()),
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
            self.last_figures = self.links.figures()
            for task in (*loops, stopped):
                task.cancel()
            await asyncio.gather(*loops, stopped, return_exceptions=True)

    async def _keep_sealing(self) -> None:
        careful = unhurried(self._clock, self._alive)
        keep_from = self.forwarding.keep_from
        await keep_sealing(self._writer, self._on_disk, self._clock, keep_from, careful_clock=careful)

    def stop(self) -> None:
        """End `run` soon; call it on the event loop."""
        self._stop.set()

    async def _on_disk(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, partial(work, *arguments))

    async def _ask(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._asking, partial(work, *arguments))

    async def _restore(self, results: WriteResults) -> None:
        """Take over the alarms of the last collector, close the curves that its end left open, answer its writes."""
        states = await self._on_disk(self._writer.alarm_states)
        self.shared.acted = await self._on_disk(self._writer.alarm_acts)
        if not self.shared.acted:
            passed = await self._ask(self._source.acts_until, await self._on_disk(self._writer.actions_until))
            self.shared.acted.update(passed)
            self.desk.dealt_with(passed)
        alarms, ended = await self._on_disk(left_open, self._data_dir / FILE_NAME, self._alive)
        self.desk.restore(states, alarms)
        self.intake.backlog.add(ended)
        self.saving.use(self._writer)
        known = await self._on_disk(results.known)
        await self.commands.use(results, known, await self._on_disk(results.unfinished))

    # Standing tasks -----------------------------------------------------------------------------------------------

    async def _keep_ticking(self) -> None:
        loop = asyncio.get_running_loop()
        pinged = figured = loop.time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._compare_clocks()
            now = self._clock()
            self.intake.tick(now)
            self.desk.tick(now)
            if loop.time() - pinged >= PING_SECONDS:
                pinged = loop.time()
                backlog = self.intake.backlog
                self.saving.judge()
                self.stream.event(Ping(now, len(backlog), self.saving.trouble, backlog.given_up))
            if loop.time() - figured >= FIGURES_SECONDS:
                figured = loop.time()
                for message in (*self.links.figures(), *self.forwarding.look(now)):
                    self.stream.event(message)

    async def _keep_an_eye_on_the_folder(self) -> None:
        """End when the data is gone or nobody wants this collector any more; tell a service manager that it lives."""
        service = ServiceManager()
        await self.ready.wait()
        service.ready()
        try:
            while not self._ends_when():
                await self._ask(self._folder.check)
                service.alive()
                await asyncio.sleep(PING_SECONDS)
            log.info("collector not wanted any more")
        finally:
            service.stopping()

    async def _keep_looking(self) -> None:
        """Follow the configuration and what people do; a poke makes it at once."""
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
        self._poked = True
        self._look.set()

    async def _follow(self) -> None:
        poked, self._poked = self._poked, False
        version = await self._ask(self._source.version)
        changed = version != self._version
        ask_again = self._ask_passwords_at <= asyncio.get_running_loop().time()
        if self._machines is not None and changed:
            facts = await self._ask(self._machines.machine_facts)
            self.fellows.follow(await self._ask(self._source.load), facts)
        moved, self._moved = self._moved, False
        if changed or poked or ask_again or moved:  # a password may be new although the plant is not
            plant = await self._ask(self._source.load) if changed else self._plant
            await self._reconfigure(plant, await self._ask(self._keyring.read, plant), moved)
            again = asyncio.get_running_loop().time() + _ASK_AGAIN
            self._ask_passwords_at = again if self._keyring.missing else math.inf
            self._version = version
            self.shared.try_waiting()
        self.shared.take_acts(await self._ask(self._source.alarm_actions, self.shared.acted))
        if self._command_source is not None:
            self.commands.take(await self._ask(self._command_source.commands, self.commands.known))

    async def _reconfigure(self, plant: Plant, passwords: dict[str, str], moved: bool = False) -> None:
        """End links that are gone or changed, start new ones; the others do not notice."""
        same = (plant, passwords) == (self._plant, self._passwords)
        if self._version is not None and same and not moved:
            return
        before, now = ({c.name: c for c in p.connections} for p in (self._plant, plant))
        self._plant, self._passwords = plant, passwords
        changed = await self.links.follow(plant, passwords)
        self.shared.follow(plant)
        self.desk.configure(plant, self._clock(), self.fellows.drives)
        for name in changed:
            if other_machine(before.get(name), now.get(name)):
                self.intake.lost(name, Quality.BAD_NOT_CONNECTED)
            self.intake.forget(name)
        self.intake.configure(plant)
        self.commands.follow(plant)
        for connection in plant.connections:
            if not connection.enabled:
                self.intake.lost(connection.name, Quality.BAD_OUT_OF_SERVICE)
        self.links.start_missing(plant)
        log.info("plant loaded", connections=len(self.links), tags=len(plant.tags), restarted=changed)

    # Time ---------------------------------------------------------------------------------------------------------

    def _compare_clocks(self) -> None:
        jump = self._time.look()
        if jump is not None:
            self._time_jumped(jump)

    def _time_jumped(self, jump: Jump) -> None:
        """Nothing rings or is kept because of it, and no connection is trusted to have survived a sleep."""
        now, sentence = self._clock(), jump.sentence()
        log.warning("time jumped", sentence=sentence, since=jump.since.isoformat())
        if jump.slept:
            self.intake.slept(jump.since)
            self.links.woke()
        if jump.set_by:
            self.intake.clock_was_set()
        self.desk.time_jumped(now)
        self.desk.raise_system("clock", sentence, priority=_DIAGNOSTIC, now=now)
        self.desk.clear_system("clock", now=now)

    # What everybody is told -----------------------------------------------------------------------------------------

    def _readings_came(self, connection: str, readings: Sequence[Reading]) -> None:
        self._compare_clocks()
        self.intake.accept(connection, readings)

    def _samples_came(self, samples: Sequence[Sample]) -> None:
        for sample in samples:
            self.desk.observe(sample)
        self.stream.samples(samples)
        self.shared.tell_samples(samples)

    def _alarm_changed(self, record: AlarmRecord) -> None:
        self.stream.event(AlarmChanged(record))

    def _link_changed(self, status: LinkStatus) -> None:
        self.stream.event(status)
        self.fellows.tell_link(status)

    def _alarms_stored(self, batch: AlarmBatch) -> None:
        self.shared.tell_stored(batch)

    def _concerns(self, connection: str, at: datetime) -> bool:
        return self.shared.concerns(connection, at)

    def _write_answered(self, answer: WriteAnswered) -> None:
        self.stream.event(answer)
        self.fellows.tell_answer(answer)

    def _leases_moved(self) -> None:
        self._moved = True
        self._look.set()

    def _snapshot(self) -> tuple[list[Sample], list[Message]]:
        told, others = self.shared.snapshot()
        events: list[Message] = [*self.links.statuses(), *self.links.figures(), *self.forwarding.messages()]
        events += [AlarmChanged(record) for record in self.desk.open_records()]
        own = [sample for sample in self.intake.latest() if not self.shared.told_elsewhere(sample.tag)]
        return own + told, events + others
