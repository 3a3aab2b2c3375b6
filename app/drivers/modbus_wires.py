"""One request and its answer over a socket or a serial port; an answer is taken for nothing but its own question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from app.domain.plant import SerialLine
from app.drivers.faults import DeviceTrouble, MachineFault, RefusedConnection, Unreachable
from app.drivers.modbus_frames import NotModbus, TcpFrame, TcpFrames, find_answer, serial_frame, tcp_frame
from app.drivers.modbus_requests import Request
from app.drivers.serial_ports import SerialPort, open_port
from app.drivers.unsent import forget_unsent

OnLost = Callable[[MachineFault], None]
_NOISE = 0.1  # s; so long nothing more came after enough bytes for an answer: what came is garbled
_BITS_A_BYTE = 11  # start, eight bits, parity or a second stop bit, stop
_SHORTEST_PAUSE = 0.00175  # s; pause between frames above 19,200 baud (serial line V1.02 2.5.1.1)


class Silence(Exception):
    """No answer came in time; the text says what came instead."""


class Garbled(Exception):
    """Something came that may have been the answer, but its checksum is wrong."""


class Wire(Protocol):
    """An open way to one or several units; one request at a time."""

    reopens: bool  # whether opening it anew may help when everybody is silent
    rests: bool  # whether a late answer could be taken for another, so that a silent unit must be left alone a while

    async def exchange(self, unit: int, request: Request, timeout: float) -> bytes:
        """The message that answers; raises Silence, Garbled, or a MachineFault when the wire is gone."""
        ...

    async def close(self) -> None:
        """Let go of socket or port; nothing is reported after that."""
        ...


class TcpWire(asyncio.Protocol):
    """A connection to a device or a gateway. Answers carry the number of their request: a late one is thrown away."""

    reopens, rests = True, False

    def __init__(self, place: str, on_lost: OnLost) -> None:
        self._place, self._on_lost = place, on_lost
        self._transport: asyncio.Transport | None = None
        self._frames = TcpFrames()
        self._number = 0
        self._waiting: asyncio.Future[bytes] | None = None
        self._asked: tuple[int, int] = (0, 0)
        self._strangers = 0
        self._heard = self._unconfirmed = False
        self._fault: MachineFault | None = None
        self._closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Some bytes, perhaps half a message, perhaps several."""
        self._heard = True
        try:
            frames = self._frames.feed(data)
        except NotModbus:
            self._fail(DeviceTrouble(self._place, "what it sends is not Modbus"))
            return
        for frame in frames:
            self._take(frame)

    def _take(self, frame: TcpFrame) -> None:
        number, unit = self._asked
        # Units 0 and 255 both mean “the device itself”, and devices answer with either (implementation guide V1.0b).
        fits = frame.transaction == number and (frame.unit == unit or unit in (0, 255))
        if fits and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(frame.pdu)
        else:
            self._strangers += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side, or the network, ended it."""
        if not self._closed.done():
            self._closed.set_result(None)
        if self._heard:
            self._fail(Unreachable(self._place, "the connection broke"))
        else:
            why = "it closed the connection before it answered; many devices allow one client only"
            self._fail(RefusedConnection(self._place, why))

    def _fail(self, fault: MachineFault) -> None:
        if self._fault is not None:
            return
        self._fault = fault
        self._hang_up()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(fault)
        self._on_lost(fault)

    async def exchange(self, unit: int, request: Request, timeout: float) -> bytes:
        """The message that answers; raises Silence, or a MachineFault when the connection is gone."""
        if self._fault is not None or self._transport is None:
            raise self._fault or Unreachable(self._place, "the connection is closed")
        self._number = self._number % 0xFFFF + 1
        self._asked, self._strangers = (self._number, unit), 0
        self._waiting = asyncio.get_running_loop().create_future()
        self._unconfirmed = not request.count
        self._transport.write(tcp_frame(self._number, unit, request.pdu))
        try:
            async with asyncio.timeout(timeout):
                answer = await self._waiting
            self._unconfirmed = False
            return answer
        except TimeoutError:
            raise Silence(
                f"{self._strangers} messages came, none of them the answer"
                if self._strangers
                else "no response"
            ) from None
        finally:
            self._waiting = None

    async def close(self) -> None:
        """Close the socket and wait until it is."""
        if self._fault is None:
            self._fault = Unreachable(self._place, "the connection was closed")
        self._hang_up()
        if self._transport is not None:
            await asyncio.shield(self._closed)

    def _hang_up(self) -> None:
        if self._transport is not None:
            if self._unconfirmed:
                forget_unsent(self._transport.get_extra_info("socket"))
            self._transport.abort()


async def open_tcp(host: str, port: int, place: str, timeout: float, on_lost: OnLost) -> Wire:
    """Connect once; raises Unreachable or RefusedConnection with the reason."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            _, wire = await loop.create_connection(lambda: TcpWire(place, on_lost), host, port)
    except TimeoutError:
        raise Unreachable(place, f"no answer in {timeout:g} s") from None
    except ConnectionRefusedError:
        raise RefusedConnection(place, "no Modbus server on that port") from None
    except OSError as error:
        raise Unreachable(place, error.strerror or str(error)) from None
    return wire


