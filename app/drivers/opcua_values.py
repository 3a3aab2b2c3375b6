"""OPC UA values in both directions: what a tag can hold of them, and what a node takes of ours."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import Refused
from app.domain.samples import Quality, Value, is_bad
from app.drivers.faults import BadAddress
from app.drivers.protocol import Reading

if TYPE_CHECKING:
    from asyncua import ua

Index = tuple[int, ...]

SHOWN = 32  # values of a list that are written out; more would fill the screen and the history
_INDEX = re.compile(r"^(?P<node>.+)\[(?P<index>\d{1,6}(?:,\d{1,6})*)\]$", re.DOTALL)
_WHOLE = {
    "SByte": (-(2**7), 2**7 - 1),
    "Byte": (0, 2**8 - 1),
    "Int16": (-(2**15), 2**15 - 1),
    "UInt16": (0, 2**16 - 1),
    "Int32": (-(2**31), 2**31 - 1),
    "UInt32": (0, 2**32 - 1),
    "Int64": (-(2**63), 2**63 - 1),
    "UInt64": (0, 2**64 - 1),
}
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_FLOAT32_MAX = 3.4028234663852886e38
_SINGLE = frozenset((float, int, bool, str, type(None)))  # exact types that a tag holds as they are


class _NoValue(Exception):
    """There is something, but nothing that a tag could hold; `quality` says what is wrong."""

    def __init__(self, quality: int) -> None:
        super().__init__(quality)
        self.quality = quality


def split_index(address: str) -> tuple[str, Index]:
    """ "ns=2;s=Arr[3]" as node and index; the index is empty for an address without one."""
    found = _INDEX.match(address)
    if found is None:
        return address, ()
    return found["node"], tuple(int(part) for part in found["index"].split(","))


def standard_node(number: int) -> ua.NodeId:
    """A node that the OPC UA standard itself defines, by its number."""
    from asyncua import ua

    return ua.NodeId(ua.Int32(number))


def node_id(address: str) -> ua.NodeId:
    """Parse "ns=2;s=Oven2.Temp"; raises BadAddress."""
    from asyncua import ua
    from asyncua.ua.uaerrors import UaError

    try:
        return ua.NodeId.from_string(address.strip())
    except (UaError, ValueError, TypeError):
        raise BadAddress(address, "write it like ns=2;s=Oven2.Temp or ns=2;i=1001") from None


def reading(address: str, data: ua.DataValue | None, now: datetime, index: Index = ()) -> Reading:
    """A data value with the server's own time and status; a bad one carries no value."""
    if data is None:
        return Reading(address, None, Quality.BAD, now, now)
    status = data.StatusCode
    quality = 0 if status is None else status.value
    value: Value = None
    if data.Value is not None and not is_bad(quality):
        raw = data.Value.Value
        if type(raw) in _SINGLE and not index:
            value = raw
        else:
            try:
                value = plain(element(raw, index))
            except _NoValue as nothing:
                quality = nothing.quality
    return Reading(address, value, quality, told_time(data, now), now)


def told_time(data: ua.DataValue, now: datetime) -> datetime:
    """The time of a value by the machine's clock, else the server's, else ours.

    A clock before 2000 or after 2100 was never set; by its time the history would drop the value as too old.
    """
    for told in (data.SourceTimestamp, data.ServerTimestamp):
        if told is not None and _FIRST_YEAR <= told.year < _LAST_YEAR:
            return utc(told)
    return now


def element(value: Any, index: Index) -> Any:
    """The element of a list, of a list of lists…; a list that is too short has none."""
    for position in index:
        if not isinstance(value, list):
            raise _NoValue(Quality.BAD_CONFIGURATION_ERROR)
        if position >= len(value):
            raise _NoValue(Quality.BAD_CONFIGURATION_ERROR)
        value = value[position]
    return value


def plain(value: Any) -> Value:
    """What a tag can hold of an OPC UA value: numbers and truth as they are, all else as text."""
    if isinstance(value, IntEnum):
        return int(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime):
        return utc(value).isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (list, tuple)):
        return _listed(value)
    return _built_in(value)


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(_inner(value) for value in values[:SHOWN])
    return shown if len(values) <= SHOWN else f"{shown}, … ({len(values):,} values)"


