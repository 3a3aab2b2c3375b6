"""What msgspec must know of the classes it reads: gathered under one lock.

At its first use of a class msgspec gathers its fields and keeps them on the class. Two threads that do so at the same
time crash the interpreter (0.20 on Python 3.11), and a window that starts reads on several threads at once. So nothing
else makes a decoder or converts.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_gathering = Lock()


def convert(values: Any, kind: type[T], *, strict: bool = True) -> T:
    """Plain values as `kind`, on any thread; see `msgspec.convert`. Raises `msgspec.ValidationError`."""
    json_decoder(kind)
    return msgspec.convert(values, kind, strict=strict)


def json_decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Reads JSON as `kind`, on any thread."""
    with _gathering:
        return msgspec.json.Decoder(kind)


def msgpack_decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """Reads MessagePack as `kind`, on any thread."""
    with _gathering:
        return msgspec.msgpack.Decoder(kind)
