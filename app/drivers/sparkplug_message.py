"""Sparkplug B payloads as plain dataclasses; the protobuf messages are built from the field numbers of version 3.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from app.domain.samples import Value
from app.drivers.sparkplug_types import DataType, from_wire, to_wire

if TYPE_CHECKING:
    from google.protobuf.message import Message

_PACKAGE = "lineside.sparkplug"
_LARGEST = 4_000_000  # bytes; a birth of 50,000 metrics has less


class Malformed(ValueError):
    """The bytes are no Sparkplug B payload."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a message; `time` is in milliseconds since 1970 UTC, `value` is None when `null` or unreadable.

    `datatype` is None where the message leaves it out, as it may after the birth; `wire` then is what it carried.
    `properties` holds the plain ones, for example engUnit or Quality.
    """

    name: str = ""
    alias: int | None = None
    datatype: int | None = None
    value: Value = None
    time: int | None = None
    historical: bool = False
    null: bool = False
    properties: dict[str, Value] = field(default_factory=dict)
    wire: object = None


@dataclass(frozen=True, slots=True)
class Payload:
    """One message: when it was sent (ms since 1970 UTC), its place in the sequence, its metrics."""

    metrics: tuple[Metric, ...] = ()
    time: int | None = None
    seq: int | None = None


def decode(raw: bytes) -> Payload:
    """Read a message; raises Malformed, whatever the bytes are."""
    from google.protobuf.message import DecodeError

    if len(raw) > _LARGEST:
        raise Malformed("the message is too large")
    message = _payload_class()()
    try:
        message.ParseFromString(raw)
        return Payload(
            metrics=tuple(_metric(m) for m in message.metrics),
            time=message.timestamp if message.HasField("timestamp") else None,
            seq=message.seq if message.HasField("seq") else None,
        )
    except (DecodeError, ValueError) as error:
        raise Malformed(str(error)) from None


def encode(payload: Payload) -> bytes:
    """The bytes of a message; raises ValueError for a value that its datatype cannot hold."""
    message = _payload_class()()
    if payload.time is not None:
        message.timestamp = payload.time
    if payload.seq is not None:
        message.seq = payload.seq
    for metric in payload.metrics:
        _fill(message.metrics.add(), metric)
    return bytes(message.SerializeToString())


def _metric(message: Any) -> Metric:
    which = message.WhichOneof("value")
    wire = getattr(message, which) if which else None
    null = message.is_null or which is None
    datatype = message.datatype if message.HasField("datatype") else None
    return Metric(
        name=message.name,
        alias=message.alias if message.HasField("alias") else None,
        datatype=datatype,
        value=None if null or datatype is None else from_wire(datatype, wire),
        time=message.timestamp if message.HasField("timestamp") else None,
        historical=message.is_historical,
        null=null,
        properties=_properties(message.properties) if message.HasField("properties") else {},
        wire=None if null else wire,
    )


def _properties(message: Any) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, one in zip(message.keys, message.values, strict=False):
        which = one.WhichOneof("value")
        found[key] = None if one.is_null or which is None else from_wire(one.type, getattr(one, which))
    return found


def _fill(message: Any, metric: Metric) -> None:
    if metric.name:
        message.name = metric.name
    if metric.alias is not None:
        message.alias = metric.alias
    if metric.time is not None:
        message.timestamp = metric.time
    if metric.datatype is not None:
        message.datatype = metric.datatype
    if metric.historical:
        message.is_historical = True
    if metric.null or metric.value is None:
        message.is_null = True
    elif metric.datatype is not None:
        name, wire = to_wire(metric.datatype, metric.value)
        setattr(message, name, wire)
    for key, value in metric.properties.items():
        datatype = _property_type(value)
        message.properties.keys.append(key)
        one = message.properties.values.add()
        one.type = datatype
        if value is None:
            one.is_null = True
        else:
            setattr(one, *to_wire(datatype, value))


def _property_type(value: Value) -> DataType:
    if isinstance(value, bool):
        return DataType.BOOLEAN
    if isinstance(value, int):
        return DataType.INT32
    return DataType.DOUBLE if isinstance(value, float) else DataType.STRING


# ── the messages ─────────────────────────────────────────────────────────────────────────────────────────────

_Field = tuple[str, int, str]  # name, number, kind
_SCALARS = {"uint32": 13, "uint64": 4, "float": 2, "double": 1, "bool": 8, "string": 9, "bytes": 12}
# What is left out of a message here (data sets, templates, meta data) protobuf skips over as unknown.
_PROPERTY: Sequence[_Field] = (
    ("type", 1, "uint32"), ("is_null", 2, "bool"), ("int_value", 3, "uint32"), ("long_value", 4, "uint64"),
    ("float_value", 5, "float"), ("double_value", 6, "double"), ("boolean_value", 7, "bool"),
    ("string_value", 8, "string"),
)  # fmt: skip
_PROPERTIES: Sequence[_Field] = (("keys", 1, "*string"), ("values", 2, "*PropertyValue"))
_METRIC: Sequence[_Field] = (
    ("name", 1, "string"), ("alias", 2, "uint64"), ("timestamp", 3, "uint64"), ("datatype", 4, "uint32"),
    ("is_historical", 5, "bool"), ("is_transient", 6, "bool"), ("is_null", 7, "bool"),
    ("properties", 9, "PropertySet"), ("int_value", 10, "uint32"), ("long_value", 11, "uint64"),
    ("float_value", 12, "float"), ("double_value", 13, "double"), ("boolean_value", 14, "bool"),
    ("string_value", 15, "string"), ("bytes_value", 16, "bytes"),
)  # fmt: skip
_PAYLOAD: Sequence[_Field] = (
    ("timestamp", 1, "uint64"), ("metrics", 2, "*Metric"), ("seq", 3, "uint64"), ("uuid", 4, "string"),
    ("body", 5, "bytes"),
)  # fmt: skip
_MESSAGES = {
    "PropertyValue": _PROPERTY,
    "PropertySet": _PROPERTIES,
    "Metric": _METRIC,
    "Payload": _PAYLOAD,
}


@cache
def _built() -> type[Message]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    # Labels and types are given by their numbers in the descriptor language; 11 is a message.
    file: Any = descriptor_pb2.FileDescriptorProto(name="lineside/sparkplug.proto", package=_PACKAGE)
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        message.oneof_decl.add(name="value")
        for name, number, kind in fields:
            one = message.field.add(name=name, number=number, label=3 if kind.startswith("*") else 1)
            bare = kind.lstrip("*")
            if bare in _SCALARS:
                one.type = _SCALARS[bare]
            else:
                one.type, one.type_name = 11, f".{_PACKAGE}.{bare}"
            if name.endswith("_value"):
                one.oneof_index = 0
        if not any(name.endswith("_value") for name, _, _ in fields):
            message.ClearField("oneof_decl")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


def _payload_class() -> Any:
    """The protobuf class; its fields are made while the program runs, so no type checker knows them."""
    return _built()
