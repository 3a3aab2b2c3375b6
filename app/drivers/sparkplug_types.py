"""The scalar datatypes of Sparkplug B (3.0, 6.4.16) and how protobuf carries their values."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from enum import IntEnum

from app.domain.samples import Value


class DataType(IntEnum):
    """Numbers of the datatypes that Lineside reads and writes."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15


_BITS = {
    DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64,
    DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64,
}  # fmt: skip
_SIGNED = (DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64)
_TEXTS = (DataType.STRING, DataType.TEXT, DataType.UUID)
_LONGEST_TEXT = 4_000  # characters
_LATEST = 253_402_300_799_999  # ms; the last one of the year 9999


def is_scalar(datatype: int | None) -> bool:
    """Whether a metric of this type is a single value that a tag can hold."""
    return datatype in DataType._value2member_map_


def from_wire(datatype: int, wire: object) -> Value:
    """The value behind what protobuf carried, or None when the two do not fit together.

    Signed integers travel as unsigned ones of 32 or 64 bits; some devices fill only the bits of their type, others
    all of them, and both are read. A DateTime becomes ISO 8601 text.
    """
    if not is_scalar(datatype):
        return None
    kind = DataType(datatype)
    if kind in _TEXTS:
        return wire if isinstance(wire, str) and len(wire) <= _LONGEST_TEXT else None
    if kind is DataType.BOOLEAN:
        return wire if isinstance(wire, bool) else None
    if isinstance(wire, bool) or not isinstance(wire, (int, float)):
        return None
    if kind in (DataType.FLOAT, DataType.DOUBLE):
        return float(wire)
    if not isinstance(wire, int):
        return None
    if kind is DataType.DATETIME:
        return datetime.fromtimestamp(wire / 1000, UTC).isoformat() if wire <= _LATEST else None
    return _integer(kind, wire)


def _integer(kind: DataType, wire: int) -> int:
    bits = _BITS[kind]
    number = wire & (1 << bits) - 1
    return number - (1 << bits) if kind in _SIGNED and number >> (bits - 1) else number


def to_wire(datatype: int, value: Value) -> tuple[str, object]:
    """The protobuf field and what goes into it; raises ValueError when the type cannot hold the value."""
    if not is_scalar(datatype):
        raise ValueError("values of this kind cannot be written")
    kind = DataType(datatype)
    if kind in _TEXTS:
        if not isinstance(value, str):
            raise ValueError("it wants text")
        return "string_value", value
    if kind is DataType.BOOLEAN:
        if not isinstance(value, bool) and value not in (0, 1):
            raise ValueError("it wants true or false")
        return "boolean_value", bool(value)
    if kind is DataType.DATETIME:
        return "long_value", _milliseconds(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("it wants a number")
    if kind is DataType.DOUBLE:
        return "double_value", float(value)
    if kind is DataType.FLOAT:
        if math.isfinite(value) and abs(value) > 3.4028235677973366e38:
            raise ValueError("the number is too large for it")
        return "float_value", float(value)
    return _integer_to_wire(kind, value)


def _integer_to_wire(kind: DataType, value: float) -> tuple[str, int]:
    if not math.isfinite(value) or value != int(value):
        raise ValueError("it wants a whole number")
    bits = _BITS[kind]
    lowest = -(1 << (bits - 1)) if kind in _SIGNED else 0
    number = int(value)
    if not lowest <= number < lowest + (1 << bits):
        raise ValueError(f"it holds {lowest} to {lowest + (1 << bits) - 1}")
    return ("int_value", number & 0xFFFF_FFFF) if bits <= 32 else ("long_value", number & (1 << 64) - 1)


def _milliseconds(value: Value) -> int:
    if isinstance(value, str):
        time = datetime.fromisoformat(value)
        time = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        value = round(time.timestamp() * 1000)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LATEST:
        raise ValueError("it wants a time such as 2026-01-31T08:00:00Z")
    return int(value)
