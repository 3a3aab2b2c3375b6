"""Turns Modbus registers into values and back: every byte order, width, BCD, text, times and single bits."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.samples import Value
from app.drivers.faults import BadAddress

TABLES = {"hr": "holding register", "ir": "input register", "coil": "coil", "di": "discrete input"}
BIT_TABLES = ("coil", "di")
ORDERS = ("abcd", "cdab", "badc", "dcba")
STRUCTS = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
BCD_DIGITS = {"bcd16": 4, "bcd32": 8, "bcd64": 16}
TYPES = (*STRUCTS, *BCD_DIGITS, "time32", "string(n)")
LONGEST_TEXT = 250  # characters: 125 registers, as many as one request may ask for

# The notation of manuals (V1.1b3 4.3 and every PLC since): the first digit names the table, counting starts at 1.
_MANUAL_TABLES = {"0": "coil", "1": "di", "3": "ir", "4": "hr"}
_GRAMMAR = re.compile(
    r"(?:(?P<table>hr|ir|coil|di):(?P<offset>[0-9]{1,6})|(?P<manual>[0134])(?P<number>[0-9]{4,5}))"
    r"(?:\.(?P<bit>[0-9]{1,2}))?"
    r"(?::(?P<type>[a-z]+[0-9]*)(?:\((?P<length>[0-9]{1,4})\))?)?(?::(?P<order>[a-d]{4}))?"
)


class Undecodable(ValueError):
    """The registers do not hold a value of the wanted type, or a value does not fit into them."""


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """A parsed address; `offset` is zero-based as on the wire, `words` counts registers (or bits, in bit tables).

    `length` is that of a text, in bytes; 0 for everything else.
    """

    text: str
    table: str
    offset: int
    type: str
    order: str
    words: int
    bit: int | None = None
    length: int = 0

    @property
    def end(self) -> int:
        """First offset behind the value."""
        return self.offset + self.words

    def written(self, *, one_based: bool = False) -> str:
        """The address in full, as `parse_address` reads it: "hr:100:float32:cdab"."""
        place = f"{self.table}:{self.offset + one_based}"
        if self.table in BIT_TABLES:
            return place
        if self.bit is not None:
            return f"{place}.{self.bit}" + ("" if self.order == "abcd" else f":bool:{self.order}")
        return f"{place}:{self.type}{f'({self.length})' if self.length else ''}:{self.order}"


def parse_address(text: str, *, one_based: bool = False) -> ModbusAddress:
    """Parse "hr:100:float32:cdab", "ir:7", "hr:100.3", "hr:20:string(8)", "coil:5"; raises BadAddress.

    Counting from one, the notation of manuals is understood as well: 40001 or 400001 for hr:1, 30001 for ir:1,
    10001 for di:1, 00001 for coil:1, with the same endings (40101:float32:cdab).
    """
    match = _GRAMMAR.fullmatch(text.strip().lower())
    if match is None:
        raise BadAddress(text, "write it like hr:100:float32:cdab, ir:7:int16, hr:100.3, coil:5 or di:5")
    table, offset = _place(text, match, one_based)
    bit, length = match["bit"], 0
    if table in BIT_TABLES:
        if match["type"] or match["order"] or bit:
            raise BadAddress(text, f"a {TABLES[table]} is a single bit and has no type")
        kind, words = "bool", 1
    elif bit is not None:
        if match["type"] not in (None, "bool") or match["length"] or int(bit) > 15:
            raise BadAddress(text, "a bit is counted from 0 to 15 and has no other type")
        kind, words = "bool", 1
    else:
        kind = match["type"] or "uint16"
        words, length = _size(text, kind, match["length"])
    if offset < 0 or offset + words > 65536:
        raise BadAddress(
            text, "registers are counted from 1 to 65536" if one_based else "registers go from 0 to 65535"
        )
    order = match["order"] or "abcd"
    if order not in ORDERS:
        raise BadAddress(text, f"the byte order is one of {', '.join(ORDERS)}")
    return ModbusAddress(text, table, offset, kind, order, words, None if bit is None else int(bit), length)


def _place(text: str, match: re.Match[str], one_based: bool) -> tuple[str, int]:
    """Table and zero-based offset."""
    if match["table"]:
        return match["table"], int(match["offset"]) - one_based
    table, offset = _MANUAL_TABLES[match["manual"]], int(match["number"]) - 1
    if not one_based:
        raise BadAddress(
            text,
            f"this connection counts from 0, so write it as {table}:{max(offset, 0)}, "
            "or set its addressing to one-based, as in the manual",
        )
    return table, offset


def _size(text: str, kind: str, length: str | None) -> tuple[int, int]:
    """Registers, and the bytes of a text."""
    if kind == "string":
        count = int(length or 0)
        if not 1 <= count <= LONGEST_TEXT:
            raise BadAddress(
                text, f"give the length of the text in characters, like string(16), at most {LONGEST_TEXT}"
            )
        return (count + 1) // 2, count
    if length is not None:
        raise BadAddress(text, f"{kind} has no length")
    if kind == "time32":
        return 2, 0
    if kind in BCD_DIGITS:
        return BCD_DIGITS[kind] // 4, 0
    if kind not in STRUCTS:
        raise BadAddress(text, f"“{kind}” is not one of {', '.join(TYPES)}")
    return struct.calcsize(STRUCTS[kind]) // 2, 0


def decode(words: Sequence[int], address: ModbusAddress) -> Value:
    """The value that `words` (each 0 to 65535) hold; raises Undecodable for digits that are not BCD."""
    ordered = _arrange(words, address)
    if address.bit is not None:
        return bool(ordered[0] >> address.bit & 1)
    raw = b"".join(word.to_bytes(2, "big") for word in ordered)
    if address.type == "string":
        return _text(raw[: address.length])
    if address.type in BCD_DIGITS:
        digits = raw.hex()
        if not digits.isdigit():
            raise Undecodable(f"{digits} are not decimal digits")
        return int(digits)
    if address.type == "time32":
        return datetime.fromtimestamp(int.from_bytes(raw, "big"), UTC).isoformat()
    value: int | float = struct.unpack(STRUCTS[address.type], raw)[0]
    return value


def _text(raw: bytes) -> str:
    """Text up to the first zero byte; what is not UTF-8 is read as the Western European set of old controllers."""
    raw = raw.split(b"\0")[0]
    try:
        return raw.decode().rstrip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").rstrip()


def encode(value: Value, address: ModbusAddress) -> list[int]:
    """Registers that `decode` turns back into `value`; raises Undecodable when the value does not fit.

    A fraction is rounded to what a whole number can hold. A single bit has no registers of its own and is refused.
    """
    if address.bit is not None or address.table in BIT_TABLES:
        raise Undecodable("a single bit does not fill a register")
    if address.type == "string":
        raw = str(value).encode().ljust(address.length, b"\0")
        if len(raw) > address.length:
            raise Undecodable(f"the text is longer than {address.length} bytes")
        raw = raw.ljust(address.words * 2, b"\0")
    elif address.type == "time32":
        raw = _seconds(value).to_bytes(4, "big")
    else:
        raw = _number_bytes(_number(value), address.type)
    return _arrange([int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)], address)


def _number(value: Value) -> int | float:
    if not isinstance(value, (int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        raise Undecodable(f"{value!r} is not a number")
    return value


def _number_bytes(number: float, kind: str) -> bytes:
    low, high = value_range(kind)
    if not kind.startswith("float"):
        number = round(number)
    if not low <= number <= high:
        raise Undecodable(
            f"{kind} holds {low:g} to {high:g}" if "float" in kind else f"{kind} holds {low} to {high}"
        )
    if kind in BCD_DIGITS:
        return bytes.fromhex(str(number).rjust(BCD_DIGITS[kind], "0"))
    return struct.pack(STRUCTS[kind], number)


def value_range(kind: str) -> tuple[float, float]:
    """Lowest and highest number that a type holds."""
    if kind in BCD_DIGITS:
        return 0, 10 ** BCD_DIGITS[kind] - 1
    if kind.startswith("float"):
        # IEEE 754: the largest finite number of each width
        top = struct.unpack(">f", b"\x7f\x7f\xff\xff")[0] if kind == "float32" else 1.7976931348623157e308
        return -top, top
    bits = struct.calcsize(STRUCTS[kind]) * 8
    return (0, 2**bits - 1) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _seconds(value: Value) -> int:
    """Seconds since 1970 of a time written in ISO 8601 (UTC when it names no zone), or given as such."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise Undecodable(f"“{value}” is not a time like 2026-03-31 14:00") from error
        value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    seconds = round(_number(value))
    if not 0 <= seconds < 2**32:
        raise Undecodable("time32 holds the years 1970 to 2106")
    return seconds


def _arrange(words: Sequence[int], address: ModbusAddress) -> list[int]:
    """Registers in reading order, or back: each of the four orders is its own inverse (domain facts: Modbus §4.2)."""
    swap_bytes = address.order in ("badc", "dcba")
    swap_words = address.order in ("cdab", "dcba") and address.type != "string"
    ordered = [(w >> 8 | (w & 0xFF) << 8) for w in words] if swap_bytes else list(words)
    return ordered[::-1] if swap_words else ordered
