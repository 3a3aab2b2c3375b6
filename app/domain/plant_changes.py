"""What would change if one plant became another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from app.domain.plant import Plant

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class PlantChanges:
    """How many pieces of equipment, connections and tags are added, changed and removed."""

    added: int
    changed: int
    removed: int


def compare_plants(present: Plant, wanted: Plant) -> PlantChanges:
    """Compare by code (equipment) and name (connections, tags)."""
    parts = (
        _compare({e.code: e for e in present.equipment}, {e.code: e for e in wanted.equipment}),
        _compare({c.name: c for c in present.connections}, {c.name: c for c in wanted.connections}),
        _compare({t.name: t for t in present.tags}, {t.name: t for t in wanted.tags}),
    )
    return PlantChanges(*(sum(counts) for counts in zip(*parts, strict=True)))


def _compare(present: dict[str, T], wanted: dict[str, T]) -> tuple[int, int, int]:
    added = _count(name not in present for name in wanted)
    changed = _count(name in present and present[name] != item for name, item in wanted.items())
    return added, changed, _count(name not in wanted for name in present)


def _count(answers: Iterable[bool]) -> int:
    return sum(1 for answer in answers if answer)
