"""Shares one socket or serial port among all units behind it: fairly, one request at a time, dead units seldom.

Many devices allow one client, and a gateway or a serial line carries many units, so connections to the same place use
the same line. Each asks through a `Seat`; seats take turns. A unit that stays silent costs the others one timeout, and
then rests, longer from time to time, so that all silent units together take a fifth of the line at most.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from app.domain.errors import Refused
from app.drivers.faults import DeviceTrouble, MachineFault, Unreachable
from app.drivers.modbus_requests import GATEWAY_PATH, GATEWAY_TARGET, Rejected, Request, WrongAnswer
from app.drivers.modbus_wires import Garbled, OnLost, Silence, Wire

_GARBLED_TRIES = 3  # of a read; a machine may have taken a value although its answer is garbled
_MUTE = 2  # silences in a row after which a socket is made anew
_SHORTEST_REST = (
    1.0  # s; how long a serial unit is left alone after a silence, lest a late answer pass for a new one
)
_LONGEST_REST = 30.0  # s; unless many units are dead
_SHARE = 4.0  # silent units together may take one part of the time, the others get four

OpenWire = Callable[[float, OnLost], Awaitable[Wire]]


@dataclass(frozen=True, slots=True)
class Way:
    """How a line is reached: its name to people, `key` that is the same for the same line, how to open it.

    `settings` are those that all who use the line must agree on.
    """

    key: str
    place: str
    open_wire: OpenWire
    settings: object = None


@dataclass(slots=True)
class _Health:
    """How a unit behaved of late: silences in a row, when it may be asked again, and what to say until then."""

    silences: int = 0
    not_before: float = 0.0
    verdict: Exception | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Registers, or bits as 0 and 1, and the seconds between question and answer."""

    values: list[int]
    seconds: float


@dataclass(eq=False, slots=True)
class _Job:
    unit: int
    request: Request
    timeout: float
    answer: asyncio.Future[Answer]
    tries: int = 0

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # looked at here: whoever asked may have gone


class Seat:
    """One connection's place at a line."""

    def __init__(self, line: Line, unit: int, on_lost: OnLost) -> None:
        self._line, self.unit, self.on_lost = line, unit, on_lost
        self.jobs: deque[_Job] = deque()

    async def open(self, timeout: float) -> None:
        """Make sure that the line is open; raises the MachineFault that prevents it."""
        await self._line.open(timeout)

    async def ask(self, request: Request, timeout: float) -> Answer:
        """The answer; raises Silence, Garbled, WrongAnswer, Rejected, or a MachineFault when the line is gone."""
        return await self._line.ask(self, request, timeout)

    async def leave(self) -> None:
        """Give up the place; the last one closes the line."""
        await self._line.leave(self)


