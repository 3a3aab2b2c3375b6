"""A stretch of samples as one compressed chunk and back, bit by bit; the first byte says in which format."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from app.store.history.columns import REAL, TEXT, WHOLE, Columns
from app.store.history.damage import Damaged
from app.store.history.packing import (
    pack_ints,
    pack_reals,
    squeeze,
    unpack_ints,
    unpack_reals,
    unsqueeze,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT = 1
_MOST = 1 << 24  # samples; hundreds of times what sealing puts into a chunk
_HEAD = struct.Struct("<BII")  # format, checksum of the rest, number of samples
_LENGTH = struct.Struct("<I")


def encode(samples: Columns) -> bytes:
    """The samples as bytes, all of them exactly."""
    kind, bits = samples.kind, samples.bits
    sections = [
        pack_ints(samples.t),
        pack_ints(samples.q),
        pack_ints(kind.astype(np.int64)),
        pack_ints(bits[kind == WHOLE]),
        pack_reals(bits[kind == REAL]),
        pack_ints(bits[kind == TEXT]),
        _pack_words(samples.words if (kind == TEXT).any() else ()),
        pack_ints(samples.n),
        pack_ints(samples.epoch),
        pack_ints(samples.late),
    ]
    rest = b"".join(_LENGTH.pack(len(section)) + section for section in sections)
    return _HEAD.pack(FORMAT, zlib.crc32(rest), len(samples)) + rest


def decode(chunk: bytes, *, identity: bool = True) -> Columns:
    """The samples of a chunk; raises `Damaged`.

    Without `identity` the columns `n`, `epoch` and `late` are zeros, which takes half the time.
    """
    try:
        form, checksum, count = _HEAD.unpack_from(chunk)
        if form != FORMAT:
            raise Damaged(f"chunk format {form} is not known here")
        if zlib.crc32(memoryview(chunk)[_HEAD.size :]) != checksum:
            raise Damaged("its checksum differs")
        if count > _MOST:  # the checksum does not cover it
            raise Damaged(f"it cannot hold {count:,} samples")
        t, q, kinds, wholes, reals, texts, words, n, epoch, late = _sections(chunk)
    except (struct.error, ValueError) as error:
        raise Damaged(str(error)) from error
    kind = unpack_ints(kinds, count).astype(np.uint8)
    bits = _bits(kind, wholes, reals, texts)
    zeros = np.zeros(0 if identity else count, np.int64)
    rest = [unpack_ints(section, count) if identity else zeros for section in (n, epoch, late)]
    return Columns(
        unpack_ints(t, count), rest[0], rest[1], unpack_ints(q, count), rest[2], kind, bits, _unpack_words(words)
    )  # fmt: skip


def _sections(chunk: bytes) -> Iterator[bytes]:
    at = _HEAD.size
    while at < len(chunk):
        (length,) = _LENGTH.unpack_from(chunk, at)
        at += _LENGTH.size
        yield chunk[at : at + length]
        at += length


def _bits(
    kind: np.ndarray[tuple[int], np.dtype[np.uint8]], *sections: bytes
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    ways = (unpack_ints, unpack_reals, unpack_ints)
    for stored_as, way, section in zip((WHOLE, REAL, TEXT), ways, sections, strict=True):
        if len(kind) and (kind == stored_as).all():
            return way(section, len(kind))
    bits = np.zeros(len(kind), np.int64)
    for stored_as, way, section in zip((WHOLE, REAL, TEXT), ways, sections, strict=True):
        at = kind == stored_as
        if at.any():
            bits[at] = way(section, int(at.sum()))
    return bits


def _pack_words(words: Sequence[str]) -> bytes:
    if not words:
        return b""
    return squeeze(
        b"".join(_LENGTH.pack(len(w)) + w for w in (word.encode("utf-8", "surrogatepass") for word in words))
    )


def _unpack_words(packed: bytes) -> tuple[str, ...]:
    if not packed:
        return ()
    content, at, words = unsqueeze(packed), 0, []
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        words.append(content[at : at + length].decode("utf-8", "surrogatepass"))
        at += length
    return tuple(words)
