"""Packs one array of integers or reals into few bytes, and back bit by bit.

What is left after a prediction (a straight line, or the value before) is small; its bytes are laid out plane by plane,
so that the ones that hardly change stand together, and are then compressed.
"""

from __future__ import annotations

import struct
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from app.store.history.damage import Damaged

if TYPE_CHECKING:
    from collections.abc import Sequence

    import zstandard
    from numpy import int64
    from numpy.typing import NDArray

    Ints = NDArray[int64]

_HEAD = struct.Struct("<BBqq")  # prediction, bits of the largest remainder, smallest remainder, slope
_LENGTH = struct.Struct("<I")  # of one compressed plane
_CONSTANT, _PLAIN, _DELTA, _DELTA_TWICE, _LINE, _XOR = range(6)
_UNEVEN = 0x80  # beside the prediction: planes of 8, 4 and 8 bits
_SLOPE_BITS = 16  # the slope of a line is kept in 1/65,536 of a unit a sample
_LARGEST_LINE = 1 << 61
_LEVEL = 6
_REAL_HEAD = struct.Struct(
    "<bII"
)  # decimals (-1: bits as they are), length of the numbers, how many exceptions
_MOST_DECIMALS = 6
_EXACT = float(1 << 53)
_EXCEPTIONS = 0.03  # more than this share of reals that are no decimals: keep the bits of all


_of_thread = threading.local()


@cache
def _compressors() -> tuple[zstandard.ZstdCompressor, ...]:
    """One that finds what repeats, and one that takes no short repetition, which noise is full of by chance."""
    import zstandard

    calm = zstandard.ZstdCompressionParameters.from_level(1, min_match=7, write_checksum=False)
    return zstandard.ZstdCompressor(compression_params=calm), zstandard.ZstdCompressor(_LEVEL)


def squeeze(content: bytes) -> bytes:
    """Compressed bytes. Only one thread may do this at a time; the history has one writer."""
    return min((compressor.compress(content) for compressor in _compressors()), key=len)


def unsqueeze(content: bytes) -> bytes:
    """What `squeeze` was given; raises `Damaged`."""
    import zstandard

    decompressor = getattr(_of_thread, "decompressor", None)
    if decompressor is None:  # one for each thread: it must not be shared, and making one takes a while
        decompressor = _of_thread.decompressor = zstandard.ZstdDecompressor()
    try:
        content = decompressor.decompress(content)
    except zstandard.ZstdError as error:
        raise Damaged(str(error)) from error
    return content


def pack_ints(numbers: Ints) -> bytes:
    """Any 64-bit integers, in the shortest of the ways known here."""
    if not len(numbers) or (numbers == numbers[0]).all():
        return _HEAD.pack(_CONSTANT, 0, int(numbers[0]) if len(numbers) else 0, 0)
    ways = [_remainders(numbers, way, 0) for way in (_PLAIN, _DELTA, _DELTA_TWICE)]
    slope = _slope(numbers)
    if slope is not None:
        ways.append(_remainders(numbers, _LINE, slope))
    return min(ways, key=len)


def _remainders(numbers: Ints, way: int, slope: int) -> bytes:
    left = _predicted(numbers, way, slope)
    smallest = left.min()
    above = (left - smallest).view(
        np.uint64
    )  # wraps around where the range is more than 63 bits, and back again
    bits = int(above.max()).bit_length()
    packed = [(0, _planes(above, _cuts(bits, 0)))]
    if 12 < bits <= 16:  # noise of so many bits would fill two bytes with what needs less
        packed.append((_UNEVEN, _planes(above, _cuts(bits, _UNEVEN))))
    uneven, planes = min(packed, key=lambda found: len(found[1]))
    return _HEAD.pack(way | uneven, bits, int(smallest), slope) + planes


def _cuts(bits: int, uneven: int) -> list[tuple[int, int]]:
    """Where each plane begins and how many bits it has, for numbers of that many bits."""
    if uneven:
        return [(0, 8), (8, 4), (12, 8)]
    return [(at, 8) for at in range(0, max(bits, 1), 8)]


def _planes(numbers: NDArray[np.uint64], cuts: Sequence[tuple[int, int]]) -> bytes:
    """Each plane compressed by itself: random low bits and calm high bits want different codes."""
    frames = []
    plane: NDArray[Any]
    for at, bits in cuts:
        plane = ((numbers >> np.uint64(at)) & np.uint64((1 << bits) - 1)).astype(np.uint8)
        if bits == 4:  # two to a byte
            plane = np.append(plane, np.zeros(len(plane) % 2, np.uint8))
            plane = plane[0::2] | (plane[1::2] << 4)
        frames.append(squeeze(plane.tobytes()))
    return b"".join(_LENGTH.pack(len(frame)) + frame for frame in frames)


def _predicted(numbers: Ints, way: int, slope: int) -> Ints:
    """What remains of each number; the first ones of a delta stay as they are."""
    if way == _LINE:
        return numbers - ((np.arange(len(numbers), dtype=np.int64) * slope) >> _SLOPE_BITS)
    for _ in range({_DELTA: 1, _DELTA_TWICE: 2}.get(way, 0)):
        numbers = np.concatenate((numbers[:1], numbers[1:] - numbers[:-1]))
    return numbers


