"""Keeps Modbus connections going in the tests as the collector does: a new driver after every loss."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from app.domain.plant import Connection
from app.drivers import open_driver
from app.drivers.faults import MachineFault
from app.drivers.protocol import Reading, Watch


class Supervised:
    """A connection that is polled until the block ends; `got` are its readings, `faults` why it was lost."""

    def __init__(self, connection: Connection, addresses: Sequence[str], scan: float = 0.02) -> None:
        self.connection = connection
        self.watches = [Watch(address, scan) for address in addresses]
        self.got: list[Reading] = []
        self.faults: list[MachineFault] = []

    @property
    def good(self) -> list[Reading]:
        """Readings with a value."""
        return [reading for reading in self.got if reading.value is not None]

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            driver = open_driver(self.connection)
            try:
                await driver.connect()
                await driver.subscribe(self.watches, self.got.extend)
                self.faults.append(await driver.lost())
            except MachineFault as fault:
                self.faults.append(fault)
            finally:
                await driver.close()
            await asyncio.sleep(0.05)
