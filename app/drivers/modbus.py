"""Modbus TCP: polls blocks of registers over one connection and turns exceptions into quality."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality, Value
from app.drivers.faults import BadAddress, DeviceTrouble, MachineFault, RefusedConnection, Unreachable
from app.drivers.modbus_blocks import Block, plan_blocks
from app.drivers.modbus_values import (
    BIT_TABLES,
    TABLES,
    ModbusAddress,
    Undecodable,
    all_decodings,
    decode,
    parse_address,
)
from app.drivers.protocol import BrowseNode, Granted, Reading, Sink, Traffic, Watch

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

_ILLEGAL_ADDRESS = (2, 3)
_DEVICE_FAILURE = 4
_BUSY = 6
_GATEWAY = (10, 11)
_BUSY_TRIES = 3
_RETRY_REJECTED = 60.0  # seconds until an address that the device rejected is asked for again


class _Rejected(Exception):
    """The device answered a request with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def quality(self) -> int:
        """Quality for an exception code (domain facts: Modbus map)."""
        if self.code in _GATEWAY:
            return Quality.BAD_NO_COMMUNICATION
        if self.code == _DEVICE_FAILURE:
            return Quality.BAD_DEVICE_FAILURE
        return Quality.BAD_COMMUNICATION_ERROR if self.code == _BUSY else Quality.BAD_CONFIGURATION_ERROR


