"""Identifiers that a station can make alone: UUIDv7, ordered by time of creation (RFC 9562, section 5.7)."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def uuid7(now: datetime, random_bits: int | None = None) -> UUID:
    """A UUIDv7 for the instant `now` (aware, UTC), millisecond resolution; `random_bits` (74 bits) only in tests."""
    bits = int.from_bytes(secrets.token_bytes(10), "big") if random_bits is None else random_bits
    bits &= (1 << 74) - 1
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    high, low = bits >> 62, bits & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low)