class SerialWire:
    """A serial line. Answers carry no number: only the unit, the kind, the length and the checksum can be compared."""

    reopens, rests = False, True

    def __init__(self, place: str, line: SerialLine, on_lost: OnLost) -> None:
        self._place, self._on_lost = place, on_lost
        self._byte = _BITS_A_BYTE / line.baud
        self._pause = max(3.5 * self._byte, _SHORTEST_PAUSE)
        self._port: SerialPort | None = None
        self._heard = b""
        self._last = 0.0
        self._arrived = asyncio.Event()
        self._fault: MachineFault | None = None
        self._echoes = False

    async def open(self, port: str, line: SerialLine) -> None:
        """Open the port; raises PortFault."""
        self._port = await open_port(port, line, self._take, self._fail)

    def _take(self, data: bytes) -> None:
        self._heard += data
        self._last = asyncio.get_running_loop().time()
        self._arrived.set()

    def _fail(self, fault: MachineFault) -> None:
        self._fault = fault
        self._arrived.set()
        self._on_lost(fault)

    async def exchange(self, unit: int, request: Request, timeout: float) -> bytes:
        """The message that answers; raises Silence, Garbled, or a PortFault when the port is gone."""
        clock = asyncio.get_running_loop().time
        port = await self._ready()
        frame = serial_frame(unit, request.pdu)
        await port.write(frame)
        whole = 3 + request.size
        deadline = clock() + timeout + (len(frame) + whole) * self._byte
        while True:
            if self._fault is not None:
                raise self._fault
            answer, self._echoes = find_answer(self._heard, unit, request, echoed=self._echoes)
            if answer is not None:
                return answer
            enough = len(self._heard) >= whole + (len(frame) if self._echoes else 0)
            until = min(deadline, self._last + _NOISE) if enough else deadline
            if clock() >= until:
                break
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._arrived.wait()
            except TimeoutError:
                continue
        if enough:
            raise Garbled
        raise Silence(_what_came(self._heard, frame))

    async def _ready(self) -> SerialPort:
        """Wait for the pause between two frames, and forget what was said before."""
        clock = asyncio.get_running_loop().time
        if self._fault is not None or self._port is None:
            raise self._fault or Unreachable(self._place, "the port is closed")
        while (quiet := clock() - self._last) < self._pause:  # noqa: ASYNC110 — time passing is the point
            await asyncio.sleep(self._pause - quiet)
        self._heard = b""
        return self._port

    async def close(self) -> None:
        """Give the port back."""
        self._fault = self._fault or Unreachable(self._place, "the port was closed")
        port, self._port = self._port, None
        if port is not None:
            await port.close()


def _what_came(heard: bytes, frame: bytes) -> str:
    if not heard.replace(frame, b""):
        return "no response"
    return "something comes back, but no whole answer; check baud rate, parity, the two wires and the end resistors"


async def open_serial(port: str, line: SerialLine, place: str, on_lost: OnLost) -> Wire:
    """Open a serial line; raises PortFault."""
    wire = SerialWire(place, line, on_lost)
    await wire.open(port, line)
    return wire
