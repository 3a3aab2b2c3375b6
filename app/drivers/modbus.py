"""Modbus over TCP and over serial lines: polls blocks of registers and turns exceptions into quality."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from app.domain.errors import Refused
from app.domain.plant import Connection
from app.domain.samples import Quality, Value
from app.drivers.faults import BadAddress, DeviceTrouble, MachineFault, Unconfirmed, Unreachable
from app.drivers.modbus_blocks import MAX_WORDS, Block, plan_blocks
from app.drivers.modbus_decodings import MOST_WORDS, Decoding, all_decodings
from app.drivers.modbus_lines import Seat, Way, take_seat
from app.drivers.modbus_polling import BlockReader
from app.drivers.modbus_requests import (
    ACKNOWLEDGE,
    BUSY,
    DEVICE_FAILURE,
    GATEWAY_PATH,
    GATEWAY_TARGET,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Rejected,
    Request,
    WrongAnswer,
    read_request,
)
from app.drivers.modbus_values import BIT_TABLES, TABLES, ModbusAddress, parse_address
from app.drivers.modbus_wires import Garbled, OnLost, Silence, Wire, open_serial, open_tcp
from app.drivers.modbus_writing import write_failed, write_requests
from app.drivers.protocol import BrowseNode, Granted, Reading, Sink, Traffic, Watch
from app.drivers.serial_ports import port_of, same_port

_BUSY_PAUSES = (0.1, 0.3)  # s; a device that says that it is busy is asked again after each
_BITS_SHOWN = 16


def line_of(connection: Connection) -> Way:
    """Socket or serial line of a connection; raises Refused for an address that names none."""
    if connection.driver == "modbus-rtu":
        port, line = port_of(connection.url), connection.line
        if not 1 <= connection.unit <= 247:
            raise Refused(f"On a serial line units are numbered from 1 to 247, not {connection.unit}.")

        async def open_line(_timeout: float, on_lost: OnLost) -> Wire:
            return await open_serial(port, line, port, on_lost)

        return Way(f"serial:{same_port(port)}", port, open_line, line)
    parts = urlsplit(connection.url)
    if not parts.hostname:
        raise Refused(f"“{connection.url}” has no host name; write it like tcp://192.168.0.10:502.")
    host, number = parts.hostname, parts.port or 502
    return Way(
        f"tcp:{host}:{number}", f"{host}:{number}", partial(open_tcp, host, number, f"{host}:{number}")
    )


class ModbusDriver:
    """One connection to one Modbus unit; units behind the same socket or serial port share it."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._way = connection, line_of(connection)
        self._place = f"{self._way.place} unit {connection.unit}"
        self._one_based = connection.addressing == "one-based"
        self._longest = max(1, min(MAX_WORDS, connection.max_words))
        # A serial line loses an answer now and then; over TCP silence means that something is wrong.
        self._patience = 2 if connection.driver == "modbus-rtu" else 1
        self._seat: Seat | None = None
        self._reader = BlockReader(self._ask_patiently, self.silence)
        self._polls: list[asyncio.Task[None]] = []
        self._lost: asyncio.Future[MachineFault] | None = None
        self._heard = time.monotonic()
        self._silences = 0
        self._requests = self._failures = 0
        self._last_seconds = self._slowest_seconds = 0.0

    async def connect(self) -> None:
        """Open the socket or port, or join the others there; raises Unreachable, RefusedConnection, PortFault."""
        self._lost = asyncio.get_running_loop().create_future()
        self._seat = take_seat(self._way, self._connection.unit, self._report)
        try:
            await self._seat.open(self._connection.timeout)
        except MachineFault:
            await self.close()
            raise
        self._heard = time.monotonic()

    def _report(self, fault: MachineFault) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(fault)

    def _parse(self, text: str) -> ModbusAddress:
        address = parse_address(text, one_based=self._one_based)
        if address.words > self._longest:
            raise BadAddress(
                text,
                f"it takes {address.words} registers, and this connection asks for {self._longest} at a time",
            )
        return address

    def _plan(self, addresses: Sequence[ModbusAddress]) -> list[Block]:
        return plan_blocks(addresses, gap=self._connection.gap, max_words=self._longest)

    async def prove(self) -> None:
        """Ask the unit for anything at all: an open socket or port does not show that a machine is there.

        Raises Unreachable when it, or the gateway in front of it, says nothing or that nobody is there, DeviceTrouble
        when all that it is asked for fails, which is how some gateways and servers say that they have no such unit.
        """
        for table in TABLES:
            try:
                await self._ask(read_request(table, 0, 1))
            except Rejected as rejected:
                if rejected.code in (GATEWAY_PATH, GATEWAY_TARGET):
                    raise Unreachable(self._place, rejected.words) from None
                if rejected.code == DEVICE_FAILURE:
                    continue
            except (WrongAnswer, Garbled) as wrong:
                raise self._trouble(wrong) from None
            return
        raise DeviceTrouble(
            self._place,
            f"{self._way.place} is there, but every request to this unit fails; is the unit number right",
        )

    # ── looking around ───────────────────────────────────────────────────────────────────────────────────────

    async def browse(self, address: str | None = None) -> list[BrowseNode]:
        """Modbus has no names: the tables, or every way to read the registers at an address, the likely ones first."""
        if address is None:
            example = {"hr": "hr:100:float32:abcd", "ir": "ir:7:int16", "coil": "coil:5", "di": "di:5"}
            first = int(self._one_based)
            return [
                BrowseNode(f"{t}:{first}", f"{name}s", False, True, f"for example {example[t]}")
                for t, name in TABLES.items()
            ]
        start = self._parse(address)
        if start.table in BIT_TABLES:
            bits = await self._as_many(start, _BITS_SHOWN)
            texts = [f"{start.table}:{start.offset + i + self._one_based}" for i in range(len(bits))]
            return [
                BrowseNode(t, t, True, False, "on" if bit else "off")
                for t, bit in zip(texts, bits, strict=True)
            ]
        return [
            BrowseNode(d.address, f"{d.type} {d.order}".strip(), True, False, str(d.value))
            for d in await self.decodings(address)
        ]

    async def decodings(self, address: str) -> list[Decoding]:
        """Every way to read the registers from an address, the likely ones first; raises BadAddress for bits."""
        start = self._parse(address)
        if start.table in BIT_TABLES:
            raise BadAddress(
                address, f"a {TABLES[start.table]} is a single bit and can be read in one way only"
            )
        words = await self._as_many(start, MOST_WORDS)
        return all_decodings(words, start.table, start.offset, one_based=self._one_based)

    async def _as_many(self, start: ModbusAddress, most: int) -> list[int]:
        """Up to `most` registers or bits from an address; fewer where the device has no more."""
        count = min(most, 65536 - start.offset)
        if start.table not in BIT_TABLES:
            count = min(count, self._longest)
        while count:
            try:
                return await self._ask(read_request(start.table, start.offset, count))
            except Rejected as rejected:
                if rejected.code not in (ILLEGAL_ADDRESS, ILLEGAL_VALUE):
                    raise DeviceTrouble(self._place, rejected.words) from None
            except (WrongAnswer, Garbled) as wrong:
                raise self._trouble(wrong) from None
            count //= 2
        raise BadAddress(start.text, "the device has no such register")

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────

    async def read(self, addresses: Sequence[str]) -> list[Reading]:
        """One reading for each address; what the device rejects comes back with a bad quality."""
        parsed = [self._parse(address) for address in addresses]
        reader = BlockReader(self._ask, self.silence)
        found: dict[str, Reading] = {}
        for block in self._plan(parsed):
            for reading in (await reader.read(block))[1]:
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
        polls: list[Awaitable[None]] = [
            self._reader.poll(self._plan(group), scan, sink) for scan, group in by_scan.items() if group
        ]
        for poll in polls or [self._reader.keep_alive()]:
            self._polls.append(asyncio.create_task(self._until_lost(poll), name=f"modbus poll {self._place}"))
        return granted

    async def _until_lost(self, poll: Awaitable[None]) -> None:
        """Run a poll; what ends it ends the connection."""
        try:
            await poll
        except MachineFault as fault:
            self._report(fault)
        except Exception as error:  # noqa: BLE001 — a poll that ends unseen would leave a machine that only looks alive
            self._report(DeviceTrouble(self._place, f"Lineside cannot handle it ({error!r})"))

    async def write(self, address: str, value: Value) -> None:
        """Write one value and wait until the device confirmed it; a write that got no answer is not repeated.

        Raises Refused for what can never be written, BadAddress, or another MachineFault.
        """
        target = self._parse(address)
        code = 0
        for request in write_requests(target, value):
            try:
                await self._ask(request)
            except Rejected as rejected:
                code = rejected.code
            except (WrongAnswer, Garbled) as wrong:
                raise Unconfirmed(self._place, str(wrong) or "its answer arrives garbled") from None
            else:
                return
            if code != ILLEGAL_FUNCTION:
                break
        raise write_failed(self._place, target, value, Rejected(code))

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _ask(self, request: Request) -> list[int]:
        """Registers, or bits as 0 and 1; raises Rejected, WrongAnswer, Garbled, or Unreachable for silence."""
        try:
            return await self._ask_once_more_when_busy(request)
        except Silence as silence:
            raise self._unreachable(silence, request) from None

    async def _ask_patiently(self, request: Request) -> list[int]:
        """The same for polls: a first Silence may pass."""
        try:
            return await self._ask_once_more_when_busy(request)
        except Silence as silence:
            self._silences += 1
            if self._silences < self._patience:
                raise
            raise self._unreachable(silence, request) from None

    def _unreachable(self, silence: Silence, request: Request) -> Unreachable:
        unsure = "" if request.count else "; whether it took the value is not known"
        return Unreachable(self._place, f"{silence}{unsure}")

    async def _ask_once_more_when_busy(self, request: Request) -> list[int]:
        for pause in _BUSY_PAUSES:
            try:
                return await self._counted(request)
            except Rejected as rejected:
                if rejected.code not in (BUSY, ACKNOWLEDGE) or (
                    rejected.code == ACKNOWLEDGE and not request.count
                ):
                    raise
            await asyncio.sleep(pause)
        return await self._counted(request)

    async def _counted(self, request: Request) -> list[int]:
        """Ask once, and count it."""
        if self._seat is None:
            raise Unreachable(self._place, "the connection is closed")
        self._requests += 1
        try:
            answer = await self._seat.ask(request, self._connection.timeout)
        except (Rejected, WrongAnswer, Garbled, Silence, MachineFault) as failure:
            self._failures += 1
            dead = isinstance(failure, Rejected) and failure.code in (GATEWAY_PATH, GATEWAY_TARGET)
            if isinstance(failure, (Rejected, WrongAnswer)) and not dead:
                self._listened()
            raise
        self._listened()
        self._last_seconds = answer.seconds
        self._slowest_seconds = max(self._slowest_seconds, answer.seconds)
        return answer.values

    def _listened(self) -> None:
        self._heard, self._silences = time.monotonic(), 0

    def _trouble(self, wrong: WrongAnswer | Garbled) -> MachineFault:
        return DeviceTrouble(self._place, str(wrong) or "what it sends arrives garbled; check the cable")

    # ── the connection ───────────────────────────────────────────────────────────────────────────────────────

    async def lost(self) -> MachineFault:
        """Wait for the connection to break or the device to fall silent."""
        if self._lost is None:
            return Unreachable(self._place, "not connected")
        return await asyncio.shield(self._lost)

    def traffic(self) -> Traffic:
        """What was counted so far."""
        return Traffic(
            requests=self._requests,
            failures=self._failures,
            last_seconds=self._last_seconds,
            slowest_seconds=self._slowest_seconds,
        )

    def silence(self) -> float:
        """Seconds since the last answer."""
        return time.monotonic() - self._heard

    async def close(self) -> None:
        """Stop polling and leave the line; the last one there closes it."""
        polls, self._polls = self._polls, []
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
        seat, self._seat = self._seat, None
        if seat is not None:
            await seat.leave()
        self._report(Unreachable(self._place, "the connection was closed"))
