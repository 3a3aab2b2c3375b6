"""How Modbus messages look on the wire: with a header over TCP, with a checksum over a serial line."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from app.drivers.modbus_requests import Request

_HEADER = struct.Struct(">HHHB")  # transaction, protocol (0), bytes that follow, unit
_LONGEST = 254  # bytes behind the length field: the unit and 253 bytes of message (V1.1b3 4.1)


class NotModbus(ValueError):
    """What arrives does not follow the protocol; nothing behind it can be trusted."""


@dataclass(frozen=True, slots=True)
class TcpFrame:
    """One message over TCP."""

    transaction: int
    unit: int
    pdu: bytes


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A message with the header of Modbus TCP."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


class TcpFrames:
    """Cuts the stream of a connection into messages, however it is chopped on its way."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[TcpFrame]:
        """The messages that are complete now; raises NotModbus for a header that cannot be one."""
        self._rest += data
        frames: list[TcpFrame] = []
        while len(self._rest) >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(self._rest)
            if protocol or not 2 <= length <= _LONGEST:
                raise NotModbus
            end = 6 + length
            if len(self._rest) < end:
                break
            frames.append(TcpFrame(transaction, unit, self._rest[_HEADER.size : end]))
            self._rest = self._rest[end:]
        return frames


def _checksums() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_CHECKSUMS = _checksums()


def checksum(data: bytes) -> bytes:
    """CRC-16 of Modbus over serial line (V1.02 6.2.2), low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CHECKSUMS[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def serial_frame(unit: int, pdu: bytes) -> bytes:
    """A message as it goes over a serial line."""
    body = bytes([unit]) + pdu
    return body + checksum(body)


def find_answer(
    heard: bytes, unit: int, request: Request, *, echoed: bool = False
) -> tuple[bytes | None, bool]:
    """The answer to `request` among the bytes heard since it was sent, behind any noise; and whether it was echoed.

    Some adapters hear what they send themselves. An echo of a read can be told from its answer. An echo of a write
    looks like its answer, so that it is skipped only when `echoed` says that this line echoes.
    """
    sent = serial_frame(unit, request.pdu)
    start = 0
    if heard.startswith(sent) and (echoed or (request.count and len(sent) != 3 + request.size)):
        start, echoed = len(sent), True
    for at in range(start, len(heard) - 4):
        if heard[at] != unit:
            continue
        size = request.size_of(heard[at + 1 : at + 4])
        end = at + 1 + (size or 0)
        if size and checksum(heard[at:end]) == heard[end : end + 2]:
            return heard[at + 1 : end], echoed
    return None, echoed
