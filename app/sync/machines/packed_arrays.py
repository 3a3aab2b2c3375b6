"""Arrays of numpy as PostgreSQL takes them in binary, without a Python object for each value."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from psycopg.adapt import Dumper
from psycopg.pq import Format

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

_HEAD = struct.Struct(">iiI")  # dimensions, whether there are nulls, type of the elements
_LENGTH = struct.Struct(">ii")  # of the only dimension, and its first place
_SINCE_2000 = 946_684_800_000_000  # µs from 1970 to 2000, where PostgreSQL's own time begins


@dataclass(frozen=True, slots=True)
class PackedArray:
    """An array on its way to the server; each kind has the number that its type has there."""

    body: bytes
    oid: ClassVar[int] = 0


class Int4s(PackedArray):
    """integer[]"""

    oid = 1007


class Int8s(PackedArray):
    """bigint[]"""

    oid = 1016


class Float4s(PackedArray):
    """float4[]"""

    oid = 1021


class Float8s(PackedArray):
    """float8[]"""

    oid = 1022


class Moments(PackedArray):
    """timestamptz[]"""

    oid = 1185


def int4s(values: NDArray[np.int64]) -> Int4s:
    """Whole numbers of 32 bits; what lies above 2³¹ keeps its bits."""
    import numpy as np

    return Int4s(_packed(values.astype(np.int32), ">i4", 23))


def int8s(values: NDArray[np.int64]) -> Int8s:
    """Whole numbers of 64 bits."""
    return Int8s(_packed(values, ">i8", 20))


def float4s(values: NDArray[np.float64]) -> Float4s:
    """Reals, to seven digits."""
    return Float4s(_packed(values, ">f4", 700))


def float8s(values: NDArray[np.float64]) -> Float8s:
    """Reals, exactly."""
    return Float8s(_packed(values, ">f8", 701))


def moments(micros: NDArray[np.int64]) -> Moments:
    """Times in µs since 1970, exactly."""
    return Moments(_packed(micros - _SINCE_2000, ">i8", 1184))


def _packed(values: NDArray[Any], kind: str, element: int) -> bytes:
    import numpy as np

    if not len(values):
        return _HEAD.pack(0, 0, element)
    cells = np.empty(len(values), np.dtype([("length", ">i4"), ("value", kind)]))
    cells["length"] = np.dtype(kind).itemsize
    cells["value"] = values
    return _HEAD.pack(1, 0, element) + _LENGTH.pack(len(values), 1) + cells.tobytes()


class _PackedDumper(Dumper):
    """Hands a packed array over as it is."""

    format = Format.BINARY

    def dump(self, obj: PackedArray) -> bytes:
        return obj.body


def accept_arrays(connection: Connection[Any]) -> None:
    """Let statements of a connection take packed arrays as arguments."""
    for kind in (Int4s, Int8s, Float4s, Float8s, Moments):
        dumper = type(f"_{kind.__name__}Dumper", (_PackedDumper,), {"oid": kind.oid})
        connection.adapters.register_dumper(kind, dumper)
