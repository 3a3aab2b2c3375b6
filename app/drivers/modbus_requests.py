"""What is asked of a Modbus device and what an answer to exactly that looks like (application protocol V1.1b3, 6)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.samples import Quality

_READ = {"coil": 1, "di": 2, "hr": 3, "ir": 4}
_WRITE_COIL, _WRITE_REGISTER, _WRITE_COILS, _WRITE_REGISTERS, _MASK_REGISTER = 5, 6, 15, 16, 22
_EXCEPTION = 0x80

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
ACKNOWLEDGE, BUSY, GATEWAY_PATH, GATEWAY_TARGET = 5, 6, 10, 11
_EXCEPTION_WORDS = {
    ILLEGAL_FUNCTION: "it does not know this kind of request",
    ILLEGAL_ADDRESS: "it has no such address",
    ILLEGAL_VALUE: "it does not allow this value or this many registers",
    DEVICE_FAILURE: "it has a fault of its own",
    ACKNOWLEDGE: "it needs more time",
    BUSY: "it is busy with something else",
    GATEWAY_PATH: "the gateway has no way to this unit",
    GATEWAY_TARGET: "the unit behind the gateway does not answer",
}


class Rejected(Exception):
    """The device answered a request with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def quality(self) -> int:
        """Quality for an exception code (domain facts: Modbus map)."""
        if self.code in (GATEWAY_PATH, GATEWAY_TARGET):
            return Quality.BAD_NO_COMMUNICATION
        if self.code == DEVICE_FAILURE:
            return Quality.BAD_DEVICE_FAILURE
        if self.code in (ACKNOWLEDGE, BUSY):
            return Quality.BAD_COMMUNICATION_ERROR
        return Quality.BAD_CONFIGURATION_ERROR

    @property
    def words(self) -> str:
        """What the code means to a person."""
        return _EXCEPTION_WORDS.get(self.code, f"Modbus exception {self.code}")


class WrongAnswer(Exception):
    """An answer came, but it does not fit the request: too short, too long, or about something else."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `size` is the length in bytes of its answer when the device does what it is asked.

    `count` is how many registers or bits the answer carries, 0 for a write, whose answer repeats `echo`.
    """

    pdu: bytes
    size: int
    count: int = 0
    echo: bytes = b""

    @property
    def function(self) -> int:
        """The Modbus function code."""
        return self.pdu[0]

    @property
    def of_bits(self) -> bool:
        """Whether the answer carries single bits."""
        return self.function in (1, 2)

    def size_of(self, head: bytes) -> int | None:
        """Length of the answer that begins with `head` (three bytes), None when it is no answer to this request."""
        if head[0] == self.function | _EXCEPTION:
            return 2
        if head[0] != self.function:
            return None
        return 2 + head[1] if self.count else self.size

    def values(self, answer: bytes) -> list[int]:
        """The registers, or bits as 0 and 1, of an answer; none for a write.

        Raises Rejected for an exception of the device, WrongAnswer for anything that is not exactly what was asked.
        """
        if len(answer) >= 2 and answer[0] == self.function | _EXCEPTION:
            raise Rejected(answer[1])
        if not self.count:
            if answer != self.echo:
                raise WrongAnswer("it confirms something else than it was told")
            return []
        if not answer or answer[0] != self.function:
            raise WrongAnswer("it answers another question")
        if len(answer) != self.size or answer[1] != self.size - 2:
            raise WrongAnswer(f"it sends {max(0, len(answer) - 2)} bytes where {self.size - 2} are due")
        if self.of_bits:
            return [answer[2 + i // 8] >> i % 8 & 1 for i in range(self.count)]
        return list(struct.unpack(f">{self.count}H", answer[2:]))


def read_request(table: str, start: int, count: int) -> Request:
    """Ask for `count` registers or bits of a table from `start` (zero-based)."""
    carried = (count + 7) // 8 if table in ("coil", "di") else 2 * count
    return Request(struct.pack(">BHH", _READ[table], start, count), 2 + carried, count)


def write_coil(offset: int, on: bool, *, several: bool = False) -> Request:
    """Set one coil, with function 5, or with 15 for a device that only knows how to set several."""
    if several:
        pdu = struct.pack(">BHHBB", _WRITE_COILS, offset, 1, 1, on)
        return Request(pdu, 5, echo=pdu[:5])
    pdu = struct.pack(">BHH", _WRITE_COIL, offset, 0xFF00 if on else 0)
    return Request(pdu, 5, echo=pdu)


def write_registers(offset: int, words: Sequence[int], *, several: bool = False) -> Request:
    """Set registers: one with function 6 (unless `several` is asked for), more with 16, all in one request."""
    if len(words) == 1 and not several:
        pdu = struct.pack(">BHH", _WRITE_REGISTER, offset, words[0])
        return Request(pdu, 5, echo=pdu)
    pdu = struct.pack(f">BHHB{len(words)}H", _WRITE_REGISTERS, offset, len(words), 2 * len(words), *words)
    return Request(pdu, 5, echo=pdu[:5])


def write_bit(offset: int, bit: int, on: bool) -> Request:
    """Change one bit of a register inside the device (function 22: result = old AND keep, OR (set AND NOT keep))."""
    pdu = struct.pack(">BHHH", _MASK_REGISTER, offset, 0xFFFF & ~(1 << bit), on << bit)
    return Request(pdu, 7, echo=pdu)
