"""One supervised connection to one machine: connects, watches, notices silence, comes back without help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from random import Random

import msgspec
import structlog

from app.domain.errors import LinesideError
from app.domain.machine_news import LinkState, LinkStatus
from app.domain.plant import Connection
from app.domain.samples import Quality
from app.drivers.faults import MachineFault, Unreachable
from app.drivers.protocol import Driver, Granted, Reading, Watch
from app.live.back_off import BackOff, needs_patience
from app.live.figures import LinkMeter
from app.live.messages import LinkFigures
from app.live.scanning import silence_allowed
from app.live.watchdog import put_an_end_to, within

log = structlog.get_logger(__name__)

KEEP_ALIVE = 5.0  # s; how often a machine that has nothing to say shows that it lives
STEADY = 5.0  # s; a connection that held this long and is lost then is tried again at once
_SUBSCRIBE_SECONDS = 15.0
_SECONDS_AN_ADDRESS = 0.05
_CLOSE_SECONDS = 5.0


class Link:
    """Runs one connection until cancelled; `on_readings` and `on_lost` are called on the event loop."""

    def __init__(
        self,
        connection: Connection,
        watches: tuple[Watch, ...],
        *,
        opener: Callable[[Connection], Driver],
        on_readings: Callable[[Sequence[Reading]], None],
        on_lost: Callable[[], None],
        on_status: Callable[[LinkStatus], None],
        clock: Callable[[], datetime],
        back_off: BackOff | None = None,
        silence: float | None = None,
    ) -> None:
        self.connection, self.watches = connection, watches
        self._open, self._clock = opener, clock
        self._on_readings, self._on_lost, self._on_status = on_readings, on_lost, on_status
        self._back_off = back_off or BackOff()
        self._silence = silence if silence is not None else silence_allowed(watches, KEEP_ALIVE)
        self._chance = Random(connection.name)
        self._log = log.bind(connection=connection.name)
        self._attempts = 0  # within this outage, for people
        self._tries = 0  # since the machine was last heard for long, for the pause
        self._online_at: float | None = None
        self._connected_at = 0.0
        self._rejected: tuple[str, ...] = ()
        self._driver: Driver | None = None
        self._meter = LinkMeter(connection.name)
        self._slept = False
        self._hurry = asyncio.Event()
        self.status = LinkStatus(connection.name, LinkState.CONNECTING, "Connecting…", clock())

    @property
    def driver(self) -> Driver | None:
        """The driver at work while the machine talks; None otherwise."""
        return self._driver if self.status.state is LinkState.ONLINE else None

    def figures(self) -> LinkFigures:
        """What was counted so far."""
        at = asyncio.get_running_loop().time()
        return self._meter.figures(at, self._driver.traffic() if self._driver is not None else None)

    def woke(self) -> None:
        """This computer slept: no connection can be trusted to have survived it, and nothing is waited for."""
        self._slept = True
        self._hurry.set()

    async def run(self) -> None:
        """Connect, stay connected, come back; ends only by being cancelled."""
        self._on_status(self.status)
        while True:
            self._slept, self._online_at = False, None
            fault = await self._session()
            self._outage(fault)
            await self._rest(fault)

    async def _rest(self, fault: LinesideError) -> None:
        """Nothing after the loss of a connection that held, else longer and longer, unless the computer wakes."""
        held = self._online_at is not None and self._loop_time() - self._online_at >= STEADY
        if held:
            self._tries = 0
            if not needs_patience(fault):
                return
        pause = self._back_off.pause(self._tries, fault, self._chance)
        self._tries += 1
        self._hurry.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._hurry.wait()

    def _loop_time(self) -> float:
        return asyncio.get_running_loop().time()

    async def _session(self) -> LinesideError:
        """One attempt with a driver of its own, until it fails; returns why it ended."""
        try:
            driver = self._driver = self._open(self.connection)
        except LinesideError as refusal:
            return refusal
        except Exception as error:  # noqa: BLE001 — a bug in one driver must not stop the other machines
            return self._our_fault(error)
        try:
            return await self._converse(driver)
        except TimeoutError:
            return Unreachable(self.connection.url, "it began to answer and never finished")
        except LinesideError as fault:
            return fault
        except Exception as error:  # noqa: BLE001 — a bug in one driver must not stop the other machines
            return self._our_fault(error)
        finally:
            self._driver = None
            self._meter.ended(driver.traffic())
            await self._close(driver)

    async def _converse(self, driver: Driver) -> LinesideError:
        """Connect, ask for everything, and stay until the machine is lost."""
        patience = self.connection.timeout
        await within(4 * patience + _CLOSE_SECONDS, driver.connect())
        self._connected_at = self._loop_time()
        long = 4 * patience + _SUBSCRIBE_SECONDS + _SECONDS_AN_ADDRESS * len(self.watches)
        granted = await within(long, driver.subscribe(self.watches, self._take))
        self._meter.granted(self.watches, granted)
        self._note_rejected([wish for wish in granted if wish.fault is not None])
        if not self.watches:
            self._online()
        return await self._until_lost(driver)

    def _our_fault(self, error: Exception) -> MachineFault:
        self._log.exception("driver failed")
        return MachineFault(self.connection.url, f"Lineside has a fault in this driver: {error!r}.")

    async def _close(self, driver: Driver) -> None:
        try:
            await within(self.connection.timeout + _CLOSE_SECONDS, driver.close())
        except TimeoutError:
            self._log.warning("connection given up without a goodbye")

    async def _until_lost(self, driver: Driver) -> LinesideError:
        """Wait for the driver to lose the machine, or for the machine to be silent for too long."""
        lost = asyncio.ensure_future(driver.lost())
        try:
            while not lost.done():
                await asyncio.wait([lost], timeout=min(1.0, self._silence / 4))
                if lost.done():
                    break
                if self._slept:
                    return Unreachable(self.connection.url, "this computer slept")
                if driver.silence() > self._silence:
                    seconds = f"connected, but no data for {driver.silence():.0f} s"
                    return Unreachable(self.connection.url, seconds)
            return lost.result()
        finally:
            await put_an_end_to(lost)

    def _note_rejected(self, wishes: Sequence[Granted]) -> None:
        """Addresses that the machine does not know: logged once, and said as long as they are wished for."""
        addresses = tuple(wish.address for wish in wishes)
        if addresses != self._rejected:
            self._rejected = addresses
            for wish in wishes:
                self._log.warning("address rejected", address=wish.address, reason=str(wish.fault))
            if self.status.state is LinkState.ONLINE:
                self._tell(msgspec.structs.replace(self.status, sentence=self._connected()))

    def _connected(self) -> str:
        if not self._rejected:
            return "Connected."
        first, count = self._rejected[0], len(self._rejected)
        return f"Connected, but {count} of {len(self.watches)} addresses cannot be read, first “{first}”."

    def _take(self, readings: Sequence[Reading]) -> None:
        """Values have arrived; a rejected address alone does not prove that the machine talks."""
        if (
            self.status.state is not LinkState.ONLINE
            and any(r.quality != Quality.BAD_CONFIGURATION_ERROR for r in readings)
            and self._heard()
        ):
            self._online()
        self._meter.took(readings)
        self._on_readings(readings)

    def _heard(self) -> bool:
        """Whether the machine said anything since it was connected to; an open port or a gateway alone says nothing."""
        return self._driver is not None and self._driver.silence() < self._loop_time() - self._connected_at

    def _online(self) -> None:
        now, before = self._clock(), self.status
        if before.state is LinkState.OFFLINE:
            away = (now - before.since).total_seconds()
            self._log.info("machine is back", away_s=round(away, 1), attempts=self._attempts)
        self._attempts = 0
        self._online_at = self._loop_time()
        self._meter.connected()
        self._tell(LinkStatus(self.connection.name, LinkState.ONLINE, self._connected(), now, before.outages))

    def _outage(self, fault: LinesideError) -> None:
        """The first failure is an outage: logged, counted, told to every tag; the ones after it only count."""
        before = self.status
        if before.state is not LinkState.OFFLINE:
            self._log.warning("machine lost", reason=fault.sentence)
            self._on_lost()
            since, outages = self._clock(), before.outages + 1
        else:
            since, outages = before.since, before.outages
        self._attempts += 1
        self._tell(
            LinkStatus(
                self.connection.name, LinkState.OFFLINE, fault.sentence, since, outages, self._attempts
            )
        )

    def _tell(self, status: LinkStatus) -> None:
        self.status = status
        self._on_status(status)
