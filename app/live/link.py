"""One supervised connection to one machine: connects, watches, notices silence, comes back without help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from random import Random

import msgspec
import structlog

from app.domain.errors import LinesideError, Refused
from app.domain.plant import Connection
from app.domain.samples import Quality
from app.drivers.faults import MachineFault, TooManySessions, Unreachable, WrongCredentials
from app.drivers.protocol import Driver, Granted, Reading, Watch
from app.live.messages import LinkState, LinkStatus
from app.live.scanning import silence_allowed

log = structlog.get_logger(__name__)

KEEP_ALIVE = 5.0  # s; how often a machine that has nothing to say shows that it lives


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait between attempts: doubling from `first` to `longest` seconds, a quarter of it by chance."""

    first: float = 0.5
    longest: float = 30.0
    patient: float = 60.0

    def pause(self, attempt: int, fault: LinesideError, chance: Random) -> float:
        """Seconds before the next attempt; long where trying again soon makes it worse."""
        if isinstance(fault, (TooManySessions, WrongCredentials, Refused)):
            base = max(self.patient, self.first)
        else:
            base = min(self.longest, self.first * 2.0 ** min(attempt, 16))
        return base * chance.uniform(0.75, 1.25)


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
        self._attempts = 0
        self._rejected: tuple[str, ...] = ()
        self.status = LinkStatus(connection.name, LinkState.CONNECTING, "Connecting…", clock())

    async def run(self) -> None:
        """Connect, stay connected, come back; ends only by being cancelled."""
        self._on_status(self.status)
        while True:
            fault = await self._session()
            self._outage(fault)
            pause = self._back_off.pause(self._attempts, fault, self._chance)
            self._attempts += 1
            await asyncio.sleep(pause)

    async def _session(self) -> LinesideError:
        """One attempt with a driver of its own, until it fails; returns why it ended."""
        try:
            driver = self._open(self.connection)
        except LinesideError as refusal:
            return refusal
        try:
            await driver.connect()
            granted = await driver.subscribe(self.watches, self._take)
            self._note_rejected([wish for wish in granted if wish.fault is not None])
            if not self.watches:
                self._online()
            return await self._until_lost(driver)
        except LinesideError as fault:
            return fault
        except Exception as error:  # noqa: BLE001 — a bug in one driver must not stop the other machines
            self._log.exception("driver failed")
            return MachineFault(self.connection.url, f"Lineside has a fault in this driver: {error!r}.")
        finally:
            await driver.close()

    async def _until_lost(self, driver: Driver) -> LinesideError:
        """Wait for the driver to lose the machine, or for the machine to be silent for too long."""
        lost = asyncio.ensure_future(driver.lost())
        try:
            while not lost.done():
                await asyncio.wait([lost], timeout=min(1.0, self._silence / 4))
                if not lost.done() and driver.silence() > self._silence:
                    seconds = f"connected, but no data for {driver.silence():.0f} s"
                    return Unreachable(self.connection.url, seconds)
            return lost.result()
        finally:
            lost.cancel()
            with suppress(asyncio.CancelledError):
                await lost

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
        if self.status.state is not LinkState.ONLINE and any(
            r.quality != Quality.BAD_CONFIGURATION_ERROR for r in readings
        ):
            self._online()
        self._on_readings(readings)

    def _online(self) -> None:
        now, before = self._clock(), self.status
        if before.state is LinkState.OFFLINE:
            away = (now - before.since).total_seconds()
            self._log.info("machine is back", away_s=round(away, 1), attempts=self._attempts)
        self._attempts = 0
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
        self._tell(
            LinkStatus(
                self.connection.name, LinkState.OFFLINE, fault.sentence, since, outages, self._attempts + 1
            )
        )

    def _tell(self, status: LinkStatus) -> None:
        self.status = status
        self._on_status(status)
