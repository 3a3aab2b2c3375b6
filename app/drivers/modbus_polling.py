"""Reads planned blocks of a Modbus unit again and again, and finds out which addresses it does not have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite

from app.domain.samples import Quality
from app.drivers.modbus_blocks import Block
from app.drivers.modbus_requests import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    Rejected,
    Request,
    WrongAnswer,
    read_request,
)
from app.drivers.modbus_values import BIT_TABLES, ModbusAddress, Undecodable, decode
from app.drivers.modbus_wires import Garbled, Silence
from app.drivers.protocol import Reading, Sink

Ask = Callable[[Request], Awaitable[list[int]]]
KEEP_ALIVE = 5.0  # s; a machine of which nothing can be read is asked so often, to see whether it is there
_RETRY_REJECTED = 60.0  # s; until an address that the device rejected is asked for again
_UNKNOWN = (ILLEGAL_ADDRESS, ILLEGAL_VALUE)


class BlockReader:
    """Turns blocks into readings with the help of `ask`; `silence` tells for how many seconds nothing was heard."""

    def __init__(self, ask: Ask, silence: Callable[[], float]) -> None:
        self._ask, self._silence = ask, silence
        self._rejected: dict[str, float] = {}

    async def read(self, block: Block) -> tuple[list[Block], list[Reading]]:
        """Readings of a block, and how to ask next time: a rejected block is split until the culprit is alone."""
        known = self._rejected.get(block.addresses[0].text, 0.0) if len(block.addresses) == 1 else 0.0
        if known > time.monotonic() and self._silence() < KEEP_ALIVE:
            return [block], _bad(block, Quality.BAD_CONFIGURATION_ERROR)
        try:
            words = await self._ask(read_request(block.table, block.start, block.count))
        except Rejected as rejected:
            return await self._without(block, rejected)
        except (WrongAnswer, Garbled, Silence):
            return [block], _bad(block, Quality.BAD_COMMUNICATION_ERROR)
        now = datetime.now(UTC)
        return [block], [
            _reading(a, words[a.offset - block.start : a.end - block.start], now) for a in block.addresses
        ]

    async def _without(self, block: Block, rejected: Rejected) -> tuple[list[Block], list[Reading]]:
        """What can still be read of a block that was rejected as a whole."""
        if rejected.code not in _UNKNOWN:
            return [block], _bad(block, rejected.quality)
        if len(block.addresses) == 1:
            self._rejected[block.addresses[0].text] = time.monotonic() + _RETRY_REJECTED
            return [block], _bad(block, rejected.quality)
        kept: list[Block] = []
        readings: list[Reading] = []
        for half in block.halves():
            blocks, some = await self.read(half)
            kept.extend(blocks)
            readings.extend(some)
        return kept, readings

    async def poll(self, blocks: Sequence[Block], scan: float, sink: Sink) -> None:
        """Ask for every block each `scan` seconds, until a MachineFault ends it."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            planned: list[Block] = []
            for block in blocks:
                kept, readings = await self.read(block)
                planned.extend(kept)
                sink(readings)
            blocks = planned
            due = max(due + scan, loop.time())
            await asyncio.sleep(due - loop.time())

    async def keep_alive(self) -> None:
        """For a connection without addresses: ask for something, whatever the answer, to see that it is there."""
        while True:
            with suppress(Rejected, WrongAnswer, Garbled, Silence):  # whoever asks counts what was heard
                await self._ask(read_request("hr", 0, 1))
            await asyncio.sleep(KEEP_ALIVE)


def _bad(block: Block, quality: int) -> list[Reading]:
    now = datetime.now(UTC)
    return [Reading(address.text, None, quality, now, now) for address in block.addresses]


def _reading(address: ModbusAddress, words: list[int], now: datetime) -> Reading:
    if address.table in BIT_TABLES:
        return Reading(address.text, bool(words[0]), Quality.GOOD, now, now)
    try:
        value = decode(words, address)
    except Undecodable:
        return Reading(address.text, None, Quality.BAD_SENSOR_FAILURE, now, now)
    if isinstance(value, float) and not isfinite(value):
        return Reading(address.text, None, Quality.BAD_SENSOR_FAILURE, now, now)
    return Reading(address.text, value, Quality.GOOD, now, now)
