"""Carries out what people send to machines: at once or never, exactly once, read back, answered in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.domain.errors import LinesideError, Refused, WorldFault
from app.domain.machine_news import WriteAnswered
from app.domain.plant import Plant, Tag
from app.domain.samples import Value, is_bad
from app.domain.writing import arrived, check_write, raw_value
from app.drivers.faults import BadAddress, DeviceTrouble
from app.drivers.protocol import Driver
from app.live.watchdog import put_an_end_to, within
from app.store.machine_writes import WriteResult, WriteResults

log = structlog.get_logger(__name__)

STILL_FRESH = timedelta(seconds=30)  # an older wish may no longer be what anybody wants
_READ_BACK_PAUSES = (0.05, 0.25, 0.7, 1.0)  # s; a controller takes a value over with its next cycle
_CERTAINLY_NOT = (Refused, BadAddress, DeviceTrouble)


@dataclass(frozen=True, slots=True)
class Command:
    """A value that a person sent, in the tag's unit: `number` grows with each, `id` is the id of its row."""

    number: int
    id: str
    tag: str
    value: Value
    actor: str
    at: datetime


class CommandSource(Protocol):
    """Where commands come from. Methods may block and are called from a thread, never two at a time."""

    def commands(self, known: Container[str]) -> Sequence[Command]:
        """Commands that were not handed out yet and whose ids are not `known`, in the order in which they came here."""
        ...


async def _nothing_against_it(_connection: str) -> str:
    return ""


