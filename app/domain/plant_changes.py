"""One plant made from another by an edit, and what would change if one became the other."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from app.domain.errors import Stale
from app.domain.plant import Connection, Equipment, Plant, Tag

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class PlantChanges:
    """How many pieces of equipment, connections and tags are added, changed and removed."""

    added: int
    changed: int
    removed: int


def carried_over(tag: Tag, seen: Tag, now: Tag | None) -> Tag:
    """What somebody made of the tag `seen`, where it is `now` another: what they left alone stays as it is now.

    Raises `Stale` where both set the same, or the tag is gone.
    """
    if now == seen:
        return tag
    if now is None:
        raise Stale(
            f"Somebody took {tag.name} away meanwhile; close the tags and look again. Nothing was saved."
        )
    values: dict[str, Any] = {}
    for each in fields(tag):
        wanted, before, present = (getattr(one, each.name) for one in (tag, seen, now))
        if wanted == before:
            values[each.name] = present
        elif present not in (before, wanted):
            raise Stale(
                f"Somebody set {each.name} of {tag.name} anew meanwhile; close the tags and look again. "
                "Nothing was saved."
            )
    return replace(tag, **values)


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


def plant_with(
    plant: Plant,
    connections: Iterable[Connection] = (),
    equipment: Iterable[Equipment] = (),
    tags: Iterable[Tag] = (),
) -> Plant:
    """The plant with these put in place of their namesakes, or at the end."""
    return Plant(
        tuple(({e.code: e for e in plant.equipment} | {e.code: e for e in equipment}).values()),
        tuple(({c.name: c for c in plant.connections} | {c.name: c for c in connections}).values()),
        tuple(({t.name: t for t in plant.tags} | {t.name: t for t in tags}).values()),
    )


def without_tags(plant: Plant, names: frozenset[str]) -> Plant:
    """The plant without the tags of these names."""
    return replace(plant, tags=tuple(t for t in plant.tags if t.name not in names))


def without_connection(plant: Plant, name: str) -> Plant:
    """The plant without a connection and what comes over it."""
    tags = tuple(t for t in plant.tags if t.connection != name)
    return replace(plant, connections=tuple(c for c in plant.connections if c.name != name), tags=tags)


def with_renamed_connection(plant: Plant, was: str, name: str) -> Plant:
    """The plant in which a connection has another name, and its tags know it."""
    return replace(
        plant,
        connections=tuple(replace(c, name=name) if c.name == was else c for c in plant.connections),
        tags=tuple(replace(t, connection=name) if t.connection == was else t for t in plant.tags),
    )


def with_renamed_tag(plant: Plant, was: str, name: str) -> Plant:
    """The plant in which a tag has another name, also where the alarms of others look at it."""

    def renamed(tag: Tag) -> Tag:
        alarm = tag.alarm
        if alarm.deviation is not None and alarm.deviation.target == was:
            alarm = replace(alarm, deviation=replace(alarm.deviation, target=name))
        if alarm.suppress is not None and alarm.suppress.when == was:
            alarm = replace(alarm, suppress=replace(alarm.suppress, when=name))
        return replace(tag, name=name if tag.name == was else tag.name, alarm=alarm)

    return replace(plant, tags=tuple(renamed(tag) for tag in plant.tags))
