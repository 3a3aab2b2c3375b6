"""From tags to wishes: which addresses a connection has to deliver, how often, and which changes are too small."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.plant import Plant, Tag
from app.drivers.protocol import Watch


def watches_of(plant: Plant, connection: str) -> tuple[Watch, ...]:
    """One wish for each address of a connection: what its most eager tag wants of it."""
    by_address: dict[str, list[Tag]] = {}
    for tag in plant.tags_of(connection):
        by_address.setdefault(tag.address, []).append(tag)
    return tuple(_watch(address, tags) for address, tags in by_address.items())


def _watch(address: str, tags: Sequence[Tag]) -> Watch:
    ages = [tag.freshness for tag in tags if tag.freshness > 0]
    return Watch(
        address,
        scan=min(tag.scan for tag in tags),
        deadband=min(raw_deadband(tag) for tag in tags),
        freshness=min(ages, default=0.0),
    )


def raw_deadband(tag: Tag) -> float:
    """The tag's deadband in the machine's raw units; 0 when every change counts.

    A percentage of a range that only the alarm limits give stays here and is not asked of the machine: a change of
    a limit would otherwise need a new conversation with it.
    """
    rule, scale = tag.deadband, tag.scale
    if scale is None:
        return 0.0 if rule.percent else max(0.0, rule.amount)
    raw_span, span = abs(scale.raw_hi - scale.raw_lo), abs(scale.eu_hi - scale.eu_lo)
    if rule.percent:
        return max(0.0, raw_span * rule.amount / 100)
    return max(0.0, rule.amount * raw_span / span) if span else 0.0


def silence_allowed(watches: tuple[Watch, ...], keep_alive: float) -> float:
    """Seconds without any sign of life after which a connection that seems open counts as lost."""
    slowest = max((watch.scan for watch in watches), default=0.0)
    return max(3 * keep_alive, 3 * slowest)
