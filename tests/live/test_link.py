"""What counts as a machine that talks: neither an open port nor a gateway that answers in its place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.machine_news import LinkState, LinkStatus
from app.domain.plant import Connection
from app.drivers import open_driver
from app.drivers.protocol import Watch
from app.live.link import Link
from app.live.watchdog import put_an_end_to
from tests.drivers.modbus_device import LINE
from tests.drivers.odd_device import OddDevice, registers
from tests.drivers.serial_cable import SerialCable
from tests.live.conftest import EAGER, until


@asynccontextmanager
async def linked(connection: Connection) -> AsyncIterator[list[LinkStatus]]:
    """A link to a machine for the length of a block, with everything that it says about itself."""
    told: list[LinkStatus] = []
    link = Link(
        connection,
        (Watch("hr:0", 0.05),),
        opener=open_driver,
        on_readings=lambda _: None,
        on_lost=lambda: None,
        on_status=told.append,
        clock=lambda: datetime.now(UTC),
        back_off=EAGER,
        silence=1.0,
    )
    running = asyncio.create_task(link.run())
    try:
        yield told
    finally:
        await put_an_end_to(running)


async def test_a_gateway_whose_unit_is_dead_is_no_machine_until_the_unit_answers() -> None:
    dead = True

    def reply(transaction: int, unit: int, message: bytes) -> bytes:
        if dead:
            return registers(transaction, unit)[:4] + bytes([0, 3, unit, message[0] | 0x80, 11])
        return registers(transaction, unit, 7)

    async with OddDevice(reply) as odd, linked(odd.connection()) as told:
        await until(lambda: told and told[-1].attempts >= 2)
        assert LinkState.ONLINE not in [status.state for status in told]
        assert told[-1].outages == 1
        dead = False
        await until(lambda: told[-1].state is LinkState.ONLINE)


@pytest.mark.skipif(os.name != "posix", reason="pseudo terminals")
async def test_a_silent_unit_on_a_serial_line_is_one_outage_and_never_looks_connected(tmp_path: Path) -> None:
    async with SerialCable(tmp_path) as cable:
        silent = Connection("s", "modbus-rtu", cable.url, unit=1, line=LINE, timeout=0.1)
        async with linked(silent) as told:
            await until(lambda: told and told[-1].attempts >= 2, 30)
            assert LinkState.ONLINE not in [status.state for status in told]
            assert told[-1].outages == 1
