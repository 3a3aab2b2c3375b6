"""Turns Modbus registers into values and back: every byte order, width, BCD, text and single bits."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.samples import Value
from app.drivers.faults import BadAddress

TABLES = {"hr": "holding register", "ir": "input register", "coil": "coil", "di": "discrete input"}
BIT_TABLES = ("coil", "di")
ORDERS = ("abcd", "cdab", "badc", "dcba")
_STRUCTS = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
_BCD_DIGITS = {"bcd16": 4, "bcd32": 8}
_GRAMMAR = re.compile(
    r"(?P<table>hr|ir|coil|di):(?P<offset>[0-9]+)(?:\.(?P<bit>[0-9]+))?"
    r"(?::(?P<type>[a-z]+[0-9]*)(?:\((?P<length>[0-9]+)\))?)?(?::(?P<order>[a-d]{4}))?"
)


class Undecodable(ValueError):
    """The registers do not hold a value of the wanted type."""


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """A parsed address; `offset` is zero-based as on the wire, `words` counts registers (or bits, in bit tables)."""

    text: str
    table: str
    offset: int
    type: str
    order: str
    words: int
    bit: int | None = None

    @property
    def end(self) -> int:
        """First offset behind the value."""
        return self.offset + self.words


def parse_address(text: str, *, one_based: bool = False) -> ModbusAddress:
    """Parse "hr:100:float32:cdab", "ir:7", "hr:100.3", "hr:20:string(8)", "coil:5"; raises BadAddress."""
    match = _GRAMMAR.fullmatch(text.strip().lower())
    if match is None:
        raise BadAddress(text, "write it like hr:100:float32:cdab, ir:7:int16, hr:100.3, coil:5 or di:5")
    table, bit = match["table"], match["bit"]
    offset = int(match["offset"]) - (1 if one_based else 0)
    if table in BIT_TABLES:
        if match["type"] or match["order"] or bit:
            raise BadAddress(text, f"a {TABLES[table]} is a single bit and has no type")
        kind, words = "bool", 1
    elif bit is not None:
        if match["type"] not in (None, "bool") or int(bit) > 15:
            raise BadAddress(text, "a bit is counted from 0 to 15 and has no other type")
        kind, words = "bool", 1
    else:
        kind = match["type"] or "uint16"
        words = _words_of(text, kind, match["length"])
    if offset < 0 or offset + words > 65536:
        raise BadAddress(
            text, "registers are counted from 1 to 65536" if one_based else "registers go from 0 to 65535"
        )
    order = match["order"] or "abcd"
    if order not in ORDERS:
        raise BadAddress(text, f"the byte order is one of {', '.join(ORDERS)}")
    return ModbusAddress(text, table, offset, kind, order, words, None if bit is None else int(bit))


def _words_of(text: str, kind: str, length: str | None) -> int:
    if kind == "string":
        count = int(length or 0)
        if not 1 <= count <= 250:
            raise BadAddress(text, "give the length of the text in characters, like string(16), at most 250")
        return (count + 1) // 2
    if length is not None:
        raise BadAddress(text, f"{kind} has no length")
    if kind in _BCD_DIGITS:
        return _BCD_DIGITS[kind] // 4
    if kind not in _STRUCTS:
        known = ", ".join([*_STRUCTS, *_BCD_DIGITS, "string(n)"])
        raise BadAddress(text, f"“{kind}” is not one of {known}")
    return struct.calcsize(_STRUCTS[kind]) // 2


def decode(words: Sequence[int], address: ModbusAddress) -> Value:
    """The value that `words` (each 0 to 65535) hold; raises Undecodable for digits that are not BCD."""
    if address.bit is not None:
        return bool(_arrange(words, address)[0] >> address.bit & 1)
    ordered = _arrange(words, address)
    raw = b"".join(word.to_bytes(2, "big") for word in ordered)
    if address.type == "string":
        return raw.split(b"\0")[0].decode("utf-8", errors="replace").rstrip()
    if address.type in _BCD_DIGITS:
        digits = raw.hex()
        if not digits.isdigit():
            raise Undecodable(f"{digits} are not decimal digits")
        return int(digits)
    value: int | float = struct.unpack(_STRUCTS[address.type], raw)[0]
    return value


def encode(value: Value, address: ModbusAddress) -> list[int]:
    """Registers that `decode` turns back into `value`; raises Undecodable when the value does not fit."""
    try:
        if address.type == "string":
            raw = str(value).encode().ljust(address.words * 2, b"\0")
            if len(raw) > address.words * 2:
                raise Undecodable(f"the text is longer than {address.words * 2} bytes")
        elif isinstance(value, str) or value is None or address.type == "bool":
            raise Undecodable(f"{value!r} is not a number")
        elif address.type in _BCD_DIGITS:
            raw = bytes.fromhex(str(int(value)).rjust(_BCD_DIGITS[address.type], "0"))
            if len(raw) != address.words * 2:
                raise Undecodable(f"{value} has too many digits")
        else:
            number = value if address.type.startswith("float") else int(value)
            raw = struct.pack(_STRUCTS[address.type], number)
    except (struct.error, OverflowError, ValueError) as error:
        raise Undecodable(str(error)) from error
    words = [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
    return _arrange(words, address)


def _arrange(words: Sequence[int], address: ModbusAddress) -> list[int]:
    """Registers in reading order, or back: each of the four orders is its own inverse (domain facts: Modbus §4.2)."""
    swap_bytes = address.order in ("badc", "dcba")
    swap_words = address.order in ("cdab", "dcba") and address.type != "string"
    ordered = [(w >> 8 | (w & 0xFF) << 8) for w in words] if swap_bytes else list(words)
    return ordered[::-1] if swap_words else ordered


def all_decodings(words: Sequence[int], table: str, offset: int) -> list[tuple[str, Value]]:
    """Every way to read up to four registers from `offset`: (address, value) pairs to choose the sensible one from."""
    found: list[tuple[str, Value]] = []
    for kind, size in (("int16", 1), ("uint16", 1), ("bcd16", 1), ("int32", 2), ("uint32", 2), ("float32", 2),
                       ("bcd32", 2), ("int64", 4), ("float64", 4)):  # fmt: skip
        if size > len(words):
            continue
        orders = ORDERS if size > 1 else ("abcd", "badc")
        for order in orders:
            address = parse_address(f"{table}:{offset}:{kind}:{order}")
            try:
                found.append((address.text, decode(words[:size], address)))
            except Undecodable:
                continue
    return found