class ModbusDriver:
    """One TCP connection to one Modbus unit; many devices accept only one client, so never open two."""

    def __init__(self, connection: Connection) -> None:
        parts = urlsplit(connection.url)
        if not parts.hostname:
            raise Refused(f"“{connection.url}” has no host name; write it like tcp://192.168.0.10:502.")
        self._host, self._port = parts.hostname, parts.port or 502
        self._place = f"{self._host}:{self._port} unit {connection.unit}"
        self._connection = connection
        self._client: AsyncModbusTcpClient | None = None
        self._wire = asyncio.Lock()
        self._polls: list[asyncio.Task[None]] = []
        self._lost: asyncio.Future[MachineFault] | None = None
        self._heard = time.monotonic()
        self._rejected: dict[str, float] = {}

    async def connect(self) -> None:
        """Open the socket; raises Unreachable or RefusedConnection."""
        from pymodbus.client import AsyncModbusTcpClient

        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # the link logs an outage, once
        await self._knock()
        self._lost = asyncio.get_running_loop().create_future()
        self._client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=self._connection.timeout,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._on_wire,
        )
        try:
            async with asyncio.timeout(self._connection.timeout + 1):
                connected = await self._client.connect()
        except TimeoutError:
            connected = False
        if not connected:
            await self.close()
            raise Unreachable(self._place)
        self._heard = time.monotonic()

    async def _knock(self) -> None:
        """A bare connection first: the library does not tell a closed port from a missing machine."""
        try:
            async with asyncio.timeout(self._connection.timeout):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except TimeoutError:
            raise Unreachable(self._place, f"no answer in {self._connection.timeout:g} s") from None
        except ConnectionRefusedError:
            raise RefusedConnection(self._place, "no Modbus server on that port") from None
        except OSError as error:
            raise Unreachable(self._place, error.strerror or str(error)) from None
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def _on_wire(self, connected: bool) -> None:
        if not connected:
            self._report(Unreachable(self._place, "the connection broke"))

    def _report(self, fault: MachineFault) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(fault)

    def _parse(self, address: str) -> ModbusAddress:
        return parse_address(address, one_based=self._connection.addressing == "one-based")

    async def browse(self, address: str | None = None) -> list[BrowseNode]:
        """Modbus has no names: the tables, or every way to read the registers at an address."""
        if address is None:
            example = {"hr": "hr:0:float32:abcd", "ir": "ir:0:int16", "coil": "coil:0", "di": "di:0"}
            return [
                BrowseNode(f"{t}:0", f"{name}s", False, True, f"for example {example[t]}")
                for t, name in TABLES.items()
            ]
        start = self._parse(address)
        if start.table in BIT_TABLES:
            reading = (await self.read([address]))[0]
            return [BrowseNode(address, address, True, False, str(reading.value))]
        words = await self._most_words(start)
        shown = start.offset + (1 if self._connection.addressing == "one-based" else 0)
        return [
            BrowseNode(text, text.split(":", 2)[2], True, False, str(value))
            for text, value in all_decodings(words, start.table, shown)
        ]

    async def _most_words(self, start: ModbusAddress) -> list[int]:
        for count in (4, 2, 1):
            try:
                return await self._request(start.table, start.offset, count)
            except _Rejected as rejected:
                if rejected.code not in _ILLEGAL_ADDRESS:
                    raise DeviceTrouble(self._place, f"Modbus exception {rejected.code}") from None
        raise BadAddress(start.text, "the device has no such register")

    async def read(self, addresses: Sequence[str]) -> list[Reading]:
        """One reading for each address; what the device rejects comes back with a bad quality."""
        parsed = [self._parse(address) for address in addresses]
        found: dict[str, Reading] = {}
        for block in plan_blocks(parsed):
            for reading in (await self._read_block(block))[1]:
                found[reading.address] = reading
        return [found[address.text] for address in parsed]

    async def subscribe(self, watches: Sequence[Watch], sink: Sink) -> list[Granted]:
        """Poll each scan rate in its own task; an address that cannot be parsed is reported, not fatal."""
        granted: list[Granted] = []
        by_scan: dict[float, list[ModbusAddress]] = {}
        for watch in watches:
            try:
                by_scan.setdefault(watch.scan, []).append(self._parse(watch.address))
            except BadAddress as fault:
                granted.append(Granted(watch.address, watch.scan, fault))
                now = datetime.now(UTC)
                sink([Reading(watch.address, None, Quality.BAD_CONFIGURATION_ERROR, now, now)])
            else:
                granted.append(Granted(watch.address, watch.scan))
        for scan, group in by_scan.items():
            self._polls.append(
                asyncio.create_task(self._poll(plan_blocks(group), scan, sink), name="modbus-poll")
            )
        return granted

    async def _poll(self, blocks: list[Block], scan: float, sink: Sink) -> None:
        """Ask for every block each `scan` seconds; the first silence ends the connection."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                planned: list[Block] = []
                for block in blocks:
                    kept, readings = await self._read_block(block)
                    planned.extend(kept)
                    sink(readings)
                blocks = planned
                due = max(due + scan, loop.time())
                await asyncio.sleep(due - loop.time())
        except MachineFault as fault:
            self._report(fault)
        except Exception as error:  # noqa: BLE001 — a poll that ends unseen would leave a machine that only looks alive
            self._report(DeviceTrouble(self._place, f"Lineside cannot handle it ({error!r})"))

    async def _read_block(self, block: Block) -> tuple[list[Block], list[Reading]]:
        """Readings of a block, and how to ask next time: a rejected block is split until the culprit is alone."""
        if len(block.addresses) == 1 and self._rejected.get(block.addresses[0].text, 0) > time.monotonic():
            return [block], self._bad(block, Quality.BAD_CONFIGURATION_ERROR)
        try:
            words = await self._request(block.table, block.start, block.count)
        except _Rejected as rejected:
            if rejected.code in _ILLEGAL_ADDRESS and len(block.addresses) > 1:
                kept: list[Block] = []
                readings: list[Reading] = []
                for half in block.halves():
                    blocks, some = await self._read_block(half)
                    kept.extend(blocks)
                    readings.extend(some)
                return kept, readings
            if rejected.code in _ILLEGAL_ADDRESS:
                self._rejected[block.addresses[0].text] = time.monotonic() + _RETRY_REJECTED
            return [block], self._bad(block, rejected.quality)
        now = datetime.now(UTC)
        return [block], [
            _reading(a, words[a.offset - block.start : a.end - block.start], now) for a in block.addresses
        ]

    def _bad(self, block: Block, quality: int) -> list[Reading]:
        now = datetime.now(UTC)
        return [Reading(address.text, None, quality, now, now) for address in block.addresses]

    async def _request(self, table: str, start: int, count: int) -> list[int]:
        """Registers, or bits as 0 and 1; raises _Rejected for an exception code, Unreachable for silence."""
        for _ in range(_BUSY_TRIES):
            response = await self._exchange(table, start, count)
            if not response.isError():
                return [
                    int(x) for x in (response.bits[:count] if table in BIT_TABLES else response.registers)
                ]
            if response.exception_code != _BUSY:
                break
            await asyncio.sleep(0.1)
        raise _Rejected(int(response.exception_code))

    async def _exchange(self, table: str, start: int, count: int) -> Any:
        from pymodbus.exceptions import ConnectionException, ModbusException

        client = self._client
        if client is None:
            raise Unreachable(self._place, "the connection is closed")
        ask = {
            "hr": client.read_holding_registers,
            "ir": client.read_input_registers,
            "coil": client.read_coils,
            "di": client.read_discrete_inputs,
        }[table]
        try:
            async with self._wire, asyncio.timeout(self._connection.timeout + 1):
                response = await ask(start, count=count, device_id=self._connection.unit)
        except (TimeoutError, ConnectionException):
            raise Unreachable(self._place, "the connection broke") from None
        except ModbusException as error:
            silent = "no response" in str(error).lower()
            raise (
                Unreachable(self._place, "no response") if silent else DeviceTrouble(self._place, str(error))
            ) from None
        if self._client is None:
            # WORKAROUND Python 3.11: asyncio.wait_for in the library loses a cancellation that meets an answer.
            raise Unreachable(self._place, "the connection was closed")
        self._heard = time.monotonic()
        return response

    async def write(self, address: str, value: Value) -> None:
        """Writing to machines is off in this version."""
        raise Refused(f"Writing to machines is switched off: {value!r} was not sent to {address}.")

    async def lost(self) -> MachineFault:
        """Wait for the connection to break or the device to fall silent."""
        if self._lost is None:
            return Unreachable(self._place, "not connected")
        return await asyncio.shield(self._lost)

    def traffic(self) -> Traffic:
        """What was counted so far."""
        return Traffic()

    def silence(self) -> float:
        """Seconds since the last answer."""
        return time.monotonic() - self._heard

    async def close(self) -> None:
        """Stop polling and close the socket."""
        client, self._client = self._client, None
        polls, self._polls = self._polls, []
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
        if client is not None:
            client.close()
        self._report(Unreachable(self._place, "the connection was closed"))


def _reading(address: ModbusAddress, words: list[int], now: datetime) -> Reading:
    if address.table in BIT_TABLES:
        return Reading(address.text, bool(words[0]), Quality.GOOD, now, now)
    try:
        value = decode(words, address)
    except Undecodable:
        return Reading(address.text, None, Quality.BAD_SENSOR_FAILURE, now, now)
    if isinstance(value, float) and value != value:
        return Reading(address.text, None, Quality.BAD_SENSOR_FAILURE, now, now)
    return Reading(address.text, value, Quality.GOOD, now, now)
