"""Shows the same registers in every possible reading, the plausible ones first, where a manual leaves it open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.samples import Value
from app.drivers.modbus_values import (
    BCD_DIGITS,
    ORDERS,
    STRUCTS,
    Undecodable,
    decode,
    parse_address,
)

MOST_WORDS = 8  # registers that are looked at: the longest number has four, a short text eight


@dataclass(frozen=True, slots=True)
class Decoding:
    """One way to read registers: the address that a tag would carry, and what comes out.

    `rank` is 1 for what machines usually send, 2 for what is possible, 3 for what is hardly meant.
    """

    address: str
    type: str
    order: str
    value: Value
    rank: int


def all_decodings(
    words: Sequence[int], table: str, offset: int, *, one_based: bool = False
) -> list[Decoding]:
    """Every way to read `words` (up to eight registers, each 0 to 65535) from `offset`; the plausible ones first.

    `offset` counts from 0, the addresses that come back count as the connection does. Readings that differ in
    nothing but the order of the bytes and give the same value appear once.
    """
    found: list[Decoding] = []
    for kind, order in _readings(len(words)):
        parsed = parse_address(f"{table}:{offset}:{kind}:{order}")
        try:
            value = decode(words[: parsed.words], parsed)
        except Undecodable:
            continue
        shown = kind.partition("(")[0]
        if not any(d.type == shown and same(d.value, value) for d in found):
            found.append(
                Decoding(parsed.written(one_based=one_based), shown, order, value, _rank(shown, order, value))
            )
    for bit in range(16):
        parsed = parse_address(f"{table}:{offset}.{bit}")
        found.append(
            Decoding(parsed.written(one_based=one_based), "bit", "", bool(decode(words[:1], parsed)), 3)
        )
    return sorted(found, key=lambda decoding: decoding.rank)


def same(one: Value, other: Value) -> bool:
    """Whether two readings are the same to the eye; NaN is like NaN."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    return one == other


def _readings(count: int) -> list[tuple[str, str]]:
    """Types and orders that fit into so many registers."""
    sizes = {
        "float32": 2,
        "int16": 1,
        "uint16": 1,
        "int32": 2,
        "uint32": 2,
        "float64": 4,
        "int64": 4,
        "uint64": 4,
    }
    sizes |= {kind: digits // 4 for kind, digits in BCD_DIGITS.items()} | {"time32": 2}
    assert sizes.keys() == STRUCTS.keys() | BCD_DIGITS.keys() | {"time32"}
    readings = [
        (kind, order)
        for kind, size in sizes.items()
        if size <= count
        for order in (ORDERS if size > 1 else ("abcd", "badc"))
    ]
    return [*readings, *((f"string({2 * count})", order) for order in ("abcd", "badc"))]


def _rank(kind: str, order: str, value: Value) -> int:
    """How likely it is that the maker of the machine meant this."""
    if isinstance(value, str):
        return _rank_of_text(kind, value)
    if kind.startswith("float"):
        return _rank_of_fraction(float(value or 0.0))
    size = abs(int(value or 0))
    if kind.startswith("bcd") or order in ("badc", "dcba"):
        return 2 if 0 < size < 1_000_000 else 3
    if kind in ("int16", "uint16"):
        return 1 if size < 32768 else 2
    return (1 if size > 0 else 2) if size < 10_000_000 else 3


def _rank_of_fraction(value: float) -> int:
    """Measured values of machines lie between a thousandth and a million; 0 is as good as any other."""
    size = abs(value)
    if size == 0:
        return 2
    return 1 if 1e-3 <= size <= 1e6 else 3  # NaN and infinity end here as well


def _rank_of_text(kind: str, value: str) -> int:
    if kind == "time32":
        return 1 if 2015 <= datetime.fromisoformat(value).year <= 2050 else 3
    printable = len(value) >= 2 and value.isprintable() and all(ord(letter) < 0x250 for letter in value)
    return 1 if printable else 3