class Line:
    """One open socket or port; once it is broken it stays so, and `take_seat` makes a new one."""

    def __init__(self, way: Way, lines: _Lines) -> None:
        self.way = way
        self._key, self._place, self._open_wire, self._lines = way.key, way.place, way.open_wire, lines
        self._health = lines.health.setdefault(way.key, {})
        self._seats: deque[Seat] = deque()
        self._wire: Wire | None = None
        self._work: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._current: _Job | None = None
        self._wake = asyncio.Event()
        self._mute = 0
        self.fault: MachineFault | None = None

    def seat(self, unit: int, on_lost: OnLost) -> Seat:
        """A new place."""
        seat = Seat(self, unit, on_lost)
        self._seats.append(seat)
        return seat

    async def open(self, timeout: float) -> None:
        """Open once, for everybody who waits for it."""
        if self._wire is None and self._opening is None and self.fault is None:
            self._opening = asyncio.create_task(self._open(timeout), name=f"modbus open {self._place}")
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self.fault is not None:
            raise self.fault

    async def _open(self, timeout: float) -> None:
        try:
            await self._lines.closed(self._key)
            self._wire = await self._open_wire(timeout, self._break)
        except MachineFault as fault:
            self._break(fault)
        except Exception as error:  # noqa: BLE001 — nobody may be waiting for this task any more
            self._break(_bug(self._place, error))
        else:
            self._work = asyncio.create_task(self._serve(), name=f"modbus {self._place}")

    async def ask(self, seat: Seat, request: Request, timeout: float) -> Answer:
        """Queue a request of a seat; a unit that rests is answered for at once."""
        if self.fault is not None:
            raise self.fault
        loop = asyncio.get_running_loop()
        health = self._health.get(seat.unit)
        if health is not None and health.verdict is not None and health.not_before - loop.time() > timeout:
            raise _copy(health.verdict)
        job = _Job(seat.unit, request, timeout, loop.create_future())
        seat.jobs.append(job)
        self._wake.set()
        return await job.answer

    async def leave(self, seat: Seat) -> None:
        """Forget a seat; the last one closes the line. Never raises."""
        if seat in self._seats:
            self._seats.remove(seat)
        for job in seat.jobs:
            job.answer.cancel()
        seat.jobs.clear()
        if not self._seats:
            self._finish(Unreachable(self._place, "the connection was closed"))
        if not self._seats:
            await self._lines.closed(self._key)

    # ── the one who asks ─────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self) -> None:
        """Answer one job after the other until the line breaks."""
        try:
            while True:
                seat, job = await self._next()
                self._current = job
                await self._exchange(seat, job)
                self._current = None
        except MachineFault as fault:
            self._break(fault)
        except Exception as error:  # noqa: BLE001 — a line that ends unseen would leave machines that only look alive
            self._break(_bug(self._place, error))

    async def _next(self) -> tuple[Seat, _Job]:
        """The first job of the seat whose turn it is; waits for one, and for resting units."""
        loop = asyncio.get_running_loop()
        while True:
            now, soonest = loop.time(), math.inf
            for seat in list(self._seats):
                self._seats.rotate(-1)
                while seat.jobs and seat.jobs[0].answer.done():
                    seat.jobs.popleft()
                if not seat.jobs:
                    continue
                health = self._health.get(seat.unit)
                if health is None or health.not_before <= now:
                    return seat, seat.jobs.popleft()
                soonest = min(soonest, health.not_before)
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(None if soonest == math.inf else soonest):
                    await self._wake.wait()

    async def _exchange(self, seat: Seat, job: _Job) -> None:
        loop = asyncio.get_running_loop()
        wire = await self._fresh_wire(job.timeout)
        began = loop.time()
        try:
            message = await wire.exchange(job.unit, job.request, job.timeout)
        except Silence as silence:
            self._note_silence(job, silence, wire.rests)
            job.fail(silence)
            if not job.request.count and wire.reopens:
                self._mute = _MUTE  # the value may still be on its way, and must not arrive after all
                await wire.close()
        except Garbled as garbled:
            job.tries += 1
            self._rest(job.unit, min(job.timeout, _SHORTEST_REST), None)
            if job.request.count and job.tries < _GARBLED_TRIES and seat in self._seats:
                seat.jobs.appendleft(job)
            else:
                job.fail(garbled)
        else:
            self._mute = 0
            self._settle(job, message, loop.time() - began)

    def _settle(self, job: _Job, message: bytes, seconds: float) -> None:
        """Hand out an answer. A gateway that answers for a dead unit costs as much time as the unit's silence."""
        try:
            values = job.request.values(message)
        except Rejected as rejected:
            if rejected.code in (GATEWAY_PATH, GATEWAY_TARGET):
                self._count_silence(job, rejected)
            else:
                self._health.pop(job.unit, None)
            job.fail(rejected)
        except WrongAnswer as wrong:
            self._health.pop(job.unit, None)
            job.fail(wrong)
        else:
            self._health.pop(job.unit, None)
            if not job.answer.done():
                job.answer.set_result(Answer(values, seconds))

    async def _fresh_wire(self, timeout: float) -> Wire:
        """The wire; opened anew when nobody answered for a while, since a dead socket looks like silent units."""
        wire = self._wire
        assert wire is not None
        if self._mute < _MUTE or not wire.reopens:
            return wire
        self._mute = 0
        await wire.close()
        self._wire = await self._open_wire(timeout, self._break)
        return self._wire

    # ── silent units ─────────────────────────────────────────────────────────────────────────────────────────

    def _note_silence(self, job: _Job, silence: Silence, rests: bool) -> None:
        self._mute += 1
        self._count_silence(job, silence)
        if rests:
            self._rest(job.unit, max(job.timeout, _SHORTEST_REST), None)

    def _count_silence(self, job: _Job, verdict: Exception) -> None:
        """From the second silence in a row a unit rests, if there are others to be served."""
        health = self._health.setdefault(job.unit, _Health())
        health.silences += 1
        if health.silences < 2 or len({seat.unit for seat in self._seats}) < 2:
            return
        silent = sum(1 for other in self._health.values() if other.silences >= 2)
        longer = min(_LONGEST_REST, job.timeout * 2.0 ** min(health.silences, 10))
        self._rest(job.unit, max(longer, _SHARE * job.timeout * silent), verdict)

    def _rest(self, unit: int, seconds: float, verdict: Exception | None) -> None:
        health = self._health.setdefault(unit, _Health())
        health.not_before = max(health.not_before, asyncio.get_running_loop().time() + seconds)
        health.verdict = _copy(verdict) if verdict is not None else health.verdict

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────

    def _break(self, fault: MachineFault) -> None:
        """The line is gone: everybody hears it once."""
        if self.fault is not None:
            return
        seats = list(self._seats)
        self._finish(fault)
        for seat in seats:
            seat.on_lost(fault)

    def _finish(self, fault: MachineFault) -> None:
        """Answer what is open with `fault`, end the tasks, close the wire; a second call does nothing."""
        if self.fault is not None:
            return
        self.fault = fault
        self._lines.forget(self._key, self)
        for job in [self._current, *(job for seat in self._seats for job in seat.jobs)]:
            if job is not None:
                job.fail(fault)
        for task in (self._opening, self._work):
            if task is not None and task is not asyncio.current_task() and not task.done():
                task.cancel()
                self._lines.await_end(self._key, task)
        wire, self._wire = self._wire, None
        if wire is not None:
            self._lines.await_end(self._key, asyncio.ensure_future(wire.close()))


