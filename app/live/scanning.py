"""From tags to wishes: which addresses a connection has to deliver, and how often."""

from __future__ import annotations

from app.domain.plant import Plant
from app.drivers.protocol import Watch


def watches_of(plant: Plant, connection: str) -> tuple[Watch, ...]:
    """One wish for each address of a connection, as often as its most eager tag wants it."""
    scans: dict[str, float] = {}
    for tag in plant.tags_of(connection):
        scans[tag.address] = min(tag.scan, scans.get(tag.address, tag.scan))
    return tuple(Watch(address, scan) for address, scan in scans.items())


def silence_allowed(watches: tuple[Watch, ...], keep_alive: float) -> float:
    """Seconds without any sign of life after which a connection that seems open counts as lost."""
    slowest = max((watch.scan for watch in watches), default=0.0)
    return max(3 * keep_alive, 3 * slowest)
