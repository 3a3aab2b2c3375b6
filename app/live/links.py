"""All links of a collector: follows the configured connections, so that a change of one disturbs no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from app.domain.errors import LinesideError, WorldFault
from app.domain.machine_news import LinkStatus
from app.domain.plant import Connection, Plant
from app.domain.samples import Quality
from app.drivers.protocol import Credentials, Driver, Reading, Watch
from app.live.back_off import BackOff
from app.live.link import Link
from app.live.messages import LinkFigures
from app.live.scanning import watches_of
from app.live.watchdog import put_an_end_to, within

_GOODBYE = 3.0  # s; a slow machine has to take our leave, lest it keep a place for us

_NO_ANSWER = (Quality.BAD_NO_COMMUNICATION, Quality.BAD_COMMUNICATION_ERROR)

Opener = Callable[[Connection, Credentials], Driver]


class Links:
    """One task for each enabled connection that this station `drives`.

    `on_readings`, `on_lost` and `on_status` name the connection.
    """

    def __init__(
        self,
        *,
        opener: Opener,
        certificates: Path,
        clock: Callable[[], datetime],
        on_readings: Callable[[str, Sequence[Reading]], None],
        on_lost: Callable[[str], None],
        on_status: Callable[[LinkStatus], None],
        back_off: BackOff | None = None,
        silence: float | None = None,
        drives: Callable[[str], bool] = lambda _connection: True,
    ) -> None:
        self._drives = drives
        self._opener, self._certificates, self._clock = opener, certificates, clock
        self._on_readings, self._on_lost, self._on_status = on_readings, on_lost, on_status
        self._back_off, self._silence = back_off or BackOff(), silence
        self._links: dict[str, tuple[Link, asyncio.Task[None]]] = {}
        self._statuses: dict[str, LinkStatus] = {}
        self._passwords: dict[str, str] = {}

    async def follow(self, plant: Plant, passwords: Mapping[str, str]) -> list[str]:
        """End links that are gone or changed; returns the names of those. `start_missing` starts the new ones."""
        wanted = self._wanted(plant)
        changed = [
            name
            for name, (link, _) in self._links.items()
            if wanted.get(name) != (link.connection, link.watches)
            or self._passwords.get(name) != passwords.get(name)
        ]
        await asyncio.gather(*(self._end(name) for name in changed))
        self._passwords = dict(passwords)
        return changed

    def start_missing(self, plant: Plant) -> None:
        """Start a link for every enabled connection that has none."""
        for name, (connection, watches) in self._wanted(plant).items():
            if name not in self._links:
                self._start(connection, watches)

    def _start(self, connection: Connection, watches: tuple[Watch, ...]) -> None:
        link = Link(
            connection,
            watches,
            opener=self._open,
            on_readings=partial(self._on_readings, connection.name),
            on_lost=partial(self._on_lost, connection.name),
            on_status=self._keep_status,
            clock=self._clock,
            back_off=self._back_off,
            silence=self._silence,
        )
        self._links[connection.name] = (link, asyncio.create_task(link.run(), name=f"link {connection.name}"))

    def _open(self, connection: Connection) -> Driver:
        if connection.user and connection.name not in self._passwords:
            raise WorldFault(
                f"The password of {connection.user} cannot be read now: unlock the keyring of this computer, or set "
                "the password again."
            )
        password = self._passwords.get(connection.name, "")
        return self._opener(connection, Credentials(password, self._certificates))

    def _keep_status(self, status: LinkStatus) -> None:
        self._statuses[status.connection] = status
        self._on_status(status)

    async def _end(self, name: str) -> None:
        _, task = self._links.pop(name)
        self._statuses.pop(name, None)
        await put_an_end_to(task, _GOODBYE)

    async def hang_up(self, name: str) -> None:
        """End one link, if there is one, since another station drives the machine now."""
        if name in self._links:
            await self._end(name)

    async def answers(self, connection: Connection, watches: Sequence[Watch]) -> bool:
        """Call a machine to which no link exists, ask it for one value and hang up; whether it answered."""
        try:
            driver = self._open(connection)
        except LinesideError:
            return False
        try:
            await within(4 * connection.timeout, driver.connect())
            readings = await within(2 * connection.timeout, driver.read([w.address for w in watches[:1]]))
            return all(r.quality not in _NO_ANSWER for r in readings)
        except (LinesideError, TimeoutError):
            return False
        finally:
            await within(connection.timeout + _GOODBYE, driver.close())

    async def end_all(self) -> None:
        """Hang up on every machine."""
        await asyncio.gather(*(self._end(name) for name in list(self._links)))

    def woke(self) -> None:
        """This computer slept: every connection is made anew."""
        for link, _ in self._links.values():
            link.woke()

    def driver_of(self, connection: str) -> Driver | None:
        """The driver of a connection whose machine talks; None otherwise."""
        found = self._links.get(connection) if self._drives(connection) else None
        return None if found is None else found[0].driver

    def why_silent(self, connection: str) -> str:
        """Why a connection has no driver at work, in a sentence."""
        status = self._statuses.get(connection)
        return "The connection is switched off." if status is None else status.sentence

    def statuses(self) -> list[LinkStatus]:
        """How every connection is doing."""
        return list(self._statuses.values())

    def figures(self) -> list[LinkFigures]:
        """What every connection has done."""
        return [link.figures() for link, _ in self._links.values()]

    def __len__(self) -> int:
        return len(self._links)

    def _wanted(self, plant: Plant) -> dict[str, tuple[Connection, tuple[Watch, ...]]]:
        wanted = (c for c in plant.connections if c.enabled and self._drives(c.name))
        return {c.name: (c, watches_of(plant, c.name)) for c in wanted}


def other_machine(before: Connection | None, now: Connection | None) -> bool:
    """Whether another machine may be at the end of a connection now, so that the last values mean nothing any more."""
    if before is None or now is None:
        return False
    return (before.driver, before.url, before.unit) != (now.driver, now.url, now.unit)