def _slope(numbers: Ints) -> int | None:
    """The best straight line through the numbers, or None where there is none that can be computed exactly."""
    count = len(numbers)
    rise = (numbers - numbers[0]).astype(np.float64)
    if count < 3 or not np.abs(rise).max() < _LARGEST_LINE:
        return None
    steps = np.arange(count) - (count - 1) / 2
    slope = float((steps * rise).sum() / (steps * steps).sum()) * (1 << _SLOPE_BITS)
    return round(slope) if abs(slope) * count < _LARGEST_LINE else None


def unpack_ints(packed: bytes, count: int) -> Ints:
    """The `count` integers that were packed; raises `Damaged`."""
    way, bits, smallest, slope = _head(packed)
    way, uneven = way & ~_UNEVEN, way & _UNEVEN
    if way == _CONSTANT:
        return np.full(count, smallest, np.int64)
    numbers = _unplaned(packed[_HEAD.size :], _cuts(bits, uneven), count)
    numbers += np.int64(smallest)
    if way == _LINE:
        numbers += (np.arange(count, dtype=np.int64) * slope) >> _SLOPE_BITS
    for _ in range({_DELTA: 1, _DELTA_TWICE: 2}.get(way, 0)):
        np.cumsum(numbers, out=numbers)
    return numbers


def _head(packed: bytes) -> tuple[int, int, int, int]:
    try:
        way, bits, smallest, slope = _HEAD.unpack_from(packed)
    except struct.error as error:
        raise Damaged(str(error)) from error
    return way, bits, smallest, slope


def _unplaned(packed: bytes, cuts: Sequence[tuple[int, int]], count: int) -> Ints:
    numbers = np.zeros(count, np.uint64)
    begin = 0
    for at, bits in cuts:
        (length,) = _LENGTH.unpack_from(packed, begin)
        begin += _LENGTH.size
        plane = np.frombuffer(unsqueeze(packed[begin : begin + length]), np.uint8)
        if bits == 4:
            plane = np.stack((plane & 15, plane >> 4), axis=1).reshape(-1)[:count]
        if len(plane) != count:
            raise Damaged("a column has the wrong length")
        numbers |= plane.astype(np.uint64) << np.uint64(at)
        begin += length
    return numbers.view(np.int64)


def pack_reals(bits: Ints) -> bytes:
    """Reals, given by their 64 bits: decimals as integers where they are decimals, else what differs in the bits."""
    reals = bits.view(np.float64)
    found = _decimals(reals, bits)
    if found is None:
        changed = bits ^ np.concatenate((np.zeros(1, np.int64), bits[:-1]))
        planes = _planes(changed.view(np.uint64), _cuts(64, 0))
        return _REAL_HEAD.pack(-1, len(planes), 0) + planes
    decimals, scaled, odd = found
    numbers = pack_ints(scaled)
    exceptions = pack_ints(odd) + bits[odd].astype("<i8").tobytes() if len(odd) else b""
    return _REAL_HEAD.pack(decimals, len(numbers), len(odd)) + numbers + exceptions


def _decimals(reals: NDArray[np.float64], bits: Ints) -> tuple[int, Ints, NDArray[np.intp]] | None:
    """With how many decimals the reals are integers, those integers, and the places of the few that are not."""
    probe = slice(0, 64)
    for decimals in range(_MOST_DECIMALS + 1):
        for part in (probe, slice(None)):
            scaled, odd = _scaled(reals[part], bits[part], decimals)
            if len(odd) > max(_EXCEPTIONS * len(scaled), 2):
                break
        else:
            return decimals, scaled, odd
    return None


def _scaled(reals: NDArray[np.float64], bits: Ints, decimals: int) -> tuple[Ints, NDArray[np.intp]]:
    with np.errstate(all="ignore"):
        scaled = np.rint(reals * 10.0**decimals)
        usable = np.abs(scaled) < _EXACT
        whole = np.where(usable, scaled, 0.0).astype(np.int64)
        same = usable & ((whole / 10.0**decimals).view(np.int64) == bits)
    odd = np.flatnonzero(~same)
    if len(odd) and len(odd) < len(whole):  # in the place of an exception stands the number before it
        before = np.maximum.accumulate(np.where(same, np.arange(len(whole)), 0))
        whole = whole[before]
    return whole, odd


def unpack_reals(packed: bytes, count: int) -> Ints:
    """The 64 bits of each of the `count` reals that were packed; raises `Damaged`."""
    try:
        decimals, length, exceptions = _REAL_HEAD.unpack_from(packed)
    except struct.error as error:
        raise Damaged(str(error)) from error
    numbers = packed[_REAL_HEAD.size : _REAL_HEAD.size + length]
    if decimals < 0:
        whole: Ints = np.bitwise_xor.accumulate(_unplaned(numbers, _cuts(64, 0), count))
        return whole
    bits: Ints = (unpack_ints(numbers, count) / 10.0**decimals).view(np.int64)
    if exceptions:
        rest = packed[_REAL_HEAD.size + length :]
        kept = len(rest) - 8 * exceptions
        bits[unpack_ints(rest[:kept], exceptions)] = np.frombuffer(rest, "<i8", exceptions, kept)
    return bits