class _Answer(Exception):
    """How it ended."""

    def __init__(self, sentence: str, read_back: Value = None, *, ok: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.read_back, self.ok = sentence, read_back, ok


class CommandDesk:
    """`driver_of` gives the driver of a connection that talks, `why_silent` the reason when there is none.

    `on_disk` runs blocking work on the thread of the history; `on_answer` is told every answer once. `concerns` says
    whether a command is for this station at all, and `why_not`, asked right before a value is sent, why it must not be.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        driver_of: Callable[[str], Driver | None],
        why_silent: Callable[[str], str],
        on_disk: Callable[..., Awaitable[object]],
        on_answer: Callable[[WriteAnswered], None],
        concerns: Callable[[str, datetime], bool] = lambda _connection, _at: True,
        why_not: Callable[[str], Awaitable[str]] = _nothing_against_it,
    ) -> None:
        self._concerns, self._why_not = concerns, why_not
        self._clock, self._driver_of, self._why_silent = clock, driver_of, why_silent
        self._on_disk, self._on_answer = on_disk, on_answer
        self._plant = Plant()
        self._timeouts: dict[str, float] = {}
        self._results: WriteResults | None = None
        self._turns: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.known: set[str] = set()

    async def use(
        self, results: WriteResults, known: set[str], unfinished: Sequence[tuple[str, str]]
    ) -> None:
        """Answers are kept here; what an earlier collector left unanswered is answered now, never sent again."""
        self._results, self.known = results, known
        for id, tag in unfinished:
            sentence = (
                f"It is unknown whether {tag} took it, as the collector ended meanwhile: look at the machine."
            )
            await self._finish(WriteResult(id, tag, False, sentence, self._clock()))

    def follow(self, plant: Plant) -> None:
        """Follow a new plant: what may be written, and where."""
        self._plant = plant
        self._timeouts = {c.name: c.timeout for c in plant.connections}

    def take(self, commands: Sequence[Command]) -> None:
        """Carry out commands, those of one connection one after the other."""
        for command in commands:
            tag = self._plant.tag(command.tag)
            if tag is not None and not self._concerns(tag.connection, command.at):
                continue
            task = asyncio.create_task(self._carry_out(command), name=f"write {command.tag}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Give up what is under way; its end is unknown and is said so by the next collector."""
        await asyncio.gather(*(put_an_end_to(task) for task in list(self._tasks)))

    async def _carry_out(self, command: Command) -> None:
        tag = self._plant.tag(command.tag)
        turn = self._turns.setdefault(tag.connection if tag is not None else "", asyncio.Lock())
        async with turn:
            assert self._results is not None
            begun = (command.id, command.number, command.tag, self._clock())
            try:
                if not await self._on_disk(self._results.begin, *begun):
                    return
            except WorldFault as fault:
                self._tell(
                    command, _Answer(f"Nothing was sent, since it could not be noted: {fault.sentence}")
                )
                return
            try:
                answer = await self._send(command)
            except _Answer as refused:
                answer = refused
            except Exception as error:
                log.exception("driver failed", tag=command.tag)
                answer = _Answer(
                    f"It is unknown whether {command.tag} took it: Lineside has a fault ({error!r})."
                )
            result = self._tell(command, answer)
            try:
                await self._finish(result, told=True)
            except WorldFault as fault:
                log.warning("answer of a write not stored", id=command.id, reason=fault.sentence)

    async def _send(self, command: Command) -> _Answer:
        """The whole conversation with the machine; raises or returns how it ended."""
        tag = self._plant.tag(command.tag)
        self._check_age(command)
        if tag is None:
            raise _Answer(f"There is no tag called {command.tag} any more: nothing was sent.")
        driver = self._driver_of(tag.connection)
        if driver is None:
            raise _Answer(f"Nothing was sent: {self._why_silent(tag.connection)}")
        patience = 2 * self._timeouts.get(tag.connection, 4.0) + 1.0
        try:
            value = check_write(tag, command.value)
            before = await within(patience, driver.read([tag.address]))
            raw = raw_value(tag, value, before[0].value)
        except (LinesideError, TimeoutError) as fault:
            raise _Answer(f"Nothing was sent: {_why(fault)}") from fault
        self._check_age(command)  # a slow machine may have taken its time to be read
        if reason := await self._why_not(tag.connection):
            raise _Answer(f"Nothing was sent: {reason}")
        try:
            await within(patience, driver.write(tag.address, raw))
        except _CERTAINLY_NOT as fault:
            raise _Answer(f"{tag.name} did not take {_shown(tag, value)}: {fault.sentence}") from fault
        except (LinesideError, TimeoutError) as fault:
            raise _Answer(
                f"It is unknown whether {tag.name} took {_shown(tag, value)}, look at the machine: {_why(fault)}"
            ) from fault
        log.info("value sent to a machine", tag=tag.name, value=value, actor=command.actor, id=command.id)
        return await self._read_back(driver, tag, value, raw, patience)

    def _check_age(self, command: Command) -> None:
        ahead = command.at - self._clock()
        if ahead > STILL_FRESH:
            raise _Answer(
                f"The clock of the computer that sent this is {ahead.total_seconds():,.0f} s ahead of this station's: "
                "it was not sent. Have both clocks follow a time server."
            )
        if -ahead > STILL_FRESH:
            raise _Answer(
                f"The command is older than {STILL_FRESH.seconds} s: it has expired and was not sent."
            )

    async def _read_back(
        self, driver: Driver, tag: Tag, value: Value, raw: Value, patience: float
    ) -> _Answer:
        """Read until the machine shows what was sent, for about two seconds."""
        shown: Value = None
        for pause in _READ_BACK_PAUSES:
            await asyncio.sleep(pause)
            try:
                reading = (await within(patience, driver.read([tag.address])))[0]
            except (LinesideError, TimeoutError) as fault:
                return _Answer(
                    f"{tag.name} was sent {_shown(tag, value)}, but could not be read back: {_why(fault)}"
                )
            scaled = (
                reading.value if tag.scale is None else tag.scale.apply(reading.value, reading.quality)[0]
            )
            shown = None if is_bad(reading.quality) else scaled
            if not is_bad(reading.quality) and arrived(raw, reading.value):
                return _Answer(f"{tag.name} is now {_shown(tag, shown)}.", shown, ok=True)
        now = "has no value" if shown is None else f"still shows {_shown(tag, shown)}"
        return _Answer(f"{tag.name} was sent {_shown(tag, value)}, but {now}: look at the machine.", shown)

    def _tell(self, command: Command, answer: _Answer) -> WriteResult:
        result = WriteResult(
            command.id, command.tag, answer.ok, answer.sentence, self._clock(), answer.read_back
        )
        level = log.info if answer.ok else log.warning
        level("write answered", id=command.id, tag=command.tag, ok=answer.ok, sentence=answer.sentence)
        self._on_answer(_message(result))
        return result

    async def take_answer(self, answer: WriteAnswered) -> None:
        """Keep what the station says that holds the machine; one that was kept before is not changed."""
        assert self._results is not None
        if answer.id not in self.known:
            self.known.add(answer.id)
            if await self._on_disk(self._results.begin, answer.id, 0, answer.tag, answer.at):
                await self._finish(
                    WriteResult(
                        answer.id, answer.tag, answer.ok, answer.sentence, answer.at, answer.read_back
                    )
                )

    async def _finish(self, result: WriteResult, *, told: bool = False) -> None:
        assert self._results is not None
        await self._on_disk(self._results.finish, result)
        if not told:
            self._on_answer(_message(result))


def _message(result: WriteResult) -> WriteAnswered:
    return WriteAnswered(result.id, result.tag, result.ok, result.sentence, result.at, result.read_back)


def _why(fault: BaseException) -> str:
    return fault.sentence if isinstance(fault, LinesideError) else "the machine did not answer in time."


def _shown(tag: Tag, value: Value) -> str:
    """A value with its unit or the name of its state, for a sentence."""
    name = next(
        (name for number, name in tag.states if number == value and not isinstance(value, bool)), None
    )
    if name is not None:
        return f"{value} ({name})"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = f"{value:.6g}" if isinstance(value, float) else f"{value}"
    return f"{text} {tag.unit}".rstrip()