def _copy(error: Exception) -> Exception:
    """The same once more, without the frames that the first one passed through."""
    return type(error)(*error.args)


def _bug(place: str, error: Exception) -> MachineFault:
    return DeviceTrouble(place, f"Lineside cannot handle it ({error!r})")


@dataclass(slots=True)
class _Lines:
    """The open lines of one event loop, and how the units behind them behaved; that outlives a line."""

    open: dict[str, Line] = field(default_factory=dict)
    health: dict[str, dict[int, _Health]] = field(default_factory=dict)
    ending: dict[str, set[asyncio.Future[None]]] = field(default_factory=dict)

    def forget(self, key: str, line: Line) -> None:
        """A broken or closed line is not offered any more."""
        if self.open.get(key) is line:
            del self.open[key]

    def await_end(self, key: str, task: asyncio.Future[None]) -> None:
        """Note a task that still has to end before the place of that key may be opened again."""
        self.ending.setdefault(key, set()).add(task)

    async def closed(self, key: str) -> None:
        """Wait until all earlier lines of that key have let go of their socket or port."""
        while tasks := self.ending.get(key):
            await asyncio.wait(tasks)
            self.ending[key] = {task for task in tasks if not task.done()}
        self.ending.pop(key, None)


_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lines] = WeakKeyDictionary()


def take_seat(way: Way, unit: int, on_lost: OnLost) -> Seat:
    """A place at a line, which is made if it is not there; `on_lost` is called once when it breaks.

    The line is opened by the first `Seat.open`, and closed when the last seat is left. Raises Refused when the line
    is in use with other settings.
    """
    lines = _lines.setdefault(asyncio.get_running_loop(), _Lines())
    line = lines.open.get(way.key)
    if line is None:
        line = lines.open[way.key] = Line(way, lines)
    if line.way.settings != way.settings:
        raise Refused(
            f"All connections over {way.place} share one line, so they need the same baud rate, parity and stop bits."
        )
    return line.seat(unit, on_lost)