def _inner(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{_listed(value)}]"
    single = plain(value)
    return "–" if single is None else str(single)


def _built_in(value: Any) -> Value:
    """The types that OPC UA brings along; a structure is none of them."""
    from asyncua import ua

    if isinstance(value, ua.LocalizedText):
        return value.Text
    if isinstance(value, (ua.NodeId, ua.QualifiedName)):
        return value.to_string()
    if isinstance(value, ua.StatusCode):
        return value.name
    if isinstance(value, (ua.Variant, ua.DataValue)):
        return plain(value.Value)
    raise _NoValue(Quality.BAD_CONFIGURATION_ERROR)


def fault_of(address: str, data: ua.DataValue | None, index: Index) -> BadAddress | None:
    """Why the value of a node can never be that of a tag; None when it can, or when it is only bad at the moment."""
    if data is None or data.Value is None or (data.StatusCode is not None and is_bad(data.StatusCode.value)):
        return None
    if data.Value.Value is None:
        return None
    try:
        found = element(data.Value.Value, index)
    except _NoValue:
        count = len(data.Value.Value) if isinstance(data.Value.Value, list) else 0
        words = (
            f"the list has {count:,} values, the first is [0]"
            if count
            else "it is no list, so leave the [ ] out"
        )
        return BadAddress(address, words)
    try:
        plain(found)
    except _NoValue:
        return BadAddress(address, "it is a structure of several values; choose one of the nodes below it")
    return None


def is_number(data: ua.DataValue | None, index: Index) -> bool:
    """Whether a node holds one number, for which a deadband has a meaning."""
    if data is None or data.Value is None or index:
        return False
    value = data.Value.Value
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def utc(time_of_server: datetime) -> datetime:
    """OPC UA times are UTC; the library gives some without saying so."""
    if time_of_server.tzinfo is UTC:
        return time_of_server
    if time_of_server.tzinfo is None:
        return time_of_server.replace(tzinfo=UTC)
    return time_of_server.astimezone(UTC)


def encoded(value: Value, kind: ua.VariantType, address: str) -> ua.Variant:
    """`value` as a node of type `kind` takes it; raises Refused for a wrong type and for what does not fit."""
    from asyncua import ua

    name = kind.name
    if name in _WHOLE:
        return ua.Variant(_whole(value, name, address), kind)
    if name in ("Float", "Double"):
        return ua.Variant(_real(value, name, address), kind)
    if name == "Boolean":
        if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
            return ua.Variant(bool(value), kind)
        raise Refused(f"{address} is either on or off: {value!r} cannot be written to it.")
    return ua.Variant(_text_as(value, name, address), kind)


def _whole(value: Value, name: str, address: str) -> int:
    low, high = _WHOLE[name]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"{address} takes whole numbers ({name}): {value!r} cannot be written to it.")
    if not low <= value <= high:
        raise Refused(
            f"{address} takes whole numbers from {low:,} to {high:,} ({name}): {value:,} does not fit."
        )
    return value


def _real(value: Value, name: str, address: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refused(f"{address} takes numbers: {value!r} cannot be written to it.")
    if name == "Float" and abs(value) > _FLOAT32_MAX:
        raise Refused(f"{address} takes numbers up to 3.4e38 (Float): {value!r} does not fit.")
    return float(value)


def _text_as(value: Value, name: str, address: str) -> Any:
    from asyncua import ua

    if not isinstance(value, str):
        raise Refused(f"{address} takes text ({name}): {value!r} cannot be written to it.")
    try:
        if name == "String":
            return value
        if name == "LocalizedText":
            return ua.LocalizedText(value)
        if name == "DateTime":
            return utc(datetime.fromisoformat(value))
        if name == "ByteString":
            return bytes.fromhex(value)
        if name == "Guid":
            return UUID(value)
    except ValueError:
        form = {"DateTime": "2026-03-31T14:05:00", "ByteString": "01af", "Guid": "a GUID"}[name]
        raise Refused(f"{address} takes {name}, written like {form}: {value!r} is not.") from None
    raise Refused(f"{address} holds {name}: Lineside cannot write that.")


def plain_or_none(value: Any) -> Value:
    """As `plain`; None for a structure."""
    try:
        return plain(value)
    except _NoValue:
        return None
